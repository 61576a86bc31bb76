"""Everything people can do with coins, in any order, on both databases, against a plain model."""

from __future__ import annotations

import os
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from tests.money.city import founding
from tests.money.machine import ANY, pick
from tests.money.trading import Trading

EXAMPLES = int(os.environ.get("GWC_TEST_MACHINE", "120"))
STEPS = 100
HOURS = (1, 9, 24, 24, 24, 72, 24 * 8, 24 * 31, 24 * 400)
VIEWS_EVERY = 4
ROUNDS_MAX = 5


class Everything(Trading):
    """The rules about time, retries and restarts, and what must be true after every step."""

    @rule(a=ANY, b=ANY, hours=st.sampled_from(HOURS), then=st.sampled_from(
        (None, "expire", "lapse", "approve", "collect", "collect")))  # fmt: skip
    def wait(self, a: int, b: int, hours: int, then: str | None) -> None:
        """Some hours or years, or just until a hold or a lot is past its last day."""
        self.note("rule wait")
        days = [one["deadline"] for one in self.model.holds()]
        if a % 7 == 0:
            days = [lot["expires"] for lots in self.model.lots.values() for lot in lots]
        past = [day for day in days if day >= self.today]
        if past and a % 7 < 4:
            hours = 24 * ((pick(past, b) - self.today).days + 1)
        self.city.now += timedelta(hours=hours)
        if then in ("approve", "collect"):
            self.go_on(a, b, then)
        elif then is not None:
            self.tend(then, 40 if b % 4 == 0 else 0)

    @rule(what=st.sampled_from(("expire", "lapse", "pay", "restart")),
          back=st.sampled_from((0, 0, 40)))  # fmt: skip
    def tend(self, what: str, back: int) -> None:
        """What is done every night."""
        self.note(f"rule {what}")
        if what == "expire":
            self.expire(self.today - timedelta(days=back))
        elif what == "lapse":
            self.lapse()
        elif what == "pay":
            self.model.pay_waiting(self.today)
            self.city.ledger.pay_waiting(self.city.now)
        else:  # The process ends, and another goes on with the same store.
            self.city.close()
            self.city.open()

    def expire(self, as_of: date) -> None:
        """What is due is written off once; the second time there is nothing left."""
        ledger = self.city.ledger
        lost = {str(self.names[owner]): coins for owner, coins in self.model.expire(as_of).items()}
        written = list(ledger.expire_all(as_of, self.city.now))
        assert {str(one.participant_id): one.amount for one in written} == lost
        assert list(ledger.expire_all(as_of, self.city.now)) == []
        if lost:
            self.note("coins expired")

    def lapse(self) -> None:
        """Every hold past its day ends, once."""
        names = self.model.lapse(self.today)
        lapsed = list(self.city.ledger.lapse_all(self.city.now))
        assert sorted(map(str, lapsed)) == sorted(str(self.names[name]) for name in names)
        assert list(self.city.ledger.lapse_all(self.city.now)) == []
        if names:
            self.note("a hold lapsed")

    @precondition(lambda self: getattr(self, "sent", None))
    @rule(a=ANY, other=st.sampled_from((False, False, True)))
    def send_again(self, a: int, other: bool) -> None:
        sent = pick(self.sent[-30:], a)
        body = sent.other_body() if other else sent.body
        if body is None:
            return
        self.note("rule conflict" if other else "rule again")
        self.repeat(sent, body, other=other)

    @invariant()
    def books_balance(self) -> None:
        if hasattr(self, "books"):
            self.books.check(self.model, self.today)
            if self.number % VIEWS_EVERY == 0:
                self.books.check_views(self.model, self.today)

    def teardown(self) -> None:
        try:
            if hasattr(self, "books"):
                self.books.check_views(self.model, self.today)
                self.books.check_all_rows(self.model)
        finally:
            super().teardown()


RULES = {
    "rule earn", "rule report", "rule review", "rule budget", "rule publish", "rule restock",
    "rule reprice", "rule withdraw", "rule redeem", "rule approve", "rule decline", "rule collect",
    "rule cancel", "rule donate", "rule propose", "rule confirm", "rule reject", "rule wait",
    "rule expire", "rule lapse", "rule pay", "rule restart", "rule again", "rule conflict",
}  # fmt: skip
CODES = {
    "sold_out", "insufficient_coins", "monthly_limit", "offer_closed", "offer_elsewhere",
    "unknown_offer", "unknown_account", "own_offer", "invalid_input", "self_approval", "not_found",
    "voucher_of_another_merchant", "already_collected", "redemption_over", "redemption_lapsed",
    "wrong_voucher", "nothing_to_reverse", "already_reversed", "reversal_over", "award_expired",
    "submission_conflict", "self_review", "already_decided", "unknown_district", "forbidden",
}  # fmt: skip
EVENTS = {"cap_day", "budget_used_up", "paid from a budget", "debt_first", "a debt", "too_old",
          "refused_by_reviewer", "coins expired", "a hold lapsed"}  # fmt: skip


def played(
    kind: str, tmp_path: Path, server: str | None, examples: int, wanted: set[str]
) -> Counter[str]:
    """Play so many games; how often each rule, refusal and event was reached.

    The games are those of a seed, but Hypothesis picks up constants of the code under test as
    well: a rare one may be missed after a change elsewhere, so a round of other games follows.
    """
    reached: Counter[str] = Counter()
    with founding(kind, tmp_path, server) as (founded, ids):
        for number in range(ROUNDS_MAX):
            game = seed(number)(type("Game", (Everything,), {
                "found": staticmethod(founded), "ids": ids, "reached": reached,
            }))  # fmt: skip
            run_state_machine_as_test(game, settings=settings(
                max_examples=examples, stateful_step_count=STEPS, deadline=None, database=None,
                suppress_health_check=list(HealthCheck), print_blob=False,
                phases=(Phase.generate,), report_multiple_bugs=False,
            ))  # fmt: skip
            if wanted <= reached.keys():
                break
    print(f"\n{kind}: {number + 1} × {examples} games,",
          f"{sum(reached[rule] for rule in RULES)} commands,",
          ", ".join(f"{what} {count}" for what, count in reached.most_common()))  # fmt: skip
    return reached


@pytest.mark.timeout(60 + 4 * EXAMPLES)
def test_everything_in_any_order_on_sqlite(tmp_path):
    """The service does what the model says, and every rule, refusal and event is reached."""
    reached = played("sqlite", tmp_path, None, EXAMPLES, RULES | CODES | EVENTS)
    assert sorted((RULES | CODES | EVENTS) - reached.keys()) == []


@pytest.mark.timeout(60 + 4 * EXAMPLES)
def test_everything_in_any_order_on_postgres(tmp_path, postgres_server):
    """As on SQLite, in fewer games; every rule is reached there as well."""
    reached = played("postgres", tmp_path, postgres_server, max(EXAMPLES // 3, 1), RULES)
    assert sorted(RULES - reached.keys()) == []
