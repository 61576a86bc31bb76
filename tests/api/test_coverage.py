"""What a campaign shows: coverage, doors, survey results; whole streets at once."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.api.campaigning import Campaigning, made


@pytest.fixture
def campaign(services, caller) -> Campaigning:
    return Campaigning(services, caller)


def test_a_whole_street_is_logged_in_one_action(campaign, follow):
    """Nobody home at many doors is one request and one visit each; a wrong door stops no other."""
    sent, street = uuid4(), ["A0", "A1", "A99", "A2"]
    body = {"campaign_id": campaign.id, "households": street}
    answer = campaign.worker.submit("/v1/visits/nobody-home", body, sent)
    results = answer.json["results"]
    assert [one["status"] for one in results] == ["created", "created", "invalid", "created"]
    assert results[2]["code"] == "unknown_household"
    again = campaign.worker.submit("/v1/visits/nobody-home", body, sent).json["results"]
    assert [one["status"] for one in again] == ["replayed", "replayed", "invalid", "replayed"]
    withdrawn = campaign.worker.submit(f"/v1/visits/{results[0]['id']}/withdraw", {})
    assert withdrawn.status_code == 201
    follow()
    told = campaign.dispatcher.get(f"/v1/campaigns/{campaign.id}/coverage").json
    assert (told["attempted"], told["revisit_due"], told["met"]) == (2, 2, 0)


def test_coverage_is_shown_by_place_worker_and_day(campaign, follow, caller):
    """Counts, rates and parts, within the asker's district; workers for who directs them."""
    for household in ("A0", "A1"):
        made(campaign.worker, campaign.visit(household))
    made(campaign.worker, campaign.visit("A1", "refused"))
    last = campaign.other.submit("/v1/visits", campaign.visit("B0", "nobody_home")).json
    follow()
    path = f"/v1/campaigns/{campaign.id}/coverage"
    whole = campaign.dispatcher.get(f"{path}?min_position={last['position']}").json
    assert (whole["frame"], whole["met"], whole["attempted"], whole["visits"]) == (16, 2, 3, 4)
    assert (whole["coverage"], whole["of"]) == (0.125, "100")
    assert [(one["of"], one["met"]) for one in whole["items"]] == [("111", 2), ("112", 0)]
    town = campaign.dispatcher.get(f"{path}?by=town").json
    assert [(one["of"], one["frame"]) for one in town["items"]] == [("110", 16)]
    workers = campaign.dispatcher.get(f"{path}?by=worker").json["items"]
    assert {one["of"]: (one["met"], one["visits"]) for one in workers} == {
        str(campaign.worker.id): (2, 3), str(campaign.other.id): (0, 1)
    }  # fmt: skip
    (day,) = campaign.dispatcher.get(f"{path}?by=day").json["items"]
    assert (day["met"], day["attempted"], day["coverage"]) == (2, 3, None)
    own = campaign.worker.get(path).json
    assert (own["of"], own["frame"], len(own["items"])) == ("111", 8, 1)
    assert campaign.worker.get(f"{path}?district=112").status_code == 404
    assert campaign.worker.get(f"{path}?by=worker").status_code == 403
    assert caller("citizen").get(path).status_code == 403
    first = campaign.dispatcher.get(f"{path}?limit=1")
    rest = campaign.dispatcher.get(f"{path}?limit=1&cursor={first.json['next']}").json
    assert [one["of"] for one in first.json["items"] + rest["items"]] == ["111", "112"]
    assert 'rel="next"' in first.headers["Link"]


def test_doors_are_for_those_who_go_there(campaign, follow):
    """Workers see the doors of their own grid with the address; nobody else's are there."""
    follow()
    path = f"/v1/campaigns/{campaign.id}/households"
    doors = campaign.worker.get(f"{path}?limit=2").json
    assert [(one["household"], one["address"]) for one in doors["items"]] == [
        ("A0", "滨河路 0 号"), ("A1", "滨河路 1 号")
    ]  # fmt: skip
    assert doors["next"]
    assert campaign.worker.get(f"{path}?grid=112").status_code == 404
    assert campaign.dispatcher.get(f"{path}?grid=112").json["items"][0]["address"] is None


