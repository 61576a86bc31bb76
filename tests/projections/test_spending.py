"""What the views say of coins that were held, given, taken back or lost; and of wrong books."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger.coins import (
    CoinsAwarded,
    CoinsGiven,
    CoinsHeld,
    CoinsReleased,
    CoinsSpent,
    Part,
)
from ledger.identity import wallet_id
from ledger.reversals import ReversalProposed, taken_back
from ledger.spending.redemptions import RedemptionRequested
from projections.balances import BALANCES

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def award(history, who: UUID, amount: int, days: int = 100) -> CoinsAwarded:
    """Award coins that are good for so many days more."""
    _, fact = history._award(who, uuid4())
    fact = msgspec.structs.replace(
        fact, amount=amount, to_debt=0, expires_on=history.today + timedelta(days=days)
    )
    history.append([(wallet_id(who), fact)])
    return fact


def a_hold(who: UUID, amount: int, *parts: Part) -> CoinsHeld:
    return CoinsHeld(
        participant_id=who, redemption_id=uuid4(), offer_id=uuid4(), quantity=1, amount=amount,
        parts=parts,
    )  # fmt: skip


def released(hold: CoinsHeld, *debt_parts: Part) -> CoinsReleased:
    return CoinsReleased(
        participant_id=hold.participant_id, redemption_id=hold.redemption_id,
        offer_id=hold.offer_id, amount=hold.amount, parts=hold.parts, debt_parts=debt_parts,
    )  # fmt: skip


@SQLITE
def test_held_coins_come_back_to_the_lot_they_were_of(follower, views, history):
    """A lot held as a whole is gone, and back with its cause and rule; but not once it expired."""
    who = history.people[0]
    fact, last = award(history, who, 5), history.today + timedelta(days=1)
    follower.catch_up()
    before = views.wallet(who, history.today)
    hold = a_hold(who, 5, Part(1, 5, fact.expires_on))
    history.append([(wallet_id(who), hold)])
    follower.catch_up()
    held = views.wallet(who, history.today)
    assert (held["available"], held["held"], held["lots"]) == (0, 5, [])
    history.append([(wallet_id(who), released(hold))])
    follower.catch_up()
    assert views.wallet(who, history.today) == before | {"position": history.ledger.head()}
    short = award(history, who, 2, days=1)
    again = a_hold(who, 2, Part(4, 2, short.expires_on))
    history.append([(wallet_id(who), again)])
    history.now += timedelta(days=2)
    history.append([(wallet_id(who), released(again))])
    follower.catch_up()
    assert views.wallet(who, last)["available"] == 5


@SQLITE
def test_a_row_of_balances_stays_small(follower, stores, history):
    """Neither lots that are used up or expired nor holds that are over stay in it."""
    who = history.people[0]
    fact = award(history, who, 5)
    award(history, who, 5, days=1)
    hold = a_hold(who, 5, Part(1, 5, fact.expires_on))
    history.append([(wallet_id(who), hold)])
    history.now += timedelta(days=2)
    spent = CoinsSpent(
        participant_id=who, redemption_id=hold.redemption_id, offer_id=hold.offer_id, amount=5
    )
    history.append([(wallet_id(who), spent)])
    follower.catch_up()
    _, row = stores[0].fetch(BALANCES, str(who))
    assert row == b'{"lots":[],"held":0,"debt":0,"holds":{}}'


@SQLITE
def test_what_wants_no_approval_never_waits(follower, views, history):
    """Even where a batch ends between a request and its voucher, nobody is asked to approve it."""
    history.append([(uuid4(), RedemptionRequested(
        participant_id=uuid4(), by=uuid4(), offer_id=uuid4(), quantity=1, price=1, coins=1,
        merchant_id=None, districts=("c1",), body_digest="",
    ))])  # fmt: skip
    follower.catch_up()
    assert views.redemptions_of_merchant(None)["items"]
    assert views.redemptions_waiting()["items"] == []
    assert views.redemptions_waiting(["c1"])["items"] == []


def proposed(award: CoinsAwarded) -> ReversalProposed:
    """The first lot of a wallet is to be taken back."""
    return ReversalProposed(
        by=uuid4(), command_id=uuid4(), body_digest="", participant_id=award.participant_id,
        cause=award.cause, lot=1, reason="fraud", districts=(),
    )  # fmt: skip


@SQLITE
def test_a_debt_is_paid_by_what_comes_back(follower, views, history):
    """Coins owed after a reversal are paid by coins that a release brings back, and the rest is."""
    who = history.people[0]
    one, two = award(history, who, 5, days=10), award(history, who, 3, days=20)
    hold = a_hold(who, 6, Part(1, 5, one.expires_on), Part(2, 1, two.expires_on))
    history.append([(wallet_id(who), hold)])
    taken = taken_back(uuid4(), proposed(one), one, history.wallets[who], history.today)
    history.append([(wallet_id(who), taken)])
    follower.catch_up()
    found = views.wallet(who, history.today)
    assert (found["available"], found["held"], found["debt"]) == (0, 6, 3)
    history.append([(wallet_id(who), released(hold, Part(1, 3, one.expires_on)))])
    follower.catch_up()
    found = views.wallet(who, history.today)
    assert (found["available"], found["held"], found["debt"]) == (3, 0, 0)
    assert [(lot["lot"], lot["amount"]) for lot in found["lots"]] == [(1, 2), (2, 1)]
    line, *_ = views.statement(who)["items"]
    assert (line["what"], line["amount"], line["total"], line["coins"]) == ("returned", 3, 3, 6)


@SQLITE
def test_whoever_has_nothing_left_is_on_no_board(follower, views, history):
    """An only award taken back takes its owner off the boards, late consent or not."""
    who, other = sorted(history.people, key=lambda one: one not in history.consents)[:2]
    fact = award(history, who, 5)
    award(history, other, 1)
    follower.catch_up()
    assert who in views.consenting()
    taken = taken_back(uuid4(), proposed(fact), fact, history.wallets[who], history.today)
    history.append([(wallet_id(who), taken)])
    follower.catch_up()
    assert who not in views.consenting()
    assert views.board("all", "all", around=who)["me"] is None
    history.people = [who]
    history.change_mind()
    history.change_mind()
    follower.catch_up()
    assert who not in views.consenting()
    award(history, who, 2)
    follower.catch_up()
    assert views.board("all", "all", around=who)["me"]["coins"] == 2


@SQLITE
def test_books_that_do_not_balance_are_seen(follower, views, history):
    """Coins that come from nowhere, go nowhere or are not there are counted as an imbalance."""
    who = history.people[0]
    fact = award(history, who, 10)
    follower.catch_up()
    assert views.trial_balance()["imbalance"] == 0

    def off_by(wrong: CoinsHeld | CoinsGiven) -> int:
        before = views.trial_balance()["imbalance"]
        history.append([(wallet_id(wrong.participant_id), wrong)])
        follower.catch_up()
        return views.trial_balance()["imbalance"] - before

    part = Part(1, 2, fact.expires_on)
    assert off_by(a_hold(who, 2, part)) == 0
    assert off_by(a_hold(who, 3, part)) == 1
    given = CoinsGiven(participant_id=who, donation_id=uuid4(), to=uuid4(), amount=2, parts=(part,))
    assert off_by(given) == 0  # On its way: the other half comes with the next fact.
    assert views.trial_balance()["lines"]["transfers"] == 2
    assert views.trial_balance()["negative"] == 0
    poor = history.people[1]
    assert off_by(a_hold(poor, 4, Part(9, 4, fact.expires_on))) == 1
    assert views.trial_balance()["negative"] == 1
    for coins, negative in ((1, 1), (9, 0)):
        award(history, poor, coins)
        follower.catch_up()
        assert views.trial_balance()["negative"] == negative
