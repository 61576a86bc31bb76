"""The doors of a campaign: whose they are, and which are to be visited again, and when."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from ledger.campaigns.listing import NewHousehold
from ledger.days import day_of
from ledger.districts import DistrictImported
from tests.api.campaigning import Campaigning, made


@pytest.fixture
def campaign(services, caller) -> Campaigning:
    return Campaigning(services, caller)


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


def test_what_is_due_today_is_a_list_of_doors(campaign, follow):
    """In the morning a worker asks which doors to go to again, page by page; others are left."""
    today = day_of(campaign.services.clock())
    path = f"/v1/campaigns/{campaign.id}/households"
    for household, outcome, days in (
        ("A0", "nobody_home", None), ("A1", "met", None), ("A2", "by_phone", 0), ("A3", "met", 9),
    ):  # fmt: skip
        day = None if days is None else str(today + timedelta(days=days))
        made(campaign.worker, campaign.visit(household, outcome, follow_up_on=day))
    follow()

    def due(day: object) -> list[tuple[str, str, int, str | None]]:
        items, cursor = [], ""
        while cursor is not None:
            page = campaign.worker.get(f"{path}?due_by={day}&limit=1{cursor}").json
            items += page["items"]
            cursor = page["next"] and f"&cursor={page['next']}"
        return [(i["household"], i["state"], i["tries"], i["follow_up_on"]) for i in items]

    yesterday, later = today - timedelta(days=1), today + timedelta(days=9)
    nobody = ("A0", "revisit", 1, None)
    assert due(yesterday) == [nobody]
    assert due(today) == [nobody, ("A2", "by_phone", 1, str(today))]
    assert due(later) == [*due(today), ("A3", "met", 1, str(later))]
    first = campaign.worker.get(f"{path}?due_by={today}&limit=1").json["next"]
    for other in (f"{path}?cursor={first}", f"{path}?due_by={later}&cursor={first}"):
        assert campaign.worker.get(other).json["code"] == "bad_cursor"
    wrong = campaign.worker.get(f"{path}?due_by=soon").json["errors"]
    assert [(one["path"], one["code"]) for one in wrong] == [("due_by", "malformed_date")]


def test_a_grid_that_moves_stays_in_its_campaign_where_it_was(campaign, caller, follow):
    """Whoever it was listed for sees its counts and doors; its new town does so next time."""
    path, services = f"/v1/campaigns/{campaign.id}", campaign.services
    made(campaign.worker, campaign.visit("A0"))
    moved = DistrictImported(code="111", name="111", parent="120", kind="grid")
    services.ledger.import_districts([moved], services.clock())
    stock = {"grid": "111", "material": "booklet", "count": 12}
    assert campaign.step("stock", stock).status_code == 201
    show = {"kind": "talk", "held_on": str(day_of(services.clock())), "headcount": 9, "grid": "111"}
    assert campaign.step("shows", show).status_code == 201
    follow()
    old, new = caller("dispatcher", "110"), caller("dispatcher", "120")
    for asked in ("coverage?district=111", "coverage?by=day&district=111", "households?grid=111",
                  "survey?district=111"):  # fmt: skip
        assert (old.get(f"{path}/{asked}").status_code, new.get(f"{path}/{asked}").status_code) == (
            200, 404
        )  # fmt: skip
    town = old.get(f"{path}/coverage").json
    assert (town["frame"], town["met"], town["stock"], town["shows"]) == (
        16, 1, {"booklet": 12}, 1
    )  # fmt: skip
    assert [one["of"] for one in town["items"]] == ["111", "112"]
    other = new.get(f"{path}/coverage").json
    assert (other["frame"], other["stock"], other["shows"], other["items"]) == (0, {}, 0, [])
    nothing = campaign.dispatcher.get(f"{path}/coverage?district=120")
    assert (nothing.status_code, nothing.json["frame"]) == (200, 0)
    assert old.get(f"{path}/coverage?district=120").status_code == 404
    following = new.submit("/v1/campaigns", {"name": "秋季走访"}).json["id"]
    listed = [NewHousehold("C0", "111")]
    services.ledger.list_households(UUID(following), listed, services.clock())
    follow()
    asked = f"/v1/campaigns/{following}/coverage?district=111"
    assert (new.get(asked).json["frame"], old.get(asked).status_code) == (1, 404)
