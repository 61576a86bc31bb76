"""A household is erased while visits to it go on: nothing from before the fence is left over."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from ledger.audit import Disclosures, Fences, audit, rows_of
from ledger.campaigns.edits import VisitEditBody
from ledger.campaigns.frame import household_subject
from ledger.campaigns.survey import survey_shelf
from ledger.contributions import BY_KIND
from ledger.districts import DistrictImported
from ledger.erasure import erasing
from ledger.erasure.errors import AlreadyErased, SubjectErased, UnknownSubject
from tests.ledger.campaigns import a_campaign, a_door_visit
from tests.ledger.examples import NOW, contribute, someone
from tests.ledger.races import once

NUMBER, SUBJECT = "H0", household_subject("H0")
SAID = {"remark": "老人独居", "answers": {"water": "good"}}


class Street:
    """A campaign whose households are visited, and whom two processes serve."""

    def __init__(self, open_ledger, **campaign) -> None:
        self.ledger, self.other = open_ledger(), open_ledger()
        self.ledger.ensure_policy(NOW)
        grid = DistrictImported(code="G1", name="一网格", parent=None, kind="grid")
        self.ledger.import_districts([grid], NOW)
        self.dispatcher = someone(self.ledger, "dispatcher")
        self.worker = someone(self.ledger, "grid_worker")
        self.campaign = a_campaign(self.ledger, by=self.dispatcher, **campaign)

    def visit(self, household: str = NUMBER, ledger=None, **said):
        body = a_door_visit(self.campaign, household, **{**SAID, **said})
        return contribute(ledger or self.ledger, "visit", self.worker, body)

    def erase(self, ledger=None, household: str = NUMBER):
        """As ``gwc erase --household`` does, by whichever process."""
        ledger = ledger or self.ledger
        subject = household_subject(household)
        ledger.ask_erasure(None, subject, "other", NOW, household=household)
        return ledger.run_erasure(subject, NOW)

    def kept(self, visit) -> list[str]:
        return [row.field for row in self.ledger.store.select_vault(visit.id)]

    def ballots(self) -> list[dict]:
        return self.ledger.vault.on_shelf(survey_shelf(self.campaign), 99)[0]

    def findings(self) -> list:
        """What the audit says of log, vault and fences."""
        ledger = self.ledger
        beside = Fences(ledger.store, ledger.vault), Disclosures(ledger.vault, ledger.store)
        return list(audit(rows_of(ledger), *beside))


@pytest.fixture
def street(open_ledger) -> Street:
    return Street(open_ledger, address="滨河路 7 号")


def test_a_visit_that_comes_while_the_fence_is_set_goes_as_well(street, monkeypatch):
    """Recorded after the search and before the fence: it is found once that stands, and erased."""
    known, late = street.visit(), []
    once(street.ledger, "_erasures_of_owners", lambda: late.append(street.visit(
        ledger=street.other
    )), monkeypatch)  # fmt: skip
    assert street.erase().state == "completed"
    first, second = (fence for _, fence in street.ledger.erasure(SUBJECT).fences)
    assert (first.visits, second.visits) == ((known.id,), (late[0].id,))
    assert (street.kept(known), street.kept(late[0]), street.ballots()) == ([], [], [])
    assert street.ledger.forget_again() == []
    assert street.findings() == []


def test_killed_before_it_was_looked_for_it_goes_with_the_next_start(street, monkeypatch):
    """A process that dies right behind its fence leaves the search to whoever goes on."""
    street.visit()
    late = []
    once(street.ledger, "_erasures_of_owners", lambda: late.append(street.visit(
        ledger=street.other
    )), monkeypatch)  # fmt: skip
    street.ledger.ask_erasure(None, SUBJECT, "other", NOW, household=NUMBER)
    assert street.ledger._fence(SUBJECT, NOW) == "fenced"
    (done,) = street.other.resume_erasures(NOW)
    assert (done.state, street.kept(late[0])) == ("completed", [])
    assert street.findings() == []


def test_a_hold_on_whose_visit_comes_in_between_is_waited_for(street, monkeypatch):
    """Nothing is destroyed of a household while the visit seen last is somebody's under a hold."""
    street.visit()
    other, late = someone(street.ledger, "grid_worker"), []

    def meanwhile() -> None:
        body = a_door_visit(street.campaign, NUMBER, **SAID)
        late.append(contribute(street.other, "visit", other, body))
        street.other.place_hold(None, other.participant_id, "audit", (), NOW)

    once(street.ledger, "_erasures_of_owners", meanwhile, monkeypatch)
    assert street.erase().state == "held"
    assert street.kept(late[0]) == ["answers", "remark"]
    (hold,) = street.ledger.erasure(other.participant_id).holds
    street.ledger.lift_hold(None, hold, NOW)
    assert street.ledger.run_erasure(SUBJECT, NOW).state == "completed"
    assert (street.kept(late[0]), street.findings()) == ([], [])


