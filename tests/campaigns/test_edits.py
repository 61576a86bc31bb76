"""Edits of visits in the whole ledger: races, erasure, ids, and what may be emptied."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from threading import Thread
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger.campaigns.edits import VisitEditBody
from ledger.campaigns.errors import EarlierItemMissing
from ledger.errors import InvalidInput, NotFound, SubmissionConflict
from tests.api.campaigning import Campaigning
from tests.campaigns.books import check_books, check_visit, values
from tests.campaigns.offline import City, body_of, script_of
from tests.campaigns.playing import Play
from tests.ledger.examples import NOW


def play_of(city: City, *lines: str) -> Play:
    """One household's script, nothing of it sent yet."""
    return Play(city, city.campaign(1), "H0000", script_of("\n".join(lines)))


def test_two_processes_send_everything_backwards(open_ledger, city):
    """The same chain from two processes at once, last link first: every item once, books right."""
    play = play_of(
        city, "v A outcome=met booklet=1 q1=bad", "e1 A > v booklet=2 q3=yes",
        "e2 A > e1 booklet=3", "b B > #1 leaflet=4", "e3 A > e2 booklet=5 -q3",
    )  # fmt: skip
    twin = play.twin(open_ledger())
    failures: list[BaseException] = []

    def run(one: Play) -> None:
        try:
            for _ in range(6):
                one.send(list(play.steps)[::-1])
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=run, args=(one,)) for one in (play, twin)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    check_visit(play, "booklet=5 leaflet=4 q3=-", "pending")
    assert len(city.ledger.visit(play.visit_id).edits) == len(play.steps) - 1
    check_books(city.ledger, play.campaign, [play.visit_id])


def test_erasing_an_editor_keeps_the_counts(city, monkeypatch):
    """An editor's words go with the key; the answers, under the survey's key, still count right."""
    play = play_of(
        city, "v A outcome=met q1=bad remark=旧", "b B > #1 remark=新 q1=good", "w A withdraw"
    )
    play.send(["v"])
    play.send(["b"])
    gone, select = city.people["B"].participant_id, city.ledger.store.select_key
    monkeypatch.setattr(
        city.ledger.store, "select_key", lambda one: None if one == gone else select(one)
    )
    visit = city.ledger.visit(play.visit_id)
    standing = values(city.ledger.history_of(play.visit_id, visit).standing())
    assert standing == {"outcome": "met", "answers.q1": "good"}
    check_books(city.ledger, play.campaign, [play.visit_id])
    play.send(["w"])
    assert play.status["w"] == "created"
    check_books(city.ledger, play.campaign, [play.visit_id])


def test_stock_is_allotted_while_somebody_edits(city, monkeypatch):
    """Stock allotted right between reading and saving: the edit is decided again, books right."""
    ledger = city.ledger
    play = play_of(city, "v A outcome=met leaflet=2", "e1 A > v leaflet=5")
    play.send(["v"])
    current, allotted = ledger.campaigns.current, []

    def slow(campaign_id: UUID):
        found = current(campaign_id)
        if not allotted:
            allotted.append(True)
            ledger.allot_stock(
                city.people["D"], campaign_id, "111", "leaflet", 100, {}, uuid4(), city.now
            )
        return found

    monkeypatch.setattr(ledger, "campaigns", SimpleNamespace(current=slow))
    play.send(["e1"])
    assert play.status["e1"] == "created"
    check_books(ledger, play.campaign, [play.visit_id])


