"""What a row of coverage (走访覆盖率) holds: a household with its visits, or counts of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

import msgspec

from ledger.days import day_of

TRIES, APART = 2, timedelta(hours=4)
"""A household where nobody was home is tried so often, at times so far apart, before it may be
left."""
GONE = ("moved", "vacant")


class Seen(msgspec.Struct, omit_defaults=True):
    """One visit to a household as it stands, made ``at`` a moment and counted for a ``day``."""

    outcome: str
    by: str
    day: str
    at: datetime
    materials: dict[str, int] = {}
    follow_up_on: date | None = None

    def keeps(self, promise: Seen) -> bool:
        """Whether somebody came again as was promised, or nobody was left to come to."""
        assert promise.follow_up_on is not None
        came = day_of(self.at) >= promise.follow_up_on or self.outcome in GONE
        return came and self.at > promise.at


class Household(msgspec.Struct, omit_defaults=True):
    """A household of the frame and the visits to it that were not withdrawn."""

    household: str
    grid: str
    districts: tuple[str, ...]
    visits: dict[str, Seen] = {}

    @property
    def in_order(self) -> list[Seen]:
        """The visits to it by when they were made, however late they arrived."""
        return sorted(self.visits.values(), key=lambda one: one.at)

    @property
    def state(self) -> str:
        """``not_visited``, ``met``, ``revisit`` (nobody was home yet), or the latest outcome.

        Where nobody is home after somebody was there, what was found before stands.
        """
        outcomes = [one.outcome for one in self.in_order]
        if not outcomes or "met" in outcomes:
            return "met" if outcomes else "not_visited"
        left = [one for one in outcomes if one != "nobody_home"]
        if left:
            return left[-1]
        return "revisit" if self.tries < TRIES else "nobody_home"

    @property
    def tries(self) -> int:
        """How many times somebody came; what was within hours of another is the same time."""
        times: list[datetime] = []
        for one in self.in_order:
            if not times or one.at - times[-1] >= APART:
                times.append(one.at)
        return len(times)

    @property
    def follow_up_on(self) -> date | None:
        """The first day that somebody promised to come again on, which nobody has kept."""
        visits = self.visits.values()
        open_ = [
            one.follow_up_on for one in visits
            if one.follow_up_on and not any(later.keeps(one) for later in visits)
        ]  # fmt: skip
        return min(open_, default=None)

    def is_due(self, by: date = date.max) -> bool:
        """Whether somebody must come again by a day: nobody was home yet, or it was promised."""
        promised = self.follow_up_on
        return self.state == "revisit" or (promised is not None and promised <= by)


class Counts(msgspec.Struct, omit_defaults=True):
    """A row of counts: of a place, or of a worker or a day at one; ``of`` names it.

    ``whole``: the campaign is this place's, so its stock is the plan's, and not what was allotted.
    """

    of: str
    above: tuple[str, ...] = ()
    frame: int = 0
    attempted: int = 0
    met: int = 0
    revisit_due: int = 0
    visits: int = 0
    outcomes: dict[str, int] = {}
    given: dict[str, int] = {}
    stock: dict[str, int] = {}
    shows: int = 0
    headcount: int = 0
    whole: bool = False

    @property
    def empty(self) -> bool:
        """Whether it counts nothing."""
        return not (self.visits or self.frame or self.stock or self.shows)

    def count(self, visits: Collection[Seen], sign: int = 1) -> None:
        """Count the visits to one household; with -1 they are taken out again."""
        for one in visits:
            self.visits += sign
            moved(self.outcomes, one.outcome, sign)
            for kind, count in one.materials.items():
                moved(self.given, kind, sign * count)
        self.attempted += sign * bool(visits)
        self.met += sign * any(one.outcome == "met" for one in visits)

    def add(self, move: Counts) -> None:
        """Add what one household's visits moved."""
        self.attempted += move.attempted
        self.met += move.met
        self.revisit_due += move.revisit_due
        self.visits += move.visits
        for outcome, count in move.outcomes.items():
            moved(self.outcomes, outcome, count)
        for kind, count in move.given.items():
            moved(self.given, kind, count)


def moved(counts: dict[str, int], key: str, more: int) -> None:
    """Count so many more of something; what comes to nothing is left out."""
    total = counts.get(key, 0) + more
    if total:
        counts[key] = total
    else:
        counts.pop(key, None)
