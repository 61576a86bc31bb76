"""The rush: a thousand people want a hundred vouchers in the same second."""

from __future__ import annotations

from collections import Counter
from statistics import quantiles
from uuid import UUID, uuid4

import pytest

from api.services import the_clock
from ledger.coins import MOVEMENTS
from ledger.journal import postings
from tests.money.clients import Question, ask_at_once, offer, seed

PEOPLE, VOUCHERS, PRICE = 1_000, 100, 10
AGAIN = 200  # so many ask a second time, under the same submission
WAIT_SECONDS_MAX = 30.0  # Beside other tests on two cores; alone it is 2 to 4 s.
WORKERS = {"sqlite": 1, "postgres": 4}


@pytest.mark.timeout(180)
def test_a_thousand_people_and_a_hundred_vouchers(kind, services, serve, record_property):
    """Exactly 100 get one, 900 hear sold_out; stock and coins balance; nobody waits for long."""
    people = seed(services.ledger, PEOPLE)
    wanted = offer(services, VOUCHERS)
    questions = [
        Question("/v1/redemptions", one.token, {"submission_id": str(uuid4()), "offer_id": wanted})
        for one in people
    ]
    head = services.ledger.head()
    with serve(WORKERS[kind]) as port:
        replies = ask_at_once(port, questions)
        again = ask_at_once(port, questions[:AGAIN])
    assert Counter(one.outcome for one in replies) == {
        "201": VOUCHERS, "sold_out": PEOPLE - VOUCHERS,
    }  # fmt: skip
    assert [one.outcome for one in again] == [
        "200" if first.status == 201 else "sold_out" for first in replies[:AGAIN]
    ]
    assert [one.body for one in again if one.status == 200] == [
        one.body for one in replies[:AGAIN] if one.status == 201
    ]
    vouchers = {one.body["voucher"] for one in replies if one.status == 201}
    assert len(vouchers) == VOUCHERS
    assert_balanced(services, people, wanted, head)
    tell(kind, [one.seconds for one in replies], record_property)
    assert max(one.seconds for one in replies) < WAIT_SECONDS_MAX


def assert_balanced(services, people, wanted, head):
    """Stock is used up, 100 people hold coins, 900 have theirs, and every refusal is stored."""
    ledger = services.ledger
    found = ledger.catalogue.current().offer(UUID(wanted))
    assert ledger.stock_left(found) == 0
    assert ledger.store.select_quotas() == {found.stock_key: VOUCHERS}
    purses = ledger.balances_as_of(ledger.moment(None, None, the_clock()))
    assert {person for person, _, _ in purses} == {str(one.person) for one in people}
    assert Counter((available, held) for _, available, held in purses) == {
        (0, PRICE): VOUCHERS, (PRICE, 0): PEOPLE - VOUCHERS,
    }  # fmt: skip
    topics = Counter(entry.fact.topic for entry in ledger.entries(head))
    assert topics == {
        "redemption.requested": VOUCHERS, "redemption.issued": VOUCHERS, "voucher.issued": VOUCHERS,
        "wallet.coins-held": VOUCHERS, "redemption.refused": PEOPLE - VOUCHERS,
    }  # fmt: skip
    lines = Counter()
    for entry in ledger.entries(topics=[fact.topic for fact in MOVEMENTS]):
        for one in postings(entry.fact):
            lines[one.kind] += one.amount
    assert lines == {
        "issued": -PEOPLE * PRICE, "available": (PEOPLE - VOUCHERS) * PRICE,
        "held": VOUCHERS * PRICE,
    }  # fmt: skip


def tell(kind, seconds, record_property):
    """Print the figures, and keep them with the test's result."""
    cuts = quantiles(seconds, n=20)
    figures = {"p50": cuts[9], "p95": cuts[18], "max": max(seconds)}
    for name, value in figures.items():
        record_property(f"rush_{kind}_{name}_seconds", round(value, 3))
    said = ", ".join(f"{name} {value:.2f} s" for name, value in figures.items())
    print(f"\nrush on {kind}, {WORKERS[kind]} process(es): {len(seconds)} answers, {said}")