def test_a_verification_and_an_edit_at_once(open_ledger, city):
    """An edit and a review race: whoever is second is decided again, on what the first left."""
    play = play_of(city, "v A outcome=met booklet=2", "e1 A > v booklet=5", "r D verify")
    play.send(["v"])
    twin = play.twin(open_ledger())
    threads = [Thread(target=play.send, args=(["e1"],)), Thread(target=twin.send, args=(["r"],))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    visit = city.ledger.visit(play.visit_id)
    first = visit.positions[0] < visit.state.decided_position
    check_visit(play, "booklet=5" if first else "booklet=2|5", "verified")
    check_books(city.ledger, play.campaign, [play.visit_id])


def test_one_id_for_two_contents_is_a_conflict(city):
    """The same submission with other content is refused and named a conflict; the first stands."""
    play = play_of(city, "v A outcome=met booklet=2", "e1 A > v booklet=5")
    play.send(["v", "e1"])
    ledger, by = city.ledger, city.people["A"]
    body = {"replaces": 1, "remark": "别的"}
    with pytest.raises(SubmissionConflict):
        ledger.edit_visit(
            by, play.visit_id, msgspec.convert(body, VisitEditBody), body, play.sent["e1"],
            city.now,
        )  # fmt: skip
    check_visit(play, "booklet=5", "pending")


def test_the_same_id_of_two_people_means_ones_own(city):
    """Two people chose one id for their edits: who builds on it builds on their own."""
    play = play_of(
        city, "v A outcome=met booklet=2", "a A > v booklet=3", "b B > #1 booklet=4",
        "b2 B > b booklet=5",
    )  # fmt: skip
    play.sent["b"] = play.sent["a"]
    play.send(["v", "a"])
    play.send(["b"])
    play.send(["b2"])
    edits = city.ledger.visit(play.visit_id).edits
    assert [edit.chain for edit in edits] == [(), (), (3,)]
    check_visit(play, "booklet=3|5", "pending")


@pytest.mark.parametrize("both", ["remark", "answers.q1", "follow_up_on", "place"])
def test_nothing_is_set_and_emptied_at_once(both):
    """An edit that sets a field and empties it says nothing, and is refused by name."""
    value = {"remark": "新", "answers.q1": "good", "follow_up_on": "2026-12-01",
             "place": {"lon": 112.0, "lat": 32.0}}[both]  # fmt: skip
    body = {"replaces": 1, **body_of({both: value}), "clears": [both]}
    with pytest.raises(InvalidInput) as refused:
        msgspec.convert(body, VisitEditBody).said()
    assert [one.path for one in refused.value.errors] == ["clears[0]"]


def test_only_what_may_be_empty_is_emptied():
    """An outcome, a visitor or a made-up field cannot be emptied."""
    for field in ("outcome", "visitors", "answers.", "remark\n", ""):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"replaces": 1, "clears": [field]}, VisitEditBody)


def test_an_edit_of_something_else_is_not_found(city):
    """A campaign is no visit, and is not waited for; an id nobody knows may be one yet."""
    body, by = {"replaces": 1, "remark": "新"}, city.people["D"]
    change = msgspec.convert(body, VisitEditBody)
    for about, wanted in ((city.campaign(1), NotFound), (uuid4(), EarlierItemMissing)):
        with pytest.raises(wanted):
            city.ledger.edit_visit(by, about, change, body, uuid4(), city.now)


@pytest.mark.parametrize(
    ("said", "again"),
    [("outcome=by_phone", "outcome=by_phone"), ("booklet=3 leaflet=0", "booklet=3 leaflet=0"),
     ("topics=floods,five_waters", "topics=five_waters,floods"), ("-due", "-due"),
     ("q2=smell,rubbish", "q2=rubbish,smell"), ("questions=一,二", "questions=一,二"),
     ("outcome=refused", "outcome=refused"), ("place=5 remark=新", "place=5 remark=新")],
)  # fmt: skip
def test_who_says_the_same_is_told_of_no_clash(city, said, again):
    """Two people say the same without knowing: neither answer names a clash."""
    play = play_of(city, "v A outcome=met q1=bad q2=smell due=12-01", f"a A > v {said}",
                   f"b B > #1 {again}")  # fmt: skip
    for name in play.steps:
        play.send([name])
    edits = city.ledger.visit(play.visit_id).edits
    assert [edit.clashes for edit in edits] == [(), ()]
    check_books(city.ledger, play.campaign, [play.visit_id])


