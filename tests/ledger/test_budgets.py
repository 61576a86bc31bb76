"""Budgets of districts and years: kept exactly, by everybody at once, and paid when raised."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from ledger.awards import BUDGET
from ledger.coins import AwardRefused, CoinsAwarded
from ledger.contributions import REPORT
from ledger.districts import DistrictImported
from ledger.errors import Forbidden, InvalidInput, SubmissionConflict, UnknownDistrict
from tests.ledger.examples import NOW, a_report, contribute, earn, someone, verify

YEAR = NOW.year


@pytest.fixture
def towns(ledger):
    """A city of two towns."""
    ledger.import_districts(
        [
            DistrictImported(code="1", name="市", parent=None, kind="city"),
            DistrictImported(code="11", name="东镇", parent="1", kind="town"),
            DistrictImported(code="12", name="西镇", parent="1", kind="town"),
        ],
        NOW,
    )
    return ledger


def report(ledger, reviewer, district=None, now=NOW, tier=1):
    """A verified report by somebody new."""
    citizen = someone(ledger, "citizen", district)
    sent = contribute(ledger, "report", citizen, a_report(str(uuid4())), now)
    return citizen, verify(ledger, sent, reviewer, now, tier=tier)


def test_an_award_beyond_the_budget_is_refused_and_paid_once_it_is_raised(ledger):
    """20 coins pay two reports of 10; the third waits, and is paid with its own policy and day."""
    ledger.set_budget(None, None, YEAR, 20, NOW)
    reviewer = someone(ledger, "dispatcher")
    coins = [report(ledger, reviewer)[1].coins for _ in range(2)]
    poor, refused = report(ledger, reviewer)
    assert (coins, refused.coins, refused.reasons) == ([10, 10], 0, ("budget_used_up",))
    assert refused.rule == BUDGET
    ledger.set_budget(None, None, YEAR, 29, NOW)
    assert ledger.pay_waiting(NOW) == 0
    assert ledger.wallet(poor.participant_id).available(NOW.date()) == 0
    ledger.set_budget(None, None, YEAR, 30, NOW)
    ledger.pay_waiting(NOW)
    assert ledger.wallet(poor.participant_id).available(NOW.date()) == 10
    assert ledger.pay_waiting(NOW) == 0
    awards = [entry.fact for entry in ledger.entries(topics=[CoinsAwarded.topic])]
    paid = [fact for fact in awards if fact.cause == refused.id]
    assert [(fact.amount, fact.rule, fact.earned_on) for fact in paid] == [
        (10, "report.tier-1", NOW.date())
    ]


def test_a_later_question_still_gets_the_first_answer(ledger):
    """The receipt of a review that found no budget stays what it was when the award is paid."""
    ledger.set_budget(None, None, YEAR, 0, NOW)
    citizen, reviewer = someone(ledger), someone(ledger, "dispatcher")
    sent = contribute(ledger, "report", citizen, a_report())
    submission = uuid4()
    def review():
        return ledger.review(REPORT, reviewer, sent.id, submission, NOW, tier=1, reason="")

    first = review()
    ledger.set_budget(None, None, YEAR, 100, NOW)
    assert ledger.pay_waiting(NOW) == 1
    again = review()
    assert again.replayed
    assert (again.coins, again.position, again.reasons) == (0, first.position, first.reasons)


def test_every_place_above_must_have_room(towns):
    """A town's budget binds its own people, the city's binds all, neither the other town's."""
    reviewer = someone(towns, "dispatcher")
    towns.set_budget(None, "11", YEAR, 10, NOW)
    towns.set_budget(None, None, YEAR, 30, NOW)
    east = [report(towns, reviewer, "11")[1].coins for _ in range(2)]
    west = [report(towns, reviewer, "12")[1].coins for _ in range(3)]
    assert (east, west) == ([10, 0], [10, 10, 0])
    told = {(one.district, one.coins, one.used) for one in towns.budgets()}
    assert told == {("11", 10, 10), (None, 30, 30)}


def test_a_first_budget_counts_what_was_awarded_before(ledger):
    """Set in May it knows the coins of the months before; another year's do not count."""
    reviewer = someone(ledger, "dispatcher")
    report(ledger, reviewer)
    report(ledger, reviewer, now=NOW - timedelta(days=150))  # last year
    ledger.set_budget(None, None, YEAR, 15, NOW)
    (budget,) = ledger.budgets()
    assert budget.used == 10
    assert report(ledger, reviewer)[1].coins == 0


def test_an_award_taken_back_leaves_room_again(ledger):
    """Reversed coins are coins the district did not give."""
    reviewer, citizen = someone(ledger, "dispatcher"), someone(ledger)
    officer, approver = someone(ledger, "reward_officer"), someone(ledger, "approver")
    ledger.set_budget(None, None, YEAR, 10, NOW)
    cause = earn(ledger, citizen, reviewer)
    waiting, refused = report(ledger, reviewer)
    assert refused.coins == 0
    found = ledger.propose_reversal(officer, cause, "fraud", "x", {}, uuid4(), NOW)
    ledger.confirm_reversal(approver, found.id, {}, uuid4(), NOW)
    assert ledger.pay_waiting(NOW) == 1
    assert ledger.wallet(waiting.participant_id).available(NOW.date()) == 10


