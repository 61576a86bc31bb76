"""A card (打卡卡): the points of a trail that somebody was at, and how far that is walked.

A stamp says where somebody was and when by our clock, whatever it earned and whenever it arrived,
so how far a trail was walked does not depend on the order in which its check-ins arrive.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

# Until stamps told their moment they were given in the order of the trail, before all that do.
BEFORE = datetime.min.replace(tzinfo=UTC)
# A point is stamped so often in a day, and beyond only where that brings the walk forward.
STAMPS_A_DAY = 4


class Stamp(NamedTuple):
    """At which point, the ``number``-th of the trail from 0, somebody was, on which day and when.

    ``kind`` is point or finish by what was granted for it, and seen where nothing was.
    """

    kind: str
    point_id: str
    day: str
    number: int
    made_at: datetime

    @property
    def mark(self) -> str:
        """As it is stored, as in point/p1/2026-05-20/1/2026-05-20T01:10:00+00:00."""
        known = "/".join(self[:3])
        if self.made_at == BEFORE:
            return known
        return f"{known}/{self.number}/{self.made_at.astimezone(UTC).isoformat()}"


class Card:
    """One person's stamps along one trail, read from what stands at it."""

    def __init__(self, marks: Iterable[str]) -> None:
        self._stamps = _numbered([_read(*one.split("/")) for one in marks])

    @property
    def finished(self) -> bool:
        """Whether the finish was granted."""
        return any(one.kind == "finish" for one in self._stamps)

    def at(self, point_id: str) -> list[Stamp]:
        """The stamps of a point."""
        return [one for one in self._stamps if one.point_id == point_id]

    def near(self, stamp: Stamp, within: timedelta) -> bool:
        """Whether somebody was at another point less than so long before or after."""
        return any(
            one.number != stamp.number and abs(one.made_at - stamp.made_at) < within
            for one in self._stamps if one.made_at != BEFORE
        )  # fmt: skip

    def walked(self, order: str, *more: Stamp) -> int:
        """How many points were visited; in a given order the most that were, by their times.

        The longest rising run: place n holds the least point that ends one of n + 1 points.
        """
        stamps, ends = [*_numbered(self._stamps, *more), *more], list[int]()
        if order == "any":
            return len({one.point_id for one in stamps})
        for one in sorted(stamps, key=lambda one: (one.made_at, one.number)):
            place = bisect_left(ends, one.number)
            ends[place : place + 1] = [one.number]
        return len(ends)


def _read(kind: str, point_id: str, day: str, number: str = "0", made_at: str = "") -> Stamp:
    moment = datetime.fromisoformat(made_at) if made_at else BEFORE
    return Stamp(kind, point_id, day, int(number), moment)


def _numbered(stamps: Sequence[Stamp], *more: Stamp) -> list[Stamp]:
    """Stamps of before get the number that a later one of their point tells, else the next free.

    What was taken back is gone, so which one they are of those that stand is not their number. It
    is as good as theirs where one was; where more were, theirs may be higher.
    """
    known = {one.point_id: one.number for one in (*stamps, *more)
             if one.made_at != BEFORE or one in more}  # fmt: skip
    taken, last = set(known.values()), -1
    for one in stamps:
        if one.made_at == BEFORE:
            free = next(number for number in count(last + 1) if number not in taken)
            last = max(last, known.setdefault(one.point_id, free))
    return [one._replace(number=known[one.point_id]) for one in stamps]
