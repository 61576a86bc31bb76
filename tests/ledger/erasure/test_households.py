"""A household is erased: its address under its own key, and what visits to it kept elsewhere."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from ledger.campaigns.edits import VisitEditBody
from ledger.campaigns.frame import door_id, household_subject
from ledger.campaigns.listing import ListedOtherwise, NewHousehold
from ledger.campaigns.survey import survey_subject
from ledger.erasure.errors import UnknownSubject
from ledger.participants import Actor
from tests.ledger.campaigns import a_campaign, a_door_visit
from tests.ledger.examples import NOW, contribute, someone

NUMBER, SUBJECT = "H0", household_subject("H0")
SAID = {"remark": "老人独居", "questions": ["何时清淤？"], "answers": {"water": "good"}}


@pytest.fixture
def worker(ledger) -> Actor:
    return someone(ledger, "grid_worker")


@pytest.fixture
def campaign(ledger) -> UUID:
    return a_campaign(ledger, address="滨河路 7 号")


@pytest.fixture
def visits(ledger, worker, campaign) -> tuple[UUID, UUID]:
    """A visit to the household, and one to another; each with words and answers, and an edit."""
    made = [
        contribute(ledger, "visit", worker, a_door_visit(campaign, one, **SAID)).id
        for one in (NUMBER, "H1")
    ]
    for one in made:
        edit = VisitEditBody(replaces=1, remark="改一下", answers={"water": "bad"})
        ledger.edit_visit(worker, one, edit, {}, uuid4(), NOW)
    return made[0], made[1]


def erase(ledger, **more):
    ledger.ask_erasure(None, SUBJECT, "other", NOW, household=NUMBER)
    return ledger.run_erasure(SUBJECT, NOW, **more)


def fields(ledger, originator: UUID) -> list[str]:
    return [row.field for row in ledger.store.select_vault(originator)]


def test_its_address_and_what_visits_kept_of_it_go(ledger, visits, campaign, worker):
    """Address, words, answers and edits of its visits are gone; another household keeps all."""
    mine, other = visits
    kept = fields(ledger, other)
    gone = len(fields(ledger, mine)) + 1
    done = erase(ledger)
    assert (done.state, done.keys, done.rows) == ("completed", 1, gone)
    assert ledger.address_of(campaign, "H1") == "滨河路 7 号"
    assert (fields(ledger, mine), fields(ledger, door_id(campaign, NUMBER))) == ([], [])
    assert fields(ledger, other) == kept
    assert len(kept) >= 6
    for subject in (worker.participant_id, survey_subject(campaign)):
        assert ledger.store.select_key(subject) is not None


def test_a_later_visit_is_kept_and_stays(ledger, visits, campaign, worker):
    """Only what was kept until then goes, also when it is done again at the next start."""
    erase(ledger)
    later = contribute(ledger, "visit", worker, a_door_visit(campaign, NUMBER, remark="新住户"))
    assert fields(ledger, later.id) == ["remark"]
    assert ledger.forget_again() == []
    assert fields(ledger, later.id) == ["remark"]


def test_rows_of_its_visits_that_came_back_go_again(ledger, visits):
    """A restored row of such a visit, under the worker's key, is destroyed at the next start."""
    mine, _ = visits
    row = ledger.store.select_vault(mine)[0]
    erase(ledger)
    store = ledger.store
    store.write([("INSERT INTO vault VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [[
        store.key(mine), row.field, store.key(row.subject), None, None, row.stored_at, row.nonce,
        row.ciphertext, row.position,
    ]])])  # fmt: skip
    assert ledger.forget_again() == [SUBJECT]
    assert fields(ledger, mine) == []


def test_it_is_listed_again_without_its_address(ledger, visits):
    """The next campaign's frame has the household, and no address of one that was erased."""
    erase(ledger)
    again = a_campaign(ledger, opened=False, address="滨河路 8 号")
    assert ledger.households_listed(again) == 10
    assert fields(ledger, door_id(again, NUMBER)) == []
    assert fields(ledger, door_id(again, "H1")) == ["address"]
    dispatcher = someone(ledger, "dispatcher")
    more = a_campaign(ledger, {"H9": "G1"}, opened=False, by=dispatcher)
    there = [NewHousehold(NUMBER, "G1", "滨河路 9 号")]
    assert ledger.list_households(more, there, NOW) == 1
    told: list[ListedOtherwise] = []
    # What was erased is not compared: the same is told of whatever address.
    for campaign, number in ((again, 8), (again, 9), (more, 9)):
        there = [NewHousehold(NUMBER, "G1", f"滨河路 {number} 号")]
        ledger.list_households(campaign, there, NOW, lambda _, otherwise: told.extend(otherwise))
    assert {(one.household, one.field) for one in told} == {(NUMBER, "erased")}
    assert len(told) == 3


def test_the_number_must_be_the_subjects(ledger, visits):
    """Nobody's visits are erased under another household's number."""
    with pytest.raises(UnknownSubject):
        ledger.ask_erasure(None, SUBJECT, "other", NOW, household="H1")


def test_a_hold_on_whose_visits_they_are_is_waited_for(ledger, visits, worker):
    """Who erases a household destroys nothing that is held of a worker; once lifted, it goes."""
    mine, _ = visits
    approver, kept = someone(ledger, "approver"), fields(ledger, mine)
    hold = ledger.place_hold(approver, worker.participant_id, "investigation", (), NOW)
    steps: list[str] = []
    assert (erase(ledger, told=steps.append).state, steps) == ("held", [])
    assert fields(ledger, mine) == kept
    assert ledger.erasures_due() == [SUBJECT]
    ledger.lift_hold(someone(ledger, "admin"), hold.hold_id, NOW)
    assert ledger.run_erasure(SUBJECT, NOW).state == "completed"
    assert fields(ledger, mine) == []


def test_a_hold_placed_on_them_at_the_same_moment_counts(ledger, visits, worker, monkeypatch):
    """The fence is set only while none of those whose visits they are is under a hold."""
    mine, _ = visits
    append, kept, held = ledger.append, fields(ledger, mine), []

    def late(*args, **options):
        if options.get("fence") and not held:
            held.append(True)
            ledger.place_hold(
                someone(ledger, "approver"), worker.participant_id, "investigation", (), NOW
            )
        return append(*args, **options)

    monkeypatch.setattr(ledger, "append", late)
    assert erase(ledger).state == "held"
    assert (fields(ledger, mine), held) == (kept, [True])
