"""Credits: what several contributions share pays once, and whoever was first keeps it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from ledger.campaigns.frame import door_id
from ledger.contributions.credits import Credits
from tests.ledger.campaigns import a_campaign, a_door_visit
from tests.ledger.examples import NOW, contribute, someone, verify


@pytest.fixture
def campaign(ledger):
    return a_campaign(ledger)


def visits(ledger, campaign, count: int, household: str = "H0") -> list:
    """Visits of so many workers to one household, each waiting for a reviewer."""
    body = a_door_visit(campaign, household)
    return [
        contribute(ledger, "visit", someone(ledger, "grid_worker"), body) for _ in range(count)
    ]


def marks(ledger, campaign, household: str = "H0") -> list[str]:
    return [one.mark for one in ledger.fold(door_id(campaign, household), Credits()).found]


def test_of_many_who_are_confirmed_at_once_one_is_first(ledger, campaign):
    """Eight reviews in eight threads: one full reward, one confirmer, and the rest nothing."""
    reviewers = [someone(ledger, "dispatcher") for _ in range(8)]
    made = visits(ledger, campaign, 8)
    with ThreadPoolExecutor(8) as pool:
        paid = list(pool.map(lambda pair: verify(ledger, *pair), zip(made, reviewers, strict=True)))
    assert sorted(one.coins for one in paid) == [0] * 6 + [1, 2]
    assert marks(ledger, campaign) == ["first", "confirmer"]


def test_a_receipt_with_a_credit_is_the_same_when_sent_again(ledger, campaign):
    """The position of the first answer is that of its money fact, and so is the replay's."""
    (made,), reviewer, sent = visits(ledger, campaign, 1), someone(ledger, "dispatcher"), uuid4()
    from ledger.contributions import VISIT

    first, again = (
        ledger.review(VISIT, reviewer, made.id, sent, NOW, tier=1, reason="") for _ in range(2)
    )
    assert (first.position, first.coins) == (again.position, again.coins)
    assert (first.replayed, again.replayed) == (False, True)


def test_who_was_first_stays_first_while_a_budget_is_awaited(ledger, campaign):
    """Both wait for a budget; once there is one the first is paid in full, the second confirms."""
    ledger.set_budget(None, None, 2026, 0, NOW)
    reviewer = someone(ledger, "dispatcher")
    for one in visits(ledger, campaign, 2):
        assert verify(ledger, one, reviewer).reasons == ("budget_used_up",)
    ledger.set_budget(None, None, 2026, 100, NOW)
    assert ledger.pay_waiting(NOW) == 2
    awards = [
        entry.fact for entry in ledger.entries(topics=["wallet.coins-awarded"])
    ]
    assert [(one.amount, one.rule) for one in awards] == [
        (2, "visit.confirmed"), (1, "visit.confirmer")
    ]  # fmt: skip


def test_who_earned_nothing_takes_nobodys_place(ledger, campaign):
    """A visit that a day's cap leaves without coins does not make the next one a confirmer."""
    busy, reviewer = someone(ledger, "grid_worker"), someone(ledger, "dispatcher")
    for number in range(4):
        body = a_door_visit(campaign, f"H{number}")
        last = verify(ledger, contribute(ledger, "visit", busy, body), reviewer)
    assert (last.coins, last.reasons) == (0, ("cap_visit",))
    (other,) = visits(ledger, campaign, 1, "H3")
    assert verify(ledger, other, reviewer).rule == "visit.confirmed"
