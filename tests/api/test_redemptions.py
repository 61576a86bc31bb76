"""Redemptions through the service: asked for, refused with a reason, approved, handed out."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from api.routes.redemption_answers import Redemption, RedemptionTold
from ledger.errors import SoldOut
from tests.api.market import NO_AMOUNTS, earn, publish, redeem, refused


def test_a_redemption_is_asked_for_and_handed_out(caller, follow):
    """Coins are held, the voucher comes at once, the counter finds it, and it is spent once."""
    citizen, merchant = caller(), caller("merchant")
    earn(citizen, caller)
    offer = publish(merchant)
    made = redeem(citizen, offer, 2)
    assert (made.status_code, set(made.json)) == (201, set(RedemptionTold.__struct_fields__))
    body = made.json
    assert (body["state"], body["coins"], body["balance"]) == ("issued", 20, 10)
    assert (body["quantity"], body["allowed_actions"]) == (2, ["cancel"])
    assert (body["decide_by"], bool(body["collect_by"])) == (None, True)
    typed = body["voucher"].lower().replace("-", " ")
    found = merchant.post("/v1/vouchers/lookup", {"voucher": typed})
    assert (found.status_code, found.json) == (200, {
        "id": body["id"], "offer_id": offer["id"], "name": "绿茶", "quantity": 2,
        "state": "issued", "collect_by": body["collect_by"],
    })  # fmt: skip
    path = f"/v1/redemptions/{body['id']}/collect"
    done = merchant.submit(path, {"voucher": typed})
    assert (done.status_code, done.json["state"]) == (201, "collected")
    assert (done.json["balance"], done.json["voucher"]) == (None, None)
    assert refused(merchant.submit(path, {"voucher": typed}), 409, "already_collected")
    follow()
    wallet = citizen.get("/v1/wallets/me").json
    assert (wallet["available"], wallet["held"]) == (10, 0)
    lines = citizen.get("/v1/wallets/me/statement").json["items"]
    assert [(one["what"], one["amount"], one["coins"]) for one in lines] == [
        ("spent", 0, 20), ("held", -20, 20), ("awarded", 30, 30)
    ]  # fmt: skip
    assert {one["of"] for one in lines[:2]} == {body["id"]}


def test_ones_own_redemption_can_be_read_at_once(caller, follow):
    """With min_position it is 503 until the view is there, then the redemption as it stands."""
    citizen = caller()
    earn(citizen, caller)
    offer = publish(caller("merchant"))
    follow()
    made = redeem(citizen, offer).json
    paths = [f"/v1/redemptions?min_position={made['position']}",
             f"/v1/redemptions/{made['id']}?min_position={made['position']}"]  # fmt: skip
    assert [citizen.get(path).status_code for path in paths] == [503, 503]
    follow()
    (listed,), one = citizen.get(paths[0]).json["items"], citizen.get(paths[1]).json
    assert listed == one
    assert set(one) == set(Redemption.__struct_fields__)
    assert (one["participant_id"], one["voucher"]) == (str(citizen.id), made["voucher"])
    assert (one["name"], one["price"], one["reasons"]) == ("绿茶", 10, [])


def stored_refusals(services, head: int) -> list[str]:
    return [row.topic for row in services.ledger.rows(head)]


@pytest.mark.parametrize(
    ("quantity", "terms", "code"),
    [
        (4, {}, "insufficient_coins"),
        (1, {"stock": 0}, "sold_out"),
        (2, {"stock": 1}, "sold_out"),
        (3, {"per_person_month": 2}, "monthly_limit"),
        (1, {"district": "120"}, "offer_elsewhere"),
        (1, {"valid_until": "2020-01-01"}, "offer_closed"),
        (1, {"valid_from": "2999-01-01"}, "offer_closed"),
    ],
)
def test_what_cannot_be_had_is_refused_and_stored(quantity, terms, code, caller, follow, services):
    """Its code and both sentences; one fact is stored, no coin moves, the same again is refused."""
    citizen, sent = caller("citizen", "110"), uuid4()
    earn(citizen, caller)
    offer = publish(caller("merchant"), **terms)
    head = services.ledger.head()
    assert refused(redeem(citizen, offer, quantity, sent), 409, code)
    assert refused(redeem(citizen, offer, quantity, sent), 409, code)
    assert stored_refusals(services, head) == ["redemption.refused"]
    other = redeem(citizen, offer, quantity + 1, sent)
    assert refused(other, 409, "submission_conflict")
    follow()
    (item,) = citizen.get("/v1/redemptions").json["items"]
    assert (item["state"], item["coins"], item["allowed_actions"]) == ("refused", 0, [])
    (reason,) = item["reasons"]
    assert reason["code"] == code
    assert reason["zh"] != reason["en"]
    assert citizen.get("/v1/wallets/me").json["available"] == 30


def test_held_coins_cannot_be_held_again(caller, services):
    """What is held for one redemption is not there for another, nor when it is expired."""
    citizen = caller()
    earn(citizen, caller)
    offer = publish(caller("merchant"))
    assert redeem(citizen, offer, 2).json["balance"] == 10
    head = services.ledger.head()
    assert refused(redeem(citizen, offer, 2), 409, "insufficient_coins")
    assert stored_refusals(services, head) == ["redemption.refused"]
    assert redeem(citizen, offer, 1).json["balance"] == 0


def test_expired_coins_are_not_there(caller, clock):
    """Coins past their last day buy nothing, whether or not the expiry was written."""
    citizen = caller()
    earn(citizen, caller)
    offer = publish(caller("merchant"))
    clock.ahead = timedelta(days=3 * 366)
    assert refused(redeem(citizen, offer), 409, "insufficient_coins")


def test_a_withdrawn_offer_cannot_be_asked_for(caller, services):
    """Withdrawn is closed for new ones, while what is held already can be collected."""
    citizen, merchant = caller(), caller("merchant")
    earn(citizen, caller)
    offer = publish(merchant)
    held = redeem(citizen, offer).json
    merchant.submit(f"/v1/catalogue/{offer['id']}/withdraw", {})
    assert refused(redeem(citizen, offer), 409, "offer_closed")
    path = f"/v1/redemptions/{held['id']}/collect"
    assert merchant.submit(path, {"voucher": held["voucher"]}).json["state"] == "collected"


def test_the_limit_of_a_month_begins_anew(caller, clock):
    """Two of two a month, a third is refused; cancelled ones and the next month count anew."""
    citizen = caller()
    earn(citizen, caller)
    offer = publish(caller("merchant"), per_person_month=1)
    first = redeem(citizen, offer).json
    assert refused(redeem(citizen, offer), 409, "monthly_limit")
    assert citizen.submit(f"/v1/redemptions/{first['id']}/cancel", {}).status_code == 201
    assert redeem(citizen, offer).status_code == 201
    clock.ahead = timedelta(days=31)
    assert redeem(citizen, offer).status_code == 201


def test_what_is_not_there_or_ones_own_is_not_stored(caller, services):
    """An unknown offer or account is 404, one's own offer 403, and the log stays as it was."""
    citizen, merchant = caller(), caller("merchant")
    earn(citizen, caller)
    offer = publish(merchant)
    as_citizen = caller("citizen", same=merchant.id)
    head = services.ledger.head()
    assert refused(redeem(citizen, {"id": str(uuid4())}), 404, "unknown_offer")
    strange = redeem(citizen, offer, account_id=str(uuid4()))
    assert refused(strange, 404, "unknown_account")
    assert refused(redeem(as_citizen, offer), 403, "own_offer")
    assert services.ledger.head() == head
    assert as_citizen.get(f"/v1/catalogue/{offer['id']}").json["allowed_actions"] == []


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", [*NO_AMOUNTS, "too many"])
def test_a_quantity_is_a_whole_number(case, caller, services):
    """Any other quantity is a 422 at its field, and nothing is stored."""
    quantity, code = (NO_AMOUNTS | {"too many": (1_001, "out_of_range")})[case]
    citizen, offer = caller(), publish(caller("merchant"))
    head = services.ledger.head()
    answer = redeem(citizen, offer, quantity)
    assert refused(answer, 422, "invalid_input")
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [("quantity", code)]
    assert services.ledger.head() == head