def test_more_visits_than_a_fence_names_take_several(street, monkeypatch):
    """Every visit is behind a fence, however many there are."""
    monkeypatch.setattr(erasing, "VISITS_MAX", 2)
    visits = [street.visit() for _ in range(5)]
    assert street.erase().state == "completed"
    fences = [fence for _, fence in street.ledger.erasure(SUBJECT).fences]
    assert [len(one.visits) for one in fences] == [2, 2, 1]
    assert [street.kept(one) for one in visits] == [[]] * 5
    assert street.findings() == []


@pytest.mark.parametrize("how", ["withdraw", "edit", "refuse"])
def test_what_was_decided_before_an_erasure_writes_no_answer_anew(street, how, monkeypatch):
    """Saved after it, no ballot takes erased answers out of the counts again: they are gone."""
    visit, ledger = street.visit(), street.ledger
    once(ledger, "append", lambda: street.erase(street.other), monkeypatch)
    if how == "withdraw":
        ledger.withdraw_visit(street.worker, visit.id, {}, uuid4(), NOW)
    elif how == "edit":
        edit = VisitEditBody(replaces=1, answers={"water": "bad"})
        ledger.edit_visit(street.worker, visit.id, edit, {}, uuid4(), NOW)
    else:
        kind = BY_KIND["visit"]
        ledger.review(kind, street.dispatcher, visit.id, uuid4(), NOW, tier=None, reason="编造")
    assert street.ledger.erasure(SUBJECT).state == "completed"
    assert [one["minus"] for one in street.ballots()] == [None] * (how == "edit")
    assert street.findings() == []


def test_behind_the_fence_an_answer_counts_as_erased(street, monkeypatch):
    """Between the fence and the destruction nothing is read of the visit, nor counted on."""
    visit, ledger = street.visit(), street.ledger
    ledger.ask_erasure(None, SUBJECT, "other", NOW, household=NUMBER)
    ledger._fence(SUBJECT, NOW)
    assert street.kept(visit) == ["answers", "remark"]
    standing = ledger.history_of(visit.id, ledger.visit(visit.id)).standing()
    assert (standing["remark"], "answers.water" in standing) == (None, False)
    street.other.withdraw_visit(street.worker, visit.id, {}, uuid4(), NOW)
    assert ledger.run_erasure(SUBJECT, NOW).state == "completed"
    assert (street.ballots(), street.findings()) == ([], [])


def test_a_household_without_an_address_is_erased(open_ledger):
    """What its visits kept goes, though nothing is under a key of its own; a hold may be placed."""
    street = Street(open_ledger)
    visit = street.visit()
    assert street.ledger.store.select_stored_key(SUBJECT) is None
    held = street.ledger.place_hold(None, SUBJECT, "audit", (), NOW, household=NUMBER)
    assert street.erase().state == "held"
    street.ledger.lift_hold(None, held.hold_id, NOW)
    assert street.ledger.run_erasure(SUBJECT, NOW).state == "completed"
    assert (street.kept(visit), street.findings()) == ([], [])
    with pytest.raises(UnknownSubject):
        street.erase(household="H77")


