"""The audit of spending: whatever could not have been decided is named, hashes right or not."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger import identity
from ledger.budgets import BudgetSet
from ledger.coins import CoinsAwarded, CoinsExpired, CoinsHeld, CoinsReleased, CoinsSpent, Part
from ledger.contributions.base import AwardReopened
from ledger.reversals import ReversalConfirmed
from ledger.spending.accounts import DonationMade, MemberAdded
from ledger.spending.catalogue import OfferRepriced
from ledger.spending.redemptions import (
    RedemptionApproved,
    RedemptionCancelled,
    RedemptionCollected,
    RedemptionLapsed,
    RedemptionRequested,
)
from tests.ledger.audit.spenders import signed
from tests.ledger.audit.test_audit import codes, edited
from tests.ledger.examples import NOW, an_offer, earn, redeem, rewarded, someone

LAST = date(2027, 12, 31)


def requested(person, merchant, offer, **changes) -> RedemptionRequested:
    return RedemptionRequested(**{
        "participant_id": person.participant_id, "by": person.participant_id, "offer_id": offer,
        "quantity": 1, "price": 10, "coins": 10, "merchant_id": merchant.participant_id,
        "districts": (), "body_digest": "", **changes,
    })  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [{"price": 1, "coins": 1}, {"coins": 5}, {"quantity": 2, "coins": 20}, {"decide_by": LAST},
     {"offer_id": UUID(int=9)}, {"quantity": 0, "coins": 0}],
)  # fmt: skip
def test_a_request_that_could_not_be_is_named(changes, buyer, forge, findings):
    """A wrong price or sum, beyond the stock, an approval nobody wants: each is found."""
    person, merchant, offer, _ = buyer
    position = forge((uuid4(), requested(person, merchant, offer, **changes)))
    assert next((one.code, one.position) for one in findings()) == ("REDEMPTION", position)


def test_spending_what_is_not_there_is_named(town, forge, findings):
    """A request for more coins than are available, held ones not counted, is found."""
    person, officer = rewarded(town, 10), someone(town, "reward_officer")
    offer = an_offer(town, officer, stock=None)
    redeem(town, person, offer)
    fact = requested(person, officer, offer, merchant_id=None)
    position = forge((uuid4(), fact))
    assert next((one.code, one.position) for one in findings()) == ("REDEMPTION", position)


def test_a_merchants_own_offer_and_anothers_account_are_named(town, buyer, forge, findings):
    """Whoever redeems their own offer, or from an account they do not keep, is found."""
    person, merchant, offer, _ = buyer
    stranger = requested(person, merchant, offer, by=someone(town).participant_id)
    first = forge((uuid4(), stranger))
    own = requested(person, merchant, offer, by=merchant.participant_id)
    second = forge((uuid4(), own))
    found = [(one.code, one.position) for one in findings() if one.code == "REDEMPTION"]
    assert found == [("REDEMPTION", first), ("REDEMPTION", second)]


def test_every_step_out_of_turn_is_named(town, buyer, forge, findings):
    """Collected twice, cancelled afterwards, lapsed before its day: each is found at its place."""
    person, merchant, offer, bought = buyer
    town.collect(merchant, bought.id, bought.voucher, {}, uuid4(), NOW)
    again = redeem(town, person, offer)
    steps = [
        (bought.id, RedemptionCollected(**signed(merchant.participant_id))),
        (bought.id, RedemptionCancelled(**signed(person.participant_id))),
        (bought.id, requested(person, merchant, offer)),
        (again.id, RedemptionLapsed(deadline=again.collect_by, as_of=again.collect_by)),
        (again.id, RedemptionApproved(**signed(merchant.participant_id))),
    ]
    positions = [forge(step) for step in steps]
    assert [(one.code, one.position) for one in findings() if one.code != "QUOTA"] == [
        ("REDEMPTION", position) for position in positions
    ]


def test_collecting_by_another_merchant_or_by_the_buyer_is_named(town, buyer, forge, findings):
    """Only its merchant hands out; coins spent by anybody else's word are found."""
    person, _, _, bought = buyer
    other = someone(town, "merchant")
    spent = CoinsSpent(
        participant_id=person.participant_id, redemption_id=bought.id, offer_id=bought.offer_id,
        amount=10,
    )  # fmt: skip
    purse = identity.wallet_id(person.participant_id)
    fact = RedemptionCollected(**signed(other.participant_id))
    position = forge((bought.id, fact), (purse, spent))
    assert [(one.code, one.position) for one in findings()] == [("ACTOR", position)]


def test_a_movement_nobody_decided_is_named(town, buyer, forge, findings):
    """Coins released once more, with right hash and version, are found and do not count."""
    person, _, _, bought = buyer
    purse, lot = identity.wallet_id(person.participant_id), Part(2, 10, LAST)
    released = CoinsReleased(
        participant_id=person.participant_id, redemption_id=bought.id, offer_id=bought.offer_id,
        amount=10, parts=(lot,),
    )  # fmt: skip
    position = forge((purse, released))
    assert [(one.code, one.position) for one in findings()][:1] == [("COINS_UNFOUNDED", position)]
    assert codes(findings())[1:] == ["BALANCE"]


def test_a_movement_that_differs_or_is_missing_is_named(town, table, findings):
    """A hold of fewer coins is found where it stands, and so is one that was taken away."""
    position = table.first(CoinsHeld.topic)
    row = table.read(position)
    table.change(position, rehash=True, state=edited(row, amount=1))
    assert (findings()[0].code, findings()[0].position) == ("COINS_DIFFER", position)
    table.change(position, rehash=True, state=row.state)
    assert findings() == []
    person = rewarded(town, 10)
    redeem(town, person, an_offer(town, someone(town, "reward_officer"), approval=True))
    table.delete(table.head())
    assert [(one.code, one.position) for one in findings() if one.code != "BALANCE"] == [
        ("COINS_MISSING", table.head() + 1)
    ]


