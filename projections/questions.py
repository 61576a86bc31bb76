"""The questions of the API (提问); what each means is said where it is answered, by its view."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from projections import balances as balances_view
from projections import campaigns as campaigns_view
from projections import contributions as contributions_view
from projections import coverage_questions as coverage_view
from projections import leaderboard as leaderboard_view
from projections import redemptions as redemptions_view
from projections import reversals as reversals_view
from projections import statement as statement_view
from projections import trial_balance as trial_balance_view
from projections.coverage_rows import Counts
from projections.view import Source

T = TypeVar("T")

Page = dict[str, Any]
"""``{items, next, position}``."""


class Questions(ABC):
    """All questions; ``today`` is an argument, as everywhere.

    Each raises ViewNotReady while its view is built for the first time, and where it takes a
    cursor BadCursor for one that is not its own.
    """

    @abstractmethod
    def _ask(self, question: Callable[[Source], T]) -> T:
        """The answer of whichever source is to give it."""

    def wallet(self, participant: UUID, today: date) -> dict[str, Any]:
        """See ``balances.wallet``."""
        return self._ask(lambda store: balances_view.wallet(store, participant, today))

    def statement(
        self,
        participant: UUID,
        cursor: str | None = None,
        limit: int = 50,
        through: int | None = None,
    ) -> Page:
        """See ``statement.statement``."""
        return self._ask(
            lambda store: statement_view.statement(store, participant, cursor, limit, through)
        )

    def board(
        self,
        granularity: str,
        period: str,
        district: str | None = None,
        role: str | None = None,
        limit: int = 10,
        around: UUID | None = None,
    ) -> dict[str, Any]:
        """See ``leaderboard.board``; raises InvalidInput for a board there cannot be."""
        return self._ask(
            lambda store: leaderboard_view.board(
                store, granularity, period, district, role, limit=limit, around=around
            )
        )

    def contributions(
        self,
        participant: UUID,
        cursor: str | None = None,
        limit: int = 50,
        kinds: Sequence[str] | None = None,
    ) -> Page:
        """See ``contributions.contributions``."""
        return self._ask(
            lambda store: contributions_view.contributions(
                store, participant, cursor, limit, kinds
            )
        )

    def contribution(self, cause: UUID) -> dict[str, Any] | None:
        """One contribution as it stands; None where there is none."""
        return self._ask(lambda store: contributions_view.contribution(store, cause))

    def waiting(
        self,
        districts: Sequence[str] | None = None,
        cursor: str | None = None,
        limit: int = 50,
        kinds: Sequence[str] | None = None,
        state: str | None = None,
    ) -> Page:
        """See ``contributions.waiting``."""
        return self._ask(
            lambda store: contributions_view.waiting(store, districts, kinds, cursor, limit, state)
        )

    def consenting(self) -> set[UUID]:
        """See ``leaderboard.consenting``."""
        return self._ask(leaderboard_view.consenting)

    def redemption(self, redemption_id: UUID) -> dict[str, Any] | None:
        """One redemption as it stands; None where there is none."""
        return self._ask(lambda store: redemptions_view.redemption(store, redemption_id))

    def redemptions(self, participant: UUID, cursor: str | None = None, limit: int = 50) -> Page:
        """See ``redemptions.redemptions``."""
        return self._ask(
            lambda store: redemptions_view.redemptions(store, participant, cursor, limit)
        )

    def redemptions_of_merchant(
        self, merchant_id: UUID | None, cursor: str | None = None, limit: int = 50
    ) -> Page:
        """See ``redemptions.of_merchant``."""
        return self._ask(
            lambda store: redemptions_view.of_merchant(store, merchant_id, cursor, limit)
        )

    def redemptions_waiting(
        self, districts: Sequence[str] | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page:
        """See ``redemptions.waiting``."""
        return self._ask(lambda store: redemptions_view.waiting(store, districts, cursor, limit))

    def reversal(self, reversal_id: UUID) -> dict[str, Any] | None:
        """One reversal as it stands; None where there is none."""
        return self._ask(lambda store: reversals_view.reversal(store, reversal_id))

    def reversals(self, participant: UUID, cursor: str | None = None, limit: int = 50) -> Page:
        """See ``reversals.reversals``."""
        return self._ask(
            lambda store: reversals_view.reversals(store, participant, cursor, limit)
        )

    def reversals_waiting(
        self, districts: Sequence[str] | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page:
        """See ``reversals.waiting``."""
        return self._ask(lambda store: reversals_view.waiting(store, districts, cursor, limit))

    def trial_balance(self) -> dict[str, Any]:
        """See ``trial_balance.trial_balance``."""
        return self._ask(trial_balance_view.trial_balance)

    def campaigns(self, cursor: str | None = None, limit: int = 50) -> Page:
        """See ``campaigns.campaigns``."""
        return self._ask(lambda store: campaigns_view.campaigns(store, cursor, limit))

    def coverage(self, campaign: UUID, place: str | None) -> tuple[int, Counts]:
        """See ``coverage_questions.counts``."""
        return self._ask(lambda store: coverage_view.counts(store, campaign, place))

    def coverage_places(
        self, campaign: UUID, wanted: Callable[[Counts], bool], asked: str,
        cursor: str | None = None, limit: int = 50,
    ) -> Page:  # fmt: skip
        """See ``coverage_questions.places``."""
        return self._ask(
            lambda store: coverage_view.places(store, campaign, wanted, asked, cursor, limit)
        )

    def coverage_workers(
        self, campaign: UUID, place: str | None, on: date | None = None,
        cursor: str | None = None, limit: int = 50,
    ) -> Page:  # fmt: skip
        """See ``coverage_questions.workers``."""
        return self._ask(
            lambda store: coverage_view.workers(store, campaign, place, on, cursor, limit)
        )

    def coverage_days(
        self, campaign: UUID, place: str | None, cursor: str | None = None, limit: int = 50
    ) -> Page:
        """See ``coverage_questions.days``."""
        return self._ask(lambda store: coverage_view.days(store, campaign, place, cursor, limit))

    def households(
        self, campaign: UUID, grid: str, cursor: str | None = None, limit: int = 50,
        due_by: date | None = None,
    ) -> Page:  # fmt: skip
        """See ``coverage_questions.households``."""
        return self._ask(
            lambda store: coverage_view.households(store, campaign, grid, cursor, limit, due_by)
        )
