"""The history over HTTP: filters, bounded pages and streams; balances by their day of effect."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import quote

import pytest

from api.tails import EVENTS, NDJSON
from ledger import searching
from ledger.days import day_of, from_microseconds
from tests.api.market import earn, refused


@pytest.fixture
def auditor(caller):
    return caller("auditor")


@pytest.fixture
def citizen(caller):
    """Somebody with 30 coins for a report that was found true."""
    one = caller()
    earn(one, caller)
    return one


def asked(auditor, **query: object) -> list[int]:
    """The positions on all pages that one question leads to; the JSON lines must be the same."""
    path = "/v1/history?" + "&".join(f"{name}={quote(str(one))}" for name, one in query.items())
    lines = auditor.get(path, Accept=NDJSON).text.splitlines()
    found: list[int] = []
    while path:
        answer = auditor.get(path)
        assert answer.status_code == 200, answer.json
        found += [one["position"] for one in answer.json["items"]]
        path = answer.headers.get("Link", "").removeprefix("<").partition(">")[0]
        assert bool(path) == (answer.json["next"] is not None)
    if "limit" not in query:
        assert [json.loads(line)["position"] for line in lines] == found
    return found


def test_every_filter_narrows_and_all_hold_together(auditor, citizen, services):
    """By topic, person, originator and time, alone and together, with what the log holds."""
    rows = services.ledger.rows()
    awards = [row.position for row in rows if row.topic == "wallet.coins-awarded"]
    money = [row.position for row in rows if row.topic.startswith(("wallet.", "contribution."))]
    assert asked(auditor, topic="wallet.coins-awarded") == awards
    assert asked(auditor, topic="wallet.,contribution.") == money
    mine = asked(auditor, participant=citizen.id)
    assert set(money) < set(mine) < {row.position for row in rows}
    wallet = next(row.originator_id for row in rows if row.position == awards[0])
    assert asked(auditor, originator=wallet) == awards
    today = day_of(services.clock())
    since = {"since": today - timedelta(days=2), "until": today}
    assert asked(auditor, **since) == [row.position for row in rows]
    every = {"topic": "wallet.", "participant": citizen.id, "originator": wallet, **since}
    assert asked(auditor, **every) == awards
    assert asked(auditor, **every, after=awards[0]) == []
    assert asked(auditor, **{**every, "until": today - timedelta(days=1)}) == []
    assert asked(auditor, limit=2) == [row.position for row in rows]
    lines = auditor.get("/v1/history?limit=2&after=1", Accept=NDJSON).text.splitlines()
    assert [json.loads(line)["position"] for line in lines] == [2, 3]


def test_a_search_that_finds_little_is_bounded_and_goes_on(auditor, citizen, services, monkeypatch):
    """A page looks at so many positions; an empty one with a next says where to go on."""
    monkeypatch.setattr(searching.find, "__defaults__", (4,))
    page = auditor.get("/v1/history?topic=wallet.")
    assert (page.json["items"], page.json["next"]) == ([], 4)
    assert "topic=wallet." in page.headers["Link"]
    assert "after=4" in page.headers["Link"]
    rows = services.ledger.rows()
    assert asked(auditor, topic="wallet.") == [
        row.position for row in rows if row.topic.startswith("wallet.")
    ]


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("topic=wallet", "topic", "unknown_topic"),
        ("topic=wallet.,coins", "topic", "unknown_topic"),
        ("topic=", "topic", "unknown_topic"),
        (f"topic={'wallet.,' * 60}", "topic", "too_long"),
        ("participant=me", "participant", "malformed_uuid"),
        ("originator=1", "originator", "malformed_uuid"),
        ("since=yesterday", "since", "malformed_time"),
        ("since=2026-02-30", "since", "malformed_time"),
        ("until=2026-05-01T00:00:00", "until", "no_offset"),
        ("since=2026-05-02&until=2026-05-01", "until", "before_since"),
        ("follow=perhaps", "follow", "wrong_type"),
        ("follow=true", "follow", "not_as_json"),
        ("limit=0", "limit", "out_of_range"),
        ("kind=patrol", "kind", "unknown_field"),
    ],
)
def test_a_filter_that_makes_no_sense_is_told(query, name, code, auditor):
    """What cannot be meant is a 422 at its name, in every form of the answer."""
    kinds = ("application/json",) if code == "not_as_json" else ("application/json", NDJSON, EVENTS)
    for kind in kinds:
        answer = auditor.get(f"/v1/history?{query}", Accept=kind)
        assert refused(answer, 422, "invalid_input")
        assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [(name, code)]


def test_a_day_is_one_of_shanghai(auditor, citizen, services):
    """since is a day's beginning and until its end; times may lose their plus in a query."""
    last = from_microseconds(services.ledger.rows()[-1].recorded_at)
    day = day_of(last)
    assert asked(auditor, since=day, until=day)[-1] == services.ledger.head()
    assert asked(auditor, since=last.isoformat())[-1] == services.ledger.head()
    assert asked(auditor, since=day + timedelta(days=1)) == []
    assert asked(auditor, until=day - timedelta(days=2)) == []
    assert auditor.get(f"/v1/history?since={day}T00:00:00+08:00").status_code == 200


def test_balances_by_the_day_they_are_effective_on(citizen, services, clock):
    """Of today they are the wallet's; as known before the award nothing; of no other day at all."""
    today, head = day_of(clock()), services.ledger.head()
    path = "/v1/wallets/me?effective_on="
    told = citizen.get(f"{path}{today}").json
    assert (told["available"], told["position"]) == (30, head)
    assert citizen.get(f"{path}{today}&at_position={head - 1}").json["available"] == 0
    assert citizen.get(f"{path}{today}&as_of={quote(clock().isoformat())}").json == told
    assert refused(citizen.get(f"{path}{today + timedelta(days=1)}"), 404, "after_history")
    assert refused(citizen.get(f"{path}1999-01-01"), 404, "before_history")
    beyond = citizen.get(f"{path}{today}&at_position={head + 1}")
    assert refused(beyond, 404, "after_history")
    wrong = citizen.get(f"{path}tomorrow")
    assert refused(wrong, 422, "invalid_input")
    assert wrong.json["errors"][0]["path"] == "effective_on"
