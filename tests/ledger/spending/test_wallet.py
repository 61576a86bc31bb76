"""Lots, first expiring first; holds; debts: what a wallet is, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from ledger.coins import (
    CoinsAwarded,
    CoinsExpired,
    CoinsHeld,
    CoinsReceived,
    CoinsReleased,
    CoinsSpent,
    GivenLot,
    Part,
)
from ledger.facts import Entry, Fact
from ledger.journal import postings
from ledger.reversals import ReversalProposed, taken_back
from ledger.spending.redemptions import (
    RedemptionCancelled,
    RedemptionCollected,
    RedemptionRequested,
    money_of,
)
from ledger.wallet import Wallet, first

WHO, OFFER = UUID(int=1), UUID(int=2)
TODAY = date(2026, 5, 20)
SOON, LATE = date(2026, 12, 31), date(2027, 12, 31)


def awarded(amount: int, expires_on: date, to_debt: int = 0) -> CoinsAwarded:
    return CoinsAwarded(
        participant_id=WHO, amount=amount, cause=uuid4(), kind="report", rule="report.tier-1",
        policy_version="1", earned_on=TODAY, expires_on=expires_on, role="citizen", districts=(),
        to_debt=to_debt,
    )  # fmt: skip


def wallet_of(*facts: Fact) -> Wallet:
    wallet = Wallet()
    for fact in facts:
        apply(wallet, fact)
    return wallet


def apply(wallet: Wallet, fact: Fact, day: date = TODAY) -> None:
    moment = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    wallet.apply(Entry(UUID(int=9), wallet.version + 1, moment, fact))


def asked(coins: int, quantity: int = 1) -> RedemptionRequested:
    return RedemptionRequested(
        participant_id=WHO, by=WHO, offer_id=OFFER, quantity=quantity, price=coins // quantity,
        coins=coins, merchant_id=None, districts=(), body_digest="",
    )  # fmt: skip


def proposed(award: CoinsAwarded) -> ReversalProposed:
    """The first lot of the wallet is to be taken back."""
    return ReversalProposed(
        by=uuid4(), command_id=uuid4(), body_digest="", participant_id=WHO, cause=award.cause,
        lot=1, reason="fraud", districts=(),
    )  # fmt: skip


def hold(wallet: Wallet, coins: int, redemption: UUID, quantity: int = 1) -> CoinsHeld:
    fact = money_of(redemption, asked(coins, quantity), asked(coins, quantity), wallet, TODAY)
    assert isinstance(fact, CoinsHeld)
    apply(wallet, fact)
    return fact


def test_the_first_to_expire_is_spent_first_and_then_the_first_granted():
    """Three lots, two of which expire on one day: they go in the order of expiry, then of age."""
    wallet = wallet_of(awarded(5, LATE), awarded(4, SOON), awarded(3, LATE))
    assert hold(wallet, 10, uuid4()).parts == (Part(2, 4, SOON), Part(1, 5, LATE), Part(3, 1, LATE))
    assert wallet.lots == {LATE: {3: 2}}
    assert (wallet.available(TODAY), wallet.held) == (2, 10)


def test_a_lot_past_its_day_counts_for_nothing_before_any_job_ran():
    """Expired coins are neither available nor taken, and are due to be written off."""
    wallet, behind = wallet_of(awarded(5, SOON), awarded(4, LATE)), SOON + timedelta(days=1)
    assert (wallet.available(SOON), wallet.available(behind)) == (9, 4)
    assert first(wallet.good(behind), 9) == (Part(2, 4, LATE),)
    assert wallet.due(SOON) == ()
    assert wallet.due(behind) == (Part(1, 5, SOON),)


def test_released_coins_come_back_as_they_were_and_the_month_counts_again():
    """Cancelling restores the very lots, and what was taken of the offer in that month."""
    wallet, redemption = wallet_of(awarded(5, LATE), awarded(4, SOON)), uuid4()
    before = {day: dict(lots) for day, lots in wallet.lots.items()}
    hold(wallet, 8, redemption, quantity=2)
    assert wallet.taken_in(OFFER, "2026-05") == 2
    cancelled = RedemptionCancelled(by=WHO, command_id=uuid4(), body_digest="")
    fact = money_of(redemption, cancelled, asked(8, 2), wallet, TODAY)
    assert isinstance(fact, CoinsReleased)
    apply(wallet, fact)
    assert (wallet.lots, wallet.held, wallet.taken_in(OFFER, "2026-05")) == (before, 0, 0)


def test_collecting_spends_the_whole_hold():
    """What was held is gone, all of it, and nothing is left of the hold."""
    wallet, redemption = wallet_of(awarded(9, LATE)), uuid4()
    hold(wallet, 8, redemption)
    collected = RedemptionCollected(by=WHO, command_id=uuid4(), body_digest="")
    fact = money_of(redemption, collected, asked(8), wallet, TODAY)
    assert isinstance(fact, CoinsSpent)
    apply(wallet, fact)
    assert (fact.amount, wallet.available(TODAY), wallet.held) == (8, 1, 0)


@pytest.mark.parametrize(
    ("others", "spent", "parts", "debt"),
    [
        (0, 0, (Part(1, 10, LATE),), 0),
        (0, 6, (Part(1, 4, LATE),), 6),
        (0, 10, (), 10),
        (7, 10, (Part(2, 7, LATE),), 3),
        (20, 4, (Part(1, 6, LATE), Part(2, 4, LATE)), 0),
    ],
)
def test_a_reversal_takes_its_own_lot_then_others_and_the_rest_is_owed(others, spent, parts, debt):
    """Own coins first, then whatever is good, first expiring first; no lot goes below zero."""
    award = awarded(10, LATE)
    wallet = wallet_of(award)
    if spent:
        hold(wallet, spent, uuid4())
    if others:
        apply(wallet, awarded(others, LATE))
    shift = [Part(part.lot + (1 if spent and part.lot == 2 else 0), part.amount, part.expires_on)
             for part in parts]  # fmt: skip
    fact = taken_back(uuid4(), proposed(award), award, wallet, TODAY)
    assert (fact.parts, fact.debt, fact.amount) == (tuple(shift), debt, 10)
    apply(wallet, fact)
    assert wallet.debt == debt
    assert all(amount > 0 for lots in wallet.lots.values() for amount in lots.values())


def test_coins_that_come_back_pay_a_debt_first():
    """A hold cannot hide coins from a reversal: what returns while something is owed pays it."""
    award, redemption = awarded(10, LATE), uuid4()
    wallet = wallet_of(award)
    hold(wallet, 10, redemption)
    apply(wallet, taken_back(uuid4(), proposed(award), award, wallet, TODAY))
    assert wallet.debt == 10
    cancelled = RedemptionCancelled(by=WHO, command_id=uuid4(), body_digest="")
    fact = money_of(redemption, cancelled, asked(10), wallet, TODAY)
    assert fact.debt_parts == (Part(1, 10, LATE),)
    apply(wallet, fact)
    assert (wallet.debt, wallet.available(TODAY), wallet.lots) == (0, 0, {})


def test_received_coins_keep_their_expiry():
    """A gift of two expiry dates makes two lots of one fact."""
    gift = CoinsReceived(
        participant_id=WHO, donation_id=uuid4(), giver=uuid4(), amount=7,
        lots=(GivenLot(SOON, 3), GivenLot(LATE, 4)),
    )  # fmt: skip
    wallet = wallet_of(gift)
    assert wallet.lots == {SOON: {1: 3}, LATE: {1: 4}}
    assert hold(wallet, 5, uuid4()).parts == (Part(1, 3, SOON), Part(1, 2, LATE))


def test_every_movement_is_booked_from_both_sides():
    """The postings of an award, a hold and an expiry sum to zero, and a wrong one does not."""
    parts = (Part(1, 5, LATE),)
    hold_of_five = CoinsHeld(
        participant_id=WHO, redemption_id=uuid4(), offer_id=OFFER, quantity=1, amount=5,
        parts=parts,
    )  # fmt: skip
    expired = CoinsExpired(participant_id=WHO, as_of=LATE, amount=5, parts=parts)
    for fact in (awarded(5, LATE, to_debt=2), hold_of_five, expired):
        assert sum(posting.amount for posting in postings(fact)) == 0
    booked = {posting.account: posting.amount for posting in postings(awarded(5, LATE, to_debt=2))}
    assert booked == {
        "Issued:report.tier-1": -5, f"Wallet:{WHO}:Available": 3, f"Wallet:{WHO}:Debt": 2,
    }  # fmt: skip
    wrong = CoinsExpired(participant_id=WHO, as_of=LATE, amount=6, parts=parts)
    assert sum(posting.amount for posting in postings(wrong)) == 1
