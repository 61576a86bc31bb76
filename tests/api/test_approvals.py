"""Approving redemptions: by whom, what each of those concerned may see, and accounts."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.api.market import earn, publish, redeem, refused


@pytest.fixture
def asked(caller, follow):
    """A citizen of 110 has asked for what needs an approval: who, at whom, and the answer."""
    citizen, merchant = caller("citizen", "110"), caller("merchant")
    earn(citizen, caller)
    made = redeem(citizen, publish(merchant, approval=True, district="110"))
    follow()
    return citizen, merchant, made.json


def test_what_waits_is_approved_and_collected(asked, caller, follow):
    """It waits in its district's list without a voucher; approved, its owner alone has one."""
    citizen, merchant, made = asked
    assert (made["state"], made["voucher"], made["collect_by"]) == ("requested", None, None)
    assert made["decide_by"]
    approver = caller("approver", "110")
    (waiting,) = approver.get("/v1/redemptions?state=waiting").json["items"]
    assert (waiting["id"], waiting["allowed_actions"]) == (made["id"], ["approve", "decline"])
    assert caller("approver", "120").get("/v1/redemptions?state=waiting").json["items"] == []
    assert len(caller("reward_officer").get("/v1/redemptions?state=waiting").json["items"]) == 1
    for other in (citizen, merchant, caller("auditor")):
        assert refused(other.get("/v1/redemptions?state=waiting"), 403, "forbidden")
    path = f"/v1/redemptions/{made['id']}"
    done = approver.submit(f"{path}/approve", {})
    assert (done.status_code, done.json["state"]) == (201, "issued")
    assert (done.json["voucher"], done.json["balance"]) == (None, None)
    assert done.json["collect_by"]
    follow()
    voucher = citizen.get(path).json["voucher"]
    assert voucher
    assert approver.get("/v1/redemptions?state=waiting").json["items"] == []
    assert refused(approver.submit(f"{path}/approve", {}), 409, "redemption_over")
    assert merchant.submit(f"{path}/collect", {"voucher": voucher}).status_code == 201


def test_a_declined_one_says_why(asked, caller, follow, services, erase):
    """The words reach who asked, not the merchant and not the log; erased, they are null."""
    citizen, merchant, made = asked
    path, sent = f"/v1/redemptions/{made['id']}", uuid4()
    approver = caller("approver")
    done = approver.submit(f"{path}/decline", {"reason": "本月活动已结束"}, sent)
    assert (done.status_code, done.json["state"]) == (201, "declined")
    again = approver.submit(f"{path}/decline", {"reason": "本月活动已结束"}, sent)
    assert (again.status_code, again.data) == (200, done.data)
    other = approver.submit(f"{path}/decline", {"reason": "另一个理由"}, sent)
    assert refused(other, 409, "submission_conflict")
    follow()
    for one in (citizen, approver, caller("auditor")):
        assert one.get(path).json["decline_reason"] == "本月活动已结束"
    assert merchant.get(path).json["decline_reason"] is None
    assert "本月活动已结束".encode() not in b"".join(row.state for row in services.ledger.rows())
    assert citizen.get("/v1/wallets/me").json["available"] == 30
    erase(citizen.id)
    assert citizen.get(path).json["decline_reason"] is None


def test_nobody_approves_their_own(asked, caller, services):
    """The same person in two roles is refused; an approver of elsewhere finds nothing."""
    citizen, _, made = asked
    self, elsewhere = caller("approver", same=citizen.id), caller("approver", "120")
    head = services.ledger.head()
    for action, body in (("approve", {}), ("decline", {"reason": "x"})):
        path = f"/v1/redemptions/{made['id']}/{action}"
        assert refused(self.submit(path, body), 403, "self_approval")
        assert refused(elsewhere.submit(path, body), 404, "not_found")
    assert services.ledger.head() == head
    assert self.get(f"/v1/redemptions/{made['id']}").json["allowed_actions"] == []


def test_nobody_hands_out_their_own(caller, services):
    """A merchant that asked for an offer of no merchant cannot collect it themselves."""
    merchant = caller("merchant")
    as_citizen = caller("citizen", same=merchant.id)
    earn(as_citizen, caller)
    held = redeem(as_citizen, publish(caller("reward_officer"))).json
    path, head = f"/v1/redemptions/{held['id']}/collect", services.ledger.head()
    assert refused(merchant.submit(path, {"voucher": held["voucher"]}), 403, "own_offer")
    assert services.ledger.head() == head
    other = caller("merchant")
    assert other.submit(path, {"voucher": held["voucher"]}).status_code == 201


