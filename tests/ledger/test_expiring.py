"""What time ends: lots, holds, and the notices before."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest

from ledger.coins import CoinsExpired
from ledger.errors import AwardExpired, InsufficientCoins, RedemptionOver, VoucherLapsed
from tests.ledger.examples import NOW, an_offer, earn, redeem, rewarded, someone

LAST = date(2027, 12, 31)
BEHIND = LAST + timedelta(days=1)
THEN = NOW + timedelta(days=(BEHIND - NOW.date()).days)


def test_expired_coins_are_written_off_once(ledger):
    """On their last day nothing is due; the day after they go, and a second run finds nothing."""
    person = rewarded(ledger, 30)
    assert list(ledger.expire_all(LAST, THEN)) == []
    (fact,) = ledger.expire_all(BEHIND, THEN)
    assert (fact.participant_id, fact.amount) == (person.participant_id, 30)
    head = ledger.head()
    assert list(ledger.expire_all(BEHIND, THEN)) == []
    assert ledger.head() == head


def test_expired_coins_cannot_be_spent_before_the_job_ran(ledger):
    """The balance does not wait for ``gwc expire``, nor does whoever asks for an offer."""
    person, officer = rewarded(ledger, 30), someone(ledger, "reward_officer")
    offer = an_offer(ledger, officer)
    assert ledger.wallet(person.participant_id).available(BEHIND) == 0
    with pytest.raises(InsufficientCoins):
        redeem(ledger, person, offer, now=THEN)
    assert not list(ledger.entries(topics=[CoinsExpired.topic]))


def test_held_coins_do_not_expire_while_they_are_held(ledger):
    """What is held past its day is spent if collected, and due at once if it comes back."""
    eve = THEN - timedelta(days=2)
    person, merchant = rewarded(ledger, 30), someone(ledger, "merchant")
    offer = an_offer(ledger, merchant)
    kept, back = (redeem(ledger, person, offer, now=eve) for _ in range(2))
    assert [fact.amount for fact in ledger.expire_all(BEHIND, THEN)] == [10]
    ledger.collect(merchant, kept.id, kept.voucher, {}, uuid4(), THEN)
    receipt = ledger.cancel(person, back.id, {}, uuid4(), THEN)
    assert receipt.balance == 0
    assert [fact.amount for fact in ledger.expire_all(BEHIND, THEN)] == [10]
    assert ledger.wallet(person.participant_id).lots == {}


def test_a_hold_ends_by_its_deadline(ledger):
    """Through its last day a voucher is good; the day after it is refused, and the coins return."""
    person, merchant = rewarded(ledger, 10), someone(ledger, "merchant")
    offer = an_offer(ledger, merchant, stock=1, collect_days=7)
    bought = redeem(ledger, person, offer)
    last, late = NOW + timedelta(days=7), NOW + timedelta(days=8)
    assert ledger.lapse(bought.id, last) is None
    with pytest.raises(VoucherLapsed):
        ledger.collect(merchant, bought.id, bought.voucher, {}, uuid4(), late)
    assert list(ledger.lapse_all(late)) == [bought.id]
    assert list(ledger.lapse_all(late)) == []
    assert ledger.wallet(person.participant_id).available(late.date()) == 10
    with pytest.raises(RedemptionOver):
        ledger.collect(merchant, bought.id, bought.voucher, {}, uuid4(), late)
    assert redeem(ledger, person, offer, now=late).state == "issued"


def test_a_request_nobody_decides_lapses_after_a_week(ledger):
    """Waiting for an approval holds coins for seven days at most."""
    person, officer = rewarded(ledger, 10), someone(ledger, "reward_officer")
    asked = redeem(ledger, person, an_offer(ledger, officer, approval=True))
    assert (asked.state, asked.decide_by) == ("requested", NOW.date() + timedelta(days=7))
    late = NOW + timedelta(days=8)
    with pytest.raises(VoucherLapsed):
        ledger.approve(someone(ledger, "approver"), asked.id, {}, uuid4(), late)
    assert list(ledger.lapse_all(late)) == [asked.id]


def test_notices_name_what_expires_within_30_and_within_7_days(ledger):
    """Each lot is told once, under the shorter of the two; before that and after it nobody is."""
    person = str(rewarded(ledger, 30).participant_id)
    for left, days in ((31, None), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)):
        found = [(n.participant_id, n.amount, n.days) for n in
                 ledger.notices(LAST - timedelta(days=left))]  # fmt: skip
        assert found == ([(person, 30, days)] if days else [])


def test_an_award_can_be_taken_back_until_its_coins_expire(ledger):
    """Behind its last day an award is past, whatever is found out about it."""
    citizen, reviewer = someone(ledger), someone(ledger, "dispatcher")
    officer, approver = someone(ledger, "reward_officer"), someone(ledger, "approver")
    cause = earn(ledger, citizen, reviewer)
    eve = THEN - timedelta(days=1)
    found = ledger.propose_reversal(officer, cause, "fraud", "x", {}, uuid4(), eve)
    with pytest.raises(AwardExpired):
        ledger.confirm_reversal(approver, found.id, {}, uuid4(), THEN)