def test_a_budget_is_never_overdrawn_by_many_at_once(open_ledger):
    """Two processes award in a hurry: exactly as many are paid as the budget has coins for."""
    ledgers = [open_ledger(), open_ledger()]
    ledgers[0].ensure_policy(NOW)
    ledgers[0].set_budget(None, None, YEAR, 170, NOW)
    reviewer = someone(ledgers[0], "dispatcher")
    sent = [
        contribute(ledgers[0], "report", someone(ledgers[0]), a_report(str(number)))
        for number in range(24)
    ]

    def pay(number: int) -> int:
        return verify(ledgers[number % 2], sent[number], reviewer).coins

    with ThreadPoolExecutor(12) as threads:
        coins = list(threads.map(pay, range(24)))
    assert sorted(coins) == [0] * 7 + [10] * 17
    refusals = list(ledgers[0].entries(topics=[AwardRefused.topic]))
    assert {entry.fact.rule for entry in refusals} == {BUDGET}
    assert ledgers[1].budgets()[0].used == 170


def test_a_budget_sent_in_twice_is_set_once(ledger):
    """The same submission gives the same position; another body is a conflict."""
    officer, submission = someone(ledger, "reward_officer"), uuid4()

    def send(coins: int):
        return ledger.set_budget(
            officer, None, YEAR, coins, NOW, request={"coins": coins}, submission_id=submission
        )

    first = send(50)
    ledger.set_budget(None, None, YEAR, 70, NOW)
    again = send(50)
    assert (again.position, again.replayed) == (first.position, True)
    assert ledger.budgets()[0].coins == 70
    with pytest.raises(SubmissionConflict):
        send(60)


def test_a_budget_for_no_district_is_refused(towns):
    """An unknown district, the mark that stands for the city, and another's are refused."""
    officer = someone(towns, "reward_officer", "11")
    head = towns.head()
    for district, error in (("99", UnknownDistrict), ("*", InvalidInput)):
        with pytest.raises(error):
            towns.set_budget(None, district, YEAR, 10, NOW)
    for place in (None, "12", "1"):
        with pytest.raises(Forbidden):
            towns.set_budget(officer, place, YEAR, 10, NOW)
    assert towns.head() == head


def test_two_first_budgets_at_once_count_what_was_awarded_once(open_ledger, monkeypatch):
    """Whoever is outrun by the same budget counts nothing a second time."""
    one, other = open_ledger(), open_ledger()
    one.ensure_policy(NOW)
    report(one, someone(one, "dispatcher"))
    append, outrun = one.append, []

    def late(*args, **more):
        if not outrun:
            outrun.append(other.set_budget(None, None, YEAR, 50, NOW))
        return append(*args, **more)

    monkeypatch.setattr(one, "append", late)
    one.set_budget(None, None, YEAR, 60, NOW)
    assert [(budget.coins, budget.used) for budget in one.budgets()] == [(60, 10)]


def test_those_who_find_no_room_hold_nobody_up(towns):
    """A few at a time, those of a town whose budget is still used up are passed over."""
    reviewer = someone(towns, "dispatcher")
    for district in ("11", "12"):
        towns.set_budget(None, district, YEAR, 0, NOW)
    for district in ("11", "11", "12"):
        assert report(towns, reviewer, district)[1].coins == 0
    towns.set_budget(None, "12", YEAR, 10, NOW)
    assert towns.pay_waiting(NOW, limit=2) == 1
    assert {(one.district, one.used) for one in towns.budgets()} == {("11", 0), ("12", 10)}


def test_a_smaller_award_is_not_paid_before_an_earlier_one_without_room(ledger):
    """10 coins would pay the second report; the first, worth more, waits before it."""
    ledger.set_budget(None, None, YEAR, 0, NOW)
    reviewer = someone(ledger, "dispatcher")
    (large, _), (small, _) = (report(ledger, reviewer, tier=tier) for tier in (3, 1))
    ledger.set_budget(None, None, YEAR, 10, NOW)
    assert ledger.pay_waiting(NOW) == 0
    assert ledger.wallet(small.participant_id).available(NOW.date()) == 0
    ledger.set_budget(None, None, YEAR, 1_000, NOW)
    assert ledger.pay_waiting(NOW) == 2
    assert ledger.wallet(large.participant_id).available(NOW.date()) > 10


def test_coins_that_would_have_expired_are_not_paid_any_more(ledger):
    """Raised after the last day of a lot, a budget pays nothing for it, and says why."""
    early = NOW.replace(year=YEAR - 1, month=12, day=16)
    reviewer = someone(ledger, "dispatcher")
    ledger.set_budget(None, None, YEAR - 1, 0, NOW)
    citizen, refused = report(ledger, reviewer, now=early)
    assert refused.coins == 0
    ledger.set_budget(None, None, YEAR - 1, 100, NOW)
    behind = NOW.replace(year=YEAR + 1, month=1, day=2)
    assert ledger.pay_waiting(behind) == 0
    assert ledger.wallet(citizen.participant_id).lots == {}
    refusals = list(ledger.entries(topics=[AwardRefused.topic]))
    assert refusals[-1].fact.reasons == ("past_expiry",)
