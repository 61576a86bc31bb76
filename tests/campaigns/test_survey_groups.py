"""Groups of a survey: whoever looks at everything, always, and reckons learns of no few."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from random import Random
from uuid import UUID

import pytest

from ledger.campaigns.groups import WHOLE, Groups
from ledger.campaigns.survey import GROUP_MIN

TOWN = {"g1": ("g1", "t1", "c"), "g2": ("g2", "t1", "c"), "g3": ("g3", "t2", "c")}
PLACES = ("g1", "g2", "g3", "t1", "t2", "c", WHOLE)
Told = frozenset[str]
PRIME = 2**61 - 1


class Town:
    """Three grids whose households say what nobody else ever says: who is counted is in plain."""

    def __init__(self, seed: int, households: int, grids: int = 3) -> None:
        self.random, self.groups = Random(seed), Groups()
        codes = list(TOWN)[-grids:]
        self.households = [(f"h{n}", TOWN[codes[n % grids]]) for n in range(households)]
        self.visits: dict[UUID, tuple[str, tuple[str, ...]]] = {}
        self.said: dict[UUID, str] = {}

    def step(self) -> None:
        """A visit, an edit to something new or old, or a withdrawal."""
        dice, household = self.random.random(), self.random.choice(self.households)
        if dice < 0.6 or not self.visits:
            visit = UUID(int=self.random.getrandbits(128))
            self.visits[visit] = household
        else:
            visit = self.random.choice(list(self.visits))
        (number, places), said = self.visits[visit], None
        if dice < 0.85:
            said = {"q": f"{number}.{self.random.randrange(3)}"}
        self.groups.cast(number, places, visit, said)

    def looks(self) -> dict[str, Told]:
        """What is told of every place: whose answers, and which of them."""
        return {place: told(self.groups, place) for place in PLACES}


def told(groups: Groups, place: str) -> Told:
    counts = groups.tally(place).codes.get("q", {})
    assert set(counts.values()) <= {0, 1}, "A household counts once."
    return frozenset(code for code, count in counts.items() if count)


def whose(answers: frozenset[str]) -> set[str]:
    return {one.partition(".")[0] for one in answers}


@pytest.mark.parametrize("seed", range(12))
def test_no_two_looks_differ_by_few_households(seed):
    """Of any place at any two moments: alike, or other in the answers of five households."""
    town, seen = Town(seed, 40), {place: {frozenset[str]()} for place in PLACES}
    for _ in range(160):
        town.step()
        for place, look in town.looks().items():
            for other in seen[place] - {look}:
                assert len(whose(look ^ other)) >= GROUP_MIN, (place, look ^ other)
            seen[place].add(look)
    assert max(map(len, seen.values())) > 6, "Something was told."


@pytest.mark.parametrize("seed", range(6))
def test_the_whole_less_its_parts_is_nobody(seed):
    """A wider place tells the sum of its grids, so what is left of it without some is theirs."""
    town = Town(seed, 40)
    for _ in range(160):
        town.step()
        looks = town.looks()
        for grid in TOWN:
            assert whose(looks[grid]) <= {one for one, (at, *_) in town.households if at == grid}
        assert looks["t1"] == looks["g1"] | looks["g2"]
        assert looks["t2"] == looks["g3"]
        assert looks[WHOLE] == looks["c"] == looks["t1"] | looks["t2"]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_added_and_subtracted_is_about_five(seed):
    """No sum of multiples of all that was ever told, of all places, is about four households."""
    town, looks = Town(seed, 21, grids=1), set[Told]()
    for _ in range(150):
        town.step()
        looks.update(town.looks().values())
    answers = sorted(frozenset[str]().union(*looks))
    rows = independent([[int(one in look) for one in answers] for look in looks])
    assert len(rows) >= 4, "Something was told."
    for few in combinations(sorted(whose(frozenset(answers))), GROUP_MIN - 1):
        others = [n for n, one in enumerate(answers) if one.partition(".")[0] not in few]
        # What is about these few alone is nothing where only the others are looked at.
        left = independent([[row[n] for n in others] for row in rows])
        assert len(left) == len(rows), few


def independent(rows: list[list[int]]) -> list[list[int]]:
    """As many rows as a matrix has rank, modulo a prime so large that chance plays no part."""
    found: list[list[int]] = []
    while rows := [row for row in rows if any(row)]:
        *rows, last = rows
        found.append(last)
        column = next(n for n, one in enumerate(last) if one)
        inverse = pow(last[column], -1, PRIME)
        for number, row in enumerate(rows):
            if factor := row[column] * inverse % PRIME:
                rows[number] = [(a - factor * b) % PRIME for a, b in zip(row, last, strict=True)]
    return found


def households(count: int, groups: Groups, start: int = 0) -> list[UUID]:
    """So many of one grid answer for the first time; their visits."""
    visits = [UUID(int=n + 1) for n in range(start, start + count)]
    for n, visit in enumerate(visits, start):
        groups.cast(f"h{n}", TOWN["g1"], visit, {"q": "good"})
    return visits


def counts(groups: Groups, place: str = WHOLE) -> tuple[int, dict[str, int]]:
    tally = groups.tally(place)
    return tally.people, dict(+Counter(tally.codes.get("q", {})))


def test_a_household_counts_once_with_its_latest_answers():
    """Twenty visits to one household are one household, which said what it said last."""
    groups = Groups()
    households(1, groups)
    for n in range(20):
        groups.cast("h0", TOWN["g1"], UUID(int=100 + n), {"q": "bad"})
    assert counts(groups) == (0, {})
    households(4, groups, 1)
    assert counts(groups) == (5, {"good": 4, "bad": 1})


def test_later_answers_are_told_with_the_next_five_households():
    """Edits and later visits wait, whatever their number; an edit of an older visit is no later."""
    groups = Groups()
    visits = households(5, groups)
    for visit, n in zip(visits, range(5), strict=True):
        groups.cast(f"h{n}", TOWN["g1"], visit, {"q": "bad"})
    groups.cast("h0", TOWN["g1"], UUID(int=99), {"q": "good"})
    groups.cast("h0", TOWN["g1"], visits[0], {"q": "so so"})
    households(4, groups, 5)
    assert counts(groups) == (5, {"good": 5})
    households(1, groups, 9)
    assert counts(groups) == (10, {"good": 6, "bad": 4})


def test_who_takes_back_what_was_told_takes_the_group_along():
    """It is told no more, nor are the others, until five new ones are there; those come back."""
    groups = Groups()
    visits = households(10, groups)
    groups.cast("h1", TOWN["g1"], UUID(int=98), {"q": "bad"})
    groups.cast("h1", TOWN["g1"], visits[1], None)
    assert counts(groups) == (5, {"good": 5})
    groups.cast("h2", TOWN["g1"], visits[2], None)
    groups.cast("h2", TOWN["g1"], UUID(int=97), {"q": "bad"})
    households(4, groups, 10)
    assert counts(groups) == (5, {"good": 5})
    households(1, groups, 14)
    assert counts(groups) == (15, {"good": 13, "bad": 2})


def test_taken_back_before_it_was_told_changes_nothing():
    """What waits and is withdrawn was never there, and falls back to an earlier visit's."""
    groups = Groups()
    visits = households(4, groups)
    groups.cast("h0", TOWN["g1"], visits[0], None)
    households(1, groups, 4)
    assert counts(groups) == (0, {})
    groups.cast("h1", TOWN["g1"], UUID(int=99), {"q": "bad"})
    groups.cast("h1", TOWN["g1"], UUID(int=99), None)
    households(1, groups, 5)
    assert counts(groups) == (5, {"good": 5})
