"""Campaigns through the service: planned, frozen, opened, closed; their stock, shows and rights."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger.campaigns.campaign import MATERIALS_MAX, TOPICS_MAX
from ledger.campaigns.errors import FrameFrozen, UnknownCampaign
from ledger.campaigns.listing import NewHousehold
from ledger.campaigns.questionnaire import QUESTIONNAIRE_BYTES_MAX, Questionnaire
from ledger.days import day_of
from ledger.districts import DistrictImported
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


def test_the_longest_plan_there_can_be_is_recorded(services, caller):
    """A questionnaire as long as is told, with the longest of all else, is taken; no longer one."""
    kinds = ("city", "county", "zone", "town", "grid")
    path = [f"{number}" + "𠀀" * 39 for number, _ in enumerate(kinds)]
    for kind, code, parent in zip(kinds, path, [None, *path], strict=False):
        one = DistrictImported(code=code, name="区", parent=parent, kind=kind)
        services.ledger.import_districts([one], services.clock())

    def names(count: int) -> list[str]:
        return [f"{number:02}" + "𠀀" * 58 for number in range(count)]

    plan = {
        "name": "𠀀" * 60, "district": path[-1], "starts_on": "2026-01-01", "ends_on": "2027-01-01",
        "topics": names(TOPICS_MAX), "materials": dict.fromkeys(names(MATERIALS_MAX), 10_000_000),
    }  # fmt: skip
    options = [{"code": f"o{number}", "zh": "𠀀" * 200} for number in range(30)]
    question = {"id": "q0", "zh": "一", "en": "", "kind": "multi", "options": options}

    def asked(letters: int) -> list[dict]:
        more = [{**one, "en": "e" * min(max(letters - 200 * number, 0), 200)}
                for number, one in enumerate([*options, *options[:25]])]  # fmt: skip
        return [{**question, "options": more[:30]}, {**question, "id": "q1", "options": more[30:]}]

    spare = QUESTIONNAIRE_BYTES_MAX - len(
        msgspec.json.encode(msgspec.convert(asked(0), Questionnaire))
    )
    assert 0 < spare < 55 * 200
    dispatcher = caller("dispatcher")
    refused = dispatcher.submit("/v1/campaigns", plan | {"questionnaire": asked(spare + 1)})
    (error,) = refused.json["errors"]
    assert (error["path"], error["code"]) == ("questionnaire", "too_long")
    assert str(QUESTIONNAIRE_BYTES_MAX) in error["zh"]
    taken = dispatcher.submit("/v1/campaigns", plan | {"questionnaire": asked(spare)})
    assert taken.status_code == 201, taken.json


def test_who_may_run_a_campaign(caller, campaign):
    """Dispatchers, reward officers and administrators of its place; others see it, and no more."""
    for role, status in (("grid_worker", 403), ("citizen", 403), ("auditor", 403)):
        assert caller(role, "110").submit("/v1/campaigns", {"name": "x"}).status_code == status
    elsewhere = caller("dispatcher", "120")
    refused = campaign.step("close", by=elsewhere)
    assert (refused.status_code, refused.json["code"]) == (403, "campaign_elsewhere")
    unknown = elsewhere.submit(f"/v1/campaigns/{uuid4()}/close", {})
    assert (unknown.status_code, unknown.json["code"]) == (404, "unknown_campaign")
    assert elsewhere.submit("/v1/campaigns", {"name": "x", "district": "110"}).status_code == 403
    assert campaign.step("close", by=caller("admin")).status_code == 201


def test_a_campaign_opens_once_with_a_frame_that_stands_still(campaign, services, caller):
    """An empty frame opens nothing; once open no household is added; it opens and closes once."""
    empty = campaign.dispatcher.submit("/v1/campaigns", {"name": "空"}).json["id"]
    path = f"/v1/campaigns/{empty}"
    assert campaign.dispatcher.submit(f"{path}/open", {}).json["code"] == "empty_frame"
    closed = campaign.dispatcher.submit(f"{path}/close", {}).json
    assert (closed["code"], "open it first" in closed["en"]) == ("campaign_not_open", True)
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


def test_a_campaign_whose_last_day_is_over_is_not_opened(services, caller, clock):
    """On its last day it can still be opened, on the day after no more; open, it stays so."""
    last = day_of(services.clock())
    campaign = Campaigning(services, caller, ends_on=str(last))
    late = campaign.dispatcher.submit("/v1/campaigns", {"name": "迟", "ends_on": str(last)}).json
    services.ledger.list_households(
        UUID(late["id"]), [NewHousehold("A0", "111")], services.clock()
    )
    clock.ahead = timedelta(days=1)
    refused = campaign.dispatcher.submit(f"/v1/campaigns/{late['id']}/open", {})
    assert (refused.status_code, refused.json["code"]) == (409, "campaign_days_over")
    assert str(last) in refused.json["zh"]
    assert campaign.worker.submit("/v1/visits", campaign.visit()).status_code == 201


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
    show = a_show(campaign, headcount=120, grid="111", materials={"booklet": 30})
    made = campaign.step("shows", show, by=campaign.worker)
    assert (made.status_code, made.json["shows"]) == (201, 1)
    assert campaign.step("shows", show, by=campaign.other).status_code == 403
    over = campaign.step("shows", {**show, "materials": {"booklet": 21}})
    assert (over.status_code, over.json["code"]) == (409, "stock_exceeded")
    assert over.json["errors"][0]["path"] == "materials.booklet"
    assert "20" in over.json["zh"]
    assert campaign.step("shows", {**show, "headcount": -1}).status_code == 422
    follow()
    told = campaign.dispatcher.get(f"/v1/campaigns/{campaign.id}/coverage").json
    assert (told["shows"], told["headcount"], told["given"]) == (1, 120, {"booklet": 30})


def a_show(campaign, **more) -> dict:
    """A talk of today."""
    today = day_of(campaign.services.clock())
    return {"kind": "talk", "held_on": str(today), "headcount": 1, **more}


def test_a_show_is_of_the_days_and_the_place_of_its_campaign(services, caller):
    """None is noted before the first day, for tomorrow, or in a grid of another district."""
    today = day_of(services.clock())
    first = today - timedelta(days=9)
    campaign = Campaigning(services, caller, district="110", starts_on=str(first))
    for day, status in (
        ("0001-01-01", 422), (first - timedelta(days=1), 422), (first, 201), (today, 201),
        (today + timedelta(days=2), 422), ("2099-01-01", 422),
    ):  # fmt: skip
        told = campaign.step("shows", a_show(campaign, held_on=str(day)))
        assert told.status_code == status, day
    assert [(one["path"], one["code"]) for one in told.json["errors"]] == [
        ("held_on", "out_of_range")
    ]
    assert named(campaign.step("shows", a_show(campaign, grid="120"))) == [
        ("grid", "outside_campaign")
    ]


def test_stock_is_allotted_in_the_campaigns_district_alone(services, caller):
    """A grid elsewhere gets nothing of it, and is named."""
    grid = DistrictImported(code="121", name="121", parent="120", kind="grid")
    services.ledger.import_districts([grid], services.clock())
    campaign = Campaigning(services, caller, district="110")
    allot = {"material": "booklet", "count": 1}
    assert named(campaign.step("stock", {**allot, "grid": "121"})) == [("grid", "outside_campaign")]
    assert campaign.step("stock", {**allot, "grid": "111"}).status_code == 201


def test_a_material_nobody_planned_is_named_by_its_field(campaign):
    """Of a show and of an allotment alike, with the code of a visit's."""
    shown = campaign.step("shows", a_show(campaign, materials={"hat": 1}))
    allotted = campaign.step("stock", {"grid": "111", "material": "hat", "count": 1})
    assert named(shown) == [("materials.hat", "unknown_material")]
    assert named(allotted) == [("material", "unknown_material")]


def named(answer) -> list[tuple[str, str]]:
    """The fields that a refusal names."""
    assert answer.status_code == 422, answer.json
    return [(one["path"], one["code"]) for one in answer.json["errors"]]


def test_what_is_left_of_a_stock_counts_what_a_parcel_takes(campaign):
    """The second of two visits of a parcel is told what the first one left."""
    forty = {"materials": {"booklet": 40}}
    parcel = [campaign.item(n, **campaign.visit(f"A{n}", **forty)) for n in (1, 2)]
    first, second = campaign.sync(*parcel).json["results"]
    assert (first["status"], second["code"]) == ("created", "stock_exceeded")
    assert second["errors"][0]["path"] == "body.materials.booklet"
    assert "10" in second["zh"]
