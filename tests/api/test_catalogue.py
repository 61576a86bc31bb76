"""The catalogue through the service: published, listed, managed by whom it belongs to."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest

from ledger.days import day_of
from tests.api.market import NO_AMOUNTS, an_offer, earn, publish, redeem, refused


def test_an_offer_is_published_and_shown(caller):
    """What a merchant publishes is theirs, with defaults, and shown to all with its stock left."""
    merchant, citizen = caller("merchant"), caller()
    made = merchant.submit("/v1/catalogue", an_offer(per_person_month=2))
    assert made.status_code == 201
    offer = made.json
    assert (offer["name"], offer["price"], offer["stock"]) == ("绿茶", 10, 5)
    assert (offer["unit"], offer["multiple"], offer["kind"]) == ("份", 1, "goods")
    assert (offer["merchant_id"], offer["withdrawn"]) == (str(merchant.id), False)
    assert offer.pop("position") > 0
    (mine,) = merchant.get("/v1/catalogue").json["items"]
    assert mine["allowed_actions"] == ["restock", "reprice", "withdraw"]
    (listed,) = citizen.get("/v1/catalogue").json["items"]
    assert listed == offer | {"open": True, "allowed_actions": ["redeem"]}
    assert citizen.get(f"/v1/catalogue/{offer['id']}").json == listed
    earn(citizen, caller)
    redeem(citizen, offer, 2)
    assert citizen.get(f"/v1/catalogue/{offer['id']}").json["stock"] == 3


def test_a_number_as_unit_is_the_multiple(caller):
    """``unit`` 100 is sold by the hundred; a name of a unit is shown as it is."""
    merchant = caller("merchant")
    by_hundred, by_name = publish(merchant, unit=100), publish(merchant, unit="张")
    assert (by_hundred["unit"], by_hundred["multiple"]) == ("份", 100)
    assert (by_name["unit"], by_name["multiple"]) == ("张", 1)
    answer = caller().submit("/v1/redemptions", {"offer_id": by_hundred["id"], "quantity": 50})
    assert refused(answer, 422, "invalid_input")
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [
        ("quantity", "not_a_multiple")
    ]


def test_an_offer_that_is_not_open_is_not_in_the_list(caller, clock):
    """Withdrawn, not begun and over offers show with open=false alone; a day later one begins."""
    merchant, citizen = caller("merchant"), caller()
    today = day_of(clock())
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    ids = [
        publish(merchant, **dates)["id"]
        for dates in ({}, {"valid_from": str(tomorrow)}, {"valid_until": str(yesterday)}, {})
    ]
    merchant.submit(f"/v1/catalogue/{ids[3]}/withdraw", {})
    shown = [one["id"] for one in citizen.get("/v1/catalogue").json["items"]]
    every = [one["id"] for one in citizen.get("/v1/catalogue?open=false").json["items"]]
    assert (shown, every) == ([ids[0]], ids[::-1])
    clock.ahead = timedelta(days=1)
    assert len(citizen.get("/v1/catalogue").json["items"]) == 2


def test_the_list_of_a_district_is_what_its_people_may_ask_for(caller):
    """Offers of the district, of what it lies in, and of the city; an unknown one is a 422."""
    officer, citizen = caller("reward_officer"), caller()
    ids = {place: publish(officer, district=place)["id"] for place in ("100", "110", "120", None)}
    shown = {one["id"] for one in citizen.get("/v1/catalogue?district=110").json["items"]}
    assert shown == {ids["100"], ids["110"], ids[None]}
    assert refused(citizen.get("/v1/catalogue?district=999"), 422, "unknown_district")


def test_the_list_pages_by_cursor(caller):
    """Following Link visits every offer once, newest first."""
    merchant, citizen = caller("merchant"), caller()
    made = [publish(merchant, name=f"茶 {n}")["id"] for n in range(5)]
    path, seen = "/v1/catalogue?limit=2", []
    while path:
        answer = citizen.get(path)
        seen += [one["id"] for one in answer.json["items"]]
        path = answer.headers.get("Link", "").removeprefix("<").partition(">")[0]
    assert seen == made[::-1]
    assert refused(citizen.get("/v1/catalogue?cursor=Zm9yZ2Vk"), 422, "bad_cursor")


def test_an_offer_is_managed_by_whom_it_belongs_to(caller, services):
    """Its merchant and officers of its place restock, reprice, withdraw; others get a 404."""
    merchant, officer = caller("merchant"), caller("reward_officer", "110")
    offer = publish(merchant, district="110")
    path = f"/v1/catalogue/{offer['id']}"
    more = merchant.submit(f"{path}/restock", {"units": 10})
    assert (more.status_code, more.json["stock"]) == (201, 15)
    dear = officer.submit(f"{path}/reprice", {"price": 12})
    assert (dear.status_code, dear.json["price"]) == (201, 12)
    others = [caller("merchant"), caller("reward_officer", "120")]
    head = services.ledger.head()
    for other in others:
        for action, body in (
            ("restock", {"units": 1}), ("reprice", {"price": 1}), ("withdraw", {})
        ):  # fmt: skip
            assert refused(other.submit(f"{path}/{action}", body), 404, "unknown_offer")
    assert refused(merchant.submit(f"/v1/catalogue/{uuid4()}/withdraw", {}), 404, "unknown_offer")
    assert services.ledger.head() == head
    gone = merchant.submit(f"{path}/withdraw", {})
    assert gone.json["withdrawn"] is True
    shown = merchant.get(path).json
    assert (shown["open"], shown["allowed_actions"]) == (False, [])
    assert refused(merchant.submit(f"{path}/withdraw", {}), 409, "offer_closed")
    assert caller().get(f"/v1/catalogue/{uuid4()}").json["code"] == "unknown_offer"


def test_the_same_command_again_is_the_same_answer(caller, services):
    """Every command on the catalogue repeats to its first answer, and conflicts with another."""
    merchant = caller("merchant")
    offer = publish(merchant)
    path = f"/v1/catalogue/{offer['id']}"
    for address, body, other in (
        ("/v1/catalogue", an_offer(), an_offer(price=11)),
        (f"{path}/restock", {"units": 1}, {"units": 2}),
        (f"{path}/reprice", {"price": 8}, {"price": 9}),
        (f"{path}/withdraw", {}, None),
    ):
        sent = uuid4()
        first = merchant.submit(address, body, sent)
        head = services.ledger.head()
        again = merchant.submit(address, body, sent)
        assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
        assert again.headers["Idempotent-Replay"] == "true"
        if other is not None:
            assert refused(merchant.submit(address, other, sent), 409, "submission_conflict")
        assert services.ledger.head() == head


def test_a_published_offer_repeats_as_it_was(caller):
    """Long after, sold down and dearer, the first answer to its publication comes again."""
    merchant, citizen, sent = caller("merchant"), caller(), uuid4()
    earn(citizen, caller)
    first = merchant.submit("/v1/catalogue", an_offer(), sent)
    assert redeem(citizen, first.json).status_code == 201
    merchant.submit(f"/v1/catalogue/{first.json['id']}/reprice", {"price": 99})
    assert merchant.submit("/v1/catalogue", an_offer(), sent).data == first.data


def test_a_merchant_publishes_for_themselves_alone(caller, services):
    """A merchant naming another, or an officer of elsewhere, is refused; nothing is written."""
    merchant, other, officer = (
        caller("merchant"), caller("merchant"), caller("reward_officer", "110")
    )  # fmt: skip
    head = services.ledger.head()
    named = merchant.submit("/v1/catalogue", an_offer(merchant_id=str(other.id)))
    assert refused(named, 403, "forbidden")
    assert refused(officer.submit("/v1/catalogue", an_offer(district="120")), 403, "forbidden")
    nobody = officer.submit("/v1/catalogue", an_offer(merchant_id=str(uuid4())))
    assert (nobody.status_code, nobody.json["errors"][0]["code"]) == (422, "not_a_merchant")
    assert services.ledger.head() == head
    assert publish(officer)["district"] == "110"
    assert publish(officer, district="110", merchant_id=str(other.id))["merchant_id"] == str(
        other.id
    )


WRONG = {
    "no name": ({"name": ""}, "name", "too_short"),
    "long name": ({"name": "茶" * 61}, "name", "too_long"),
    "control character": ({"name": "a\u202eb"}, "name", "malformed"),
    "huge price": ({"price": 1_000_001}, "price", "out_of_range"),
    "negative stock": ({"stock": -1}, "stock", "out_of_range"),
    "fractional stock": ({"stock": 2.0}, "stock", "wrong_type"),
    "huge stock": ({"stock": 10**10}, "stock", "out_of_range"),
    "unit zero": ({"unit": 0}, "unit", "out_of_range"),
    "fractional unit": ({"unit": 100.0}, "unit", "wrong_type"),
    "two multiples": ({"unit": 100, "multiple": 50}, "multiple", "not_the_unit"),
    "unknown kind": ({"kind": "gold"}, "kind", "not_one_of"),
    "unknown district": ({"district": "9 9"}, "district", "malformed"),
    "dates swapped": ({"valid_from": "2026-02-01", "valid_until": "2026-01-31"},
                      "valid_until", "before_valid_from"),
    "no date": ({"valid_from": "soon"}, "valid_from", "malformed_date"),
    "too many places": ({"pick_up_points": ["柜台"] * 51}, "pick_up_points", "too_long"),
    "no days to collect": ({"collect_days": 0}, "collect_days", "out_of_range"),
    "unknown field": ({"colour": "green"}, "colour", "unknown_field"),
}  # fmt: skip


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_offer_is_refused_whole(case, caller, services):
    """An offer with anything wrong is a 422 naming the field, and nothing is written."""
    changed, path, code = WRONG[case]
    merchant = caller("merchant")
    head = services.ledger.head()
    answer = merchant.submit("/v1/catalogue", an_offer(**changed))
    assert refused(answer, 422, "invalid_input")
    assert (path, code) in [(one["path"], one["code"]) for one in answer.json["errors"]]
    assert services.ledger.head() == head


def test_a_stock_has_to_be_said(caller, services):
    """Without ``stock`` it is a 422, but for a cause; null is as many as are asked for."""
    officer = caller("reward_officer")
    body = an_offer()
    del body["stock"]
    head = services.ledger.head()
    answer = officer.submit("/v1/catalogue", body)
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [("stock", "required")]
    assert services.ledger.head() == head
    assert officer.submit("/v1/catalogue", body | {"kind": "donation"}).json["stock"] is None
    assert publish(officer, stock=None)["stock"] is None


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", NO_AMOUNTS)
def test_an_amount_is_a_whole_number(case, caller, services):
    """Prices and units that are no positive whole numbers are a 422 at their field."""
    amount, code = NO_AMOUNTS[case]
    merchant = caller("merchant")
    path = f"/v1/catalogue/{publish(merchant)['id']}"
    head = services.ledger.head()
    for address, field, body in (
        ("/v1/catalogue", "price", an_offer()),
        (f"{path}/restock", "units", {}),
        (f"{path}/reprice", "price", {}),
    ):
        answer = merchant.submit(address, body | {field: amount})
        assert refused(answer, 422, "invalid_input")
        assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [(field, code)]
    assert services.ledger.head() == head


def test_the_dates_of_an_offer_come_back_as_dates(caller):
    """Dates, places and limits of an offer are answered as they were sent."""
    sent = {"valid_from": "2026-01-01", "valid_until": str(date.max), "per_person_month": 3,
            "pick_up_points": ["一号柜台", "二号柜台"], "collect_days": 7, "approval": True,
            "kind": "bus_rides", "multiple": 10}  # fmt: skip
    made = publish(caller("merchant"), **sent)
    assert {name: made[name] for name in sent} == sent
