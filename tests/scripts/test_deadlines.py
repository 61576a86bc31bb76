"""What the follower keeps besides the views: deadlines, and awards that waited for a budget."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from types import SimpleNamespace

import pytest

from ledger.application import Ledger
from scripts.deadlines import keep_deadlines, keep_once
from tests.ledger.examples import NOW, an_offer, redeem, rewarded, someone

KEY = bytes(range(32))
LATE = NOW + timedelta(days=40)


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(
        {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(tmp_path / "gwc.db")},
        KEY, KEY,
    )  # fmt: skip
    ledger.ensure_policy(NOW)
    yield ledger
    ledger.close()


@pytest.fixture
def opened(ledger):
    """Services forty days later."""
    return SimpleNamespace(ledger=ledger, clock=lambda: LATE)


@pytest.fixture
def overdue(ledger):
    """Two people whose vouchers nobody collected."""
    offer = an_offer(ledger, someone(ledger, "reward_officer"))
    people = [rewarded(ledger, 10) for _ in range(2)]
    return [redeem(ledger, person, offer) for person in people]


def test_a_round_ends_what_is_over_and_pays_what_waits(ledger, opened, overdue):
    """Holds past their day come back; a second round writes nothing more."""
    keep_once(opened, Event())
    assert {ledger.redemption(one.id).state for one in overdue} == {"lapsed"}
    head = ledger.head()
    keep_once(opened, Event())
    assert ledger.head() == head


def test_a_duty_that_stumbles_keeps_no_other_from_being_done(
    ledger, opened, overdue, monkeypatch, caplog
):
    """Although no hold can be ended, what was refused for lack of budget is paid."""
    monkeypatch.setattr(ledger, "lapse", lambda *_: 1 / 0)
    paid = []
    monkeypatch.setattr(ledger, "pay_waiting", lambda *_, **__: paid.append(1))
    keep_once(opened, Event())
    assert paid == [1]
    assert "could not be kept" in caplog.text
    assert {ledger.redemption(one.id).state for one in overdue} == {"issued"}


def test_only_who_leads_keeps_deadlines_and_a_stop_is_heard_at_once(ledger, opened, overdue):
    """A standby leaves them alone; told to stop, a round begins nothing more."""
    stop = Event()
    looked = []

    def leads() -> bool:
        looked.append(1)
        if len(looked) == 3:
            stop.set()
        return False

    keep_deadlines(opened, leads, stop, every=0.001)
    assert {ledger.redemption(one.id).state for one in overdue} == {"issued"}
    keep_once(opened, stop)
    assert {ledger.redemption(one.id).state for one in overdue} == {"issued"}
    stop.clear()
    keep_deadlines(opened, lambda: stop.set() or True, stop, every=0.001)
    assert {ledger.redemption(one.id).state for one in overdue} == {"issued"}
