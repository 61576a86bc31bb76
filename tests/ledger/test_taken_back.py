"""What was invented counts no more: whoever really was there takes its place."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from ledger.audit import Disclosures, Quotas, audit, rows_of
from ledger.audit.whatif import WhatIf
from ledger.campaigns.frame import door_id, household_subject
from ledger.campaigns.survey import survey_shelf
from ledger.contributions import CHECK_IN
from ledger.contributions.credits import Credits
from ledger.settlement import default_policy
from projections.coverage import COVERAGE
from tests.ledger.campaigns import a_campaign, a_door_visit
from tests.ledger.examples import NOW, contribute, someone, take_back, verify
from tests.ledger.races import once
from tests.ledger.trailing import at, check_in, publish, told

ANSWERED = {"materials": {"booklet": 2}, "answers": {"water": "good"}}
FIRST, CONFIRMER = ("visit.confirmed", 2), ("visit.confirmer", 1)


class Door:
    """A household of a campaign, the visits to it, and what comes of each."""

    def __init__(self, ledger) -> None:
        self.ledger, self.reviewer = ledger, someone(ledger, "dispatcher")
        self.campaign = a_campaign(ledger, by=self.reviewer)
        self.place = door_id(self.campaign, "H0")

    def visit(self, worker=None, **more):
        worker = worker or someone(self.ledger, "grid_worker")
        return contribute(self.ledger, "visit", worker, a_door_visit(self.campaign, **more))

    def confirm(self, visit, ledger=None) -> tuple[str, int]:
        decided = verify(ledger or self.ledger, visit, self.reviewer)
        return decided.rule, decided.coins

    def confirmed(self, worker=None, **more) -> UUID:
        visit = self.visit(worker, **more)
        self.confirm(visit)
        return visit.id

    def marks(self) -> list[tuple[UUID, str]]:
        return [(one.cause, one.mark) for one in self.ledger.fold(self.place, Credits()).found]

    def met(self) -> int:
        """How many visits coverage counts at the door."""
        rows: dict = {}
        for entry in self.ledger.entries():
            if isinstance(entry.fact, COVERAGE.facts):
                COVERAGE.fold(rows, entry)
        return rows[f"household/{self.campaign}/H0"].data.count(b'"met"')

    def left(self) -> tuple[int, list]:
        """What is used of the stock, and the ballots of the survey."""
        used = self.ledger.store.select_used(f"material/{self.campaign}/booklet")
        return used, self.ledger.vault.on_shelf(survey_shelf(self.campaign), 9)[0]


def findings(ledger) -> list[str]:
    """What the audit says of the log, the stocks and the vault."""
    beside = (
        Quotas(*reversed(ledger.store.select_quotas_at())), Disclosures(ledger.vault, ledger.store)
    )  # fmt: skip
    return [str(one) for one in audit(rows_of(ledger), *beside)]


@pytest.fixture
def door(ledger) -> Door:
    return Door(ledger)


def test_an_invented_visit_frees_its_household(door):
    """Its place, its materials and its answers: all are as if it had never been sent in."""
    invented = door.confirmed(**ANSWERED)
    assert (door.met(), door.left()[0]) == (1, 2)
    taken = take_back(door.ledger, invented)
    assert (taken.state, taken.amount, taken.debt) == ("confirmed", 2, 0)
    assert (door.met(), door.marks(), door.left()[0]) == (0, [], 0)
    newest, first = door.left()[1]
    assert (newest["minus"], newest.get("plus")) == (first["plus"], None)
    visit = door.visit()
    assert door.confirm(visit) == FIRST
    assert (door.met(), door.marks()) == (1, [(visit.id, "first")])
    assert findings(door.ledger) == []


@pytest.mark.parametrize("reason", ["duplicate", "mistake", "other"])
def test_what_happened_keeps_its_place(reason, door):
    """Only the coins were wrong: the household was visited, and the next one confirms it."""
    visit = door.confirmed(**ANSWERED)
    take_back(door.ledger, visit, reason)
    assert (door.met(), door.marks(), door.left()[0]) == (1, [(visit, "first")], 2)
    assert door.confirm(door.visit()) == CONFIRMER
    assert findings(door.ledger) == []


def test_a_confirmer_stays_one_and_the_next_is_first(door):
    """What others were awarded stands; one more is first, and a second confirmer is none."""
    invented, confirmer = door.confirmed(), door.confirmed()
    take_back(door.ledger, invented)
    assert door.marks() == [(confirmer, "confirmer")]
    first = door.visit()
    assert door.confirm(first) == FIRST
    assert door.marks() == [(confirmer, "confirmer"), (first.id, "first")]
    assert door.confirm(door.visit()) == ("visit.confirmers", 0)
    assert findings(door.ledger) == []


def test_whoever_was_paid_there_is_not_paid_again(door):
    """The confirmer of an invented visit comes again: a household pays each of them once."""
    worker = someone(door.ledger, "grid_worker")
    invented = door.confirmed()
    door.confirmed(worker)
    take_back(door.ledger, invented)
    assert door.confirm(door.visit(worker)) == ("visit.once", 0)


def test_the_same_command_again_is_told_the_same(door):
    """A confirmation that also frees a place is answered byte for byte again."""
    ledger, invented = door.ledger, door.confirmed(**ANSWERED)
    officer, approver = someone(ledger, "reward_officer"), someone(ledger, "approver")
    found = ledger.propose_reversal(officer, invented, "fraud", "x", {}, uuid4(), NOW)
    sent = uuid4()
    first, again = (ledger.confirm_reversal(approver, found.id, {}, sent, NOW) for _ in range(2))
    assert (first.amount, again.replayed) == (2, True)
    assert (first.position, first.amount) == (again.position, again.amount)


@pytest.mark.parametrize("next_decided", [False, True], ids=["nobody-since", "another-since"])
def test_of_those_who_wait_for_a_budget_one_is_first(next_decided, door):
    """Who waits as a confirmer is paid as first once that is free, unless another is meanwhile."""
    ledger, invented = door.ledger, door.confirmed()
    ledger.set_budget(None, None, 2026, 2, NOW)
    waits, other = door.visit(), door.visit()
    assert door.confirm(waits) == ("budget.room", 0)
    assert door.marks()[1:] == [(waits.id, "confirmer")]
    take_back(ledger, invented)
    if next_decided:  # The two coins that came back are for it.
        assert door.confirm(other) == FIRST
    ledger.set_budget(None, None, 2026, 100, NOW)
    assert ledger.pay_waiting(NOW) == 1
    if not next_decided:
        assert door.confirm(other) == CONFIRMER
    marks = {waits.id: "first", other.id: "confirmer"}
    if next_decided:
        marks = {waits.id: "confirmer", other.id: "first"}
    assert door.marks() == [*marks.items()]
    assert findings(ledger) == []


@pytest.mark.parametrize("confirmers", [0, 1], ids=["a-confirmer", "one-too-many"])
def test_a_reversal_while_the_next_is_verified_comes_before_it(
    confirmers, door, open_ledger, monkeypatch
):
    """Decided by the visits before it, outrun by the reversal, decided again: it is first."""
    invented, visit, other = door.confirmed(), door.visit(), open_ledger()
    before = [(door.confirmed(), "confirmer") for _ in range(confirmers)]
    once(door.ledger, "append", lambda: take_back(other, invented), monkeypatch)
    assert door.confirm(visit) == FIRST
    assert door.marks() == [*before, (visit.id, "first")]
    assert findings(door.ledger) == []


def test_a_verification_while_it_is_reversed_comes_before_that(door, open_ledger, monkeypatch):
    """The reversal is outrun and decided again; who was confirmed meanwhile is a confirmer."""
    ledger, other = door.ledger, open_ledger()
    invented, visit, told_other = door.confirmed(), door.visit(), []
    officer, approver = someone(ledger, "reward_officer"), someone(ledger, "approver")
    found = ledger.propose_reversal(officer, invented, "fraud", "x", {}, uuid4(), NOW)
    once(ledger, "append", lambda: told_other.append(door.confirm(visit, other)), monkeypatch)
    assert ledger.confirm_reversal(approver, found.id, {}, uuid4(), NOW).amount == 2
    assert told_other == [CONFIRMER]
    assert door.marks() == [(visit.id, "confirmer")]
    assert findings(ledger) == []


def test_an_erased_household_gives_no_answers_back(door):
    """Its answers are gone from the survey already: no ballot is made of them when it is taken
    back, and what is made of others goes when they are erased."""
    ledger, subject = door.ledger, household_subject("H0")
    first, second = door.confirmed(**ANSWERED), door.confirmed()
    erase(ledger, subject)
    take_back(ledger, first)
    assert door.left() == (0, [])
    third = door.confirmed(**ANSWERED)
    take_back(ledger, third)
    assert len(door.left()[1]) == 2
    erase(ledger, subject)
    assert door.left()[1] == []
    assert door.marks() == [(second, "confirmer")]
    assert findings(ledger) == []


def erase(ledger, subject: UUID) -> None:
    ledger.ask_erasure(None, subject, "other", NOW, household="H0")
    assert ledger.run_erasure(subject, NOW).state == "completed"


@pytest.fixture
def walk(ledger) -> SimpleNamespace:
    """Somebody on a trail of three points."""
    trail, who = publish(ledger), someone(ledger)

    def here(number: int, day: int = 0):
        return check_in(ledger, who, at(trail, number), NOW + timedelta(days=day))

    card = CHECK_IN.shared
    return SimpleNamespace(
        ledger=ledger, here=here,
        marks=lambda: [one.mark.split("/")[:2] for one in ledger.fold(
            card(SimpleNamespace(participant_id=who.participant_id, trail_id=trail.trail_id)),
            Credits(),
        ).found],
    )  # fmt: skip


def test_invented_points_do_not_make_a_finish(walk):
    """Two of three were taken back: the third is a point, and the walk is still to be made."""
    for number in (0, 1):
        take_back(walk.ledger, walk.here(number).id)
    assert told(walk.here(2))[1:3] == (1, "check_in.point")
    assert walk.marks() == [["point", "p2"]]
    assert told(walk.here(0, day=1))[1:3] == (1, "check_in.point")
    assert told(walk.here(1, day=1))[1:3] == (11, "check_in.finish")
    assert findings(walk.ledger) == []


def test_an_invented_finish_can_be_earned(walk):
    """Whoever is really there afterwards finishes, on the same day as well, and once."""
    for number in (0, 1):
        walk.here(number)
    take_back(walk.ledger, walk.here(2).id)
    assert walk.here(2).rule == "check_in.finish"
    assert walk.here(2, day=1).rule == "check_in.point"
    assert [one for one, _ in walk.marks()].count("finish") == 1
    assert findings(walk.ledger) == []


def test_a_finish_that_waited_for_a_budget_is_paid_once(walk):
    """The last point waits behind an invented finish; another finishes before it is paid."""
    for number in (0, 1):
        walk.here(number)
    invented = walk.here(2)
    walk.ledger.set_budget(None, None, 2026, 13, NOW)
    assert walk.here(2, day=1).rule == "budget.room"
    take_back(walk.ledger, invented.id)
    assert walk.here(0, day=1).rule == "check_in.finish"
    walk.ledger.set_budget(None, None, 2026, 100, NOW)
    assert walk.ledger.pay_waiting(NOW + timedelta(days=1)) == 1
    assert [one for one, _ in walk.marks()].count("finish") == 1
    rules = [one.fact.rule for one in walk.ledger.entries(topics=["wallet.coins-awarded"])]
    assert rules[-1] == "check_in.point"
    assert findings(walk.ledger) == []


def test_a_finish_that_fell_away_while_it_waited_is_a_point(walk):
    """The points that made it one were invented: it is paid as a point, and says so."""
    points = [walk.here(number).id for number in (0, 1)]
    walk.ledger.set_budget(None, None, 2026, 2, NOW)
    assert walk.here(2).rule == "budget.room"
    assert walk.marks()[-1] == ["finish", "p2"]
    for point in points:
        take_back(walk.ledger, point)
    walk.ledger.set_budget(None, None, 2026, 100, NOW)
    assert walk.ledger.pay_waiting(NOW) == 1
    assert walk.marks() == [["point", "p2"]]
    assert findings(walk.ledger) == []


def test_what_if_takes_the_invented_off_as_well(door):
    """Replayed under the policy in force, whoever came after it is first there too."""
    take_back(door.ledger, door.confirmed())
    door.confirmed()
    what_if = WhatIf(default_policy())
    for entry in door.ledger.entries():
        what_if.add(entry)
    assert what_if.differences() == []
