"""The rows of coverage (走访覆盖率): households with their visits, and counts of them."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

TRIES = 2
"""How often a household where nobody was home is to be tried before it may be left."""


class Seen(msgspec.Struct):
    """One visit to a household, as it stands."""

    outcome: str
    by: str
    day: str
    materials: dict[str, int] = {}
    follow_up_on: str | None = None


class Household(msgspec.Struct):
    """A household of the frame and the visits to it that were not withdrawn."""

    household: str
    grid: str
    districts: tuple[str, ...]
    visits: dict[str, Seen] = {}

    @property
    def state(self) -> str:
        """``not_visited``, ``met``, ``revisit`` (nobody was home yet), or the latest outcome."""
        outcomes = [one.outcome for one in self.visits.values()]
        if not outcomes or "met" in outcomes:
            return "met" if outcomes else "not_visited"
        left = [one for one in outcomes if one != "nobody_home"]
        if left:
            return left[-1]
        return "revisit" if len(outcomes) < TRIES else "nobody_home"

    @property
    def to_visit_again(self) -> bool:
        """Whether somebody must come again: nobody was home yet, or it was promised."""
        return self.state == "revisit" or self.follow_up_on is not None

    @property
    def follow_up_on(self) -> str | None:
        """The latest day somebody promised to come again and nobody has come since."""
        days = [one.day for one in self.visits.values()]
        promised = [one.follow_up_on for one in self.visits.values() if one.follow_up_on]
        return max((day for day in promised if day > max(days)), default=None)


class Counts(msgspec.Struct):
    """A row of coverage: of a place, a worker or a day; ``of`` names it."""

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

    def move(self, before: Collection[Seen], after: Collection[Seen]) -> None:
        """Count the visits to one household anew: those after in place of those before."""
        for visits, sign in ((before, -1), (after, 1)):
            for one in visits:
                self.visits += sign
                moved(self.outcomes, one.outcome, sign)
                for kind, count in one.materials.items():
                    moved(self.given, kind, sign * count)
            self.attempted += sign * bool(visits)
            self.met += sign * any(one.outcome == "met" for one in visits)


def moved(counts: dict[str, int], key: str, more: int) -> None:
    """Count so many more of something; what comes to nothing is left out."""
    total = counts.get(key, 0) + more
    if total:
        counts[key] = total
    else:
        counts.pop(key, None)
