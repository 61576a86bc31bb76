"""The race: one wallet, coins for one voucher, 64 clients in the same moment, again and again."""

from __future__ import annotations

import os
from collections import Counter
from uuid import UUID, uuid4

import pytest

from api.services import the_clock
from ledger.days import day_of
from tests.api import conftest as gunicorn
from tests.money.clients import Question, ask_at_once, offer, seed

TIMES = int(os.environ.get("GWC_TEST_RACE", "60"))
CLIENTS, PRICE = 64, 10
PROCESSES = {"sqlite": 2, "postgres": 4}
ONE_WINNER = {"201": 1, "insufficient_coins": CLIENTS - 1}


def raced(port, services, times):
    """What was wrong with each race of so many: who won, and what the wallet then has."""
    wrong, today = [], day_of(the_clock())
    wanted = offer(services, times * CLIENTS)
    for runner in seed(services.ledger, times):
        replies = ask_at_once(port, [
            Question("/v1/redemptions", runner.token,
                     {"submission_id": str(uuid4()), "offer_id": wanted})
            for _ in range(CLIENTS)
        ])  # fmt: skip
        outcomes = dict(Counter(one.outcome for one in replies))
        wallet = services.ledger.wallet(runner.person)
        has = (wallet.available(today), wallet.held, len(wallet.holds))
        if outcomes != ONE_WINNER or has != (0, PRICE, 1):
            wrong.append((outcomes, has))
    used = services.ledger.store.select_used(f"stock/{UUID(wanted)}")
    if used != times:
        wrong.append(f"{used} are taken")
    return wrong


@pytest.mark.timeout(120 + TIMES)
def test_one_winner_each_time(kind, services, serve, record_property):
    """Of 64 requests at once for the coins of one voucher exactly one wins, in every race."""
    with serve(PROCESSES[kind]) as port:
        began = the_clock()
        assert raced(port, services, TIMES) == []
        seconds = (the_clock() - began).total_seconds()
    record_property(f"race_{kind}_seconds", round(seconds, 1))
    print(f"\nrace on {kind}, {PROCESSES[kind]} processes: {TIMES} times {CLIENTS} clients, one"
          f" winner each time, {seconds:.1f} s")  # fmt: skip


def test_the_mutant_without_the_guard_is_caught(kind, services, serve, monkeypatch):
    """The race can be lost: where versions are not looked at, a wallet is spent twice."""
    popen = gunicorn.subprocess.Popen

    def unguarded(command, **more):
        swapped = {"python:api.server": "python:tests.money.unguarded"}
        return popen([swapped.get(word, word) for word in command], **more)

    monkeypatch.setattr(gunicorn.subprocess, "Popen", unguarded)
    with serve(PROCESSES[kind]) as port:
        monkeypatch.undo()
        assert raced(port, services, 8)
