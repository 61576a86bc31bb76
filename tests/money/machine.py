"""Playing the city: each command is asked of the model and of the service, and both must agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zlib import crc32

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from ledger.days import day_of
from tests.money import city as cast
from tests.money.books import Books
from tests.money.city import Answer, City, Hand
from tests.money.market import Model
from tests.money.model import CITY, No

# Hypothesis prefers small numbers; whatever is picked by one shall be as likely as anything else.
ANY = st.integers(0, 2**20 - 1).map(lambda number: crc32(number.to_bytes(4, "big")))
# What another body under the same submission differs in, by the last word of the path.
NUMBERS = {"verify": "tier", "budgets": "coins", "catalogue": "price", "restock": "units",
           "reprice": "price", "redemptions": "quantity", "donations": "coins"}  # fmt: skip
WORDS = {"reports": "text", "refuse": "reason", "decline": "reason", "collect": "voucher",
         "reversals": "reason"}  # fmt: skip
TIERS = 3

T = TypeVar("T")


class Sent(NamedTuple):
    """A command as it was sent, and what was answered."""

    hand: Hand
    path: str
    name: str
    body: dict[str, Any]
    answer: Answer

    def other_body(self) -> dict[str, Any] | None:
        """Another body for the same command; None where it has none."""
        word = self.path.rpartition("/")[2]
        if word in NUMBERS:
            key = NUMBERS[word]
            number = self.body.get(key, 1)
            return {**self.body, key: 1 + number % TIERS if key == "tier" else number + 1}
        return {**self.body, WORDS[word]: "别的内容"} if word in WORDS else None


def pick(things: Sequence[T], number: int) -> T:
    return things[number % len(things)]


def late(names: Mapping[str, Any] | Sequence[str], number: int) -> str:
    """One of the last ten names mostly, seldom any of them, and once in a while one of nothing."""
    known = list(names)
    if not known or number % 41 == 0:
        return "nothing"
    return pick(known if number % 7 == 0 else known[-10:], number // 8)


class Playing(RuleBasedStateMachine):
    """What all rules share, and those about earning.

    Rules draw numbers, and pick by them from what the model knows: nothing else is random.
    """

    reached: Counter[str]
    found: Callable[[], City]
    ids: Mapping[str, UUID]

    def begin(self) -> None:
        """A fresh city, and a model that knows its accounts."""
        self.city = type(self).found()
        self.model = Model()
        self.model.accounts = {name: {keeper} for name, keeper in cast.KEEPERS.items()}
        self.model.merchants = {hand.person for hand in cast.MERCHANTS}
        self.names: dict[str, UUID | str] = dict(self.ids)
        self.vouchers: dict[str, str] = {}
        self.sent: list[Sent] = []
        self.number = 0
        self.books = Books(self.city, self.names)

    def teardown(self) -> None:
        if hasattr(self, "books"):
            self.city.close()

    @property
    def today(self) -> date:
        return day_of(self.city.now)

    def note(self, what: str) -> None:
        self.reached[what] += 1
        event(what)

    def new(self, what: str) -> str:
        self.number += 1
        return f"{what}-{self.number}"

    def id_of(self, name: str) -> str:
        """The id of a thing by its name; some id where there is none."""
        return str(self.names.get(name) or cast.made_id(name))

    def send(
        self, hand: Hand, path: str, name: str, body: dict[str, Any],
        expected: Callable[[], dict[str, Any]],
    ) -> dict[str, Any] | None:  # fmt: skip
        """Ask both; what the service said, or None for a refusal, which must have changed nothing.

        ``expected`` asks the model. What an answer made has the id of the answer from now on.
        """
        refusal, told = None, {}
        try:
            told = expected()
        except No as no:
            refusal = no
        if refusal is not None and self.books.behind():
            self.books.check(self.model, self.today)
        answer = self.city.post(hand, path, name, body)
        asked = f"{hand} {path} {body} on {self.today}: {answer.body}"
        assert answer.code == (refusal.code if refusal else None), asked
        assert not answer.replayed, asked
        if refusal is None:
            wrong = {key: (value, answer.body.get(key)) for key, value in told.items()
                     if plain(answer.body.get(key)) != value}  # fmt: skip
            assert not wrong, f"{asked}: {wrong}"
            self.names.setdefault(name, answer.body.get("id", ""))
            for reason in told.get("reasons", ()):
                self.note(reason)
        else:
            self.note(refusal.code)
            self.books.assert_unchanged(stored=refusal.stored)
        if refusal is None or refusal.stored:
            self.sent.append(Sent(hand, path, name, body, answer))
        return None if refusal else answer.body

    def repeat(self, sent: Sent, body: dict[str, Any], *, other: bool = False) -> None:
        """The same again gets the first answer; another body under its submission is refused."""
        if self.books.behind():
            self.books.check(self.model, self.today)
        answer = self.city.post(sent.hand, sent.path, sent.name, body)
        if other:
            assert answer.code == "submission_conflict", (sent, body, answer)
            self.note("submission_conflict")
        else:
            assert answer.code == sent.answer.code, (sent, answer)
            assert answer.code or answer == sent.answer._replace(replayed=True), (sent, answer)
            if sent.path == "/v1/budgets":  # Whoever asks again may have been cut off before this.
                self.model.pay_waiting(self.today)
                return
        self.books.assert_unchanged(stored=False)

    # Earning

    def report(self, hand: Hand, name: str) -> None:
        body = {"category": "litter", "text": f"垃圾 {name}"}
        self.send(hand, "/v1/reports", name, body, lambda: self.model.report(
            name, hand.person, hand.district, self.today))  # fmt: skip

    def review(self, name: str, hand: Hand, tier: int | None) -> None:
        action, body = "refuse", {"reason": "看不清"}
        if tier is not None:
            action, body = "verify", {"tier": tier}
        path = f"/v1/reports/{self.id_of(name)}/{action}"
        self.send(hand, path, self.new(action), body, lambda: self.model.review(
            name, hand.person, hand.district, tier, self.today))  # fmt: skip

    @rule(a=ANY, tier=st.sampled_from((1, 2, 2, 3)), hours=st.sampled_from((0, 9, 15)))
    def earn(self, a: int, tier: int, hours: int) -> None:
        self.note("rule earn")
        self.city.now += timedelta(hours=hours)
        self.earned(pick(cast.CITIZENS, a), self.new("report"), tier)

    def earned(self, hand: Hand, name: str, tier: int) -> None:
        self.report(hand, name)
        self.review(name, cast.REVIEWERS[0], tier)

    @rule(a=ANY, b=ANY, tier=st.sampled_from((1, 2, 3, None)))
    def report_or_review(self, a: int, b: int, tier: int | None) -> None:
        reports = self.model.reports
        pending = [name for name, one in reports.items() if one["state"] == "pending"]
        if a % 3 == 0 or not pending:
            self.note("rule report")
            self.report(pick(cast.CITIZENS, b), self.new("report"))
        else:
            self.note("rule review")
            self.review(late(pending if a % 5 else reports, a), pick(cast.REVIEWERS, b), tier)

    @rule(a=ANY, b=ANY, coins=st.sampled_from((0, 20, 60, 200, 1000)),
          place=st.sampled_from((None, None, "100", "110", "120", "999")))  # fmt: skip
    def set_budget(self, a: int, b: int, coins: int, place: str | None) -> None:
        self.note("rule budget")
        year = self.today.year - (b % 5 == 0)
        if self.model.budgets and b % 3:  # Change one that there is.
            place, year = pick(list(self.model.budgets), b)
            place = None if place == CITY else place
        self.budget(pick(cast.OFFICERS, a), place, year, coins)

    def budget(self, hand: Hand, place: str | None, year: int, coins: int) -> None:
        body, waited = {"year": year, "coins": coins, "district": place}, self.model.waiting
        self.send(hand, "/v1/budgets", self.new("budget"), body, lambda: self.model.budget(
            hand.district, place, year, coins, self.today))  # fmt: skip
        if any(self.model.reports[name]["award"] for name in waited):
            self.note("paid from a budget")


def plain(value: Any) -> Any:
    """Reasons by their codes; everything else as it is."""
    if isinstance(value, list):
        return tuple(one["code"] for one in value)
    return value