def test_an_approval_too_late_is_refused(asked, caller, clock):
    """After the last day to decide nothing can be approved, and nothing is offered to do."""
    citizen, _, made = asked
    approver, path = caller("approver"), f"/v1/redemptions/{made['id']}"
    clock.ahead = timedelta(days=8)
    assert approver.get(path).json["allowed_actions"] == []
    assert citizen.get(path).json["allowed_actions"] == ["cancel"]
    assert refused(approver.submit(f"{path}/approve", {}), 409, "redemption_lapsed")
    assert citizen.submit(f"{path}/cancel", {}).json["balance"] == 30


def test_each_sees_what_concerns_them(asked, caller, follow):
    """Owner, merchant, approver, auditor each their part of it; for a stranger it is not there."""
    citizen, merchant, made = asked
    path = f"/v1/redemptions/{made['id']}"
    approver, auditor = caller("approver", "110"), caller("auditor")
    approver.submit(f"{path}/approve", {})
    follow()
    seen = {name: one.get(path) for name, one in {
        "owner": citizen, "merchant": merchant, "approver": approver, "auditor": auditor,
    }.items()}  # fmt: skip
    assert {one.status_code for one in seen.values()} == {200}
    assert {name for name, one in seen.items() if one.json["voucher"]} == {"owner"}
    hidden = {name for name, one in seen.items() if str(citizen.id) not in one.text}
    assert hidden == {"merchant"}
    assert {name: one.json["allowed_actions"] for name, one in seen.items()} == {
        "owner": ["cancel"], "merchant": ["collect"], "approver": [], "auditor": [],
    }  # fmt: skip
    (listed,) = merchant.get("/v1/redemptions").json["items"]
    assert listed == seen["merchant"].json
    strangers = [caller(), caller("merchant"), caller("approver", "120"), caller("admin")]
    assert [one.get(path).status_code for one in strangers] == [404] * 4
    assert [one.get("/v1/redemptions").json["items"] for one in strangers] == [[]] * 4


def test_a_refused_one_is_its_owners_and_the_auditors(caller, follow):
    """What was never held concerns neither merchants nor approvers."""
    citizen = caller()
    redeem(citizen, publish(caller("merchant")))
    follow()
    (item,) = citizen.get("/v1/redemptions").json["items"]
    path = f"/v1/redemptions/{item['id']}"
    allowed, others = [citizen, caller("auditor")], [caller("merchant"), caller("approver")]
    assert [one.get(path).status_code for one in allowed] == [200, 200]
    assert [one.get(path).status_code for one in others] == [404, 404]


def test_an_account_redeems_through_its_keepers(caller, follow, services):
    """A keeper asks from the account and another one cancels; a plain member can do neither."""
    officer, keeper, second, member = caller("reward_officer"), caller(), caller(), caller()
    earn(keeper, caller)
    account = officer.submit("/v1/accounts", {
        "kind": "team", "name": "护河队", "keeper": str(keeper.id),
    }).json["id"]  # fmt: skip
    for one, keeps in ((second, True), (member, False)):
        keeper.submit(f"/v1/accounts/{account}/members", {
            "participant_id": str(one.id), "action": "add", "keeper": keeps,
        })  # fmt: skip
    keeper.submit("/v1/donations", {"to": account, "coins": 20})
    offer = publish(caller("merchant"))
    head = services.ledger.head()
    assert refused(redeem(member, offer, account_id=account), 404, "unknown_account")
    assert services.ledger.head() == head
    held = redeem(keeper, offer, account_id=account).json
    assert held["balance"] == 10
    follow()
    path = f"/v1/redemptions/{held['id']}"
    assert second.get(path).json["voucher"] == held["voucher"]
    assert second.get(path).json["participant_id"] == account
    assert member.get(path).status_code == 404
    assert refused(member.submit(f"{path}/cancel", {}), 404, "not_found")
    assert second.submit(f"{path}/cancel", {}).json["balance"] == 20
