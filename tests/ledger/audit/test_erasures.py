"""Erasures and holds: no step is taken by one alone, out of turn, or behind the fence."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from ledger.audit import audit, rows_of
from ledger.campaigns.frame import household_subject
from ledger.contributions.evidence import Photo
from ledger.erasure import erasures as facts
from ledger.erasure.erasures import erasure_id
from ledger.facts import Sealed
from ledger.participants import RoleGranted, TokenIssued
from ledger.store.fences import plain
from ledger.words import FIELDS
from tests.ledger.erasing import registered
from tests.ledger.examples import NOW, a_report, a_visit, a_walk, contribute, someone

MARK = "x" * 43


@pytest.fixture
def erased(town) -> UUID:
    """Somebody the example erased at once."""
    return next(iter(town.erasures()))


@pytest.fixture
def citizen(town) -> UUID:
    """Somebody with rows in the vault."""
    return registered(town).participant_id


@pytest.fixture
def office(town) -> UUID:
    """Somebody whose erasure takes two people."""
    return registered(town, "dispatcher").participant_id


def limited(subject, fields=()):
    return erasure_id(subject), facts.ErasureLimited(subject=subject, fields=fields)


def basis(hold):
    """A commitment to the basis of a hold."""
    return (Sealed(field="basis", subject=hold, digest=MARK),)


def held(subject, **other):
    placed = {"sealed": basis(UUID(int=7)), **other}
    return erasure_id(subject), facts.HoldPlaced(
        subject=subject, hold_id=UUID(int=7), fields=("name",), **placed
    )


@pytest.fixture
def steps(town):
    """Audits the log alone, without the vault: a forged fence has no fence there either."""
    return lambda: list(audit(rows_of(town)))


def told(findings) -> list[tuple[str, int]]:
    return [(one.code, one.position) for one in findings()]


def requested(subject, **other):
    asked = {"basis": "other", "staff": False, **other}
    return erasure_id(subject), facts.ErasureRequested(subject=subject, **asked)


def fenced(subject, **other):
    return erasure_id(subject), facts.ErasureFenced(
        subject=subject, **{"prints": ("0" * 64,), **other}
    )


def approved(subject):
    return erasure_id(subject), facts.ErasureApproved(subject=subject, by=uuid4())


def completed(subject):
    return erasure_id(subject), facts.ErasureCompleted(
        subject=subject, keys=1, rows=1, photos=0, tokens=1
    )


@pytest.mark.parametrize("forged", [
    lambda one: [fenced(one)],
    lambda one: [completed(one)],
    lambda one: [requested(one), approved(one)],
    lambda one: [requested(one), requested(one)],
    lambda one: [requested(one, staff=True)],
    lambda one: [requested(one, basis="no reason")],
    lambda one: [requested(one), completed(one)],
    lambda one: [(uuid4(), requested(one)[1])],
    lambda one: [(erasure_id(one), facts.HoldLifted(subject=one, hold_id=uuid4()))],
    lambda one: [held(one, by=one)],
])  # fmt: skip
def test_a_step_that_could_not_be_is_named(forged, steps, forge, citizen):
    """Forged rows with right hashes: no step without the one before it, none twice."""
    pairs = forged(citizen)
    first = forge(*pairs)
    assert ("ERASURE", first + len(pairs) - 1) in told(steps)


@pytest.mark.parametrize("forged", [
    [completed],
    [requested, fenced, limited],
    [held, requested, partial(fenced, kept=("name",)), completed],
    [held, requested, partial(fenced, kept=("name",)), partial(limited, fields=("phone",))],
    [partial(held, sealed=())],
    [partial(held, sealed=basis(UUID(int=8)))],
    [held, held],
    [requested, fenced, completed, held],
    [requested, fenced, completed, requested],
])  # fmt: skip
def test_the_last_step_of_these_is_named(forged, steps, forge):
    """Each in its turn and for what the holds leave; nothing begins behind the fence."""
    subject = uuid4()
    first = forge(*(step(subject) for step in forged))
    assert told(steps) == [("ERASURE", first + len(forged) - 1)]


def test_visits_of_another_household_are_nobodys_to_erase(town, steps, forge):
    """A fence that takes what others said along is named, and so is a household's wrong number."""
    subject = household_subject("H1")
    visit = town.rows(topics=["visit.recorded"])[0].originator_id
    first = forge(requested(subject, household="H1"), fenced(subject, visits=(visit,)))
    assert ("ERASURE", first + 1) in told(steps)
    other = household_subject("H2")
    wrong = forge(requested(other, household="H3"))
    assert ("ERASURE", wrong) in told(steps)


def test_a_fence_in_spite_of_a_hold_is_named(town, steps, forge, citizen):
    """Nothing is destroyed while somebody holds it, and no more kept than is held."""
    town.place_hold(someone(town, "approver"), citizen, "audit", (), NOW)
    town.ask_erasure(None, citizen, "other", NOW)
    step = forge(fenced(citizen))
    assert ("ERASURE", step) in told(steps)


