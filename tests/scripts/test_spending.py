"""``gwc expire``, ``explain``, ``budget`` and ``replay --policy``, as operators run them."""

from __future__ import annotations

import json
import sqlite3
from uuid import uuid4

import pytest

from tests.scripts.conftest import Gwc


def lines(printed: str) -> list[dict]:
    return json.loads(printed)


def participants(gwc) -> list[tuple[str, int]]:
    found = [line.split(",") for line in gwc("balances").splitlines()[1:]]
    return [(person, int(available)) for person, available, _ in found]


def test_expire_takes_what_is_past_and_nothing_the_second_time(city):
    """As of 2028 every coin of 2026 is gone; run again, nothing is written; the audit agrees."""
    before = sum(coins for _, coins in participants(city))
    assert before
    assert lines(city("expire", "--json")) == []
    first = city.run("expire", "--as-of", "2028-01-01", "--json", "--lang", "en")
    assert "still to come" in first.stderr
    assert sum(line["expired"] for line in lines(first.stdout)) == before
    history = city("export", "history", "--out", "-")
    assert lines(city("expire", "--as-of", "2028-01-01", "--json")) == []
    assert city("export", "history", "--out", "-") == history
    assert sum(coins for _, coins in participants(city)) == 0
    city("audit")
    city("replay")


def test_notices_are_listed_and_nothing_is_written(city):
    """A week before the year's end everybody with coins is told of them."""
    history = city("export", "history", "--out", "-")
    rich = {person: coins for person, coins in participants(city) if coins}
    for day, days in (("2027-12-02", 30), ("2027-12-27", 7)):
        told = lines(city("expire", "--notices", "--as-of", day, "--json"))
        assert {one["participant_id"]: one["amount"] for one in told} == rich
        assert {(one["expires_on"], one["days"]) for one in told} == {("2027-12-31", days)}
    assert lines(city("expire", "--notices", "--as-of", "2027-06-01", "--json")) == []
    assert city("export", "history", "--out", "-") == history


def test_explain_tells_every_coin_of_a_wallet(city):
    """A table by default, all details as JSON; the sums are the balance; strangers are unknown."""
    person, coins = max(participants(city), key=lambda one: one[1])
    told = json.loads(city("explain", person, "--json"))
    assert told["totals"]["available"] == coins == sum(lot["available"] for lot in told["lots"])
    table = city("explain", person, "--lang", "en")
    assert f"{coins} available" in table
    assert "2026-01 " in table
    assert "可用" in city("explain", person)
    refusal = city.run("explain", uuid4(), status=1)
    assert refusal.stderr.startswith("not_found")
    assert city.run("explain", person, "--at-position", 0, status=1).stderr.startswith(
        "before_history"
    )
    city("explain", person, "--at-position", 5, "--as-of", "2026-03-02", status=2)


def test_a_budget_is_set_and_shown_with_what_is_used(city):
    """The first time it counts what was awarded before; the audit knows the same number."""
    issued = sum(
        json.loads(line)["state"]["amount"]
        for line in city("export", "history", "--out", "-").splitlines()
        if '"wallet.coins-awarded"' in line and '"earned_on":"2026' in line
    )
    city("budget", "set", "--year", 2026, "--coins", 100_000)
    (shown,) = lines(city("budget", "show", "--json"))
    assert shown == {"district": None, "year": 2026, "coins": 100_000, "used": issued}
    assert "100000" in city("budget", "show")
    assert city.run("budget", "set", "--year", 2026, "--coins", 5, "--district", "nope",
                    status=1).stderr.startswith("unknown_district")  # fmt: skip
    city("budget", "set", "--year", 1999, "--coins", 5, status=2)
    city("audit")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_if_the_policy_in_force_had_been_in_force(city, lang):
    """What ``policy show`` prints changes nothing; dearer reports change some people, in sum."""
    file = city.folder / "policy.toml"
    file.write_text(city("policy", "show"))
    same = json.loads(city("replay", "--policy", file, "--json"))
    assert (same["people"], same["difference"]) == ([], 0)
    assert same["awarded"] == same["would"] > 0
    file.write_text(file.read_text().replace("coins = 10\ntiers", "coins = 5\ntiers"))
    other = json.loads(city("replay", "--policy", file, "--json"))
    assert other["difference"] == sum(one["difference"] for one in other["people"]) < 0
    printed = city("replay", "--policy", file, "--lang", lang)
    assert str(other["difference"]) in printed
    file.write_text("nonsense")
    assert city.run("replay", "--policy", file, status=1).stderr.startswith("invalid_policy")


def test_in_the_wrong_folder_nothing_is_made(tmp_path):
    """A job that runs elsewhere is told so, instead of keeping an empty database in order."""
    gwc = Gwc(tmp_path)
    for words in (("expire",), ("expire", "--notices"), ("explain", uuid4()),
                  ("budget", "set", "--year", 2026, "--coins", 5), ("budget", "show")):  # fmt: skip
        assert gwc.run(*words, status=2).stderr.startswith("no_database: ")
    assert list(tmp_path.iterdir()) == []


def test_moments_at_the_ends_of_the_calendar_are_wrong_use(city):
    """A time that has no day in Shanghai is told in one line."""
    for moment in ("9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+23:59"):
        for words in (("balances",), ("explain", uuid4())):
            ran = city.run(*words, "--as-of", moment, status=2)
            assert ran.stderr.startswith("usage: ")
    assert city.run("replay", "--json", status=2).stderr.startswith("usage: ")


def test_what_is_used_is_counted_anew(city):
    """A lost table is set right from the log, and the audit then finds nothing."""
    with sqlite3.connect(city.folder / "gwc.db") as connection:
        connection.execute("DELETE FROM quotas")
    assert "QUOTA" in city("audit", status=1)
    told = lines(city("rebuild", "--quotas", "--json"))
    assert told
    assert {one["was"] for one in told} == {0}
    city("audit")
    assert lines(city("rebuild", "--quotas", "--json")) == []


def test_what_was_ended_early_is_said(city):
    """Coins written off ahead of time are no finding, but the audit's last lines name them."""
    city("expire", "--as-of", "2028-01-01")
    said = city.run("audit", "--lang", "en").stderr
    assert "before their last day" in said
