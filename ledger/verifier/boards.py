"""Boards again (重算排行榜): who earned how much in which month, from the awards alone.

They are summed up without the view that shows them. Compared are the boards of months, of years
and of all time; those of days and weeks are of the same awards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ledger.audit.spilled import Spilled
from ledger.coins import AwardReversed, CoinsAwarded
from ledger.days import month_of
from ledger.facts import Entry
from ledger.participants import ConsentGiven, ConsentWithdrawn, ParticipantRegistered

CONSENT, ALL = "board", "*"
GRANULARITIES = ("month", "year", "all")


class Line(NamedTuple):
    """A line of a board; ``position`` is that of the last change to its coins."""

    board: str
    participant_id: str
    coins: int
    position: int

    def text(self) -> str:
        """The line as it is written."""
        return json.dumps(self._asdict())


class Boards:
    """Everybody's coins by month, role and place; who consents to being shown."""

    def __init__(self) -> None:
        self._earned: Spilled[str, tuple[int, int]] = Spilled()
        self._consents: Spilled[str, bool] = Spilled()

    def add(self, entry: Entry) -> None:
        """Fold the next entry."""
        fact = entry.fact
        if isinstance(fact, CoinsAwarded | AwardReversed):
            amount = fact.amount if isinstance(fact, CoinsAwarded) else -fact.amount
            place = json.dumps([fact.role, *fact.districts])
            key = f"{fact.participant_id}/{month_of(fact.earned_on)}/{place}"
            before, _ = self._earned.get(key, (0, 0))
            self._earned[key] = (before + amount, entry.position)
        elif isinstance(fact, ParticipantRegistered):
            if CONSENT in fact.consents:
                self._consents[str(entry.originator_id)] = True
        elif isinstance(fact, ConsentGiven | ConsentWithdrawn) and fact.consent == CONSENT:
            self._consents[str(entry.originator_id)] = isinstance(fact, ConsentGiven)

    def lines(self) -> Iterator[Line]:
        """Every line that may be shown now, by board and participant."""
        sums: Spilled[str, tuple[int, int]] = Spilled()
        for part in self._parts():
            key = f"{part.board}\n{part.participant_id}"
            coins, position = sums.get(key, (0, 0))
            sums[key] = coins + part.coins, max(position, part.position)
        for name, (coins, position) in sums.items():
            if coins > 0:
                board, _, person = name.decode().rpartition("\n")
                yield Line(board, person, coins, position)

    def _parts(self) -> Iterator[Line]:
        for key, (coins, position) in self._earned.items():
            person, month, place = key.decode().split("/", 2)
            if self._consents.get(person):
                role, *districts = json.loads(place)
                for board in boards_of(month, role, districts):
                    yield Line(board, person, coins, position)


def boards_of(month: str, role: str, districts: Iterable[str]) -> Iterator[str]:
    """The boards on which an award of a month counts."""
    periods = {"month": month, "year": month[:4], "all": "all"}
    for granularity in GRANULARITIES:
        for district in dict.fromkeys((ALL, *districts)):
            for one in (ALL, role):
                yield f"{granularity}:{periods[granularity]}:{district}:{one}"
