"""Wallets, statements, explanations and boards as they were at a moment."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest

from ledger.days import day_of
from tests.api.market import earn, publish, redeem, refused

PATHS = ("/v1/wallets/me", "/v1/wallets/me/statement", "/v1/wallets/me/explain",
         "/v1/leaderboards/balance")  # fmt: skip


def at(path: str, **asked: object) -> str:
    query = "&".join(f"{name}={quote(str(value))}" for name, value in asked.items())
    return f"{path}?{query}"


@pytest.fixture
def history(caller, follow, clock):
    """30 coins today; a day later 20 of them held, 10 of these spent, and 10 more earned."""
    citizen, merchant = caller(), caller("merchant")
    earn(citizen, caller)
    offer = publish(merchant)
    morning = clock()
    clock.ahead = timedelta(days=1)
    held = redeem(citizen, offer, 1).json
    redeem(citizen, offer, 1)
    path = f"/v1/redemptions/{held['id']}/collect"
    merchant.submit(path, {"voucher": held["voucher"]})
    earn(citizen, caller, tier=1)
    follow()
    return citizen, morning, held


def test_a_balance_is_that_of_the_moment(history, clock):
    """By time, by day and by position; without any it is today's, equal in all its parts."""
    citizen, morning, held = history
    wallet = "/v1/wallets/me"
    then = citizen.get(at(wallet, as_of=morning.isoformat())).json
    assert (then["available"], then["held"]) == (30, 0)
    assert then["position"] < held["position"]
    by_day = citizen.get(at(wallet, as_of=day_of(morning))).json
    assert by_day == then
    at_once = citizen.get(at(wallet, at_position=held["position"])).json
    assert (at_once["available"], at_once["held"]) == (20, 10)
    now, today = citizen.get(wallet).json, citizen.get(at(wallet, as_of=day_of(clock()))).json
    assert (now["available"], now["held"]) == (20, 10)
    assert now["lots"] == today["lots"]
    assert {**now, "position": 0} == {**today, "position": 0}


def test_coins_that_will_have_expired_do_not_count(history, clock):
    """A day to come after the last good one shows nothing to spend, and what has expired."""
    citizen, _, _ = history
    day = day_of(clock() + timedelta(days=3 * 366))
    assert citizen.get(at("/v1/wallets/me", as_of=day)).json["available"] == 0
    totals = citizen.get(at("/v1/wallets/me/explain", as_of=day)).json["totals"]
    assert (totals["available"], totals["expired"], totals["spent"]) == (0, 20, 10)


def test_a_statement_ends_at_the_moment(history):
    """Its lines up to there, page by page, with the total of then."""
    citizen, morning, held = history
    statement = "/v1/wallets/me/statement"
    then = citizen.get(at(statement, as_of=morning.isoformat())).json["items"]
    assert [(one["what"], one["total"]) for one in then] == [("awarded", 30)]
    path, seen = at(statement, at_position=held["position"], limit=1), []
    while path:
        answer = citizen.get(path)
        seen += [(one["what"], one["total"]) for one in answer.json["items"]]
        path = answer.headers.get("Link", "").removeprefix("<").partition(">")[0]
    assert seen == [("held", 20), ("awarded", 30)]
    every = [one["what"] for one in citizen.get(statement).json["items"]]
    assert every == ["awarded", "spent", "held", "held", "awarded"]


def test_every_coin_is_explained(history, caller):
    """Each lot has cause, rule and version, its uses add up to it, and the lots to the balance."""
    citizen, _, held = history
    auditor = caller("auditor")
    told = citizen.get("/v1/wallets/me/explain").json
    wallet = citizen.get("/v1/wallets/me").json
    assert told["totals"]["available"] == wallet["available"]
    assert told["totals"]["held"] == wallet["held"]
    for lot in told["lots"]:
        parts = ("available", "held", "spent", "given", "expired", "reversed", "paid_debt")
        assert lot["amount"] == sum(lot[one] for one in parts)
        assert (lot["kind"], lot["policy_version"]) == ("report", "2026-01")
    assert {one["rule"] for one in told["lots"]} == {"report.tier-1", "report.tier-2"}
    used = next(lot for lot in told["lots"] if lot["spent"])
    assert [(one["what"], one["amount"]) for one in used["uses"] if one["of"] == held["id"]] == [
        ("held", 10), ("spent", 10)
    ]  # fmt: skip
    assert auditor.get(f"/v1/wallets/{citizen.id}/explain").json == told


