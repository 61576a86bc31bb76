"""The facade of the API: which store answers, and waiting for one's own writes."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import date
from uuid import uuid4

import pytest

from projections import VIEWS, store_sql_postgres
from projections.breaker import Breaker
from projections.reading import Views, open_stores
from projections.runner import Follower
from projections.store import StoreDown, ViewNotReady

TODAY = date(2026, 3, 30)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_before_anything_was_followed_nobody_answers(views, ledger):
    """A view that was never built is not ready; it is not an empty wallet."""
    with pytest.raises(ViewNotReady):
        views.wallet(uuid4(), TODAY)
    assert views.position("balances") == 0


def test_an_empty_log_gives_empty_views(views, database_url, ledger, stores):
    """Once followed, somebody without any coin has zeros."""
    follower = Follower(ledger, stores)
    assert follower.catch_up() == 0
    follower.close()
    who = uuid4()
    assert views.wallet(who, TODAY) == {
        "participant_id": str(who), "available": 0, "held": 0, "debt": 0, "lots": [],
        "position": 0,
    }  # fmt: skip
    assert views.statement(who) == {"items": [], "next": None, "position": 0}


def test_redis_answers_only_what_the_database_would(ledger, stores, history, follower):
    """Redis is asked first; once it lags behind the database, the database answers instead."""
    history.grow(20)
    follower.catch_up()
    views = Views(stores)
    asked = []
    stores[1].fetch, fetch = lambda *a: asked.append(a) or fetch(*a), stores[1].fetch
    stores[0].fetch, plain = lambda *a: pytest.fail("the database was asked"), stores[0].fetch
    assert views.wallet(history.people[0], TODAY)["position"] == ledger.head()
    assert asked
    stores[0].fetch = plain
    follower.close()
    history.grow(20)
    alone = Follower(ledger, stores[:1])
    alone.catch_up()
    alone.close()
    assert views.wait_for("balances", ledger.head(), 0)
    assert views.wallet(history.people[0], TODAY)["position"] == ledger.head()


def test_one_waits_for_ones_own_writes(ledger, stores, history, views):
    """Waiting ends when the follower arrives, and gives up after the time it was given."""
    follower, stop = Follower(ledger, stores), threading.Event()
    follower.catch_up()
    history.grow(5)
    assert not views.wait_for("balances", ledger.head(), 0.02)
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    try:
        for _ in range(5):
            history.award()
            assert views.wait_for("balances", ledger.head(), 20)
            assert views.position("balances") >= ledger.head()
    finally:
        stop.set()
        thread.join()


def test_the_status_names_every_view_on_every_store(stores, follower, history, ledger):
    """Name, version, position, lag, digest and rows of each; the digests agree."""
    history.grow(30)
    follower.catch_up()
    lines = Views(stores).status(ledger.head() + 2)
    assert [line["name"] for line in lines] == 2 * [view.name for view in VIEWS]
    assert {line["position"] for line in lines} == {ledger.head()}
    assert {line["lag"] for line in lines} == {2}
    for view in VIEWS:
        mine = [line for line in lines if line["name"] == view.name]
        assert len({(line["digest"], line["rows"]) for line in mine}) == 1


@SQLITE
def test_many_threads_read_at_once(follower, views, history):
    """Readers in many threads get whole answers while the follower writes."""
    history.grow(10)
    follower.catch_up()
    problems, stop = [], threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                wallet = views.wallet(history.people[0], TODAY)
                assert wallet["available"] == sum(lot["amount"] for lot in wallet["lots"])
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        history.grow(3)
        follower.catch_up()
    stop.set()
    for thread in threads:
        thread.join()
    assert not problems


def test_a_breaker_turns_away_until_the_server_is_back(monkeypatch):
    """After one failure nobody gets through to a dead server; once it answers, everybody does."""
    monkeypatch.setattr("projections.breaker.PROBE_SECONDS", 0.01)
    down, calls = [True], []

    def ask() -> None:
        calls.append(1)
        if down[0]:
            raise ConnectionError

    breaker = Breaker("x", ask, OSError, (ConnectionError,))
    with pytest.raises(StoreDown), breaker.closed():
        ask()
    made = []
    for _ in range(10):
        with pytest.raises(StoreDown), breaker.closed():
            made.append(1)
    assert not made
    down[0] = False
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with breaker.closed():
                return
        except StoreDown:
            time.sleep(0.01)
    pytest.fail("the breaker stayed open")


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_frozen_connection_is_given_up(follower, views, history, monkeypatch):
    """A reader whose PostgreSQL process was stopped asks again on another connection."""
    monkeypatch.setattr(store_sql_postgres, "READ_SECONDS_MAX", 0.3)
    history.grow(5)
    follower.catch_up()
    who = history.people[0]
    expected = views.wallet(who, TODAY)
    (reader,) = views._sql._readers._idle
    process = reader.info.backend_pid
    os.kill(process, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert views.wallet(who, TODAY) == expected
        assert time.monotonic() - began < 10
    finally:
        os.kill(process, signal.SIGCONT)


@SQLITE
def test_the_first_reader_makes_the_tables(database_url, ledger, closing):
    """An API that starts before any follower gets the refusal meant for that, not an SQL error."""
    views = closing(Views(open_stores(database_url)))
    assert views.status()[0]["state"] == "missing"
