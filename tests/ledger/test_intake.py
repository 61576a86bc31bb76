"""Taking in, between processes: streets that are one command, numbers, work done once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from eventsourcing.persistence import IntegrityError

from ledger.campaigns.edits import VisitEditBody
from ledger.campaigns.streets import StreetLogged
from ledger.contributions.base import Times
from ledger.contributions.visits import VisitRecorded
from ledger.errors import SubmissionConflict
from ledger.parcels import EDIT, Item
from ledger.settlement import default_policy
from tests.ledger.campaigns import a_campaign, a_door_visit, an_item, send
from tests.ledger.examples import NOW, a_reach, a_report, a_walk, contribute, someone
from tests.ledger.trailing import at, publish


def facts(ledger, kind: type) -> list:
    return [one.fact for one in ledger.entries() if isinstance(one.fact, kind)]


def statuses(results) -> list[str]:
    return [one.status for one in results]


def test_another_street_under_the_same_id_is_a_conflict_as_a_whole(ledger):
    """Be it longer, elsewhere or at another time: nothing of it is recorded."""
    worker, campaign, sent = someone(ledger, "grid_worker"), a_campaign(ledger), uuid4()
    assert statuses(ledger.nobody_home(worker, campaign, ["H0", "H1"], sent, NOW)) == [
        "created"] * 2  # fmt: skip
    head = ledger.head()
    earlier = Times(NOW - timedelta(hours=1))
    for street, times in ((["H1", "H2"], Times()), (["H3"], Times()), (["H0", "H1"], earlier)):
        with pytest.raises(SubmissionConflict):
            ledger.nobody_home(worker, campaign, street, sent, NOW, times)
    assert statuses(ledger.nobody_home(worker, campaign, ["H0", "H1"], sent, NOW)) == [
        "replayed"] * 2  # fmt: skip
    assert ledger.head() == head
    (logged,) = facts(ledger, StreetLogged)
    assert (logged.by, logged.campaign_id, logged.households) == (
        worker.participant_id, campaign, 2
    )  # fmt: skip


def test_of_two_streets_at_once_under_one_id_one_is_recorded(open_ledger, ledger):
    """Whichever of two processes is first: the other's street is a conflict, and no door of it."""
    other = open_ledger()
    worker, campaign = someone(ledger, "grid_worker"), a_campaign(ledger)
    for _ in range(4):
        sent, before = uuid4(), len(facts(ledger, VisitRecorded))

        def one(each, street, sent=sent):
            try:
                return statuses(each.nobody_home(worker, campaign, street, sent, NOW))
            except SubmissionConflict:
                return "conflict"

        with ThreadPoolExecutor(2) as pool:
            made = list(pool.map(one, (ledger, other), (["H0", "H1"], ["H2", "H3"])))
        assert sorted(map(str, made)) == ["['created', 'created']", "conflict"]
        assert len(facts(ledger, VisitRecorded)) == before + 2


def test_a_street_that_was_refused_in_part_may_be_sent_again(ledger):
    """What is wrong is told door by door; of a street all of which is refused nothing is kept."""
    worker, campaign, sent = someone(ledger, "grid_worker"), a_campaign(ledger), uuid4()
    assert statuses(ledger.nobody_home(worker, campaign, ["X"], sent, NOW)) == ["invalid"]
    assert not facts(ledger, StreetLogged)
    for status in ("created", "replayed"):
        results = ledger.nobody_home(worker, campaign, ["H0", "X", "H0"], sent, NOW)
        assert statuses(results) == [status, "invalid", "replayed"]
        assert results[0].position == results[2].position
    assert len(facts(ledger, VisitRecorded)) == len(facts(ledger, StreetLogged)) == 1


def test_a_street_has_no_numbers(ledger, monkeypatch):
    """A street is of no device: no numbers are made of its households, nor looked at."""
    worker, campaign = someone(ledger, "grid_worker"), a_campaign(ledger)
    monkeypatch.delattr("ledger.intake.Numbers")
    assert statuses(ledger.nobody_home(worker, campaign, ["H0"], uuid4(), NOW)) == ["created"]


def test_a_street_from_before_it_was_a_fact_is_still_one_command(ledger, monkeypatch):
    """Sent again it is replayed; a street that shares a door with it is a conflict as a whole."""
    worker, campaign, sent = someone(ledger, "grid_worker"), a_campaign(ledger), uuid4()
    with monkeypatch.context() as before:
        before.setattr("ledger.intake.StreetIntake._note", lambda _: None)
        ledger.nobody_home(worker, campaign, ["H0", "H1"], sent, NOW)
    head = ledger.head()
    assert statuses(ledger.nobody_home(worker, campaign, ["H0", "H1"], sent, NOW)) == [
        "replayed"] * 2  # fmt: skip
    with pytest.raises(SubmissionConflict):
        ledger.nobody_home(worker, campaign, ["H1", "H2"], sent, NOW)
    assert ledger.head() == head