def test_cancelling_gives_all_back(caller, follow):
    """Coins and stock come back once; a second time, or after collecting, it is a 409."""
    citizen, merchant = caller(), caller("merchant")
    earn(citizen, caller)
    offer = publish(merchant)
    held = redeem(citizen, offer, 2).json
    path = f"/v1/redemptions/{held['id']}"
    assert refused(caller().submit(f"{path}/cancel", {}), 404, "not_found")
    gone = citizen.submit(f"{path}/cancel", {})
    assert (gone.json["state"], gone.json["balance"]) == ("cancelled", 30)
    assert (gone.json["voucher"], gone.json["allowed_actions"]) == (None, [])
    assert citizen.get(f"/v1/catalogue/{offer['id']}").json["stock"] == 5
    assert refused(citizen.submit(f"{path}/cancel", {}), 409, "redemption_over")
    late = merchant.submit(f"{path}/collect", {"voucher": held["voucher"]})
    assert refused(late, 409, "redemption_over")
    assert "已取消" in late.json["zh"]
    taken = redeem(citizen, offer).json
    path = f"/v1/redemptions/{taken['id']}"
    merchant.submit(f"{path}/collect", {"voucher": taken["voucher"]})
    assert refused(citizen.submit(f"{path}/cancel", {}), 409, "already_collected")


