"""Setting budgets (预算), and paying what was refused for lack of one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger import access, identity
from ledger.awards import BUDGET
from ledger.budgets import CITY, BudgetSet, awarded_in, key_of
from ledger.coins import AwardRefused, AwardReversed, CoinsAwarded
from ledger.contributing import Contributing
from ledger.contributions import BY_KIND
from ledger.contributions.base import AwardReopened, State
from ledger.errors import Forbidden, SubmissionConflict
from ledger.log import Append
from ledger.participants import Actor
from ledger.recording import Basis
from ledger.store.errors import QuotaExceeded
from ledger.store.rows import Quota
from ledger.vault import content_of

COUNTED = (CoinsAwarded.topic, AwardReversed.topic)


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


class Budgeting(Contributing):
    """Budgets of districts and years."""

    def set_budget(
        self, actor: Actor | None, district: str | None, year: int, coins: int, now: datetime,
        *, request: Any = None, submission_id: UUID | None = None,
    ) -> BudgetReceipt:  # fmt: skip
        """Set what a district (None: the whole city) may award for days of a year.

        The first time what was awarded before is counted in. What waited is paid afterwards, by
        ``pay_waiting``. Raises UnknownDistrict, Forbidden for another place, SubmissionConflict.
        """
        self._check_district(district)
        path = self.districts.current().path(district)
        if actor is not None and not access.within(actor, path):
            raise Forbidden
        place, by, command_id, digest = district or CITY, None, None, ""
        if actor is not None and submission_id is not None:
            by = actor.participant_id
            command_id = identity.command_id(by, "budget", submission_id)
            digest = self.vault.fingerprint(by, content_of(request))

        counted = counted_to = 0

        def command() -> BudgetReceipt:
            nonlocal counted, counted_to
            book, head = self.policies.current(), self.head()
            if command_id is not None and (known := book.commands.get(command_id)):
                if known[0] != digest:
                    raise SubmissionConflict
                (entry,) = self.events.get(identity.POLICIES, gt=known[1] - 1, lte=known[1])
                return BudgetReceipt(entry.position, True)  # type: ignore[attr-defined]
            fact = BudgetSet(
                district=place, year=year, coins=coins, by=by, command_id=command_id,
                body_digest=digest,
            )  # fmt: skip
            first = (place, year) not in book.budgets
            if first:  # Each attempt counts only what came since; the log must then stand still.
                counted += self._awarded(place, year, counted_to, head)
                counted_to = head
            entries = self.append(
                [Append(identity.POLICIES, book.version, [fact])], now,
                head=head if first else None, quotas=[Quota(key_of(place, year), counted, None)],
            )  # fmt: skip
            return BudgetReceipt(entries[-1].position)

        return self.attempt(command)

    def _awarded(self, place: str, year: int, after: int, through: int) -> int:
        return sum(
            awarded_in(place, year, entry.fact)
            for entry in self.entries(after, topics=COUNTED)
            if entry.position <= through
        )

    def budgets(self) -> list[Budget]:
        """Every budget and what is used of it, the latest year first, then by district."""
        found = sorted(
            self.policies.current().budgets.items(), key=lambda one: (-one[0][1], one[0][0])
        )
        used = self.store.select_quotas()
        return [
            Budget(None if place == CITY else place, year, coins, used[key_of(place, year)])
            for (place, year), coins in found
        ]

    def pay_waiting(
        self, now: datetime, by: UUID | None = None, limit: int | None = None
    ) -> int:
        """Settle again what was refused for lack of budget; how many awards were paid.

        The first refused comes first, of ``limit`` at most; one that still does not fit goes on
        waiting. To be called whenever a budget may have room again: nothing is paid twice.
        """
        waiting = list(self.waiting_for_budget())[:limit]
        return sum(self._pay(kind, cause, now, by) for kind, cause in waiting)

    def waiting_for_budget(self) -> Iterator[tuple[str, UUID]]:
        """(kind, cause) of every award that was refused for lack of budget and not paid since."""
        waiting: dict[UUID, str] = {}
        for entry in self.entries(topics=[AwardRefused.topic, CoinsAwarded.topic]):
            fact = entry.fact
            assert isinstance(fact, AwardRefused | CoinsAwarded)
            if isinstance(fact, AwardRefused) and fact.rule == BUDGET:
                waiting.setdefault(fact.cause, fact.kind)
            else:
                waiting.pop(fact.cause, None)
        yield from ((kind, cause) for cause, kind in waiting.items())

    def _pay(self, kind: str, cause: UUID, now: datetime, by: UUID | None) -> int:
        contribution = BY_KIND[kind]

        def command() -> int:
            state: State = self.contribution(contribution, cause)
            if not self._waits(cause, state):
                return 0
            reopened, basis = AwardReopened(by=by), Basis(self.policies.current())
            try:
                receipt = self._decided(
                    contribution, cause, state, [reopened], now, basis, only_if_paid=True
                )
            except QuotaExceeded:
                return 0
            return 1 if receipt.coins else 0

        with self.wallet_turns.of(self._owner(contribution, cause)):
            return self.attempt(command)

    def _waits(self, cause: UUID, state: State) -> bool:
        """Whether the last word on a cause is that there was no budget for it."""
        assert state.recorded is not None
        last: object = None
        for entry in self.events.get(identity.wallet_id(state.recorded.participant_id)):
            fact = entry.fact  # type: ignore[attr-defined]
            if isinstance(fact, AwardRefused | CoinsAwarded) and fact.cause == cause:
                last = fact
        return isinstance(last, AwardRefused) and last.rule == BUDGET