def test_what_two_processes_recorded_under_one_number_is_replayed(open_ledger, ledger, monkeypatch):
    """While one is between its patrol and noting the number, the other takes the same number."""
    other = open_ledger()
    ledger.import_reaches([a_reach()], NOW)
    person, moment = someone(ledger), NOW - timedelta(minutes=5)
    mine, theirs, third = (
        an_item("patrol", a_walk(900, 1800, moment, start_m=start), 1) for start in (0, 3000, 6000)
    )
    attempt = ledger.attempt

    def interrupted(command, *args, **more):
        if getattr(command, "__name__", "") == "note":
            assert statuses(send(other, person, theirs)) == ["created"]
        return attempt(command, *args, **more)

    monkeypatch.setattr(ledger, "attempt", interrupted)
    assert statuses(send(ledger, person, mine)) == ["created"]
    monkeypatch.undo()
    assert statuses(send(ledger, person, mine, theirs, third)) == [
        "replayed", "replayed", "conflict"
    ]  # fmt: skip


def test_a_recorded_edit_is_replayed_under_the_number_of_another(ledger):
    """Recorded without a number it comes again under one that stands for something else."""
    worker, campaign = someone(ledger, "grid_worker"), a_campaign(ledger)
    visit = contribute(ledger, "visit", worker, a_door_visit(campaign))
    send(ledger, worker, an_item("visit", a_door_visit(campaign, "H1"), 1))
    edits = [
        Item(kind=EDIT, submission_id=uuid4(), body=VisitEditBody(replaces=1, topics=(topic,)),
             request={"replaces": 1, "topics": [topic]}, about=visit.id)
        for topic in ("floods", "sorting")
    ]  # fmt: skip
    assert statuses(send(ledger, worker, edits[0])) == ["created"]
    numbered = [msgspec.structs.replace(one, device_seq=1) for one in edits]
    assert statuses(send(ledger, worker, *numbered)) == ["replayed", "conflict"]


def test_a_patrol_in_a_parcel_is_measured_once(ledger, monkeypatch):
    """Neither in vain with the rest, nor again for each attempt at the common commit."""
    import ledger.tracks as tracks

    ledger.import_reaches([a_reach()], NOW)
    person, measured, looked, outrun = someone(ledger), [], [], [IntegrityError("outrun")]
    measure, nearest, insert = tracks.measure, tracks.nearest_reach, ledger.store.insert_events

    def insert_once_outrun(*args, **more):
        if outrun:
            raise outrun.pop()
        return insert(*args, **more)

    monkeypatch.setattr(ledger.store, "insert_events", insert_once_outrun)
    monkeypatch.setattr(tracks, "measure", lambda *a, **k: measured.append(1) or measure(*a, **k))
    monkeypatch.setattr(
        tracks, "nearest_reach", lambda *a, **k: looked.append(1) or nearest(*a, **k)
    )
    walks = [an_item("patrol", a_walk(900, 1800, NOW - timedelta(hours=n), start_m=900 * n), n)
             for n in (1, 2, 3)]  # fmt: skip
    report = an_item("report", a_report(), 4)
    assert statuses(send(ledger, person, *walks, report)) == ["created"] * 4
    assert (len(measured), len(looked)) == (3, 12)  # Looked for twice a patrol, with the rest too.


def test_a_patrol_gets_what_the_rest_left_of_a_cap(ledger):
    """What is saved alone comes behind the common commit, whenever in the day it was."""
    policy = default_policy().replace('"2026-01"', '"x"').replace("2020-01-01", "2020-01-02")
    ledger.publish_policy(policy.replace("day = 45", "day = 3", 1), None, NOW)
    ledger.import_reaches([a_reach()], NOW)
    person, hour = someone(ledger), timedelta(hours=1)
    trail = publish(ledger, points=2, now=NOW - timedelta(days=1))
    patrol = an_item("patrol", a_walk(900, 1800, NOW - 4 * hour), 1, recorded_at=NOW - 4 * hour)
    points = [an_item("check_in", at(trail, n), 2 + n, recorded_at=NOW - 3 * hour + n * hour / 2)
              for n in range(2)]  # fmt: skip
    made = send(ledger, person, patrol, *points)
    coins = [one.receipt.coins for one in made]
    assert sum(coins) == 3
    assert made[0].receipt.reasons == ("cap_day",)
    assert made[0].position > made[2].position


def test_an_entry_that_is_too_long_is_refused_for_itself(ledger, monkeypatch):
    """The others are recorded; it is told in the words of one sent alone."""
    worker, campaign = someone(ledger, "grid_worker"), a_campaign(ledger)
    long = a_door_visit(campaign, photos=[f"{n:064x}" for n in range(20)])
    items = [an_item("visit", body, n) for n, body in enumerate(
        (a_door_visit(campaign, "H1"), long, a_door_visit(campaign, "H2")), 1
    )]  # fmt: skip
    monkeypatch.setattr("ledger.store.leaf.ENTRY_BYTES_MAX", 1800)
    made = send(ledger, worker, *items)
    assert statuses(made) == ["created", "invalid", "created"]
    assert made[1].refusal.code == "entry_too_large"