def test_a_voucher_is_good_at_its_own_counter(caller, services, clock):
    """At another merchant's, with a wrong code, or too late it is refused, and nothing moves."""
    citizen, merchant, other = caller(), caller("merchant"), caller("merchant")
    earn(citizen, caller)
    offer = publish(merchant, collect_days=7)
    held, second = redeem(citizen, offer).json, redeem(citizen, offer).json
    path, right = f"/v1/redemptions/{held['id']}/collect", {"voucher": held["voucher"]}
    head = services.ledger.head()
    assert refused(other.submit(path, right), 404, "voucher_of_another_merchant")
    assert refused(other.submit(path, {"voucher": "0000"}), 404, "not_found")
    assert refused(merchant.submit(path, {"voucher": second["voucher"]}), 409, "wrong_voucher")
    assert refused(other.post("/v1/vouchers/lookup", right), 404, "voucher_of_another_merchant")
    assert refused(merchant.post("/v1/vouchers/lookup", {"voucher": "0"}), 404, "not_found")
    assert refused(merchant.submit(f"/v1/redemptions/{uuid4()}/collect", right), 404, "not_found")
    clock.ahead = timedelta(days=8)
    assert refused(merchant.submit(path, right), 409, "redemption_lapsed")
    assert services.ledger.head() == head


def test_the_same_command_again_is_the_same_answer(caller, services):
    """Asking, approving, declining, collecting and cancelling repeat to their first answers."""
    citizen, merchant, approver = caller(), caller("merchant"), caller("approver")
    earn(citizen, caller)
    tea, bus = publish(merchant), publish(merchant, approval=True, stock=9)
    waiting = [redeem(citizen, bus).json["id"] for _ in range(2)]
    handed = redeem(citizen, tea).json
    citizen.submit(f"/v1/redemptions/{waiting[1]}/cancel", {})
    given_up = redeem(citizen, tea).json["id"]
    for one, address, body, other in (
        (approver, f"{waiting[0]}/approve", {}, None),
        (merchant, f"{handed['id']}/collect", {"voucher": handed["voucher"]}, {"voucher": "0"}),
        (citizen, f"{given_up}/cancel", {}, None),
        (citizen, "", {"offer_id": tea["id"]}, {"offer_id": tea["id"], "quantity": 2}),
    ):
        sent, path = uuid4(), f"/v1/redemptions/{address}".rstrip("/")
        first = one.submit(path, body, sent)
        head = services.ledger.head()
        again = one.submit(path, body, sent)
        assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
        assert again.headers["Idempotent-Replay"] == "true"
        if other is not None:
            assert refused(one.submit(path, other, sent), 409, "submission_conflict")
        assert services.ledger.head() == head
    assert refused(redeem(citizen, tea, 9), 409, SoldOut.code)
