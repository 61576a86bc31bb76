"""Taking awards back through the service: proposed by one, decided by another."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.api.market import earn, publish, redeem, refused
from tests.ledger.trailing import CODE, a_trail


@pytest.fixture
def proposed(caller, follow):
    """An award of 30 coins in 110 that an officer proposed to take back."""
    citizen, officer = caller("citizen", "110"), caller("reward_officer", "110")
    cause = earn(citizen, caller)
    made = officer.submit(
        "/v1/reversals", {"cause": cause, "code": "fraud", "reason": "照片是旧的"}
    )
    assert (made.status_code, made.json["state"]) == (201, "proposed")
    follow()
    return citizen, officer, made.json


def test_an_award_is_taken_back_by_two(proposed, caller, follow):
    """Another person confirms; the coins are gone, and the statement and contribution say so."""
    citizen, officer, made = proposed
    approver, path = caller("approver", "110"), f"/v1/reversals/{made['id']}"
    assert (made["amount"], made["participant_id"]) == (0, str(citizen.id))
    assert citizen.get("/v1/wallets/me").json["available"] == 30
    (waiting,) = approver.get("/v1/reversals?state=waiting").json["items"]
    assert (waiting["id"], waiting["allowed_actions"]) == (made["id"], ["confirm", "reject"])
    done = approver.submit(f"{path}/confirm", {})
    assert (done.status_code, done.json["state"]) == (201, "confirmed")
    assert (done.json["amount"], done.json["debt"]) == (30, 0)
    follow()
    assert citizen.get("/v1/wallets/me").json["available"] == 0
    line = citizen.get("/v1/wallets/me/statement").json["items"][0]
    assert (line["what"], line["amount"], line["of"]) == ("reversed", -30, made["id"])
    contribution = citizen.get(f"/v1/reports/{made['cause']}").json
    assert contribution["coins"] == 0
    assert "award_reversed" in [one["code"] for one in contribution["reasons"]]
    one = officer.get(path).json
    assert (one["state"], one["amount"], one["decided_by"]) == (
        "confirmed", 30, str(approver.id)
    )  # fmt: skip
    assert approver.get("/v1/reversals").json["items"] == []
    of_one = officer.get(f"/v1/reversals?participant_id={citizen.id}").json["items"]
    assert of_one == [one]


def test_what_is_spent_is_owed(proposed, caller, follow):
    """Coins that cannot be found are a debt, which the wallet shows and later awards pay."""
    citizen, _, made = proposed
    redeem(citizen, publish(caller("merchant")), 2)
    done = caller("approver").submit(f"/v1/reversals/{made['id']}/confirm", {})
    assert (done.json["amount"], done.json["debt"]) == (30, 20)
    earn(citizen, caller, tier=1)
    follow()
    wallet = citizen.get("/v1/wallets/me").json
    assert (wallet["available"], wallet["held"], wallet["debt"]) == (0, 20, 10)
    assert citizen.get("/v1/wallets/me/explain").json["totals"]["debt"] == 10


def test_the_words_stay_in_the_vault(proposed, caller, services, erase, follow):
    """Code and words reach officers, approvers, auditors, and at the end whose coins they were."""
    citizen, officer, made = proposed
    path = f"/v1/reversals/{made['id']}"
    for one in (officer, caller("approver", "110"), caller("auditor")):
        shown = one.get(path).json
        assert (shown["reason"], shown["reasons"]) == (
            "照片是旧的", [{"code": "fraud", "zh": "弄虚作假", "en": "fraud"}]
        )  # fmt: skip
    for other in (caller("approver", "120"), caller("reward_officer", "120")):
        assert refused(other.get(path), 404, "not_found")
        assert other.get(f"/v1/reversals?participant_id={citizen.id}").json["items"] == []
    assert refused(citizen.get(path), 404, "not_found")
    caller("approver").submit(f"{path}/confirm", {})
    follow()
    mine = citizen.get(path).json
    assert (mine["reason"], mine["by"], mine["decided_by"]) == ("照片是旧的", None, None)
    assert refused(caller().get(path), 404, "not_found")
    line = citizen.get("/v1/wallets/me/statement").json["items"][0]
    assert (line["what"], [one["code"] for one in line["reasons"]]) == ("reversed", ["fraud"])
    (told,) = citizen.get("/v1/wallets/me/explain").json["reversals"]
    assert told["reasons"] == [{"code": "fraud", "zh": "弄虚作假", "en": "fraud"}]
    assert "照片是旧的".encode() not in b"".join(row.state for row in services.ledger.rows())
    erase(citizen.id)
    assert officer.get(path).json["reason"] is None


def test_nobody_decides_their_own(proposed, caller, services):
    """Neither who proposed it nor whose award it is may decide, in whichever role they come."""
    citizen, officer, made = proposed
    own = [caller("approver", same=officer.id), caller("approver", same=citizen.id)]
    elsewhere = caller("approver", "120")
    head = services.ledger.head()
    for action in ("confirm", "reject"):
        path = f"/v1/reversals/{made['id']}/{action}"
        for one in own:
            assert refused(one.submit(path, {}), 403, "self_approval")
        assert refused(elsewhere.submit(path, {}), 404, "not_found")
    assert services.ledger.head() == head
    shown = [one.get(f"/v1/reversals/{made['id']}").json["allowed_actions"] for one in own]
    assert shown == [[], []]


def test_an_award_is_taken_back_once(proposed, caller, services):
    """While it waits, once it is done, and of the reversal itself there is nothing to take back."""
    _, officer, made = proposed
    approver, path = caller("approver"), f"/v1/reversals/{made['id']}"
    body = {"cause": made["cause"], "reason": "x"}
    assert refused(officer.submit("/v1/reversals", body), 409, "already_reversed")
    approver.submit(f"{path}/confirm", {})
    head = services.ledger.head()
    assert refused(officer.submit("/v1/reversals", body), 409, "already_reversed")
    assert refused(approver.submit(f"{path}/reject", {}), 409, "reversal_over")
    of_itself = officer.submit("/v1/reversals", body | {"cause": made["id"]})
    assert refused(of_itself, 409, "nothing_to_reverse")
    unknown = officer.submit("/v1/reversals", body | {"cause": str(uuid4())})
    assert refused(unknown, 404, "not_found")
    assert refused(approver.submit(f"/v1/reversals/{uuid4()}/confirm", {}), 404, "not_found")
    assert services.ledger.head() == head


def test_a_rejected_one_may_be_proposed_again(proposed, caller, follow):
    """The award stands; on other grounds it comes back into the list, with its own words."""
    citizen, officer, made = proposed
    path = f"/v1/reversals/{made['id']}"
    done = caller("approver").submit(f"{path}/reject", {})
    assert (done.json["state"], done.json["amount"]) == ("rejected", 0)
    again = officer.submit("/v1/reversals", {"cause": made["cause"], "reason": "另有证据"})
    assert again.status_code == 201
    assert again.json["id"] != made["id"]
    follow()
    assert citizen.get("/v1/wallets/me").json["available"] == 30
    assert officer.get(path).json["state"] == "rejected"
    shown = officer.get(f"/v1/reversals/{again.json['id']}").json
    assert (shown["state"], shown["reason"], shown["reasons"][0]["code"]) == (
        "proposed", "另有证据", "other"
    )  # fmt: skip


def test_an_expired_award_is_not_taken_back(caller, clock):
    """After the last day of its coins an award is left alone."""
    citizen, officer = caller(), caller("reward_officer")
    cause = earn(citizen, caller)
    clock.ahead = timedelta(days=3 * 366)
    answer = officer.submit("/v1/reversals", {"cause": cause, "reason": "x"})
    assert refused(answer, 409, "award_expired")


def test_the_same_command_again_is_the_same_answer(caller, services):
    """Proposing, rejecting and confirming repeat to their first answers, or conflict."""
    citizen, officer, approver = caller(), caller("reward_officer"), caller("approver")
    cause, other_cause = earn(citizen, caller, 1), earn(citizen, caller)
    body = {"cause": cause, "code": "mistake", "reason": "误发"}
    first = officer.submit("/v1/reversals", body)
    again = officer.submit("/v1/reversals", body | {"cause": other_cause})
    for one, address, content, other in (
        (approver, f"/v1/reversals/{first.json['id']}/reject", {}, None),
        (officer, "/v1/reversals", body, body | {"cause": other_cause}),
        (approver, f"/v1/reversals/{again.json['id']}/confirm", {}, None),
    ):
        sent = uuid4()
        first = one.submit(address, content, sent)
        head = services.ledger.head()
        again = one.submit(address, content, sent)
        assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
        assert again.headers["Idempotent-Replay"] == "true"
        if other is not None:
            assert refused(one.submit(address, other, sent), 409, "submission_conflict")
        assert services.ledger.head() == head


WRONG = {
    "no cause": ({"cause": "x"}, "cause", "malformed_uuid"),
    "no words": ({"reason": ""}, "reason", "too_short"),
    "too many words": ({"reason": "假" * 501}, "reason", "too_long"),
    "unknown code": ({"code": "envy"}, "code", "not_one_of"),
}


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_proposal_is_refused_whole(case, caller, services):
    """A proposal with anything wrong is a 422 naming the field, and nothing is written."""
    changed, path, code = WRONG[case]
    officer = caller("reward_officer")
    head = services.ledger.head()
    body = {"cause": str(uuid4()), "reason": "x", **changed}
    answer = officer.submit("/v1/reversals", body)
    assert refused(answer, 422, "invalid_input")
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [(path, code)]
    assert services.ledger.head() == head


def test_an_invented_finish_is_free_again_and_a_mistaken_one_is_not(caller):
    """After `fraud` the same person finishes really; after another code once was enough."""
    trail = caller("dispatcher", "100").submit("/v1/trails", a_trail(points=1)).json
    officer, approver = caller("reward_officer"), caller("approver")
    for code, rule in (("fraud", "check_in.finish"), ("mistake", "check_in.once")):
        citizen = caller("citizen", "100")
        body = {"trail_id": trail["id"], "point_id": "p0", "code": f"{CODE}-0"}
        first = citizen.submit("/v1/check-ins", body).json
        assert first["rule"] == "check_in.finish"
        made = officer.submit(
            "/v1/reversals", {"cause": first["id"], "code": code, "reason": "不在现场"}
        ).json
        done = approver.submit(f"/v1/reversals/{made['id']}/confirm", {})
        assert (done.status_code, done.json["amount"]) == (201, first["coins"])
        assert citizen.submit("/v1/check-ins", body).json["rule"] == rule
