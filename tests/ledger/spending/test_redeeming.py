"""Asking and giving while others change the world: prices, keepers, merchants, and retries."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest

from ledger import identity
from ledger.coins import LOTS_MAX, CoinsReceived, GivenLot
from ledger.errors import (
    InvalidInput,
    NotFound,
    OwnOffer,
    PriceChanged,
    SelfApproval,
    SubmissionConflict,
    TooManyLots,
    UnknownAccount,
)
from ledger.log import Append
from ledger.spending.catalogue import Terms
from ledger.spending.redeeming import Order
from tests.ledger.examples import NOW, an_offer, earn, redeem, rewarded, someone

LAST = date(2029, 12, 31)


@pytest.fixture
def officer(ledger):
    return someone(ledger, "reward_officer")


@pytest.fixture
def team(ledger, officer):
    """A team's account with 30 coins, and its two keepers."""
    first, second = rewarded(ledger, 30), someone(ledger)
    account = ledger.open_account(
        officer, "team", "护河队", first.participant_id, {}, uuid4(), NOW
    ).account_id
    ledger.change_member(
        first, account, second.participant_id, "add", {}, uuid4(), NOW, keeper=True
    )
    ledger.donate(first, account, 30, {}, uuid4(), NOW)
    return account, first, second


def test_a_price_one_was_not_shown_is_not_paid(ledger, officer):
    """Whoever says what they were shown is told of another price, and nothing is held."""
    person, offer = rewarded(ledger, 30), an_offer(ledger, officer)
    ledger.reprice(officer, offer, 30, {}, uuid4(), NOW)
    head = ledger.head()
    with pytest.raises(PriceChanged, match="30 coins now"):
        ledger.redeem(person, Order(offer, price=10), {}, uuid4(), NOW)
    assert ledger.head() == head
    assert ledger.redeem(person, Order(offer, price=30), {}, uuid4(), NOW).coins == 30


def test_a_gift_is_never_more_than_was_given(ledger, officer, monkeypatch):
    """A cause that gets dearer while somebody gives takes nothing instead of thrice as much."""
    giver = rewarded(ledger, 30)
    cause = an_offer(ledger, officer, kind="donation", price=1, stock=None)
    plain = ledger._redeem

    def dearer(*args):
        ledger.reprice(officer, cause, 3, {}, uuid4(), NOW)
        return plain(*args)

    monkeypatch.setattr(ledger, "_redeem", dearer)
    with pytest.raises(PriceChanged):
        ledger.donate(giver, cause, 10, {}, uuid4(), NOW)
    assert ledger.wallet(giver.participant_id).available(NOW.date()) == 30


def test_a_gift_sent_again_is_the_first_gift_whatever_it_costs_now(ledger, officer):
    """After a change of price, and under the same number to somebody else: receipt, conflict."""
    giver, sent = rewarded(ledger, 30), uuid4()
    cause = an_offer(ledger, officer, kind="donation", price=5, stock=None)
    account = ledger.open_account(
        officer, "team", "护河队", giver.participant_id, {}, uuid4(), NOW
    ).account_id
    first = ledger.donate(giver, cause, 10, {"to": 1}, sent, NOW)
    ledger.reprice(officer, cause, 4, {}, uuid4(), NOW)
    again = ledger.donate(giver, cause, 10, {"to": 1}, sent, NOW)
    assert (again.id, again.coins, again.position) == (first.id, 10, first.position)
    with pytest.raises(SubmissionConflict):
        ledger.donate(giver, account, 10, {"to": 2}, sent, NOW)


def test_whoever_keeps_the_account_no_more_has_no_say_any_more(ledger, officer, team):
    """What they asked for with the team's coins is the keepers' to cancel, not theirs."""
    account, first, second = team
    asked = redeem(ledger, second, an_offer(ledger, officer), account_id=account)
    ledger.change_member(
        first, account, second.participant_id, "remove", {}, uuid4(), NOW
    )
    with pytest.raises(NotFound):
        ledger.cancel(second, asked.id, {}, uuid4(), NOW)
    with pytest.raises(UnknownAccount):
        redeem(ledger, second, asked.offer_id, account_id=account)
    assert ledger.cancel(first, asked.id, {}, uuid4(), NOW).state == "cancelled"


def test_no_keeper_approves_or_hands_out_what_the_account_pays(ledger, officer, team):
    """The other keeper is as little a second person as who asked."""
    account, first, second = team
    offer = an_offer(ledger, officer, approval=True)
    asked = redeem(ledger, second, offer, account_id=account)
    roles = {}
    for role in ("approver", "merchant"):
        token = ledger.issue_token(role, NOW, participant=first.participant_id).token
        roles[role] = ledger.authenticate(token)
    with pytest.raises(SelfApproval):
        ledger.approve(roles["approver"], asked.id, {}, uuid4(), NOW)
    ledger.approve(someone(ledger, "approver"), asked.id, {}, uuid4(), NOW)
    code = ledger.voucher(asked.id, ledger.redemption(asked.id))
    with pytest.raises(OwnOffer):
        ledger.collect(roles["merchant"], asked.id, code, {}, uuid4(), NOW)