def test_an_explanation_pages_through_one_moment(history, caller, clock):
    """Lots, refusals and reversals come once each, all pages of the first one's position."""
    citizen, _, _ = history
    officer = caller("reward_officer")
    officer.submit("/v1/budgets", {"year": day_of(clock()).year, "coins": 40})
    refused_one = citizen.submit("/v1/reports", {"category": "litter", "text": "岸边"}).json["id"]
    caller("dispatcher").submit(f"/v1/reports/{refused_one}/verify", {"tier": 2})
    whole = citizen.get("/v1/wallets/me/explain").json
    path, pages = "/v1/wallets/me/explain?limit=1", []
    while path:
        answer = citizen.get(path)
        pages.append(answer.json)
        path = answer.headers.get("Link", "").removeprefix("<").partition(">")[0]
        if len(pages) == 1:  # What comes later is in no page of this explanation.
            redeem(citizen, publish(caller("merchant")), 1)
    assert [lot for one in pages for lot in one["lots"]] == whole["lots"]
    assert [each for one in pages for each in one["refusals"]] == whole["refusals"]
    (reason,) = whole["refusals"][0]["reasons"]
    assert reason["code"] == "budget_used_up"
    assert reason["zh"] != reason["en"]
    assert {one["position"] for one in pages} == {whole["position"]}
    assert {str(one["totals"]) for one in pages} == {str(whole["totals"])}
    forged = citizen.get("/v1/wallets/me/explain?cursor=Zm9yZ2Vk")
    assert refused(forged, 422, "bad_cursor")


@pytest.mark.parametrize("path", PATHS)
def test_a_moment_outside_the_history_is_told(path, history, services):
    """Before the first entry and behind the last there is nothing to show: 404, each its code."""
    citizen, _, _ = history
    for asked in ({"as_of": "1999-12-31"}, {"at_position": 0}):
        assert refused(citizen.get(at(path, **asked)), 404, "before_history")
    beyond = services.ledger.head() + 1
    assert refused(citizen.get(at(path, at_position=beyond)), 404, "after_history")
    assert citizen.get(at(path, at_position=1)).status_code == 200


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("as_of=2026-01-01&at_position=1", "at_position", "not_both"),
        ("as_of=soon", "as_of", "malformed_time"),
        ("as_of=2026-02-30", "as_of", "malformed_time"),
        ("as_of=2026-01-01T08:00:00", "as_of", "no_offset"),
        ("as_of=0001-01-01T00:00:00%2B14:00", "as_of", "out_of_range"),
        ("at_position=-1", "at_position", "out_of_range"),
        ("at_position=x", "at_position", "wrong_type"),
    ],
)
def test_a_moment_has_to_be_one(path, query, name, code, caller, follow):
    """What is no day, no time with its offset and no position is a 422 at its name."""
    follow()
    answer = caller().get(f"{path}?{query}")
    assert refused(answer, 422, "invalid_input")
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [(name, code)]


def test_an_offset_with_a_bare_plus_is_understood(history):
    """In a query a plus stands for a space; a time that lost its plus that way is still read."""
    citizen, morning, _ = history
    text = morning.isoformat()
    assert text.endswith("+00:00")
    answer = citizen.get(f"/v1/wallets/me?as_of={text}")
    assert (answer.status_code, answer.json["available"]) == (200, 30)


def test_the_board_of_balances_is_that_of_the_moment(caller, follow, clock):
    """Who wants to be shown, by what they had then, under aliases; nobody's id is shown."""
    rich, thrifty, shy = caller(), caller(), caller()
    for one, alias in ((rich, "白鹭"), (thrifty, "翠鸟")):
        one.submit("/v1/me/consents", {"consent": "board", "given": True, "alias": alias})
    for one, tier in ((rich, 2), (thrifty, 1), (shy, 2)):
        earn(one, caller, tier)
    offer = publish(caller("merchant"))
    before = clock().isoformat()
    redeem(rich, offer, 3)
    follow()
    board = "/v1/leaderboards/balance"
    then, now = shy.get(at(board, as_of=before)).json, shy.get(board)
    assert [(one["rank"], one["alias"], one["coins"]) for one in then["entries"]] == [
        (1, "白鹭", 30), (2, "翠鸟", 10)
    ]  # fmt: skip
    assert [(one["alias"], one["coins"]) for one in now.json["entries"]] == [("翠鸟", 10)]
    assert not [one for one in (rich, thrifty, shy) if str(one.id) in now.text]
    mine = thrifty.get(at(board, as_of=before, around="me")).json
    assert (mine["me"]["rank"], mine["me"]["me"]) == (2, True)
    assert [one["rank"] for one in mine["entries"]] == [1, 2]
    assert shy.get(f"{board}?around=me").json["me"] is None
    thrifty.submit("/v1/me/consents", {"consent": "board", "given": False})
    follow()
    assert shy.get(at(board, as_of=before, limit=1)).json["entries"][0]["alias"] == "白鹭"
    assert shy.get(board).json["entries"] == []
