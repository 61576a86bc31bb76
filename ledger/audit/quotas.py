"""Quotas (额度): what the store keeps as used of shared amounts is what the log gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from ledger.audit.findings import Finding, found
from ledger.budgets import BudgetSet, key_of, places
from ledger.coins import AwardReversed, CoinsAwarded
from ledger.facts import Entry
from ledger.reversals import ReversalProposed, ReversalRejected, claim_key
from ledger.spending.catalogue import stock_key
from ledger.spending.redemptions import RETURNING, RedemptionRequested


class Quotas:
    """Counts again what the store counted, by facts alone; ``stored`` is read before the log."""

    def __init__(self, stored: Mapping[str, int]) -> None:
        self._stored = stored
        self._position = 0
        self._awarded: dict[str, int] = {}
        self._taken: dict[str, int] = {}
        self._budgets: set[str] = set()
        self._asked: dict[UUID, RedemptionRequested] = {}
        self._causes: dict[UUID, UUID] = {}

    def check(self, entry: Entry) -> Iterator[Finding]:
        """Count the entry; nothing is said before the end."""
        fact, self._position = entry.fact, entry.position
        if isinstance(fact, CoinsAwarded | AwardReversed):
            amount = fact.amount if isinstance(fact, CoinsAwarded) else -fact.amount
            for place in places(fact.districts):
                key = key_of(place, fact.earned_on.year)
                self._awarded[key] = self._awarded.get(key, 0) + amount
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
        return iter(())

    def lost(self, originator: UUID | None) -> None:
        """What an unreadable fact took nobody can say."""

    def end(self) -> Iterator[Finding]:
        """Compare, key by key."""
        right = {key: self._awarded.get(key, 0) for key in self._budgets} | self._taken
        for key in sorted(right.keys() | self._stored.keys()):
            stored, counted = self._stored.get(key, 0), right.get(key, 0)
            if stored != counted:
                yield found("QUOTA", self._position, f"{key}: {stored} ≠ {counted}")

    def _take(self, key: str, amount: int) -> None:
        self._taken[key] = self._taken.get(key, 0) + amount
