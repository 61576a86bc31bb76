"""Budgets and the books through the service."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from ledger.days import day_of
from tests.api.conftest import NOW
from tests.api.market import NO_AMOUNTS, earn, publish, redeem, refused
from tests.ledger.examples import a_report

YEAR = day_of(NOW).year


def test_a_budget_counts_what_was_awarded_and_pays_what_waited(caller, follow):
    """Over the budget nothing is paid and the reason says so; raised, it comes at once."""
    citizen, officer = caller("citizen", "110"), caller("reward_officer")
    earn(citizen, caller)
    made = officer.submit("/v1/budgets", {"year": YEAR, "coins": 35})
    assert (made.status_code, made.json["district"], made.json["coins"]) == (201, None, 35)
    assert officer.get("/v1/budgets").json["items"][0]["used"] == 30
    second = caller("citizen", "110")
    report = second.submit("/v1/reports", a_report()).json["id"]
    verified = caller("dispatcher").submit(f"/v1/reports/{report}/verify", {"tier": 2}).json
    assert (verified["coins"], verified["rule"]) == (0, "budget.room")
    assert [one["code"] for one in verified["reasons"]] == ["budget_used_up"]
    raised = officer.submit("/v1/budgets", {"year": YEAR, "coins": 100})
    assert raised.status_code == 201
    assert officer.get("/v1/budgets").json["items"][0]["used"] == 60
    follow()
    assert second.get("/v1/wallets/me").json["available"] == 30
    shown = second.get(f"/v1/reports/{report}").json
    assert (shown["coins"], shown["reasons"]) == (30, [])


def test_budgets_are_listed_for_officers(caller):
    """Every budget with what is used of it, the latest year first; the city has no district."""
    officer = caller("reward_officer")
    earn(caller("citizen", "110"), caller)
    for district, year, coins in (("110", YEAR, 50), (None, YEAR, 90), ("120", YEAR + 1, 7)):
        officer.submit("/v1/budgets", {"district": district, "year": year, "coins": coins})
    expected = [
        {"district": "120", "year": YEAR + 1, "coins": 7, "used": 0},
        {"district": None, "year": YEAR, "coins": 90, "used": 30},
        {"district": "110", "year": YEAR, "coins": 50, "used": 30},
    ]
    for role in ("reward_officer", "approver", "auditor", "admin"):
        assert caller(role).get("/v1/budgets").json == {"items": expected, "next": None}


def test_a_budget_is_set_once(caller, services):
    """The same again is the same answer, another body a conflict, and nothing more is written."""
    officer, sent = caller("reward_officer"), uuid4()
    body = {"district": "110", "year": YEAR, "coins": 50}
    first = officer.submit("/v1/budgets", body, sent)
    head = services.ledger.head()
    again = officer.submit("/v1/budgets", body, sent)
    assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
    assert again.headers["Idempotent-Replay"] == "true"
    other = officer.submit("/v1/budgets", body | {"coins": 51}, sent)
    assert refused(other, 409, "submission_conflict")
    assert services.ledger.head() == head


def test_an_officer_of_a_district_sets_its_budget_alone(caller, services):
    """Another district's and the city's are refused, and nothing is written."""
    officer = caller("reward_officer", "110")
    head = services.ledger.head()
    for district in ("120", "100", None):
        body = {"district": district, "year": YEAR, "coins": 1}
        assert refused(officer.submit("/v1/budgets", body), 403, "forbidden")
    assert services.ledger.head() == head
    body = {"district": "110", "year": YEAR, "coins": 1}
    assert officer.submit("/v1/budgets", body).status_code == 201


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", sorted({*NO_AMOUNTS} - {"zero"}))
def test_a_budget_is_a_whole_number(case, caller, services):
    """Any other amount is a 422 at its field, and nothing is written; zero stops all awards."""
    amount, code = NO_AMOUNTS[case]
    officer = caller("reward_officer")
    head = services.ledger.head()
    answer = officer.submit("/v1/budgets", {"year": YEAR, "coins": amount})
    assert refused(answer, 422, "invalid_input")
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [("coins", code)]
    assert services.ledger.head() == head
    assert officer.submit("/v1/budgets", {"year": YEAR, "coins": 0}).status_code == 201


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"year": 2019}, 422, "invalid_input"),
        ({"year": 2101}, 422, "invalid_input"),
        ({"district": "*"}, 422, "invalid_input"),
        ({"district": "999"}, 422, "unknown_district"),
    ],
)
def test_a_budget_is_of_a_year_and_a_place_there_is(changed, status, code, caller, services):
    """Years beyond reason and districts that are not there are a 422, and nothing is written."""
    officer = caller("reward_officer")
    head = services.ledger.head()
    answer = officer.submit("/v1/budgets", {"year": YEAR, "coins": 1, **changed})
    assert refused(answer, status, code)
    assert services.ledger.head() == head


def test_the_books_balance(caller, follow):
    """Every coin is somewhere, booked from both sides; the lines add up to zero."""
    citizen, merchant = caller(), caller("merchant")
    earn(citizen, caller)
    offer = publish(merchant)
    taken, _ = redeem(citizen, offer).json, redeem(citizen, offer)
    merchant.submit(f"/v1/redemptions/{taken['id']}/collect", {"voucher": taken["voucher"]})
    follow()
    books = caller("auditor").get("/v1/trial-balance").json
    lines = {name: coins for name, coins in books["lines"].items() if coins}
    assert lines == {"issued": -30, "available": 10, "held": 10, "redeemed": 10}
    assert (books["imbalance"], books["negative"]) == (0, 0)
    assert books["position"] >= taken["position"]


def test_the_numbers_for_prometheus_know_the_books(app, caller, follow):
    """The imbalance and the coins of each line are there once the view is; before it nothing."""
    client = app.test_client()
    before = client.get("/metrics")
    assert (before.status_code, "gwc_trial_balance" in before.text) == (200, False)
    earn(caller(), caller)
    follow()
    text = client.get("/metrics").text
    assert re.search(r"^gwc_trial_balance_imbalance 0\.0$", text, re.MULTILINE)
    assert 'gwc_coins{line="issued"} -30.0' in text
    assert 'gwc_coins{line="available"} 30.0' in text
