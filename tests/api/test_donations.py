"""Donations and the accounts of teams and enterprises through the service."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.api.market import NO_AMOUNTS, earn, publish, refused


@pytest.fixture
def team(caller):
    """A team of 110: its keeper, a plain member, and the id of its account."""
    keeper, member = caller(), caller()
    made = caller("reward_officer").submit("/v1/accounts", {
        "kind": "team", "name": "护河队", "keeper": str(keeper.id), "district": "110",
    })  # fmt: skip
    assert made.status_code == 201, made.json
    account = made.json["id"]
    joined = keeper.submit(f"/v1/accounts/{account}/members",
                           {"participant_id": str(member.id), "action": "add"})  # fmt: skip
    assert (joined.status_code, joined.json["id"]) == (201, account)
    return keeper, member, account


def test_coins_are_given_to_a_team(team, caller, follow):
    """They leave one wallet for the other with the expiry they had; both sides read of it."""
    _, member, account = team
    giver, sent = caller(), uuid4()
    earn(giver, caller)
    body = {"to": account, "coins": 12}
    made = giver.submit("/v1/donations", body, sent)
    assert made.status_code == 201
    assert (made.json["to"], made.json["coins"], made.json["balance"]) == (account, 12, 18)
    again = giver.submit("/v1/donations", body, sent)
    assert (again.status_code, again.data) == (200, made.data)
    assert refused(
        giver.submit("/v1/donations", body | {"coins": 13}, sent), 409, "submission_conflict"
    )
    follow()
    (lot,) = member.get(f"/v1/wallets/{account}").json["lots"]
    own = giver.get("/v1/wallets/me").json["lots"][0]
    assert (lot["amount"], lot["rule"], lot["cause"]) == (12, "donation", made.json["id"])
    assert lot["expires_on"] == own["expires_on"]
    (line,) = member.get(f"/v1/wallets/{account}/statement").json["items"]
    assert (line["what"], line["amount"], line["of"]) == ("received", 12, made.json["id"])
    assert giver.get("/v1/wallets/me/statement").json["items"][0]["what"] == "given"


def test_a_cause_is_an_offer_of_its_kind(caller, follow):
    """Coins for a cause are spent at once, in whole multiples of its price."""
    giver = caller()
    earn(giver, caller)
    cause = publish(caller("reward_officer"), kind="donation", price=5, stock=None)
    made = giver.submit("/v1/donations", {"to": cause["id"], "coins": 15})
    assert (made.status_code, made.json["balance"]) == (201, 15)
    odd = giver.submit("/v1/donations", {"to": cause["id"], "coins": 7})
    assert refused(odd, 422, "invalid_input")
    assert odd.json["errors"][0]["path"] == "coins"
    follow()
    (item,) = giver.get("/v1/redemptions").json["items"]
    assert (item["id"], item["state"], item["coins"]) == (made.json["id"], "collected", 15)


def test_what_cannot_be_given_is_refused(team, caller, services):
    """More than one has is 409, an account that is not there 404; nothing is written."""
    _, _, account = team
    giver = caller()
    earn(giver, caller)
    head = services.ledger.head()
    more = giver.submit("/v1/donations", {"to": account, "coins": 31})
    assert refused(more, 409, "insufficient_coins")
    for to in (uuid4(), giver.id):
        answer = giver.submit("/v1/donations", {"to": str(to), "coins": 1})
        assert refused(answer, 404, "unknown_account")
    assert services.ledger.head() == head


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", [*NO_AMOUNTS, "a million and one"])
def test_coins_are_a_whole_number(case, caller, services):
    """Any other amount is a 422 at its field, and nothing is written."""
    amount, code = (NO_AMOUNTS | {"a million and one": (1_000_001, "out_of_range")})[case]
    giver = caller()
    head = services.ledger.head()
    answer = giver.submit("/v1/donations", {"to": str(uuid4()), "coins": amount})
    assert refused(answer, 422, "invalid_input")
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [("coins", code)]
    assert services.ledger.head() == head


def test_an_account_is_for_its_members_officers_and_auditors(team, caller, follow):
    """Keepers and officers see who is in it, members how many; for others it is not there."""
    keeper, member, account = team
    earn(keeper, caller)
    keeper.submit("/v1/donations", {"to": account, "coins": 4})
    follow()
    path = f"/v1/accounts/{account}"
    shown = keeper.get(path).json
    assert {name: shown[name] for name in ("kind", "name", "district")} == {
        "kind": "team", "name": "护河队", "district": "110",
    }  # fmt: skip
    assert (shown["available"], shown["held"], shown["member_count"]) == (4, 0, 2)
    members = sorted([{"participant_id": str(keeper.id), "keeper": True},
                      {"participant_id": str(member.id), "keeper": False}],
                     key=lambda one: one["participant_id"])  # fmt: skip
    officers = [caller("registrar", "110"), caller("reward_officer"), caller("admin")]
    assert [one.get(path).json["members"] for one in [keeper, *officers]] == [members] * 4
    auditor = caller("auditor")
    for one in (member, auditor):
        assert (one.get(path).json["members"], one.get(path).json["member_count"]) == (None, 2)
    for other in (caller(), caller("registrar", "120"), caller("merchant")):
        assert refused(other.get(path), 404, "unknown_account")
    assert refused(keeper.get(f"/v1/accounts/{uuid4()}"), 404, "unknown_account")


def test_the_wallet_of_an_account_is_its_members(team, caller, follow):
    """Members and auditors read balance, statement and explanation; who has left no longer."""
    keeper, member, account = team
    follow()
    paths = [f"/v1/wallets/{account}{more}" for more in ("", "/statement", "/explain")]
    for one, status in ((member, 200), (caller("auditor"), 200), (caller(), 404),
                        (caller("registrar"), 404)):  # fmt: skip
        assert [one.get(path).status_code for path in paths] == [status] * 3
    gone = {"participant_id": str(member.id), "action": "remove"}
    assert keeper.submit(f"/v1/accounts/{account}/members", gone).status_code == 201
    assert [member.get(path).status_code for path in paths] == [404] * 3


def test_an_account_is_kept_by_its_keepers(team, caller, services):
    """A member or stranger changes nothing, the last keeper stays, and retries are harmless."""
    keeper, member, account = team
    path = f"/v1/accounts/{account}/members"
    stranger, gone = caller(), {"participant_id": str(member.id), "action": "remove"}
    head = services.ledger.head()
    for other in (member, stranger):
        assert refused(other.submit(path, gone), 404, "unknown_account")
    last = keeper.submit(path, {"participant_id": str(keeper.id), "action": "remove"})
    assert refused(last, 422, "invalid_input")
    assert last.json["errors"][0]["code"] == "last_keeper"
    unknown = keeper.submit(path, {"participant_id": str(uuid4()), "action": "add"})
    assert refused(unknown, 422, "invalid_input")
    assert services.ledger.head() == head
    sent = uuid4()
    first, again = (keeper.submit(path, gone, sent) for _ in range(2))
    assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
    other = {**gone, "participant_id": str(keeper.id)}
    assert refused(keeper.submit(path, other, sent), 409, "submission_conflict")


def test_an_account_is_opened_by_an_officer(caller, services):
    """Its keeper must be somebody, its place within the officer's; the same again is the same."""
    officer, keeper, sent = caller("registrar", "110"), caller(), uuid4()
    body = {"kind": "enterprise", "name": "河畔纸业", "keeper": str(keeper.id), "district": "110"}
    first, again = (officer.submit("/v1/accounts", body, sent) for _ in range(2))
    assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
    assert refused(
        officer.submit("/v1/accounts", body | {"name": "别的"}, sent), 409, "submission_conflict"
    )
    head = services.ledger.head()
    for wrong, status, path in (
        ({"keeper": str(uuid4())}, 422, "keeper"), ({"kind": "club"}, 422, "kind"),
        ({"name": "a\nb"}, 422, "name"), ({"district": "120"}, 404, None),
    ):  # fmt: skip
        answer = officer.submit("/v1/accounts", body | wrong)
        assert answer.status_code == status, answer.json
        assert path is None or answer.json["errors"][0]["path"] == path
    assert services.ledger.head() == head
