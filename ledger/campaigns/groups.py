"""Groups (并组): which households of a survey are told of, never fewer than five at a time."""

from __future__ import annotations

from uuid import UUID

import msgspec

from ledger.campaigns.survey import GROUP_MIN, Said, Tally

WHOLE = "*"

Standing = tuple[bytes, bytes]
"""A visit's id and what was answered there, as JSON: as small as it gets."""


class Home:
    """A household that answered: its answers that stand, oldest visit first, and those told."""

    __slots__ = ("grid", "group", "told", "visits")

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.visits: tuple[Standing, ...] = ()
        self.group: list[Home] | None = None
        self.told: Standing | None = None

    def say(self, visit: bytes, answers: bytes | None) -> None:
        """An edited visit keeps its place among the others; without answers it loses it."""
        found = dict(self.visits)
        if answers is None:
            found.pop(visit, None)
        else:
            found[visit] = answers
        self.visits = tuple(found.items())

    def takes_back(self, visit: bytes, answers: bytes | None) -> bool:
        """Whether that takes back what is told of it."""
        return answers is None and self.told is not None and self.told[0] == visit


class Grid:
    """Households of one lowest place: never told yet, told before but not now, told otherwise."""

    __slots__ = ("back", "changed", "new", "places")

    def __init__(self, places: tuple[str, ...]) -> None:
        self.places = (*places, WHOLE)
        self.new: set[Home] = set()
        self.back: set[Home] = set()
        self.changed: set[Home] = set()


class Groups:
    """What is told of a campaign, place by place, as ballots come in the order of the log.

    A household counts once, with the answers of its latest visit that has any. The households of a
    grid wait until five are there that were never told of; they become a group, are counted at
    once, and with them whatever changed in the grid since: whole groups of changed households
    join theirs, so that a group's numbers never move. Where what is told of a household is taken
    back, its whole group leaves at once, and the others come back with the next five new ones.
    A wider place tells the sum of its grids.

    Why no sum or difference of whatever was told, anywhere and at any time, is about fewer than
    five households: all of it is made of whole groups, and of those that are left after adding and
    subtracting take the one formed last. Its five new households are in no other group.

    When groups are formed and leave does not depend on what was said, but on which visits have
    answers: that is in the log, and told to nobody by this.

    What it costs: in a grid of 300 whose households change their answers now and then, who takes
    back takes 6 along where 2 % changed theirs, 35 where 10 % did. Not protected are households
    that all say the same, nor one of five from whoever knows what the other four said.
    """

    def __init__(self) -> None:
        self._told: dict[str, Tally] = {}
        self._homes: dict[str, Home] = {}
        self._grids: dict[tuple[str, ...], Grid] = {}
        self._known: dict[bytes, bytes] = {}

    def tally(self, place: str) -> Tally:
        """What is told of a place."""
        return self._told.get(place, Tally())

    def cast(self, household: str, places: tuple[str, ...], visit: UUID, said: Said | None) -> None:
        """Take in what stands of a visit from now on; None: nothing any more.

        ``places`` are the household's grid and those above it, lowest first.
        """
        home = self._homes.get(household)
        if home is None:
            grid = self._grids.setdefault(places, Grid(places))
            home = self._homes[household] = Home(grid)
        answers = None if said is None else msgspec.json.encode(said)
        # Many households answer alike: each answer is kept once.
        home.say(visit.bytes, answers and self._known.setdefault(answers, answers))
        grid = home.grid
        if home.group is None:
            if home not in grid.back:
                (grid.new.add if home.visits else grid.new.discard)(home)
        elif home.takes_back(visit.bytes, answers):
            self._leave(home.group)
        else:
            grid.changed.add(home)
        if len(grid.new) == GROUP_MIN:
            self._form(grid)

    def _form(self, grid: Grid) -> None:
        """A group of the new ones, with those to come back and all groups of changed ones."""
        merged = {id(home.group): home.group for home in grid.changed if home.group is not None}
        group, *others = sorted(([], *merged.values()), key=len, reverse=True)
        for other in others:
            _join(group, other)
        for home in grid.changed:
            self._tell(home, -1)
        back = {home for home in grid.back if home.visits}
        _join(group, [*grid.new, *back])
        for home in (*grid.changed, *grid.new, *back):
            home.told = home.visits[-1]
            self._tell(home, 1)
        grid.back -= back
        grid.new.clear()
        grid.changed.clear()

    def _leave(self, group: list[Home]) -> None:
        for home in group:
            self._tell(home, -1)
            home.group = home.told = None
            home.grid.back.add(home)
            home.grid.changed.discard(home)

    def _tell(self, home: Home, sign: int) -> None:
        assert home.told is not None
        said = msgspec.json.decode(home.told[1])
        for place in home.grid.places:
            self._told.setdefault(place, Tally()).add(said, sign)


def _join(group: list[Home], homes: list[Home]) -> None:
    """The larger group takes in the smaller, so that no household moves often."""
    for home in homes:
        home.group = group
    group += homes
