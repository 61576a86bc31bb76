"""What a campaign shows: coverage, doors, survey results; whole streets at once."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from ledger.days import day_of
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
    of_places = ("frame", "revisit_due", "stock", "shows", "headcount", "attempted_rate")
    assert {one[name] for one in (day, *workers) for name in of_places} == {None}
    assert (whole["revisit_due"], whole["stock"], whole["shows"]) == (1, {"booklet": 50}, 0)
    own = campaign.worker.get(path).json
    assert (own["of"], own["frame"], len(own["items"])) == ("111", 8, 1)
    assert campaign.worker.get(f"{path}?district=112").status_code == 404
    assert campaign.worker.get(f"{path}?by=worker").status_code == 403
    assert caller("citizen").get(path).status_code == 403
    first = campaign.dispatcher.get(f"{path}?limit=1")
    rest = campaign.dispatcher.get(f"{path}?limit=1&cursor={first.json['next']}").json
    assert [one["of"] for one in first.json["items"] + rest["items"]] == ["111", "112"]
    assert 'rel="next"' in first.headers["Link"]


def by_name(answer) -> dict[str, tuple[int, int]]:
    """Met and visits of every item."""
    assert answer.status_code == 200, answer.json
    return {one["of"]: (one["met"], one["visits"]) for one in answer.json["items"]}


def test_a_town_sees_its_own_workers_and_days(campaign, caller, follow):
    """A place's dispatcher sees who did what there, and when, grid by grid; no stranger does."""
    path, both = f"/v1/campaigns/{campaign.id}/coverage", caller("grid_worker", "110")
    made(campaign.worker, campaign.visit("A0"))
    for household in ("A0", "A1", "B0"):
        made(both, campaign.visit(household))
    follow()
    town, one, two = caller("dispatcher", "110"), str(campaign.worker.id), str(both.id)
    assert by_name(town.get(f"{path}?by=worker")) == {one: (1, 1), two: (3, 3)}
    assert by_name(town.get(f"{path}?by=worker&district=111")) == {one: (1, 1), two: (2, 2)}
    assert by_name(town.get(f"{path}?by=worker&district=112")) == {two: (1, 1)}
    (day,) = town.get(f"{path}?by=day").json["items"]
    assert (day["met"], day["visits"]) == (3, 4)
    own = campaign.other.get(f"{path}?by=day")
    assert (by_name(own), own.json["of"]) == ({day["of"]: (1, 1)}, "112")
    assert campaign.other.get(f"{path}?by=worker").status_code == 403
    assert campaign.other.get(f"{path}?by=day&district=111").status_code == 404
    stranger = caller("dispatcher", "120")
    for by in ("worker", "day"):
        assert stranger.get(f"{path}?by={by}&district=110").status_code == 404
        assert by_name(stranger.get(f"{path}?by={by}")) == {}


def test_a_day_is_asked_for_with_workers(campaign, caller, follow):
    """What each worker did at a place on a day, page by page; the place's own counts beside it."""
    path, today = f"/v1/campaigns/{campaign.id}/coverage", day_of(campaign.services.clock())
    yesterday, town = today - timedelta(days=1), caller("dispatcher", "110")
    made(campaign.worker, campaign.visit("A0"))
    made(campaign.worker, campaign.visit("A1", recorded_at=f"{yesterday}T10:00:00+08:00"))
    made(campaign.other, campaign.visit("B0", "refused"))
    follow()
    one, two = sorted((str(campaign.worker.id), str(campaign.other.id)))
    counts = {str(campaign.worker.id): (1, 1), str(campaign.other.id): (0, 1)}
    asked = f"{path}?by=worker&on={today}"
    assert by_name(town.get(asked)) == counts
    first = town.get(f"{asked}&limit=1")
    assert by_name(first) == {one: counts[one]}
    assert (first.json["on"], first.json["of"], first.json["met"]) == (str(today), "110", 2)
    rest = town.get(first.headers["Link"].partition(">")[0][1:])
    assert (by_name(rest), rest.json["next"]) == ({two: counts[two]}, None)
    before = f"{path}?by=worker&on={yesterday}"
    assert by_name(town.get(before)) == {str(campaign.worker.id): (1, 1)}
    assert by_name(town.get(f"{before}&district=112")) == {}
    assert by_name(town.get(f"{path}?by=worker&on=2020-02-29")) == {}
    other_day = town.get(f"{before}&cursor={first.json['next']}")
    assert (other_day.status_code, other_day.json["code"]) == (422, "bad_cursor")
    assert campaign.worker.get(asked).status_code == 403


