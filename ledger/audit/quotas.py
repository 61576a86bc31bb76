"""Quotas (额度): what the store keeps as used of shared amounts is what the log gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from ledger.audit.findings import Finding, found
from ledger.audit.spilled import Spilled
from ledger.audit.stocks import Stocks
from ledger.budgets import BudgetSet, count, key_of
from ledger.coins import AwardReversed, CoinsAwarded
from ledger.facts import Entry
from ledger.log import Log
from ledger.reversals import ReversalProposed, ReversalRejected, claim_key
from ledger.spending.catalogue import stock_key
from ledger.spending.redemptions import RETURNING, RedemptionRequested
from ledger.store.rows import Quota


class Quotas:
    """Counts again what the store counted, by facts alone.

    ``stored`` are the amounts as of a position; what was recorded since is left out.
    """

    def __init__(self, stored: Mapping[str, int], through: int) -> None:
        self._stored, self._through = stored, through
        self._position = 0
        self._awarded: dict[str, int] = {}
        self._taken: dict[str, int] = {}
        self._budgets: set[str] = set()
        self._asked: Spilled[UUID, RedemptionRequested] = Spilled()
        self._causes: Spilled[UUID, UUID] = Spilled()
        self._stocks = Stocks()

    def check(self, entry: Entry) -> Iterator[Finding]:
        """Count the entry, and say where more was handed out than there was, or is allotted."""
        fact = entry.fact
        if entry.position > self._through:
            return
        self._position = entry.position
        if isinstance(fact, CoinsAwarded | AwardReversed):
            amount = fact.amount if isinstance(fact, CoinsAwarded) else -fact.amount
            count(self._awarded, fact, amount)
        elif isinstance(fact, BudgetSet):
            self._budgets.add(key_of(fact.district, fact.year))
        elif isinstance(fact, RedemptionRequested):
            self._asked[entry.originator_id] = fact
            self._take(stock_key(fact.offer_id), fact.quantity)
        elif isinstance(fact, RETURNING) and entry.originator_id in self._asked:
            asked = self._asked.pop(entry.originator_id)
            self._take(stock_key(asked.offer_id), -asked.quantity)
        elif isinstance(fact, ReversalProposed):
            self._causes[entry.originator_id] = fact.cause
            self._take(claim_key(fact.cause), 1)
        elif isinstance(fact, ReversalRejected) and entry.originator_id in self._causes:
            self._take(claim_key(self._causes.pop(entry.originator_id)), -1)
        for taken in self._stocks.taken(entry):
            self._take(taken.key, taken.amount)
            used = self._taken[taken.key]
            if taken.limit is not None and taken.amount >= 0 and used > taken.limit:
                yield found("QUOTA", entry.position, f"{taken.key}: {used} > {taken.limit}")

    def lost(self, originator: UUID | None) -> None:
        """What an unreadable fact took nobody can say."""

    def end(self) -> Iterator[Finding]:
        """Compare, key by key."""
        for key, (stored, counted) in self.differences().items():
            yield found("QUOTA", self._position, f"{key}: {stored} ≠ {counted}")

    def differences(self) -> dict[str, tuple[int, int]]:
        """What is stored and what is right, where they differ."""
        right = {key: self._awarded.get(key, 0) for key in self._budgets} | self._taken
        pairs = {
            key: (self._stored.get(key, 0), right.get(key, 0))
            for key in sorted(right.keys() | self._stored.keys())
        }
        return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}

    def _take(self, key: str, amount: int) -> None:
        self._taken[key] = self._taken.get(key, 0) + amount


def recount(log: Log, now: datetime) -> dict[str, tuple[int, int]]:
    """Set right what the store keeps as used, from the log alone; what was and what is now.

    For a table that was lost or restored without the log. Nothing is recorded.
    """

    def command() -> dict[str, tuple[int, int]]:
        head, stored = log.store.select_quotas_at()
        quotas = Quotas(stored, head)
        for entry in log.entries():
            for _ in quotas.check(entry):
                pass  # What was handed out beyond a stock is for the audit to say.
        differences = quotas.differences()
        moved = [
            Quota(key, right - was, None, was=was) for key, (was, right) in differences.items()
        ]
        if moved:
            log.append([], now, head=head, quotas=moved)
        return differences

    return log.attempt(command)