def test_a_fence_that_keeps_what_nobody_holds_is_named(town, steps, forge, citizen):
    """What an erasure leaves out, a hold must ask for."""
    town.ask_erasure(None, citizen, "other", NOW)
    step = forge(fenced(citizen, kept=("name",)))
    assert ("ERASURE", step) in told(steps)


def test_staff_take_a_second_person(town, steps, forge, office):
    """A fence without the second word, or with that of who asked, is named."""
    registrar = someone(town, "registrar")
    town.ask_erasure(registrar, office, "other", NOW)
    own = facts.ErasureApproved(subject=office, by=registrar.participant_id)
    approved = forge((erasure_id(office), own))
    assert told(steps) == [("ERASURE", approved)]


def test_a_staff_members_fence_alone_is_named(town, steps, forge, office):
    """The operator may ask, and no more."""
    town.ask_erasure(None, office, "other", NOW)
    step = forge(fenced(office))
    assert ("ERASURE", step) in told(steps)


def test_staff_called_a_citizen_is_named(town, steps, forge, office):
    """Whoever held an office is staff, whatever the request says."""
    assert told(steps) == []
    step = forge(requested(office))
    assert ("ERASURE", step) in told(steps)


@pytest.mark.parametrize("fact", [facts.ErasureApproved, facts.ErasureRefused])
def test_the_second_person_holds_a_role_for_it(fact, town, steps, forge, office):
    """An approval by somebody without the office is named."""
    town.ask_erasure(someone(town, "registrar"), office, "other", NOW)
    by = someone(town, "citizen").participant_id
    assert told(steps) == []
    step = forge((erasure_id(office), fact(subject=office, by=by)))
    assert told(steps) == [("ACTOR", step)]


def test_a_hold_is_placed_and_lifted_by_those_who_may(town, steps, forge, citizen):
    """By an approver, and lifted by another one."""
    approver = someone(town, "approver")
    hold = town.place_hold(approver, citizen, "audit", (), NOW).hold_id
    by = approver.participant_id
    lifted = forge((erasure_id(citizen), facts.HoldLifted(subject=citizen, hold_id=hold, by=by)))
    assert told(steps) == [("ERASURE", lifted)]


def test_a_hold_by_nobody_of_office_is_named(town, steps, forge, citizen):
    """A citizen places no hold."""
    step = forge(held(citizen, by=someone(town, "citizen").participant_id))
    assert told(steps) == [("ACTOR", step)]


def test_asking_for_somebody_else_takes_an_office(town, steps, forge, citizen):
    """A citizen asks for themself alone."""
    by = someone(town, "citizen").participant_id
    step = forge(requested(citizen, by=by))
    assert ("ACTOR", step) in told(steps)


def test_what_is_recorded_of_the_erased_is_named(town, steps, forge, erased):
    """Words sealed, a role or a token behind the fence: somebody went round it."""
    role = RoleGranted(role="citizen", district=None)
    first = forge((erased, role))
    issued = TokenIssued(token_sha256=MARK, participant_id=erased, role="citizen", district=None)
    second = forge((uuid4(), issued))
    report = contribute(town, "report", someone(town), a_report())
    row = next(one for one in town.rows(report.position - 1, 1))
    fact = town.entry(row).fact
    sealed = (Sealed(field="text", subject=erased, digest=MARK),)
    third = forge((uuid4(), type(fact)(**{
        **{name: getattr(fact, name) for name in fact.__struct_fields__}, "sealed": sealed,
    })))  # fmt: skip
    assert {("ERASURE", one) for one in (first, second, third)} <= set(told(steps))


def test_roles_are_ended_before_it_is_completed(town, steps, forge, citizen):
    """Who still holds a role was not erased."""
    first = forge(requested(citizen), fenced(citizen), completed(citizen))
    assert ("ERASURE", first + 2) in told(steps)


def test_every_field_that_is_sealed_has_a_name_and_every_name_a_field(town):
    """What a hold may name is what is kept of people, of accounts, households and holds."""
    citizen, worker = registered(town), someone(town, "grid_worker")
    day = NOW + timedelta(days=40)
    walk = {**a_walk(900, 1500, day), "device": {"mocked": False}}
    contribute(town, "patrol", citizen, walk, day)
    said = {**a_visit("H-0003"), "questions": ["何时清淤？"], "remark": "下午再来"}
    visit = contribute(town, "visit", worker, said)
    town.keep_photos(worker, visit.id, [Photo("image/jpeg", b"x")], NOW)
    town.register(someone(town, "admin"), uuid4(), "citizen", NOW, request={},
                  personal={"birth_year": 1980})  # fmt: skip
    sealed = (getattr(town.entry(row).fact, "sealed", ()) for row in town.rows())
    assert {plain(one.field) for fact in sealed for one in fact} == set(FIELDS)
