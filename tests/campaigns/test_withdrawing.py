"""Withdrawals of visits made without signal: judged by when they were made, by our clock."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger.audit import audit, rows_of
from ledger.parcels import WITHDRAWAL, Item, Parcel
from tests.ledger.campaigns import a_campaign, a_door_visit
from tests.ledger.examples import NOW, contribute, someone

HOUR = timedelta(hours=1)


def an_offline_withdrawal(visit: UUID, made=None) -> Item:
    return Item(kind=WITHDRAWAL, submission_id=uuid4(), about=visit, recorded_at=made)


@pytest.mark.parametrize(
    ("made", "sent", "came", "code"),
    [
        (NOW + HOUR, NOW + 25 * HOUR, NOW + 25 * HOUR, None),
        (NOW + 24 * HOUR, NOW + 25 * HOUR, NOW + 25 * HOUR, None),
        (NOW + 24.5 * HOUR, NOW + 25 * HOUR, NOW + 25 * HOUR, "withdraw_window_over"),
        (None, NOW + 25 * HOUR, NOW + 25 * HOUR, "withdraw_window_over"),
        # The phone is ten hours slow, or fast: what it claims is set right.
        (NOW + 15 * HOUR, NOW + 20 * HOUR, NOW + 30 * HOUR, "withdraw_window_over"),
        (NOW + 30 * HOUR, NOW + 40 * HOUR, NOW + 30 * HOUR, None),
        # It is not believed, or claims to be from before the visit was there, or from the future.
        (NOW - 999 * HOUR, NOW - 950 * HOUR, NOW + 25 * HOUR, "withdraw_window_over"),
        (NOW - 9 * HOUR, NOW + 25 * HOUR, NOW + 25 * HOUR, None),
        (NOW + 30 * HOUR, NOW + 2 * HOUR, NOW + 2 * HOUR, None),
    ],
)
def test_a_withdrawal_counts_from_when_it_was_made(ledger, made, sent, came, code):
    """Made within the window, by our clock, it stands however late it comes; the audit agrees."""
    worker = someone(ledger, "grid_worker")
    visit = contribute(ledger, "visit", worker, a_door_visit(a_campaign(ledger)))
    parcel = Parcel(worker, "phone", sent, [an_offline_withdrawal(visit.id, made)])
    (told,) = ledger.sync(parcel, came).results
    assert (told.refusal.code if told.refusal else None) == code
    if code is None:
        fact = ledger.visit(visit.id).withdrawn
        assert (fact.claimed_at, fact.sent_at) == (made, sent)
    assert list(audit(rows_of(ledger))) == []


def test_who_may_log_no_visits_withdraws_none(ledger):
    """By a parcel as by its address: it is the right of those who log visits."""
    worker = someone(ledger, "grid_worker")
    visit = contribute(ledger, "visit", worker, a_door_visit(a_campaign(ledger)))
    chief = msgspec.structs.replace(worker, role="village_chief")
    parcel = Parcel(chief, "phone", NOW, [an_offline_withdrawal(visit.id)])
    (told,) = ledger.sync(parcel, NOW).results
    assert (told.status, told.refusal.code) == ("invalid", "forbidden")
    assert ledger.visit(visit.id).withdrawn is None
