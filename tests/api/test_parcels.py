"""Parcels in odd company: copies, chains, old numbers, two processes, and first answers kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.api.campaigning import Campaigning, statuses
from tests.ledger.examples import a_report, a_walk


@pytest.fixture
def campaign(services, caller) -> Campaigning:
    return Campaigning(services, caller)


def test_a_copied_patrol_is_judged_offline_as_it_is_online(campaign, services, caller, monkeypatch):
    """A track somebody sent before is rejected for it, and does not wait for ever."""
    now = services.clock()
    walk = a_walk(900, 1500, now - timedelta(minutes=30))
    other = a_walk(700, 1500, now - timedelta(minutes=90), start_m=3000)
    for one in (walk, other):
        assert caller("citizen", "111").submit("/v1/patrols", one).status_code == 201
    # As if so many walks had come since that the first is not among those compared any more.
    monkeypatch.setattr("ledger.contributions.patrol.EARLIER_TRACKS_COMPARED", 1)
    answer = campaign.sync(campaign.item(1, "patrol", **walk))
    (told,) = answer.json["results"]
    assert (told["status"], told["state"]) == ("created", "rejected")
    assert "replayed_track" in [one["code"] for one in told["reasons"]]


def test_copies_in_one_parcel_have_one_place_in_the_log(campaign, services):
    """An item that stands there twice is told the same position twice, and its number once."""
    first, twice = (campaign.item(n, **campaign.visit(f"A{n}")) for n in (1, 2))
    answer = campaign.sync(first, twice, twice)
    assert statuses(answer) == ["created", "created", "replayed"]
    places = [one["position"] for one in answer.json["results"]]
    assert places[1] == places[2] == services.ledger.head() - 1


def test_a_replay_says_what_was_said_first(campaign, services, clock):
    """After an edit, photos and a withdrawal the first answer is still the first answer."""
    visit = campaign.item(1, **campaign.visit())
    own = visit["body"]["submission_id"]
    made = campaign.sync(visit).json["results"][0]
    campaign.sync(
        campaign.item(2, "visit_edit", visit=own, replaces=own, remark="好"),
        campaign.item(3, "photos", of=own, photos=["ab" * 32]),
        campaign.item(4, "visit_withdrawal", visit=own),
    )
    assert campaign.sync(visit).json["results"][0] == {**made, "status": "replayed"}


def test_a_long_chain_of_edits_sent_backwards_comes_in_at_once(campaign):
    """Forty edits, each on the one before and the last one first, are all taken in one call."""
    visit = campaign.item(1, ago=60, **campaign.visit())
    replaces = own = visit["body"]["submission_id"]
    items = [visit]
    for number in range(2, 42):
        edit = campaign.item(number, "visit_edit", ago=60, visit=own, replaces=replaces,
                             materials={"booklet": number % 3})  # fmt: skip
        edit["recorded_at"] = visit["recorded_at"]
        replaces = edit["body"]["submission_id"]
        items.append(edit)
    assert statuses(campaign.sync(*reversed(items))) == ["created"] * 41


def test_gaps_are_told_of_numbers_that_were_looked_at_only(campaign):
    """An old number sent again beside a new one tells of no gap in the thousands between."""
    for start in range(1, 2002, 400):
        items = [campaign.item(n, "report", **a_report()) for n in range(start, start + 400)]
        assert campaign.sync(*items).json["missing_seqs"] == []
    old = campaign.item(5, "report", **a_report())
    new = campaign.item(2401, "report", **a_report())
    assert campaign.sync(old, new).json["missing_seqs"] == []


def test_two_processes_that_note_the_same_numbers_both_get_their_answers(campaign, services):
    """What was noted meanwhile is looked at again: nobody is told that all was in vain."""
    over = campaign.item(1, **campaign.visit(materials={"booklet": 99}))  # one by one, then
    good = [campaign.item(n, **campaign.visit(f"A{n}")) for n in (2, 3, 4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: campaign.sync(over, *good), range(4)))
    assert {one.status_code for one in answers} == {200}
    for answer in answers:
        assert statuses(answer)[0] == "invalid"
        assert set(statuses(answer)[1:]) <= {"created", "replayed"}


def test_edits_that_replace_one_another_are_refused_for_good(campaign):
    """A circle of edits, what hangs on it and one that replaces itself end; the rest waits."""
    visit, elsewhere = (campaign.item(n, **campaign.visit(f"A{n}")) for n in (1, 2))
    own, gone = visit["body"]["submission_id"], elsewhere["body"]["submission_id"]

    def edits(of: str, first: int) -> list[dict]:
        made = [campaign.item(first + n, "visit_edit", visit=of, remark="好") for n in range(5)]
        ids = [one["body"]["submission_id"] for one in made]
        for one, before in zip(made, (ids[1], ids[2], ids[0], ids[0], ids[4]), strict=True):
            one["body"]["replaces"] = before
        return made

    late = campaign.item(8, "visit_edit", visit=own, replaces=str(uuid4()), remark="好")
    circle = [*edits(own, 3), late]
    told = campaign.sync(visit, *circle, *edits(gone, 9)).json
    assert [one["status"] for one in told["results"]] == [
        "created", *["invalid"] * 5, *["waiting"] * 6
    ]  # fmt: skip
    for one in told["results"][1:6]:
        assert (one["code"], one["final"]) == ("builds_on_itself", True)
        assert [each["path"] for each in one["errors"]] == ["body.replaces"]
    assert campaign.sync().json["missing_seqs"] == []  # Of one that waits the number is not noted.
    # Their visit may be the version that they replace, until it has come.
    assert statuses(campaign.sync(elsewhere, *edits(gone, 9)))[1:] == ["invalid"] * 5
