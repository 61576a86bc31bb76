"""Balances straight from the stored bytes are those of the wallets, on every database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ledger.balances import MONEY, balances_of
from ledger.coins import AwardRefused, CoinsAwarded
from ledger.days import day_of
from ledger.errors import CorruptFact
from ledger.store.states import states
from tests.ledger.examples import NOW, a_report, contribute, someone, verify

AWARDED, REFUSED = CoinsAwarded.topic, AwardRefused.topic
LATER = NOW + timedelta(days=1)


@pytest.fixture
def people(ledger):
    """Two people: one awarded today and tomorrow, one awarded and then refused today."""
    reviewer = someone(ledger, "dispatcher")
    found = [someone(ledger), someone(ledger)]
    for person, moment, tier in [(0, NOW, 1), (1, NOW, 2), (0, LATER, 3)]:
        receipt = contribute(ledger, "report", found[person], a_report(str(tier)), moment)
        verify(ledger, receipt, reviewer, moment, tier)
    receipt = contribute(ledger, "report", found[1], a_report("no"), NOW)
    verify(ledger, receipt, reviewer, NOW, tier=None)
    return [each.participant_id for each in found]


def test_balances_are_those_of_the_wallets(ledger, env, people):
    """What the fold of the bytes says is what each wallet says, sorted by participant."""
    today = day_of(NOW)
    expected = sorted((str(one), ledger.wallet(one).available(today), 0) for one in people)
    assert balances_of(states(env, MONEY), today) == expected
    assert [amount for _, amount, _ in expected if amount == 0] == []


def test_somebody_who_was_only_refused_has_a_balance_of_nothing():
    """Whoever has a money fact is listed, an expired lot counts no more."""
    refusal = REFUSED, b'{"participant_id":"b","cause":"x","kind":"report"}'
    expired = AWARDED, b'{"participant_id":"a","amount":5,"expires_on":"2025-12-31"}'
    last_day = AWARDED, b'{"participant_id":"a","amount":7,"expires_on":"2026-05-20"}'
    assert balances_of([refusal, expired, last_day], date(2026, 5, 20)) == [
        ("a", 7, 0), ("b", 0, 0)]  # fmt: skip


def test_bytes_nobody_can_read_are_a_corrupt_fact():
    """A damaged log is told as such, never as a balance."""
    with pytest.raises(CorruptFact):
        balances_of([(AWARDED, b'{"participant_id":"a","amount":"five"}')], date(2026, 5, 20))
