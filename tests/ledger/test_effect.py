"""Two times: what was known at a position, what was effective on a day, and both together."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from datetime import date, timedelta
from uuid import uuid4

import pytest

from ledger.balances import MONEY, balances_of
from ledger.coins import AwardRefused, CoinsAwarded, CoinsExpired, CoinsSpent
from ledger.days import day_of
from ledger.effect import effective, effective_day
from ledger.errors import AfterHistory, BeforeHistory, InsufficientCoins, RedemptionOver
from ledger.explain import Totals
from ledger.journal import postings
from ledger.past import Moment
from ledger.store.states import states
from tests.ledger.audit.spenders import LATER, signed, spend_in_every_way
from tests.ledger.examples import (
    NOW,
    a_reach,
    a_walk,
    an_offer,
    contribute,
    earn,
    redeem,
    someone,
)

TODAY = day_of(NOW)
DAY = timedelta(days=1)
FIELDS = [name for name in Totals.__struct_fields__ if name not in ("amount", "debt")]


@pytest.fixture
def spent(ledger):
    """People who spent, gave, owed and lost coins in every way, and some who walked days before."""
    spend_in_every_way(ledger, someone(ledger, "dispatcher"))
    ledger.import_reaches([a_reach()], NOW)
    for late in range(3):
        walker = someone(ledger)
        ended = NOW + late * DAY
        contribute(ledger, "patrol", walker, a_walk(900, 1500, ended), ended + 3 * DAY)
    return ledger


def people(ledger) -> set:
    return {entry.fact.participant_id for entry in ledger.entries(topics=MONEY)}


def balances(ledger, day: date, position: int | None = None) -> dict[str, tuple[int, int]]:
    """What is effective on a day, as known at a position; the same by wallet and by all."""
    moment = ledger.moment(None, position, LATER + 999 * DAY, day)
    found = {person: (free, held) for person, free, held in ledger.balances_as_of(moment)}
    for person in people(ledger):
        told = ledger.wallet_as_of(person, moment)
        assert found.get(str(person), (0, 0)) == (told.totals.available, told.totals.held)
        assert told.totals.debt >= 0
        for lot in told.lots:
            assert lot.amount == sum(getattr(lot, name) for name in FIELDS)
    return found


def test_effective_on_the_last_day_as_known_now_is_the_balance(spent):
    """Once every recorded day has come, nothing is left that takes effect later."""
    last = max(day_of(entry.recorded_at) for entry in spent.entries())
    now = spent.balances_as_of(Moment(spent.head(), last))
    assert balances(spent, last) == {person: (free, held) for person, free, held in now}
    assert any(free for _, free, _ in now)


def test_as_known_at_a_position_it_is_the_replay_of_so_many_entries(spent, env):
    """On a day after every recording, only what stands up to the position counts."""
    last = max(day_of(entry.recorded_at) for entry in spent.entries())
    head = spent.head()
    for position in range(12, head + 1, 9):
        expected = balances_of(states(env, MONEY, through=position), last)
        assert balances(spent, last, position) == {
            person: (free, held) for person, free, held in expected
        }


def test_on_every_day_the_books_add_up_to_zero(spent):
    """Whatever the day and the position, both sides of each fact count together."""
    entries = list(spent.entries(topics=MONEY))
    days = {effective_day(entry.fact, day_of(entry.recorded_at)) for entry in entries}
    assert len(days) >= 4
    for day in sorted(days):
        for known in (len(entries) // 2, len(entries)):
            books: Counter[str] = Counter()
            for entry in entries[:known]:
                fact = effective(entry.fact, day_of(entry.recorded_at), day)
                for posting in postings(fact) if fact else ():
                    books[posting.kind] += posting.amount
            assert sum(books.values()) == 0
            assert books["transfers"] == 0


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_below_zero_on_any_day_by_any_knowledge(ledger, seed):
    """Weeks of late walks, holds, cancellations, reversals and expiry, looked at from anywhere."""
    weeks = Weeks(ledger, seed)
    for _ in range(40):
        weeks.go_on()
    head, days = ledger.head(), range(0, weeks.day + 1, 4)
    for position in range(head, head // 3, -13):
        for day in days:
            found = balances(ledger, TODAY + day * DAY, position)
            assert all(free >= 0 and held >= 0 for free, held in found.values())
    last = TODAY + weeks.day * DAY
    now = ledger.balances_as_of(Moment(head, last))
    assert balances(ledger, last) == {person: (free, held) for person, free, held in now}


class Weeks:
    """A few people over some weeks, each day later than the one before; the dice decide."""

    def __init__(self, ledger, seed: int) -> None:
        self.ledger, self.dice, self.day = ledger, random.Random(seed), 3
        ledger.import_reaches([a_reach()], NOW)
        self.people = [someone(ledger) for _ in range(3)]
        self.reviewer, self.approver = someone(ledger, "dispatcher"), someone(ledger, "approver")
        self.officer = someone(ledger, "reward_officer")
        self.offer = an_offer(ledger, self.officer, price=4, stock=None)
        self.held, self.causes = [], []

    def go_on(self) -> None:
        self.day += self.dice.randint(0, 2)
        self.now = NOW + self.day * DAY
        self.person = self.dice.choice(self.people)
        for step in self.dice.sample([self._walk, self._hold, self._cancel, self._take_back], 2):
            step()
        if not self.dice.randrange(10):
            list(self.ledger.lapse_all(self.now))

    def _walk(self) -> None:
        ended = self.now - self.dice.randint(0, 3) * DAY
        start = self.dice.randrange(5_000)
        walk = a_walk(900, 1500, ended, start_m=start)
        made = contribute(self.ledger, "patrol", self.person, walk, self.now)
        self.causes += [made.id] * bool(made.coins)

    def _hold(self) -> None:
        with suppress(InsufficientCoins):
            held = redeem(self.ledger, self.person, self.offer, now=self.now)
            self.held.append((self.person, held.id))

    def _cancel(self) -> None:
        if self.held:
            person, held = self.held.pop(self.dice.randrange(len(self.held)))
            with suppress(RedemptionOver):
                self.ledger.cancel(person, held, {}, uuid4(), self.now)

    def _take_back(self) -> None:
        if self.causes and not self.dice.randrange(3):
            cause = self.causes.pop(self.dice.randrange(len(self.causes)))
            found = self.ledger.propose_reversal(
                self.officer, cause, "fraud", "旧照片", {}, uuid4(), self.now
            )
            self.ledger.confirm_reversal(self.approver, found.id, {}, uuid4(), self.now)


def test_a_late_award_moves_into_its_day(ledger):
    """A walk that was sent in three days later counts from its own day, once it is known."""
    walker, sent = someone(ledger), NOW + 3 * DAY
    ledger.import_reaches([a_reach()], NOW)
    known_before = ledger.head()
    receipt = contribute(ledger, "patrol", walker, a_walk(900, 1500, NOW), sent)
    assert receipt.coins
    mine, coins = str(walker.participant_id), (receipt.coins, 0)
    assert balances(ledger, TODAY)[mine] == coins
    assert balances(ledger, TODAY, known_before) == {}
    assert ledger.balances_as_of(ledger.moment(NOW + DAY, None, sent)) == []
    with pytest.raises(BeforeHistory):
        balances(ledger, TODAY - DAY)


def test_a_debt_is_paid_on_the_day_it_was_paid(ledger):
    """An award that moves into the past does not pay there what was taken back only later."""
    reviewer, cheat = someone(ledger, "dispatcher"), someone(ledger)
    officer, approver = someone(ledger, "reward_officer"), someone(ledger, "approver")
    ledger.import_reaches([a_reach()], NOW)
    cause = earn(ledger, cheat, reviewer)
    redeem(ledger, cheat, an_offer(ledger, officer))
    command = signed(officer.participant_id)["command_id"]
    taken_on = NOW + 2 * DAY
    found = ledger.propose_reversal(officer, cause, "fraud", "旧照片", {}, command, taken_on)
    ledger.confirm_reversal(approver, found.id, {}, command, taken_on)
    sent = NOW + 3 * DAY
    receipt = contribute(ledger, "patrol", cheat, a_walk(900, 1500, NOW + DAY), sent)
    mine, coins = str(cheat.participant_id), receipt.coins
    assert 0 < coins < 10
    told = []
    for day in range(4):
        moment = ledger.moment(None, None, sent, TODAY + day * DAY)
        totals = ledger.wallet_as_of(cheat.participant_id, moment).totals
        told.append((totals.available, totals.debt))
    assert told == [(0, 0), (coins, 0), (coins, 10), (0, 10 - coins)]
    assert balances(ledger, TODAY + DAY)[mine] == (coins, 10)


def test_what_time_ended_is_gone_from_its_day(ledger):
    """Coins written off late were good through their last day and are gone the day after."""
    reviewer, owner = someone(ledger, "dispatcher"), someone(ledger)
    earn(ledger, owner, reviewer)
    late = NOW + 700 * DAY
    assert list(ledger.expire_all(date(2028, 1, 1), late))
    mine = str(owner.participant_id)
    assert balances(ledger, date(2027, 12, 31))[mine] == (10, 0)
    assert balances(ledger, date(2028, 1, 1))[mine] == (0, 0)
    told = ledger.wallet_as_of(
        owner.participant_id, ledger.moment(None, None, late, date(2028, 1, 1))
    )
    assert told.totals.expired == 10
    assert [use.what for use in told.lots[0].uses] == ["expired"]


def test_a_question_about_no_day_of_the_history_is_refused(ledger):
    """Before the first entry, in days to come, and behind the last position: each its code."""
    head = ledger.head()
    assert ledger.moment(None, None, NOW, TODAY) == Moment(head, TODAY, effective=True)
    assert ledger.moment(NOW, None, NOW + DAY) == Moment(head, TODAY)
    with pytest.raises(BeforeHistory):
        ledger.moment(None, None, NOW, TODAY - DAY)
    for position, day in ((None, TODAY + DAY), (head + 1, TODAY)):
        with pytest.raises(AfterHistory):
            ledger.moment(None, position, NOW, day)
    with pytest.raises(BeforeHistory):
        ledger.moment(None, 0, NOW, TODAY)


@pytest.mark.parametrize(
    ("topic", "fields", "first"),
    [
        (CoinsAwarded, {"earned_on": TODAY - DAY}, TODAY - DAY),
        (AwardRefused, {"earned_on": TODAY - 2 * DAY}, TODAY - 2 * DAY),
        (CoinsExpired, {"as_of": TODAY - DAY}, TODAY - DAY),
        (CoinsExpired, {"as_of": TODAY + 9 * DAY}, TODAY),
        (CoinsAwarded, {"earned_on": TODAY + DAY}, TODAY),
        (CoinsSpent, {}, TODAY),
    ],
)
def test_each_fact_has_its_first_day(topic, fields, first):
    """Earned or written off for a day, else recorded on one, and never later than recorded."""
    made = topic(**dict.fromkeys(topic.__struct_fields__, 0) | fields)
    assert effective_day(made, TODAY) == first
    assert effective(made, TODAY, first - DAY) is None
    assert effective(made, TODAY, first) is not None
