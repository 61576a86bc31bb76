"""What if (假设推演): every award settled again as if another policy had been in force all along.

Contributions, reviews and budgets are those of the log; verdicts of machines are judged again from
the stored measurements. What was awarded is compared, whatever became of the coins afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

import msgspec

from ledger import budgets, identity
from ledger.budgets import BudgetSet
from ledger.coins import AwardReversed, CoinsAwarded
from ledger.contributions import CONTRIBUTIONS
from ledger.contributions.base import (
    Amended,
    Assessed,
    AwardReopened,
    Contribution,
    Recorded,
    ReviewRefused,
    State,
    Verified,
    Withdrawn,
)
from ledger.contributions.credits import Credited, CreditRevoked, counted
from ledger.facts import Entry
from ledger.policy import PolicyBook, PolicyPublished
from ledger.settlement import parsed, policy_for, settle
from ledger.wallet import Wallet


class Difference(msgspec.Struct, frozen=True):
    """What somebody was awarded, and what it would have been."""

    participant_id: UUID
    awarded: int
    would: int

    @property
    def difference(self) -> int:
        return self.would - self.awarded


class WhatIf:
    """Folds the log under a policy file, whatever the day; raises InvalidPolicy for a wrong one."""

    def __init__(self, toml: str) -> None:
        policy = parsed(toml)
        always = PolicyPublished(version=policy.version, effective_from=date.min, toml=toml)
        self._book = PolicyBook(1, (always,))
        self._wallets: dict[UUID, Wallet] = {}
        self._open: dict[UUID, tuple[Contribution, State]] = {}
        self._waiting: dict[UUID, tuple[Contribution, State]] = {}  # for a budget
        self._credits: dict[UUID, tuple[Credited, ...]] = {}
        self._awards: dict[UUID, int] = {}  # by cause
        self._paid: set[UUID] = set()  # causes the log itself has paid
        self._used: dict[str, int] = {}
        self._awarded: dict[UUID, int] = {}
        self._would: dict[UUID, int] = {}

    def add(self, entry: Entry) -> None:
        """Fold the next entry of the log."""
        fact = entry.fact
        if isinstance(fact, Recorded | Assessed | Verified | ReviewRefused | Amended | Withdrawn):
            self._contribution(entry)
        elif isinstance(fact, CoinsAwarded):
            before = self._awarded.get(fact.participant_id, 0)
            self._awarded[fact.participant_id] = before + fact.amount
            self._paid.add(fact.cause)
        elif isinstance(fact, AwardReopened):
            self._settle_waiting([entry.originator_id], entry)
        elif isinstance(fact, AwardReversed):
            budgets.count(self._used, fact, -self._awards.get(fact.cause, 0))
            self._settle_waiting([one for one in self._waiting if one in self._paid], entry)
        elif isinstance(fact, CreditRevoked):
            place = entry.originator_id
            self._credits[place] = counted(self._credits.get(place, ()), fact)
        elif isinstance(fact, BudgetSet):
            self._book = self._book.with_facts([fact])
            self._settle_waiting([one for one in self._waiting if one in self._paid], entry)

    def differences(self) -> list[Difference]:
        """Everybody whose coins would be more or fewer, by participant."""
        people = sorted(self._awarded.keys() | self._would.keys(), key=str)
        found = (
            Difference(one, self._awarded.get(one, 0), self._would.get(one, 0)) for one in people
        )
        return [one for one in found if one.difference]

    def totals(self) -> tuple[int, int]:
        """All coins that were awarded, and all that would have been."""
        return sum(self._awarded.values()), sum(self._would.values())

    def _contribution(self, entry: Entry) -> None:
        fact, cause = entry.fact, entry.originator_id
        if isinstance(fact, Recorded):
            kind = next((one for one in CONTRIBUTIONS if type(fact) is one.recorded), None)
            if kind is None:
                return
            self._open[cause] = (kind, State())
        if cause not in self._open:
            return  # It is settled already: another verdict left nothing to review.
        contribution, state = self._open[cause]
        state.apply(entry if not isinstance(fact, Assessed) else self._judged(entry, fact))
        self._settle(cause, contribution, state, entry)

    def _judged(self, entry: Entry, fact: Assessed) -> Entry:
        """The assessment as this policy would have it."""
        contribution, state = self._open[entry.originator_id]
        recorded = state.recorded
        if contribution.verdict is None or recorded is None:
            return entry
        policy = policy_for(self._book, recorded.earned_on)
        rules = policy.kinds.get(contribution.kind) if policy else None
        verdict, reasons = contribution.verdict(recorded, fact, rules, entry.recorded_at)
        judged = msgspec.structs.replace(fact, verdict=verdict, reasons=reasons)
        return msgspec.structs.replace(entry, fact=judged)

    def _settle_waiting(self, causes: Iterable[UUID], entry: Entry) -> None:
        """Try again what found no budget: when it was tried again, or as soon as there is room
        for what the log had paid all along.
        """
        for cause in causes:
            if cause in self._waiting:
                self._settle(cause, *self._waiting.pop(cause), entry)

    def _settle(
        self, cause: UUID, contribution: Contribution, state: State, entry: Entry
    ) -> None:
        recorded = state.recorded
        if recorded is None:
            return
        wallet = self._wallets.setdefault(recorded.participant_id, Wallet())
        shared = contribution.shared(recorded) if contribution.shared else None
        state.credits = self._credits.get(shared, ()) if shared else ()
        settled = settle(contribution, state, cause, wallet, self._book, entry.recorded_at)
        if settled is None:
            return
        money = settled.money
        self._open.pop(cause, None)
        if shared and settled.credited:
            self._credits[shared] = counted(state.credits, settled.credited)
        if not isinstance(money, CoinsAwarded):
            return
        if budgets.exceeds(self._used, self._book.budgets, money):
            self._waiting[cause] = (contribution, state)
            return
        account = identity.wallet_id(money.participant_id)
        wallet.apply(Entry(account, wallet.version + 1, entry.recorded_at, money))
        self._awards[cause] = money.amount
        budgets.count(self._used, money, money.amount)
        before = self._would.get(money.participant_id, 0)
        self._would[money.participant_id] = before + money.amount
