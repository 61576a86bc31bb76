"""People of the small town who spend, lose, give and owe coins in every way there is."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from ledger.application import Ledger
from ledger.errors import SoldOut
from ledger.participants import Actor
from tests.ledger.examples import (
    NOW,
    a_report,
    an_offer,
    contribute,
    earn,
    redeem,
    rewarded,
    someone,
    verify,
)

LATER = NOW + timedelta(days=60)


def spend_in_every_way(ledger: Ledger, reviewer: Actor) -> None:
    """Every fact of catalogue, redemptions, accounts, reversals and budgets, at least once."""
    officer, approver = someone(ledger, "reward_officer"), someone(ledger, "approver")
    _redeem(ledger, officer, approver)
    _give(ledger, officer)
    _reverse(ledger, officer, approver, reviewer)
    ledger.set_budget(None, None, 2026, 1, NOW)
    late = someone(ledger)
    refused = verify(ledger, contribute(ledger, "report", late, a_report("late")), reviewer)
    assert refused.reasons == ("budget_used_up",)
    ledger.set_budget(None, None, 2026, 10_000, NOW)
    assert ledger.pay_waiting(NOW) == 1
    assert ledger.wallet(late.participant_id).available(NOW.date()) == 10
    assert list(ledger.expire_all(date(2028, 1, 1), NOW))


def _redeem(ledger: Ledger, officer: Actor, approver: Actor) -> None:
    merchant = someone(ledger, "merchant")
    tea, book = an_offer(ledger, merchant), an_offer(ledger, officer, approval=True, stock=None)
    ledger.restock(merchant, tea, 3, {}, uuid4(), NOW)
    ledger.reprice(merchant, tea, 5, {}, uuid4(), NOW)
    person = rewarded(ledger, 45)
    bought = redeem(ledger, person, tea)
    ledger.collect(merchant, bought.id, bought.voucher or "", {}, uuid4(), NOW)
    ledger.cancel(person, redeem(ledger, person, tea).id, {}, uuid4(), NOW)
    ledger.approve(approver, redeem(ledger, person, book).id, {}, uuid4(), NOW)
    ledger.decline(approver, redeem(ledger, person, book).id, "已换完", {}, uuid4(), NOW)
    redeem(ledger, person, book)
    with pytest.raises(SoldOut):
        redeem(ledger, person, tea, 9)
    cause = an_offer(ledger, officer, kind="donation", price=1, stock=None)
    redeem(ledger, person, cause, 3)
    assert len(list(ledger.lapse_all(LATER))) == 2
    ledger.withdraw(merchant, tea, {}, uuid4(), NOW)


def _give(ledger: Ledger, officer: Actor) -> None:
    giver, member = rewarded(ledger, 30), someone(ledger)
    team = ledger.open_account(
        officer, "team", "护河队", giver.participant_id, {}, uuid4(), NOW
    ).account_id
    for action in ("add", "remove"):
        ledger.change_member(giver, team, member.participant_id, action, {}, uuid4(), NOW)
    ledger.donate(giver, team, 20, {}, uuid4(), NOW)
    redeem(ledger, giver, an_offer(ledger, officer), account_id=team)


def _reverse(ledger: Ledger, officer: Actor, approver: Actor, reviewer: Actor) -> None:
    """One award is let stand; another is spent already, so that its owner owes."""
    cheat = someone(ledger)
    first, second = (earn(ledger, cheat, reviewer) for _ in range(2))
    held = redeem(ledger, cheat, an_offer(ledger, officer, price=20))
    let_stand = ledger.propose_reversal(officer, first, "mistake", "记错了", {}, uuid4(), NOW)
    ledger.reject_reversal(approver, let_stand.id, {}, uuid4(), NOW)
    for cause in (first, second):
        found = ledger.propose_reversal(officer, cause, "fraud", "照片是旧的", {}, uuid4(), NOW)
        taken = ledger.confirm_reversal(approver, found.id, {}, uuid4(), NOW)
        assert (taken.amount, taken.debt) == (10, 10)
    assert earn(ledger, cheat, reviewer)
    ledger.cancel(cheat, held.id, {}, uuid4(), NOW)
    assert ledger.wallet(cheat.participant_id).debt == 0


def signed(by: UUID) -> dict:
    """The fields of a command nobody gave."""
    return {"by": by, "command_id": uuid4(), "body_digest": ""}
