"""``gwc balances``: from the log alone, as of any moment."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from uuid import UUID

from ledger.balances import balances_of
from ledger.coins import AwardRefused, CoinsAwarded
from ledger.facts import Fact, encode

RICH, POOR = UUID(int=2), UUID(int=1)
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def stored(fact: Fact) -> tuple[str, bytes]:
    return fact.topic, encode(fact)


def awarded(person: UUID, amount: int, expires_on: date) -> tuple[str, bytes]:
    return stored(CoinsAwarded(
        participant_id=person, amount=amount, cause=UUID(int=9), kind="patrol", rule="r",
        policy_version="1", earned_on=NOW.date(), expires_on=expires_on, role="citizen",
        districts=(),
    ))  # fmt: skip


def refused(person: UUID) -> tuple[str, bytes]:
    return stored(AwardRefused(
        participant_id=person, cause=UUID(int=9), kind="patrol", rule="r", policy_version="1",
        earned_on=NOW.date(), reasons=("too_short",),
    ))  # fmt: skip


def test_a_lot_counts_through_its_last_day_and_not_behind_it():
    """Coins are good on the day they expire; one who was only refused is listed with zero."""
    last = date(2027, 12, 31)
    log = [awarded(RICH, 5, last), awarded(RICH, 2, date(2028, 12, 31)), refused(POOR)]
    assert balances_of(log, last) == [(str(POOR), 0, 0), (str(RICH), 7, 0)]
    assert balances_of(log, date(2028, 1, 1)) == [(str(POOR), 0, 0), (str(RICH), 2, 0)]


def rows(printed: str) -> dict[str, int]:
    header, *lines = printed.splitlines()
    assert header == "participant,available,held"
    assert lines == sorted(lines)
    return {line.split(",")[0]: int(line.split(",")[1]) for line in lines}


def test_as_of_a_day_counts_what_was_recorded_by_its_end(city):
    """Before the history it says so, before the first day all is spent, at the end all counts."""
    refusal = city.run("balances", "--as-of", "2024-12-01", status=1)
    assert (refusal.stdout, refusal.stderr[:14]) == ("", "before_history")
    assert sum(rows(city("balances", "--as-of", "2026-03-01")).values()) == 0
    first = rows(city("balances", "--as-of", "2026-03-02"))
    whole = rows(city("balances", "--as-of", "2026-03-31"))
    assert 0 < sum(first.values()) < sum(whole.values())
    assert whole == rows(city("balances"))
    assert rows(city("balances", "--as-of", "2026-03-03T00:00:00+08:00")) == first
    assert sum(rows(city("balances", "--as-of", "2028-01-01")).values()) == 0


def test_at_a_position_only_what_stands_up_to_it_counts(city):
    """At 0 and behind the end there is no history; in between it is what explaining gives."""
    for nowhere, code in ((0, "before_history"), (10**6, "after_history")):
        refusal = city.run("balances", "--at-position", nowhere, status=1)
        assert (refusal.stdout, refusal.stderr.split(":")[0]) == ("", code)
    whole = rows(city("balances"))
    head = city("export", "history", "--out", "-").count("\n")
    assert rows(city("balances", "--at-position", head)) == whole
    person = max(whole, key=lambda one: whole[one])
    for position in (head, head - 20, head - 60, head // 2):
        told = city("explain", person, "--at-position", position, "--json")
        totals = json.loads(told)["totals"]
        found = rows(city("balances", "--at-position", position)).get(person, 0)
        assert found == totals["available"]
    city("balances", "--at-position", 1, "--as-of", "2026-03-02", status=2)
