"""Steps nobody could have taken, and what lies beside the log: named, counted, or set right."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

from ledger import facts, identity
from ledger.audit import Early, audit, rows_of
from ledger.audit.quotas import recount
from ledger.budgets import BudgetSet
from ledger.spending.accounts import MemberRemoved
from ledger.spending.catalogue import OfferRepriced
from ledger.spending.redemptions import RedemptionIssued, VoucherIssued
from tests.ledger.audit.spenders import signed
from tests.ledger.examples import NOW, an_offer, redeem, rewarded, someone

LAST = date(2027, 12, 31)


def test_a_voucher_nobody_approved_is_named(town, forge, findings):
    """Issued without the approval the offer wants, or good for ever: each is found."""
    person, officer = rewarded(town, 30), someone(town, "reward_officer")
    asked = redeem(town, person, an_offer(town, officer, approval=True))
    plain = redeem(town, person, an_offer(town, officer))
    code = "ab" * 32
    first = forge((asked.id, RedemptionIssued(voucher_sha256=code, collect_by=LAST)))
    second = forge((identity.voucher_id(code), VoucherIssued(redemption_id=plain.id)))
    found = [(one.code, one.position) for one in findings()]
    assert found == [("REDEMPTION", first), ("REDEMPTION", second)]


def test_a_missing_voucher_is_named(town, table, findings):
    """The registration of a voucher taken away is found where it should stand."""
    redeem(town, rewarded(town, 10), an_offer(town, someone(town, "reward_officer")))
    head = table.head()
    table.delete(head)
    assert [(one.code, one.position) for one in findings()] == [("REDEMPTION", head)]


def test_a_rivals_price_and_a_change_behind_the_end_are_named(town, buyer, forge, findings):
    """Another merchant's price is found, and so is a change of what was withdrawn."""
    _, merchant, offer, _ = buyer
    rival = someone(town, "merchant").participant_id
    first = forge(
        (identity.CATALOGUE, OfferRepriced(offer_id=offer, price=1, **signed(rival)))
    )
    town.withdraw(merchant, offer, {}, uuid4(), NOW)
    own = OfferRepriced(offer_id=offer, price=1, **signed(merchant.participant_id))
    second = forge((identity.CATALOGUE, own))
    assert [(one.code, one.position) for one in findings()] == [
        ("ACTOR", first), ("OFFER", second)]  # fmt: skip


def test_a_price_below_one_cannot_even_be_read(town, buyer, forge, findings):
    """Coins cannot be paid out by a negative price: the fact itself is refused."""
    _, merchant, offer, _ = buyer
    cheap = OfferRepriced(offer_id=offer, price=-5, **signed(merchant.participant_id))
    position = forge((identity.CATALOGUE, cheap))
    assert [(one.code, one.position) for one in findings()][:1] == [("CORRUPT_FACT", position)]


def test_a_gift_made_twice_and_an_account_nobody_keeps_are_named(town, table, forge, findings):
    """The same donation once more, and the last keeper gone, are found."""
    row = table.read(table.first("donation.made"))
    gift = facts.decode(row.topic, bytes(row.state))
    first = forge((UUID(str(row.originator_id)), gift))
    team = UUID(str(table.read(table.first("account.opened")).originator_id))
    (keeper,) = (one for one, keeps in town.account(team).members.items() if keeps)
    second = forge((team, MemberRemoved(participant_id=keeper, **signed(keeper))))
    assert [(one.code, one.position) for one in findings()] == [
        ("ACCOUNT", first), ("ACCOUNT", second)]  # fmt: skip


def test_a_citys_budget_by_a_towns_officer_is_named(town, forge, findings):
    """Whoever holds the office in one place alone sets no budget for the city."""
    officer = someone(town, "reward_officer", "1").participant_id
    position = forge((identity.POLICIES, BudgetSet(
        district="*", year=2027, coins=5, by=officer, command_id=uuid4())))  # fmt: skip
    found = [(one.code, one.position) for one in findings() if one.code != "QUOTA"]
    assert found == [("ACTOR", position)]


def test_coins_taken_before_their_day_are_told(town, findings):
    """Written off ahead of time they are no fault of the log, and are counted all the same."""
    person = rewarded(town, 30)
    held = redeem(town, person, an_offer(town, someone(town, "reward_officer")))
    before = Early()
    assert list(audit(rows_of(town), before)) == []
    town.lapse(held.id, NOW, LAST)
    town.expire(person.participant_id, LAST + timedelta(days=1), NOW)
    after = Early()
    assert list(audit(rows_of(town), after)) == []
    assert (after.coins - before.coins, after.holds - before.holds) == (30, 1)


def test_what_is_used_can_be_counted_anew(town, table, findings):
    """A lost or damaged table of shared amounts is set right from the log, and says what it was."""
    table.run("DELETE FROM quotas WHERE key <> 'budget/2026/*'")
    table.run("UPDATE quotas SET used = 1")
    changed = recount(town, NOW)
    assert changed["budget/2026/*"][0] == 1
    assert len(changed) > 3
    assert findings() == []
    assert recount(town, NOW) == {}