def test_an_offer_published_again_is_the_first_one_whatever_became_of_its_merchant(
    ledger, officer
):
    """A retry after the named merchant lost the role gets the first answer; a new one does not."""
    merchant, sent = someone(ledger, "merchant").participant_id, uuid4()
    terms = Terms(name="茶", price=10, stock=1, unit="份", merchant_id=merchant)
    first = ledger.publish_offer(officer, terms, {}, sent, NOW)
    ledger.revoke_role(merchant, "merchant", "left", NOW)
    again = ledger.publish_offer(officer, terms, {}, sent, NOW)
    assert (again.offer, again.position, again.replayed) == (first.offer, first.position, True)
    with pytest.raises(InvalidInput):
        ledger.publish_offer(officer, terms, {}, uuid4(), NOW)


def test_the_name_of_an_account_is_not_in_the_log(ledger, team):
    """Teams are called after people as well: the name is in the vault, under its own key."""
    account = ledger.account(team[0])
    assert ledger.account_name(team[0], account) == "护河队"
    states = b"".join(row.state for row in ledger.rows(0, 1000))
    assert "护河队".encode() not in states


def test_a_gift_sent_twice_at_once_is_never_told_to_be_beyond_ones_means(open_ledger):
    """The second process sees the first one's gift, and gets its receipt, not a refusal."""
    one, other = open_ledger(), open_ledger()
    one.ensure_policy(NOW)
    giver, sent = rewarded(one, 30), uuid4()
    account = one.open_account(
        someone(one, "reward_officer"), "team", "护河队", giver.participant_id, {}, uuid4(), NOW
    ).account_id
    wallet, gifts = other.wallet, []

    def late(person):
        if not gifts:
            gifts.append(one.donate(giver, account, 30, {}, sent, NOW))
        return wallet(person)

    other.wallet = late
    second = other.donate(giver, account, 30, {}, sent, NOW)
    assert (second.replayed, second.position) == (True, gifts[0].position)


def test_a_proposal_sent_twice_at_once_is_one(open_ledger):
    """Outrun by its own other copy, it gets the receipt instead of already_reversed."""
    one, other = open_ledger(), open_ledger()
    one.ensure_policy(NOW)
    officer, sent = someone(one, "reward_officer"), uuid4()
    cause = earn(one, someone(one), someone(one, "dispatcher"))
    award_for, proposals = other._award_for, []

    def late(asked):
        if not proposals:
            proposals.append(one.propose_reversal(officer, cause, "fraud", "x", {}, sent, NOW))
        return award_for(asked)

    other._award_for = late
    second = other.propose_reversal(officer, cause, "fraud", "x", {}, sent, NOW)
    assert (second.replayed, second.position) == (True, proposals[0].position)


def test_whoever_becomes_a_keeper_meanwhile_does_not_approve(open_ledger):
    """The account that says whose it is must be the one the approval looked at."""
    one, other = open_ledger(), open_ledger()
    one.ensure_policy(NOW)
    officer, approver = someone(one, "reward_officer"), someone(one, "approver")
    keeper = rewarded(one, 30)
    account = one.open_account(
        officer, "team", "护河队", keeper.participant_id, {}, uuid4(), NOW
    ).account_id
    one.donate(keeper, account, 30, {}, uuid4(), NOW)
    offer = an_offer(one, officer, approval=True)
    asked = redeem(one, keeper, offer, account_id=account)
    voucher_for, added = other._voucher_for, []

    def late(*args):
        if not added:
            added.append(one.change_member(
                keeper, account, approver.participant_id, "add", {}, uuid4(), NOW, keeper=True
            ))  # fmt: skip
        return voucher_for(*args)

    other._voucher_for = late
    with pytest.raises(SelfApproval):
        other.approve(approver, asked.id, {}, uuid4(), NOW)


def test_a_refusal_for_want_of_stock_still_holds_when_it_is_stored(open_ledger):
    """Restocked between the look and the word, the offer is not refused for good."""
    one, other = open_ledger(), open_ledger()
    one.ensure_policy(NOW)
    officer, person = someone(one, "reward_officer"), rewarded(one, 30)
    offer = an_offer(one, officer, stock=0)
    append, restocked = other.append, []

    def late(*args, **more):
        if not restocked:
            restocked.append(one.restock(officer, offer, 1, {}, uuid4(), NOW))
        return append(*args, **more)

    other.append = late
    assert redeem(other, person, offer).state == "issued"


def test_a_wallet_of_a_great_many_lots_still_moves(ledger, officer):
    """Hundreds of lots of one coin: what they are too many for is refused, the rest goes on."""
    keeper, giver = someone(ledger), someone(ledger)
    account = ledger.open_account(
        officer, "team", "护河队", keeper.participant_id, {}, uuid4(), NOW
    ).account_id
    lots = tuple(GivenLot(LAST - timedelta(days=number), 1) for number in range(LOTS_MAX + 100))
    gift = CoinsReceived(
        participant_id=account, donation_id=uuid4(), giver=giver.participant_id,
        amount=len(lots), lots=lots,
    )  # fmt: skip
    ledger.append([Append(identity.wallet_id(account), 0, [gift])], NOW)
    offer = an_offer(ledger, officer, price=1, stock=None)
    with pytest.raises(TooManyLots):
        redeem(ledger, keeper, offer, LOTS_MAX + 1, account_id=account)
    held = redeem(ledger, keeper, offer, LOTS_MAX, account_id=account)
    assert ledger.cancel(keeper, held.id, {}, uuid4(), NOW).balance == LOTS_MAX + 100
    behind = LAST + timedelta(days=1)
    amounts = [fact.amount for fact in ledger.expire_all(behind, NOW)]
    assert amounts == [LOTS_MAX, 100]
    assert list(ledger.expire_all(behind, NOW)) == []