def test_survey_results_tell_of_nobody_in_particular(campaign, caller):
    """Counts for who runs the campaign, nothing of fewer than five; withdrawn answers are out."""
    path = f"/v1/campaigns/{campaign.id}/survey"
    bad = {"water": "bad", "why": ["smell", "litter"]}
    ids = [made(campaign.worker, campaign.visit(f"A{n}", answers=bad)) for n in range(4)]
    assert campaign.dispatcher.get(path).json["people"] is None
    ids += [made(campaign.worker, campaign.visit(f"A{n % 8}", answers=bad)) for n in range(4, 10)]
    told = campaign.dispatcher.get(path).json
    water = told["items"][0]
    assert (told["people"], water["counts"]["bad"], water["counts"]["good"]) == (10, 10, None)
    for number in range(5):  # Counted five at a time: one alone changes nothing.
        assert campaign.dispatcher.get(path).json == told
        campaign.worker.submit(f"/v1/visits/{ids[number]}/withdraw", {})
    assert campaign.dispatcher.get(path).json["people"] == 5
    assert campaign.dispatcher.get(f"{path}?district=111").json["people"] == 5
    assert campaign.worker.get(path).status_code == 403
    assert caller("dispatcher", "120").get(path).json["people"] is None


def test_one_household_is_no_group(campaign):
    """Five visits to one household are one household's answers, and are not told."""
    for _ in range(5):
        made(campaign.worker, campaign.visit(answers={"water": "bad"}))
    told = campaign.dispatcher.get(f"/v1/campaigns/{campaign.id}/survey").json
    assert (told["people"], told["items"]) == (None, [])


def test_a_visit_that_is_not_accepted_counts_no_more(campaign, follow):
    """Refused as invented it leaves coverage and survey, and its door is to be visited again."""
    path = f"/v1/campaigns/{campaign.id}"
    answers = {"water": "good"}
    ids = [made(campaign.worker, campaign.visit(f"A{n}", answers=answers)) for n in range(5)]
    assert campaign.dispatcher.get(f"{path}/survey").json["people"] == 5
    for visit in ids:
        refused = campaign.dispatcher.submit(f"/v1/visits/{visit}/refuse", {"reason": "编造"})
        assert (refused.status_code, refused.json["state"]) == (201, "refused")
    follow()
    told = campaign.dispatcher.get(f"{path}/coverage").json
    assert (told["met"], told["attempted"], told["visits"]) == (0, 0, 0)
    assert campaign.dispatcher.get(f"{path}/survey").json["people"] is None
    (door, *_) = campaign.worker.get(f"{path}/households").json["items"]
    assert door["state"] == "not_visited"


def test_another_street_under_the_same_number_is_a_conflict(campaign):
    """The same submission with other households is refused where it was recorded before."""
    sent, path = uuid4(), "/v1/visits/nobody-home"
    body = {"campaign_id": campaign.id, "households": ["A0", "A1"]}
    assert campaign.worker.submit(path, body, sent).status_code == 201
    other = campaign.worker.submit(path, {**body, "households": ["A1", "A0"]}, sent)
    assert other.status_code == 200
    assert {one["code"] for one in other.json["results"]} == {"submission_conflict"}


def test_a_promise_to_come_again_is_kept_by_coming(campaign, follow, clock):
    """A household somebody promised to see on a day is due until somebody was there since."""
    day = (campaign.services.clock() + timedelta(days=3)).date().isoformat()
    path = f"/v1/campaigns/{campaign.id}/coverage"
    made(campaign.worker, campaign.visit(outcome="by_phone", follow_up_on=day))
    follow()
    assert campaign.dispatcher.get(path).json["revisit_due"] == 1
    clock.ahead = timedelta(days=4)
    made(campaign.worker, campaign.visit())
    follow()
    assert campaign.dispatcher.get(path).json["revisit_due"] == 0