def test_it_is_asked_for_again_once_more_is_kept(street):
    """Later visits and edits of earlier ones go with the second erasure, and nothing else does."""
    first, other = street.visit(), street.visit("H1")
    street.erase()
    with pytest.raises(AlreadyErased):
        street.erase()
    later = street.visit(remark="新住户")
    edit = VisitEditBody(replaces=1, remark="改一下", answers={"water": "bad"})
    street.ledger.edit_visit(street.worker, first.id, edit, {}, uuid4(), NOW)
    assert street.ledger.forget_again() == []
    assert (len(street.kept(later)), len(street.kept(first))) == (2, 3)
    assert street.findings() == []
    assert street.erase().state == "completed"
    assert (street.kept(later), street.kept(first)) == ([], [])
    assert len(street.kept(other)) == 2
    with pytest.raises(AlreadyErased):
        street.erase()
    assert (street.ledger.forget_again(), street.findings()) == ([], [])


def test_what_is_asked_for_again_must_be_erased_still(street):
    """While a second erasure waits, what the first one took may not come back unseen."""
    first = street.visit()
    row = street.ledger.store.select_vault(first.id)[1]
    street.erase()
    street.visit()
    registrar = someone(street.ledger, "registrar")
    street.ledger.ask_erasure(registrar, SUBJECT, "other", NOW, household=NUMBER)
    assert street.ledger.erasure(SUBJECT).state == "requested"
    assert street.findings() == []
    store = street.ledger.store
    store.write([("INSERT INTO vault VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [[
        store.key(first.id), row.field, store.key(row.subject), None, None, row.stored_at,
        row.nonce, row.ciphertext, row.position,
    ]])])  # fmt: skip
    assert [one.code for one in street.findings()] == ["VAULT"]
    assert street.ledger.forget_again() == [SUBJECT]
    assert street.findings() == []


def test_every_process_counts_anew_once_a_household_is_erased(street):
    """Who had counted the survey before tells no more of it than who counts for the first time."""
    for number in range(5):
        street.visit(f"H{number}")
    before = [one.survey(street.campaign, None).people for one in (street.ledger, street.other)]
    assert before == [5, 5]
    street.erase()
    after = [one.survey(street.campaign, None).people for one in (street.ledger, street.other)]
    assert after == [None, None]
    street.visit()  # Told with the four others it would say what the erased answers were.
    assert street.other.survey(street.campaign, None).people is None
    for number in range(5, 10):
        street.visit(f"H{number}")
    assert street.other.survey(street.campaign, None).people == 10


def test_nothing_is_recorded_of_somebody_erased_meanwhile(street, monkeypatch):
    """Not even a visit that seals nothing: whose it is has no role left when it is saved."""
    ledger, vault, erased = street.ledger, street.ledger.vault, set[UUID]()
    fingerprint, insert = vault.fingerprint, ledger.store.insert_events

    def erase(person: UUID) -> None:
        if person not in erased:
            erased.add(person)
            street.other.ask_erasure(None, person, "other", NOW)
            street.other.run_erasure(person, NOW)

    def after_its_key_was_used(subject, content):
        found = fingerprint(subject, content)
        erase(subject)
        return found

    def before_it_is_saved(*given, **named):
        erase(street.worker.participant_id)
        return insert(*given, **named)

    for place, name, late in (
        (vault, "fingerprint", after_its_key_was_used),
        (ledger.store, "insert_events", before_it_is_saved),
    ):
        street.worker = someone(ledger, "grid_worker")
        visit = a_door_visit(street.campaign, "H1")
        monkeypatch.setattr(place, name, late)
        with pytest.raises(SubjectErased):
            contribute(ledger, "visit", street.worker, visit)
        monkeypatch.undo()
        assert ledger.entry(ledger.rows()[-1]).fact.topic == "erasure.completed"
