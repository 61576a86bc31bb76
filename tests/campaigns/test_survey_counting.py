"""Counting a survey from the vault and the log: alike in every process, whatever was erased."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from uuid import UUID, uuid4

import pytest

from ledger.application import Ledger
from ledger.campaigns.edits import VisitEditBody
from ledger.campaigns.frame import household_subject
from ledger.campaigns.groups import WHOLE
from ledger.campaigns.questionnaire import Option, Question
from ledger.campaigns.survey import GROUP_MIN
from ledger.contributions import BY_KIND
from ledger.districts import DistrictImported
from ledger.erasure.errors import AlreadyErased
from tests.ledger.campaigns import NOW, a_campaign, a_door_visit
from tests.ledger.erasure.test_household_races import Street
from tests.ledger.examples import contribute

PLACES = ("G2", "G3", "T", WHOLE)
HOUSEHOLDS = tuple(f"H{n}" for n in range(45))
G2 = tuple(one for n, one in enumerate(HOUSEHOLDS) if n % 3)


class Town(Street):
    """Two grids whose households say what nobody else ever says: who is counted is in plain."""

    def __init__(self, open_ledger, seed: int = 0) -> None:
        super().__init__(open_ledger)
        self.random, self.visits = Random(seed), list[UUID]()
        town = DistrictImported(code="T", name="镇", parent=None, kind="town")
        grids = [DistrictImported(code=one, name=one, parent="T", kind="grid")
                 for one in ("G2", "G3")]  # fmt: skip
        self.ledger.import_districts([town, *grids], NOW)
        words = tuple(Option(f"v{n}", "答") for n in range(3))
        doors = {one: "G2" if n % 3 else "G3" for n, one in enumerate(HOUSEHOLDS)}
        asked = tuple(Question(id=one.lower(), zh="问", options=words) for one in HOUSEHOLDS)
        self.campaign = a_campaign(self.ledger, doors, by=self.dispatcher, questionnaire=asked)

    def answers(self, household: str) -> dict[str, str]:
        """To a question that is for this household alone."""
        return {household.lower(): f"v{self.random.randrange(3)}"}

    def goes(self, household: str) -> UUID:
        """Somebody visits a household, which answers."""
        body = a_door_visit(self.campaign, household, answers=self.answers(household))
        self.visits.append(contribute(self.ledger, "visit", self.worker, body).id)
        return self.visits[-1]

    def looks(self, ledger: Ledger | None = None) -> dict[str, frozenset[str]]:
        """What a process tells of every place: whose answers, and which of them."""
        ledger, found = ledger or self.ledger, {}
        for place in PLACES:
            tally = ledger._surveys(self.campaign).tally(ledger, place)
            counts = {f"{one.upper()}.{code}": count for one, codes in tally.codes.items()
                      for code, count in codes.items()}  # fmt: skip
            assert set(counts.values()) <= {0, 1}, "A household counts once."
            found[place] = frozenset(code for code, count in counts.items() if count)
        return found

    def visit_some(self) -> None:
        self.goes(self.random.choice(HOUSEHOLDS))

    def edit_some(self) -> None:
        visit = self.random.choice(self.visits)
        stands = self.ledger.visit(visit)
        edit = VisitEditBody(
            replaces=stands.number, answers=self.answers(stands.recorded.household)
        )
        if self.random.random() < 0.3:  # Nobody was met after all.
            edit = VisitEditBody(replaces=edit.replaces, outcome="refused")
            self.visits.remove(visit)
        self.ledger.edit_visit(self.worker, visit, edit, {}, uuid4(), NOW)

    def refuse_some(self) -> None:
        self.visits.remove(visit := self.random.choice(self.visits))
        kind = BY_KIND["visit"]
        self.ledger.review(kind, self.dispatcher, visit, uuid4(), NOW, tier=None, reason="编造")

    def withdraw_some(self) -> None:
        self.visits.remove(visit := self.random.choice(self.visits))
        self.ledger.withdraw_visit(self.worker, visit, {}, uuid4(), NOW)

    def erase_some(self) -> None:
        household = self.random.choice(HOUSEHOLDS)
        self.erase(household=household)
        for look in self.looks().values():
            assert household not in whose(look)


def whose(answers: frozenset[str]) -> set[str]:
    return {one.partition(".")[0] for one in answers}


@pytest.mark.parametrize("seed", range(6))
def test_no_two_looks_differ_by_few_whatever_was_erased(open_ledger, seed):
    """Before and after anything, erasures too: alike, or other in the answers of five; for all."""
    town, changes = Town(open_ledger, seed), 0
    seen = {place: {frozenset[str]()} for place in PLACES}
    for number in range(90):
        what = town.random.choice(["visit"] * 8 + ["edit", "refuse", "withdraw", "erase"])
        with suppress(IndexError, AlreadyErased):
            getattr(town, f"{what}_some")()
        looks = town.looks()
        assert looks[WHOLE] == looks["T"] == looks["G2"] | looks["G3"]
        for place, look in looks.items():
            for other in seen[place] - {look}:
                assert len(whose(look ^ other)) >= GROUP_MIN, (what, place, look ^ other)
            changes += look not in seen[place]
            seen[place].add(look)
        if what == "erase" or number % 9 == 0:
            assert town.looks(town.other) == town.looks(open_ledger()) == looks
    assert changes >= 9, "Something was told."


def test_behind_the_fence_nothing_is_told_of_the_household(open_ledger):
    """While its ballots are not destroyed yet, and as well once they are; nor of its group."""
    town = Town(open_ledger)
    for household in G2[:10]:
        town.goes(household)
    assert whose(town.looks()[WHOLE]) == {*G2[:10]}
    subject = household_subject(G2[4])
    town.ledger.ask_erasure(None, subject, "other", NOW, household=G2[4])
    town.ledger._fence(subject, NOW)
    assert len(town.ballots()) == 10
    for ledger in (town.ledger, town.other, open_ledger()):
        assert whose(town.looks(ledger)[WHOLE]) == {*G2[5:10]}
    town.ledger.run_erasure(subject, NOW)
    for household in G2[10:15]:
        assert whose(town.looks()[WHOLE]) == {*G2[5:10]}
        town.goes(household)
    for ledger in (town.ledger, town.other, open_ledger()):
        assert whose(town.looks(ledger)[WHOLE]) == {*G2[:15]} - {G2[4]}


def test_what_was_taken_back_before_an_erasure_was_in_no_group(open_ledger):
    """Withdrawn, refused, or nobody was met after all: the log tells, when the ballots are gone."""
    town = Town(open_ledger)
    withdrawn, edited, refused = map(town.goes, G2[:3])
    town.ledger.withdraw_visit(town.worker, withdrawn, {}, uuid4(), NOW)
    edit = VisitEditBody(replaces=1, outcome="refused")
    town.ledger.edit_visit(town.worker, edited, edit, {}, uuid4(), NOW)
    kind = BY_KIND["visit"]
    town.ledger.review(kind, town.dispatcher, refused, uuid4(), NOW, tier=None, reason="编造")
    for household in G2[3:7]:
        town.goes(household)
    for household in G2[:3]:
        town.erase(household=household)
    assert whose(town.looks()[WHOLE]) == set()
    town.goes(G2[7])
    assert whose(town.looks()[WHOLE]) == {*G2[3:8]}


def test_erased_twice_it_takes_two_groups_along(open_ledger):
    """What was answered between two erasures was told with others than what was before."""
    town = Town(open_ledger)
    visits = [town.goes(household) for household in G2[:5]]
    town.erase(household=G2[4])
    for household in G2[5:10]:
        town.goes(household)
    edit = VisitEditBody(replaces=1, answers=town.answers(G2[4]))
    town.ledger.edit_visit(town.worker, visits[4], edit, {}, uuid4(), NOW)
    for household in G2[10:15]:
        town.goes(household)
    assert whose(town.looks()[WHOLE]) == {*G2[:15]}
    town.erase(household=G2[4])
    for ledger in (town.ledger, open_ledger()):
        assert whose(town.looks(ledger)[WHOLE]) == {*G2[:10]} - {G2[4]}


def test_what_is_erased_while_it_is_counted_is_where_it_was(open_ledger, monkeypatch):
    """Gone between the look for fences and the look for ballots, it leaves no gap for others."""
    town = Town(open_ledger)
    for household in G2[:6]:
        town.goes(household)
    read = town.other.vault.shelf_after
    late = []

    def after_it_is_gone(*given):
        if not late:
            late.append(town.erase(household=G2[2]))
        return read(*given)

    monkeypatch.setattr(town.other.vault, "shelf_after", after_it_is_gone)
    assert whose(town.looks(town.other)["G2"]) == set()  # The first that was looked at.
    assert late


def test_a_survey_not_asked_for_lately_is_counted_again(open_ledger):
    """A process keeps a few campaigns counted; another is told alike when asked for again."""
    town = Town(open_ledger)
    for household in HOUSEHOLDS:
        town.goes(household)
    before = town.looks()
    for _ in range(4):
        town.ledger._surveys(uuid4())
    assert town.ledger._surveys.cache_info().currsize == 4
    assert town.looks() == before
    assert town.ledger._surveys.cache_info().misses == 6
