"""Setting budgets (预算), and paying what was refused for lack of one."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec

from ledger import access, identity
from ledger.awards import BUDGET
from ledger.budgets import CITY, BudgetSet, awarded_in, key_of, shares
from ledger.coins import AwardRefused, AwardReversed, CoinsAwarded
from ledger.commands import signature
from ledger.contributing import Contributing
from ledger.contributions import BY_KIND
from ledger.contributions.base import AwardReopened, State
from ledger.errors import Forbidden
from ledger.facts import Entry
from ledger.log import Append, Kept, Log
from ledger.participants import Actor
from ledger.recording import Basis
from ledger.store.errors import QuotaExceeded
from ledger.store.rows import Quota

COUNTED = (CoinsAwarded.topic, AwardReversed.topic)
# Between its last look and its commit nothing at all may be recorded, so it tries for longer.
ATTEMPTS_OF_A_FIRST_BUDGET = 200


class Budget(msgspec.Struct, frozen=True):
    """A budget; ``district`` None is the whole city."""

    district: str | None
    year: int
    coins: int
    used: int


class BudgetReceipt(msgspec.Struct, frozen=True):
    """That a budget was set, and where; the same again for the same submission."""

    position: int
    replayed: bool = False


class Waiting:
    """Awards that were refused for lack of budget and not settled since: kind by cause."""

    def __init__(self) -> None:
        self.kinds: dict[UUID, str] = {}

    def add(self, entry: Entry) -> None:
        fact = entry.fact
        assert isinstance(fact, AwardRefused | CoinsAwarded)
        if isinstance(fact, AwardRefused) and fact.rule == BUDGET:
            self.kinds.setdefault(fact.cause, fact.kind)
        else:
            self.kinds.pop(fact.cause, None)


class Budgeting(Contributing):
    """Budgets of districts and years."""

    @cached_property
    def _waiting(self) -> Kept[Waiting]:
        return Kept(self, [AwardRefused.topic, CoinsAwarded.topic], Waiting)

    def set_budget(
        self, actor: Actor | None, district: str | None, year: int, coins: int, now: datetime,
        *, request: Any = None, submission_id: UUID | None = None,
    ) -> BudgetReceipt:  # fmt: skip
        """Set what a district (None: the whole city) may award for days of a year.

        The first time what was awarded before is counted in. What waited is paid afterwards, by
        ``pay_waiting``. Raises UnknownDistrict, Forbidden for another place, SubmissionConflict.
        """
        self._check_district(district)
        place, signed = district or CITY, None
        if actor is not None and submission_id is not None:
            signed = signature(self.vault, actor.participant_id, "budget", submission_id, request)
        counted = Counted(self, place, year)

        def command() -> BudgetReceipt:
            book, tree = self.policies.current(), self.districts.current()
            if actor and not access.within(actor, tree.path(district)):
                raise Forbidden
            if signed and (earlier := signed.earlier(book.commands)):
                (entry,) = self.events.get(identity.POLICIES, gt=earlier - 1, lte=earlier)
                return BudgetReceipt(entry.position, True)  # type: ignore[attr-defined]
            fact = BudgetSet(
                district=place, year=year, coins=coins, **(signed.fields if signed else {})
            )
            first = (place, year) not in book.budgets
            used, head = counted.until_now() if first else (0, None)
            (entry,) = self.append(
                [Append(identity.POLICIES, book.version, [fact])], now, head=head,
                unchanged={identity.DISTRICTS: tree.version},
                quotas=[Quota(key_of(place, year), used, None)],
            )  # fmt: skip
            return BudgetReceipt(entry.position)

        return self.attempt(command, ATTEMPTS_OF_A_FIRST_BUDGET)

    def budgets(self) -> list[Budget]:
        """Every budget and what is used of it, the latest year first, then by district."""
        found = sorted(
            self.policies.current().budgets.items(), key=lambda one: (-one[0][1], one[0][0])
        )
        used = self.store.select_quotas()
        return [
            Budget(None if place == CITY else place, year, coins, used.get(key_of(place, year), 0))
            for (place, year), coins in found
        ]

    def pay_waiting(
        self, now: datetime, by: UUID | None = None, limit: int | None = None
    ) -> int:
        """Settle again what was refused for lack of budget; how many awards were paid.

        The first refused comes first, ``limit`` of them at most. Where one finds no room, nobody
        after it is tried under that budget. To be called whenever a budget may have room again:
        nothing is paid twice.
        """
        with self._waiting.current() as waiting:
            causes = list(waiting.kinds.items())
        paid, full = 0, set[str]()
        for cause, kind in causes:
            if paid == limit:
                break
            if full & self._budgets_above(kind, cause):
                continue
            try:
                paid += self._pay(kind, cause, now, by)
            except QuotaExceeded as exceeded:
                full.add(exceeded.key)
        return paid

    def _budgets_above(self, kind: str, cause: UUID) -> set[str]:
        """The store's names of the budgets a contribution counts against."""
        recorded = self.contribution(BY_KIND[kind], cause).recorded
        assert recorded is not None
        budgets = self.policies.current().budgets
        return {one.key for one in shares(budgets, recorded.districts, recorded.earned_on, 0)}

    def _pay(self, kind: str, cause: UUID, now: datetime, by: UUID | None) -> int:
        contribution = BY_KIND[kind]

        def command() -> int:
            state: State = self.contribution(contribution, cause)
            if not self._waits(cause, state):
                return 0
            reopened, basis = AwardReopened(by=by), Basis(self.policies.current())
            receipt = self._decided(
                contribution, cause, state, [reopened], now, basis, only_if_paid=True
            )
            return 1 if receipt.coins else 0

        with self.wallet_turns.of(self._owner(contribution, cause)):
            return self.attempt(command, stop_at=QuotaExceeded)

    def _waits(self, cause: UUID, state: State) -> bool:
        """Whether the last word on a cause is that there was no budget for it."""
        assert state.recorded is not None
        last: object = None
        for entry in self.events.get(identity.wallet_id(state.recorded.participant_id)):
            fact = entry.fact  # type: ignore[attr-defined]
            if isinstance(fact, AwardRefused | CoinsAwarded) and fact.cause == cause:
                last = fact
        return isinstance(last, AwardRefused) and last.rule == BUDGET


class Counted:
    """What a district was awarded for a year; each question reads only what came since."""

    def __init__(self, log: Log, place: str, year: int) -> None:
        self._log, self._place, self._year = log, place, year
        self._coins = self._position = 0

    def until_now(self) -> tuple[int, int]:
        """The coins, and the position up to which they were counted."""
        head = self._log.head()
        self._coins += sum(
            awarded_in(self._place, self._year, self._log.entry(row).fact)
            for row in self._log.rows_through(head, self._position, COUNTED)
        )
        self._position = head
        return self._coins, head
