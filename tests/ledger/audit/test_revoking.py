"""The audit of what was invented: with its coins goes what it counted for, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger import identity
from ledger.audit import Unreadable, audit, rows_of
from ledger.campaigns.amending import of_visit
from ledger.campaigns.frame import door_id
from ledger.coins import CoinsAwarded
from ledger.contributions.credits import Credited, CreditRevoked, Credits, credit_of, revoked
from ledger.contributions.visits import VisitAnnulled
from ledger.days import day_of
from ledger.reversals import ReversalConfirmed, taken_back
from tests.ledger.audit.spenders import signed
from tests.ledger.campaigns import a_campaign, a_door_visit
from tests.ledger.examples import NOW, contribute, earn, someone, take_back, verify


@pytest.fixture
def steps(town):
    """Audits the log alone: what is forged has moved no stock."""
    return lambda: [(one.code, one.position) for one in audit(rows_of(town))]


@pytest.fixture
def door(town) -> SimpleNamespace:
    """A household of the town, whose first visit was rewarded."""
    worker, dispatcher = someone(town, "grid_worker"), someone(town, "dispatcher")
    campaign = a_campaign(town, {"H0": "1", "H1": "1"}, by=dispatcher)

    def visit(household: str = "H0", by=worker) -> UUID:
        made = contribute(town, "visit", by, a_door_visit(campaign, household))
        verify(town, made, dispatcher)
        return made.id

    return SimpleNamespace(
        town=town, worker=worker, dispatcher=dispatcher, visit=visit, first=visit(),
        place=door_id(campaign, "H0"), next=lambda: visit(by=someone(town, "grid_worker")),
    )  # fmt: skip


@pytest.fixture
def confirmed(door):
    """The facts of a confirmed reversal of the first visit, each with where it stands."""

    def facts(reason: str = "fraud", **changed) -> dict:
        town, cause = door.town, door.first
        officer, approver = someone(town, "reward_officer"), someone(town, "approver")
        found = town.propose_reversal(officer, cause, reason, "x", {}, uuid4(), NOW)
        purse = identity.wallet_id(door.worker.participant_id)
        award = next(
            one.fact for one in town.entries(topics=[CoinsAwarded.topic])
            if one.fact.cause == cause
        )  # fmt: skip
        known = town.reversal(found.id).proposed
        money = taken_back(
            found.id, known, award, town.wallet(door.worker.participant_id), day_of(NOW)
        )
        own = credit_of(town.fold(door.place, Credits()).found, cause)
        fields = signed(approver.participant_id) | {"revokes": True} | changed
        return {
            "annulled": (cause, VisitAnnulled(**of_visit(town.visit(cause).recorded))),
            "confirmed": (found.id, ReversalConfirmed(**fields)),
            "money": (purse, money),
            "revoked": (door.place, revoked(own, found.id)),
        }

    return facts


def test_a_reversal_as_the_ledger_makes_it_is_honest(door, confirmed, forge, steps):
    """All four facts in their order: nothing is found, and the next one is first."""
    forge(*confirmed().values())
    assert steps() == []
    door.next()
    assert steps() == []
    assert [one.mark for one in door.town.fold(door.place, Credits()).found] == ["first"]


def test_as_old_logs_did_it_is_right(ledger, monkeypatch):
    """Reversals from before they said whether they revoke let everything stand, and are honest."""
    monkeypatch.setattr("ledger.reversing.INVENTED", frozenset())
    dispatcher, campaign = someone(ledger, "dispatcher"), a_campaign(ledger)

    def visit() -> UUID:
        worker = someone(ledger, "grid_worker")
        made = contribute(ledger, "visit", worker, a_door_visit(campaign))
        verify(ledger, made, dispatcher)
        return made.id

    take_back(ledger, visit())
    visit()
    found = ledger.fold(door_id(campaign, "H0"), Credits()).found
    assert [one.mark for one in found] == ["first", "confirmer"]
    assert list(audit(rows_of(ledger))) == []


@pytest.mark.parametrize(
    ("left_out", "code", "at"),
    [("revoked", "CREDIT", "confirmed"), ("annulled", "VISIT", "confirmed")],
)
def test_what_is_missing_is_named(left_out, code, at, confirmed, forge, steps):
    """The credit that stays, the visit that goes on counting: each is found once."""
    facts = confirmed()
    del facts[left_out]
    position = forge(*facts.values()) + list(facts).index(at)
    assert steps() == [(code, position)]


def test_a_revocation_that_says_another_cause_or_place_is_named(door, confirmed, forge, steps):
    """Of another visit, another mark, another reversal, or at another door: a finding each."""
    facts = confirmed()
    place, right = facts["revoked"]
    wrong = [
        (place, msgspec.structs.replace(right, **{name: value})) for name, value in (
            ("cause", uuid4()), ("mark", "confirmer"), ("reversal_id", uuid4()),
            ("participant_id", uuid4()),
        )
    ]  # fmt: skip
    for one in (*wrong, (uuid4(), right)):
        town = forged_copy(door.town, {**facts, "revoked": one})
        assert [found.code for found in audit(town)] == ["CREDIT"], one


def forged_copy(town, facts: dict) -> list:
    """The rows of the town with these facts behind them, which are not recorded."""
    from ledger import facts as names
    from ledger.days import microseconds
    from ledger.store.leaf import leaf_hash

    rows = list(rows_of(town))
    versions = {row.originator_id: row.originator_version for row in rows}
    for originator, fact in facts.values():
        versions[originator] = versions.get(originator, 0) + 1
        row = SimpleNamespace(
            position=len(rows) + 1, originator_id=originator, topic=fact.topic,
            originator_version=versions[originator], state=names.encode(fact),
            recorded_at=microseconds(NOW),
        )  # fmt: skip
        row.leaf_hash = leaf_hash(row)
        rows.append(row)
    return rows


def test_a_revocation_without_a_reversal_is_named(door, forge, steps):
    """Who takes somebody's place away must have taken back their award."""
    own = door.town.fold(door.place, Credits()).found[0]
    position = forge((door.place, revoked(own, uuid4())))
    assert steps() == [("CREDIT", position)]
    door.next()  # Told once, and not again of whoever comes next.
    assert steps() == [("CREDIT", position)]


