"""Trails: how one stood at the moment of a check-in decides, whenever that check-in arrives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from ledger.contributions import BY_KIND
from ledger.errors import FutureTime
from ledger.syncing import Item, Parcel
from tests.ledger.examples import NOW, someone
from tests.ledger.trailing import (
    AGAIN,
    POINT,
    at,
    check_in,
    findings,
    publish,
    rejected,
    scan,
    told,
)

CHECK_IN = BY_KIND["check_in"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_paused_trail_takes_no_check_in_until_it_is_resumed(ledger):
    """While it is paused for the weather a check-in is rejected and not stamped."""
    trail, who, officer = publish(ledger), someone(ledger), someone(ledger, "dispatcher")
    ledger.pause_trail(officer, trail.trail_id, "weather", {}, uuid4(), NOW + HOUR)
    rainy = check_in(ledger, who, at(trail), NOW + HOUR)
    ledger.resume_trail(officer, trail.trail_id, {}, uuid4(), NOW + 2 * HOUR)
    dry = check_in(ledger, who, at(trail), NOW + 2 * HOUR)
    assert (told(rainy), told(dry)) == (rejected("trail_paused"), POINT)
    assert findings(ledger) == []


def test_a_closed_trail_takes_none_any_more(ledger):
    """After it was closed for good a check-in is rejected, also with the right code."""
    trail, who = publish(ledger), someone(ledger)
    ledger.close_trail(someone(ledger, "admin"), trail.trail_id, {}, uuid4(), NOW + HOUR)
    assert told(check_in(ledger, who, scan(trail), NOW + HOUR)) == rejected("trail_closed")
    both = check_in(ledger, who, at(trail, metres=500), NOW + HOUR)
    assert told(both) == rejected("trail_closed", "out_of_reach")


def test_a_trail_has_its_days(ledger):
    """Before its first day and after its last, in Shanghai, a check-in is rejected."""
    days = {"starts_on": date(2026, 5, 20), "ends_on": date(2026, 5, 20)}
    trail = publish(ledger, now=NOW - 2 * DAY, **days)
    begins = datetime(2026, 5, 19, 16, 0, tzinfo=UTC)
    second = timedelta(seconds=1)
    moments = [begins - second, begins, begins + DAY - second, begins + DAY]
    states = [check_in(ledger, someone(ledger), at(trail), one) for one in moments]
    outside = rejected("outside_period")
    assert [told(one) for one in states] == [outside, POINT, POINT, outside]
    assert findings(ledger) == []


def sync(ledger, who, bodies: list[tuple[dict, datetime]], sent: datetime, now: datetime):
    items = [
        Item(kind="check_in", submission_id=uuid4(), body=msgspec.convert(body, CHECK_IN.body),
             request=body, recorded_at=moment)
        for body, moment in bodies
    ]  # fmt: skip
    results = ledger.sync(Parcel(who, "phone", sent, items), now).results
    assert [one.status for one in results] == ["created"] * len(bodies), results
    return [one.receipt for one in results]


def test_late_check_ins_are_judged_by_how_the_trail_stood_then(ledger):
    """Sent days later: it counts while the trail was open, whatever it was before and after."""
    trail, who, officer = publish(ledger), someone(ledger), someone(ledger, "dispatcher")
    ledger.pause_trail(officer, trail.trail_id, "weather", {}, uuid4(), NOW + HOUR)
    ledger.resume_trail(officer, trail.trail_id, {}, uuid4(), NOW + 2 * HOUR)
    ledger.close_trail(officer, trail.trail_id, {}, uuid4(), NOW + 30 * HOUR)
    moments = (-0.5, 0.5, 1.5, 2.5, 26, 31)
    bodies = [(at(trail), NOW + hours * HOUR) for hours in moments]
    late = NOW + 3 * DAY
    receipts = sync(ledger, who, bodies, late, late)
    assert [told(one) for one in receipts] == [
        rejected("outside_period"), POINT, rejected("trail_paused"), AGAIN, POINT,
        rejected("trail_closed"),
    ]  # fmt: skip
    days = [ledger.contribution(CHECK_IN, one.id).recorded.earned_on.day for one in receipts]
    assert days == [20, 20, 20, 20, 21, 21]
    assert findings(ledger) == []


def test_a_phone_with_a_wrong_clock_is_put_right(ledger):
    """Two hours slow, its check-in from the pause is judged as within the pause."""
    trail, who, officer = publish(ledger), someone(ledger), someone(ledger, "dispatcher")
    ledger.pause_trail(officer, trail.trail_id, "weather", {}, uuid4(), NOW + HOUR)
    now = NOW + 3 * HOUR
    (receipt,) = sync(ledger, who, [(at(trail), NOW)], now - 2 * HOUR, now)
    assert told(receipt) == rejected("trail_paused")
    body = {**at(trail), "recorded_at": NOW.isoformat(), "sent_at": (now - 2 * HOUR).isoformat()}
    assert told(check_in(ledger, who, body, now)) == rejected("trail_paused")
    with pytest.raises(FutureTime):
        check_in(ledger, who, {**at(trail), "recorded_at": (now + HOUR).isoformat()}, now)
    assert findings(ledger) == []


def test_what_comes_too_late_earns_nothing(ledger):
    """A check-in of more than the policy's days ago is rejected, one of just less is paid."""
    trail, now = publish(ledger, now=NOW - 60 * DAY), NOW
    for hours, expected in ((30 * 24 - 1, POINT), (30 * 24 + 1, rejected("too_old"))):
        (receipt,) = sync(ledger, someone(ledger), [(at(trail), now - hours * HOUR)], now, now)
        assert told(receipt) == expected
    assert findings(ledger) == []


def test_a_pause_in_the_same_moment_is_seen(open_ledger, ledger, monkeypatch):
    """Paused between the look at the trail and the saving of a check-in, it is judged again."""
    trail, who, officer = publish(ledger), someone(ledger), someone(ledger, "dispatcher")
    other, append = open_ledger(), ledger.append

    def slow(*args, **kwargs):
        monkeypatch.setattr(ledger, "append", append)
        other.pause_trail(officer, trail.trail_id, "weather", {}, uuid4(), NOW)
        return append(*args, **kwargs)

    monkeypatch.setattr(ledger, "append", slow)
    assert told(check_in(ledger, who, at(trail))) == rejected("trail_paused")
    assert findings(ledger) == []