@pytest.mark.parametrize(
    ("asked", "path", "code"),
    [
        ("by=grid&on=2026-05-01", "on", "only_by_worker"),
        ("by=day&on=2026-05-01", "on", "only_by_worker"),
        ("on=2026-05-01", "on", "only_by_worker"),
        ("by=worker&on=2026-02-30", "on", "malformed_date"),
        ("by=worker&on=today", "on", "malformed_date"),
        ("by=worker&on=", "on", "malformed_date"),
        ("by=street", "by", "not_one_of"),
    ],
)
def test_a_day_that_cannot_be_asked_for_is_refused(campaign, asked, path, code):
    """A day beside places, and what is no day, is refused by its field."""
    answer = campaign.dispatcher.get(f"/v1/campaigns/{campaign.id}/coverage?{asked}")
    assert answer.status_code == 422
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [(path, code)]


def test_survey_results_tell_of_nobody_in_particular(campaign, caller, follow):
    """Counts for who runs the campaign, nothing of fewer than five; withdrawn answers are out."""
    follow()  # Who may look at a place is a question to where the frame has it.
    path = f"/v1/campaigns/{campaign.id}/survey"
    bad = {"water": "bad", "why": ["smell", "litter"]}
    ids = [made(campaign.worker, campaign.visit(f"A{n}", answers=bad)) for n in range(4)]
    made(campaign.other, campaign.visit("B0", answers=bad))  # Of another grid: no group of five.
    assert campaign.dispatcher.get(path).json["people"] is None
    ids += [made(campaign.worker, campaign.visit(f"A{n}", answers=bad)) for n in range(4, 8)]
    told = campaign.dispatcher.get(path).json
    water = told["items"][0]
    assert (told["people"], water["counts"]["bad"], water["counts"]["good"]) == (5, 5, None)
    assert campaign.dispatcher.get(f"{path}?district=111").json["people"] == 5
    assert campaign.dispatcher.get(f"{path}?district=112").json["people"] is None
    for _ in range(4):  # A household counts once, and nothing moves for one alone.
        made(campaign.worker, campaign.visit("A0", answers={"water": "good"}))
        assert campaign.dispatcher.get(path).json == told
    campaign.worker.submit(f"/v1/visits/{ids[1]}/withdraw", {})
    assert campaign.dispatcher.get(path).json["people"] is None
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
    """The same submission with other households is refused as a whole."""
    sent, path = uuid4(), "/v1/visits/nobody-home"
    body = {"campaign_id": campaign.id, "households": ["A0", "A1"]}
    assert campaign.worker.submit(path, body, sent).status_code == 201
    other = campaign.worker.submit(path, {**body, "households": ["A1", "A0"]}, sent)
    assert (other.status_code, other.json["code"]) == (409, "submission_conflict")


@pytest.mark.parametrize("asked", ["coverage?district", "households?grid", "survey?district"])
def test_a_place_that_is_none_is_told_so(asked, campaign, follow):
    """Where districts were imported nobody is answered with the zeros of a misspelt one."""
    follow()
    path = f"/v1/campaigns/{campaign.id}/{asked}"
    assert campaign.dispatcher.get(f"{path}=111").status_code == 200
    told = campaign.dispatcher.get(f"{path}=nonsense")
    assert (told.status_code, told.json["code"]) == (422, "unknown_district")
    assert told.json["errors"][0]["path"] == asked.split("?")[1]


def test_who_came_along_is_told_by_the_visit(campaign, caller, follow):
    """A worker's row is of the visits that worker logged; a companion named there gets none."""
    made(campaign.worker, campaign.visit(visitors=[str(campaign.other.id)]))
    follow()
    path = f"/v1/campaigns/{campaign.id}/coverage?by=worker"
    assert by_name(campaign.dispatcher.get(path)) == {str(campaign.worker.id): (1, 1)}