@pytest.mark.parametrize("reason", ["mistake", "duplicate", "other"])
def test_what_happened_is_not_revoked(reason, confirmed, forge, steps):
    """A reversal for an amount or a rule that was wrong says that it revokes: that is found."""
    facts = confirmed(reason)
    del facts["revoked"], facts["annulled"]
    position = forge(*facts.values())
    assert steps() == [("REVERSAL", position)]


def test_what_was_invented_is_revoked_since_reversals_tell_it(door, confirmed, forge, steps):
    """Behind one that revokes, one of an invented visit that lets it stand is found."""
    take_back(door.town, door.visit("H1"))
    facts = confirmed(revokes=False)
    position = forge(facts["confirmed"], facts["money"])
    assert steps() == [("REVERSAL", position)]


def test_a_flag_that_was_taken_off_is_named(door, table, steps):
    """Said to revoke nothing afterwards, its visit and its credit went without a reason."""
    take_back(door.town, door.first)
    confirmed_at = table.head() - 2
    state = bytes(table.read(confirmed_at).state).replace(b',"revokes":true', b"")
    table.change(confirmed_at, rehash=True, state=state)
    assert {code for code, _ in steps()} == {"VISIT", "REVERSAL", "CREDIT"}


@pytest.mark.parametrize("wrong", ["cause", "household", "earned_on", "somebody", "districts"])
def test_an_annulment_of_another_visit_is_named(wrong, door, confirmed, forge, steps):
    """What leaves coverage is the visit whose coins go, and says of it what it says."""
    facts = confirmed()
    visit, fact = facts["annulled"]
    changes = {
        "household": {"household": "H1"}, "earned_on": {"earned_on": day_of(NOW).replace(day=1)},
        "somebody": {"participant_id": uuid4()}, "districts": {"districts": ("2",)}, "cause": {},
    }  # fmt: skip
    if wrong == "cause":
        visit = door.visit("H1")
    facts["annulled"] = visit, msgspec.structs.replace(fact, **changes[wrong])
    position = forge(*facts.values())
    assert steps() == [("VISIT", position)]


def test_an_annulment_for_what_is_no_visit_is_named(door, town, forge, steps):
    """A report that was invented annuls nobody's visit."""
    officer, approver = someone(town, "reward_officer"), someone(town, "approver")
    cause = earn(town, someone(town), door.dispatcher)
    found = town.propose_reversal(officer, cause, "fraud", "x", {}, uuid4(), NOW)
    annulled = VisitAnnulled(**of_visit(town.visit(door.first).recorded))
    fact = ReversalConfirmed(**signed(approver.participant_id), revokes=True)
    position = forge((door.first, annulled), (found.id, fact))
    assert ("VISIT", position) in steps()


def test_an_annulment_at_the_end_of_the_log_is_named(door, town, forge, steps):
    """Nothing comes behind it that would say why."""
    position = forge((door.first, VisitAnnulled(**of_visit(town.visit(door.first).recorded))))
    assert steps() == [("VISIT", position)]


def test_what_hangs_on_a_lost_row_is_not_told_again(door, town):
    """Whichever of the facts of a reversal cannot be read: that is the finding."""
    take_back(town, door.first)
    rows = list(rows_of(town))
    kinds = [VisitAnnulled.topic, ReversalConfirmed.topic, None, CreditRevoked.topic]
    for back, kind in enumerate(reversed(kinds), 1):
        assert kind in (None, rows[-back].topic)
        damaged = [*rows]
        damaged[-back] = Unreadable(rows[-back].position, "x")
        told = {one.code for one in audit(damaged)}  # Of lost coins the books are wrong as well.
        assert told - {"BALANCE"} == {"UNREADABLE"}, kind


def test_a_credit_given_again_with_the_same_mark_is_named(door, forge, steps):
    """Only a mark that changed is told a second time, behind its award."""
    own = door.town.fold(door.place, Credits()).found[0]
    position = forge((door.place, Credited(
        cause=own.cause, participant_id=own.participant_id, mark="first"
    )))  # fmt: skip
    assert steps() == [("CREDIT", position)]