def test_expiring_what_is_still_good_is_named(town, forge, findings):
    """Coins taken before their last day, or only some of those that were due, are found."""
    person = rewarded(town, 30).participant_id
    early = CoinsExpired(
        participant_id=person, as_of=LAST, amount=30, parts=(Part(1, 30, LAST),)
    )
    some = CoinsExpired(
        participant_id=person, as_of=LAST + timedelta(days=1), amount=10,
        parts=(Part(1, 10, LAST),),
    )  # fmt: skip
    purse = identity.wallet_id(person)
    positions = [forge((purse, fact)) for fact in (early, some)]
    assert [(one.code, one.position) for one in findings() if one.code == "EXPIRY"] == [
        ("EXPIRY", position) for position in positions
    ]


def test_a_reversal_by_one_person_alone_is_named(town, forge, findings):
    """Whoever proposed a reversal cannot have confirmed it, nor can it happen twice."""
    officer, approver = someone(town, "reward_officer"), someone(town, "approver")
    citizen, dispatcher = someone(town), someone(town, "dispatcher")
    cause = earn(town, citizen, dispatcher)
    found = town.propose_reversal(officer, cause, "fraud", "x", {}, uuid4(), NOW)
    position = forge((found.id, ReversalConfirmed(**signed(officer.participant_id))))
    assert codes(findings())[:2] == ["ACTOR", "REVERSAL"]
    assert findings()[0].position == position
    again = forge((found.id, ReversalConfirmed(**signed(approver.participant_id))))
    assert ("REVERSAL", again) in [(one.code, one.position) for one in findings()]


def test_awards_against_the_budget_are_named(town, table, forge, findings):
    """A budget lowered behind the awards makes the next one a finding; so is a false refusal."""
    low = BudgetSet(district="*", year=2026, coins=1)
    position = forge((identity.POLICIES, low))
    citizen, dispatcher = someone(town), someone(town, "dispatcher")
    town.policies._state = msgspec.structs.replace(  # This process knows nothing of it.
        town.policies.current(), budgets={}
    )
    cause = earn(town, citizen, dispatcher)
    award = table.head()
    assert [(one.code, one.position) for one in findings()][:1] == [("BUDGET", award)]
    assert position < award
    reopened = forge((cause, AwardReopened()))
    assert ("OUT_OF_PLACE", reopened) in [(one.code, one.position) for one in findings()]


def test_a_budget_set_by_nobody_who_may_is_named(town, forge, findings):
    """A citizen's budget, and one that stands in no register, are found."""
    citizen = someone(town).participant_id
    first = forge((identity.POLICIES, BudgetSet(district="9", year=2026, coins=5, by=citizen)))
    second = forge((uuid4(), BudgetSet(district="9", year=2026, coins=5)))
    found = [(one.code, one.position) for one in findings() if one.code != "QUOTA"]
    assert found == [("ACTOR", first), ("BUDGET", second)]


def test_a_gift_of_nothing_and_a_strangers_member_are_named(town, table, forge, findings):
    """A donation beyond the giver's coins, and a member let in by a stranger, are found."""
    team = table.read(table.first("account.opened")).originator_id
    team = UUID(str(team))
    poor = someone(town).participant_id
    gift = DonationMade(participant_id=poor, to=team, coins=5, body_digest="")
    first = forge((uuid4(), gift))
    second = forge((team, MemberAdded(participant_id=poor, keeper=True, **signed(poor))))
    found = [(one.code, one.position) for one in findings()]
    assert found == [("ACCOUNT", first), ("ACTOR", second)]


def test_an_offer_changed_by_nobody_who_may_is_named(town, buyer, forge, findings):
    """A citizen's price, and a change of an offer that is not there, are found."""
    person, _, offer, _ = buyer
    cheap = OfferRepriced(offer_id=offer, price=1, **signed(person.participant_id))
    ghost = OfferRepriced(offer_id=uuid4(), price=1, **signed(person.participant_id))
    positions = [forge((identity.CATALOGUE, fact)) for fact in (cheap, ghost)]
    assert [(one.code, one.position) for one in findings()] == [
        ("ACTOR", positions[0]), ("OFFER", positions[1])]  # fmt: skip


def test_a_quota_that_was_tampered_with_is_named(table, findings):
    """What the store keeps as used is compared with the log, key by key."""
    table.run("UPDATE quotas SET used = used + 1 WHERE key = 'budget/2026/*'")
    assert codes(findings()) == ["QUOTA"]
    table.run("UPDATE quotas SET used = used - 1 WHERE key = 'budget/2026/*'")
    table.run("DELETE FROM quotas WHERE key <> 'budget/2026/*'")
    assert set(codes(findings())) == {"QUOTA"}


def test_an_award_that_skips_a_debt_is_named(town, table, findings):
    """An award that did not first pay what was owed is found to differ."""
    rows = table.run(
        "SELECT position FROM events WHERE topic = ? ORDER BY position", CoinsAwarded.topic
    )
    paying = next(
        position for (position,) in rows if b'"to_debt":10' in bytes(table.read(position).state)
    )
    row = table.read(paying)
    table.change(paying, rehash=True, state=edited(row, to_debt=0, reasons=()))
    assert (findings()[0].code, findings()[0].position) == ("AWARD_DIFFERS", paying)