def test_what_clashes_is_told_shown_and_decided(services, caller):
    """Answers and words that clash are answered, shown with whose they are, and then decided."""
    campaign = Campaigning(services, caller)
    first, second = campaign.worker, caller("grid_worker", "111")
    body = campaign.visit(answers={"water": "good"}, remark="一楼", follow_up_on="2026-12-01")
    visit = first.submit("/v1/visits", body).json["id"]
    path = f"/v1/visits/{visit}"
    mine = {"replaces": 1, "answers": {"water": "bad"}, "clears": ["remark"]}
    assert first.submit(f"{path}/edit", mine).json["clashes"] == []
    theirs = campaign.item(
        1, "visit_edit", visit=visit, replaces=1, remark="二楼", clears=["answers.water"],
        materials={"booklet": 1},
    )  # fmt: skip
    (answer,) = campaign.sync(theirs, by=second).json["results"]
    assert answer["clashes"] == ["answers", "remark"]
    told = first.get(f"{path}/details").json
    assert told["clashes"] == [
        {"field": "answers.water", "version": 3, "by": str(second.id), "value": None},
        {"field": "remark", "version": 3, "by": str(second.id), "value": "二楼"},
    ]
    assert (told["version"], told["materials"]) == (3, {"booklet": 1})
    decided = {"replaces": 3, "remark": "二楼", "answers": {"water": "bad"},
               "clears": ["follow_up_on"]}  # fmt: skip
    assert campaign.dispatcher.submit(f"{path}/edit", decided).status_code == 201
    told = second.get(f"{path}/details").json
    assert (told["clashes"], told["version"], told["follow_up_on"]) == ([], 4, None)
    bad = first.submit(f"{path}/edit", {"replaces": 4, "clears": ["outcome"]})
    assert (bad.status_code, bad.json["errors"][0]["path"]) == (422, "clears[0]")


def test_a_visit_takes_so_many_edits(city, monkeypatch):
    """The next one is refused with what a person can do; what was recorded is still replayed."""
    monkeypatch.setattr("ledger.campaigns.amending.EDITS_MAX", 2)
    play = play_of(
        city, "v A outcome=met", "e1 A > v remark=一", "e2 A > e1 remark=二", "e3 A > e2 remark=三"
    )
    play.send(["v", "e1", "e2", "e3"])
    assert play.status == {"v": "created", "e1": "created", "e2": "created", "e3": "invalid"}
    assert play.code["e3"] == "too_many_edits"
    play.send(["e2", "e3"])
    assert (play.status["e2"], play.status["e3"]) == ("replayed", "invalid")
    check_visit(play, "remark=二", "pending")


@pytest.mark.parametrize(
    ("day", "taken"),
    [("0001-01-01", False), ("1970-01-01", False), (NOW.date() - timedelta(days=1), False),
     (NOW.date(), True), (NOW.date() + timedelta(days=366), True),
     (NOW.date() + timedelta(days=367), False), ("9999-12-31", False)],
)  # fmt: skip
def test_an_edit_promises_what_a_visit_may(city, day, taken):
    """A day to come again is one from the visit on, within a year, whoever sets it when."""
    play = play_of(city, "v A outcome=met")
    play.send(["v"])
    body = {"replaces": 1, "follow_up_on": str(day)}
    change = msgspec.convert(body, VisitEditBody)
    refused: Any = nullcontext() if taken else pytest.raises(InvalidInput)
    with refused as refusal:
        city.ledger.edit_visit(city.people["A"], play.visit_id, change, body, uuid4(), city.now)
    if not taken:
        told = [(one.path, one.code) for one in refusal.value.errors]
        assert told == [("follow_up_on", "out_of_range")]
    assert (city.ledger.visit(play.visit_id).recorded.follow_up_on is not None) == taken


def test_a_history_asks_the_vault_once(city, monkeypatch):
    """However many edits a visit has, its private values come with one look into the vault."""
    play = play_of(
        city, "v A outcome=met q1=bad remark=一", "e1 A > v remark=二 q1=good",
        "e2 A > e1 remark=三",
    )  # fmt: skip
    play.send(["v", "e1", "e2"])
    calls, select = [], city.ledger.store.select_vault
    monkeypatch.setattr(
        city.ledger.store, "select_vault", lambda *a: calls.append(a) or select(*a)
    )
    check_visit(play, "q1=good remark=三", "pending")
    assert len(calls) == 2  # Of what stands, and of what clashes.
