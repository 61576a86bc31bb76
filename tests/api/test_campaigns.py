"""Campaigns through the service: planned, frozen, opened, closed; their stock, shows and rights."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from ledger.campaigns.errors import FrameFrozen, UnknownCampaign
from ledger.campaigns.listing import NewHousehold
from tests.api.campaigning import SURVEY, Campaigning


@pytest.fixture
def campaign(services, caller) -> Campaigning:
    return Campaigning(services, caller)


def test_a_campaign_is_planned_once_whatever_is_sent_again(caller):
    """The same submission again is the same campaign; another body is a conflict."""
    dispatcher, body, sent = caller("dispatcher", "110"), {"name": "走访"}, uuid4()
    made = dispatcher.submit("/v1/campaigns", body, sent)
    assert (made.status_code, made.json["state"], made.json["district"]) == (201, "planned", "110")
    assert made.json["allowed_actions"] == ["open", "stock"]
    again = dispatcher.submit("/v1/campaigns", body, sent)
    assert (again.status_code, again.data) == (200, made.data)
    other = dispatcher.submit("/v1/campaigns", {"name": "另一个"}, sent)
    assert (other.status_code, other.json["code"]) == (409, "submission_conflict")


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"name": " "}, "name", "malformed"),
        ({"district": "999"}, "district", "unknown_district"),
        ({"starts_on": "2026-05-02", "ends_on": "2026-05-01"}, "ends_on", "out_of_range"),
        ({"materials": {"booklet": -1}}, "materials", "out_of_range"),
        ({"questionnaire": [SURVEY[1]]}, "questionnaire[0].ask_if.question", "unknown_question"),
        ({"questionnaire": [SURVEY[0], SURVEY[0]]}, "questionnaire[1].id", "duplicate"),
        ({"questionnaire": [{**SURVEY[0], "id": "姓名"}]}, "questionnaire[0].id", "malformed"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_by_its_field(caller, change, path, code):
    """What is wrong with a plan is named by its place, and nothing is recorded."""
    answer = caller("dispatcher").submit("/v1/campaigns", {"name": "走访", **change})
    assert answer.status_code == 422
    assert any(
        one["path"].startswith(path) and one["code"] == code for one in answer.json["errors"]
    )


def test_who_may_run_a_campaign(caller, campaign):
    """Dispatchers, reward officers and administrators of its place; for others it is not there."""
    for role, status in (("grid_worker", 403), ("citizen", 403), ("auditor", 403)):
        assert caller(role, "110").submit("/v1/campaigns", {"name": "x"}).status_code == status
    elsewhere = caller("dispatcher", "120")
    assert campaign.step("close", by=elsewhere).json["code"] == "unknown_campaign"
    assert elsewhere.submit("/v1/campaigns", {"name": "x", "district": "110"}).status_code == 403
    assert campaign.step("close", by=caller("admin")).status_code == 201


def test_a_campaign_opens_once_with_a_frame_that_stands_still(campaign, services, caller):
    """An empty frame opens nothing; once open no household is added; it opens and closes once."""
    empty = campaign.dispatcher.submit("/v1/campaigns", {"name": "空"}).json["id"]
    path = f"/v1/campaigns/{empty}"
    assert campaign.dispatcher.submit(f"{path}/open", {}).json["code"] == "empty_frame"
    assert campaign.dispatcher.submit(f"{path}/close", {}).json["code"] == "campaign_not_open"
    new = [NewHousehold("Z1", "111")]
    with pytest.raises(FrameFrozen):
        services.ledger.list_households(UUID(campaign.id), new, services.clock())
    with pytest.raises(UnknownCampaign):
        services.ledger.list_households(uuid4(), new, services.clock())
    assert campaign.step("open").json["code"] == "already_open"
    sent = uuid4()
    close = f"/v1/campaigns/{campaign.id}/close"
    closed = campaign.dispatcher.submit(close, {}, sent)
    assert (closed.status_code, closed.json["state"], closed.json["households"]) == (
        201, "closed", 16
    )  # fmt: skip
    assert campaign.dispatcher.submit(close, {}, sent).status_code == 200
    assert campaign.step("close").json["code"] == "already_closed"
    refused = campaign.worker.submit("/v1/visits", campaign.visit())
    assert (refused.status_code, refused.json["code"]) == (409, "campaign_closed")


def test_campaigns_overlap_and_are_listed(campaign, caller, follow):
    """Two campaigns run at once, each with its own frame; the list shows both, newest first."""
    second = campaign.dispatcher.submit("/v1/campaigns", {"name": "第二次"}).json
    follow()
    citizen = caller("citizen")
    listed = citizen.get("/v1/campaigns").json["items"]
    assert [(one["id"], one["state"]) for one in listed] == [
        (second["id"], "planned"), (campaign.id, "open")
    ]  # fmt: skip
    assert citizen.get(f"/v1/campaigns/{campaign.id}").json["questionnaire"][1]["id"] == "why"
    assert citizen.get(f"/v1/campaigns/{uuid4()}").json["code"] == "unknown_campaign"
    visit = {**campaign.visit(), "campaign_id": second["id"]}
    assert campaign.worker.submit("/v1/visits", visit).json["code"] == "campaign_not_open"


def test_a_grids_stock_is_its_own_limit(campaign):
    """A grid hands out what it was allotted and no more, be there stock elsewhere; more helps."""
    allot = {"grid": "111", "material": "booklet", "count": 3}
    assert campaign.step("stock", {**allot, "material": "gold"}).json["code"] == "unknown_material"
    assert campaign.step("stock", {**allot, "grid": "999"}).json["code"] == "unknown_district"
    assert campaign.step("stock", allot).status_code == 201
    two = campaign.visit(materials={"booklet": 2})
    assert campaign.worker.submit("/v1/visits", two).status_code == 201
    refused = campaign.worker.submit("/v1/visits", two)
    assert (refused.status_code, refused.json["code"]) == (409, "stock_exceeded")
    other = campaign.visit("B0", materials={"booklet": 40})
    assert campaign.other.submit("/v1/visits", other).status_code == 201
    campaign.step("stock", {**allot, "count": 4})
    assert campaign.worker.submit("/v1/visits", two).status_code == 201


def test_a_show_is_noted_with_its_headcount(campaign, follow):
    """送戏下乡 of an open campaign counts its people and what it hands out of the stock."""
    show = {"kind": "opera", "held_on": "2026-05-01", "headcount": 120, "grid": "111",
            "materials": {"booklet": 30}}  # fmt: skip
    made = campaign.step("shows", show, by=campaign.worker)
    assert (made.status_code, made.json["shows"]) == (201, 1)
    assert campaign.step("shows", show, by=campaign.other).status_code == 403
    over = campaign.step("shows", {**show, "materials": {"booklet": 21}})
    assert (over.status_code, over.json["code"]) == (409, "stock_exceeded")
    assert campaign.step("shows", {**show, "headcount": -1}).status_code == 422
    follow()
    told = campaign.dispatcher.get(f"/v1/campaigns/{campaign.id}/coverage").json
    assert (told["shows"], told["headcount"], told["given"]) == (1, 120, {"booklet": 30})
