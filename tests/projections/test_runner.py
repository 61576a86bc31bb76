"""The follower: exactly once, whatever is killed, flushed, deleted, restored or doubled."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis

from ledger.application import Ledger
from projections import VIEWS, store_redis, store_sql
from projections.balances import Balances
from projections.folding import digest_of
from projections.reading import Views, open_stores
from projections.runner import Follower
from projections.store import live
from tests.projections.conftest import KEY, settings
from tests.projections.history import History
from tests.projections.test_views import compare

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ROOT = Path(__file__).resolve().parents[2]


def assert_right(stores, history: History) -> None:
    """Every store answers as the model does, and holds rows that come to the same digests."""
    digests = set()
    for store in stores:
        compare(store, history.entries, history.everybody)
        heads = store.heads()
        assert {head.state for head in heads} == {"live"}
        assert {head.position for head in heads} == {history.ledger.head()}
        found = [live(heads, view.name) for view in VIEWS]
        assert [digest_of(store.scan(head)) for head in found] == [head.digest for head in found]
        digests.add(tuple(head.digest for head in found))
    assert len(digests) == 1


def execute(database_url: str, sql: str) -> None:
    """Run a statement behind everybody's back."""
    if database_url.startswith("sqlite:///"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute(sql)
        connection.close()
    else:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(sql)


def test_flushall_at_any_moment_heals_by_itself(follower, stores, history, redis_url):
    """Redis emptied between any two batches is filled again and ends up the same."""
    with redis.Redis.from_url(redis_url) as client:
        for number in range(6):
            history.grow(15)
            for _ in range(number):
                follower.step()
            client.flushall()
    follower.catch_up()
    assert_right(stores, history)
    client.flushall()
    follower.catch_up()
    assert_right(stores, history)


@pytest.mark.parametrize("table", ["view_rows", "views"])
def test_deleted_rows_are_built_again(table, follower, stores, history, database_url):
    """With every row of a table of the views deleted, the follower makes all of them anew."""
    history.grow(40)
    follower.catch_up()
    execute(database_url, f"DELETE FROM {table}")
    history.grow(10)
    follower.catch_up()
    assert_right(stores, history)


@SQLITE
def test_a_lost_key_of_redis_is_noticed(follower, stores, history, redis_url):
    """Redis that lost only the rows, as by eviction, no longer counts as filled."""
    history.grow(40)
    follower.catch_up()
    with redis.Redis.from_url(redis_url) as client:
        client.delete(*client.keys("{gwc:*}:*:rows"))
    follower.catch_up()
    assert_right(stores, history)


def test_a_follower_that_stops_anywhere_is_continued_exactly(ledger, stores, history):
    """After any number of steps another follower goes on, and nothing is lost or counted twice."""
    for number in range(12):
        history.grow(8)
        follower = Follower(ledger, stores, entries_max=3)
        for _ in range(number % 5):
            follower.step()
        follower.close()
    follower.catch_up()
    follower.close()
    assert_right(stores, history)


FOLLOW = """
import sys, threading
from ledger.application import Ledger
from projections.reading import open_stores
from projections.runner import Follower
ledger = Ledger({"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": sys.argv[1]},
                bytes(32), bytes(32))
stores = open_stores("sqlite:///" + sys.argv[1], sys.argv[2])
print("following", flush=True)
Follower(ledger, stores, entries_max=2).run(threading.Event())
"""


@SQLITE
def test_a_killed_follower_loses_nothing(ledger, stores, history, database_url, redis_url):
    """A real follower killed with SIGKILL at odd moments leaves what the next one goes on from."""
    path = database_url.removeprefix("sqlite:///")
    for number in range(4):
        history.grow(25)
        process = subprocess.Popen(
            [sys.executable, "-c", FOLLOW, path, redis_url], stdout=subprocess.PIPE, cwd=ROOT
        )
        process.stdout.readline()
        time.sleep(0.02 * number)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    follower = Follower(ledger, stores)
    follower.catch_up()
    follower.close()
    assert_right(stores, history)


def test_only_one_of_two_followers_leads(ledger, stores, history, database_url, redis_url, closing):
    """The second stands by while the first lives, takes over when it ends, and nothing doubles."""
    others = [closing(store) for store in open_stores(database_url, redis_url)]
    first, second = Follower(ledger, stores), Follower(ledger, others)
    stops = threading.Event(), threading.Event()
    assert first.leads()
    threads = [
        threading.Thread(target=one.run, args=(stop,))
        for one, stop in zip((first, second), stops, strict=True)
    ]
    for thread in threads:
        thread.start()
    history.grow(40)
    assert not second.leads()
    stops[0].set()
    threads[0].join()
    history.grow(40)
    views = closing(Views(open_stores(database_url)))
    assert all(views.wait_for(view.name, ledger.head(), 30) for view in VIEWS)
    stops[1].set()
    threads[1].join()
    follower = closing(Follower(ledger, stores))
    follower.catch_up()
    assert_right(stores, history)


def deliver_late(ledger, stores, history) -> list[bool]:
    """A follower pauses right before it writes; meanwhile another one, that leads too, goes on.

    Which stores took the late batches.
    """
    paused, brisk = Follower(ledger, stores, entries_max=5), Follower(ledger, stores, entries_max=5)
    paused.leads = brisk.leads = lambda: True
    brisk.catch_up()
    for who in (0, 1, 2):
        for _ in range(5):
            history.append([history._award(history.people[who], uuid4())])
    held = []
    for store in stores:
        write = store.write
        store.write = lambda batches: held.append(batches) or [False] * len(batches)
        paused._feed.forget()
        paused._advance(store)
        store.write = write
    brisk.step()
    brisk.step()
    taken = [any(store.write(batches)) for store, batches in zip(stores, held, strict=True)]
    brisk.catch_up()
    return taken


def test_two_leaders_cannot_count_twice(ledger, stores, history):
    """A batch made before somebody else went on is refused, on every store."""
    assert deliver_late(ledger, stores, history) == [False, False]
    assert_right(stores, history)


def test_without_the_guard_two_leaders_would_count_twice(ledger, stores, history, monkeypatch):
    """The mutant: with the guard taken out both stores take the late batch, and coins double."""
    monkeypatch.setattr(store_sql, "MOVE", store_sql.MOVE.replace(
        "AND position = ? AND digest = ?", "AND (position, digest) <> (?, ?) IS NOT NULL"
    ))  # fmt: skip
    unguarded = store_redis.WRITE.replace("if head[1] ~= ARGV[1]", "if false and head[1]")
    assert unguarded != store_redis.WRITE
    stores[1]._write_script = stores[1]._writer.register_script(unguarded.replace(
        "or head[2] ~= ARGV[2] then", "then"
    ))  # fmt: skip
    assert deliver_late(ledger, stores, history) == [True, True]
    with pytest.raises(AssertionError):
        assert_right(stores[:1], history)


def test_a_newer_version_is_built_beside_the_live_one(ledger, stores, follower, history):
    """Newer code builds its own rows and swaps; older code then leaves them alone."""
    class Newer(Balances):
        version = Balances.version + 1

    history.grow(40)
    follower.catch_up()
    follower.close()
    newer = Follower(ledger, stores, (Newer(), *VIEWS[1:]), entries_max=7)
    newer.step()
    assert live(stores[0].heads(), "balances").version == Balances.version
    newer.catch_up()
    newer.close()
    heads = stores[0].heads()
    assert live(heads, "balances").version == Newer.version
    assert len(heads) == len(VIEWS)
    history.grow(5)
    follower.step()
    assert live(stores[0].heads(), "balances") == live(heads, "balances")


@SQLITE
@pytest.mark.parametrize("steps", [0, 200], ids=["behind", "beyond"])
def test_views_of_another_log_are_made_anew(steps, follower, history, redis_url, tmp_path, closing):
    """Redis filled from another log, further or less far, is noticed by its anchor and rebuilt."""
    history.grow(60)
    follower.catch_up()
    url = f"sqlite:///{tmp_path / 'other.db'}"
    ledger = closing(Ledger(settings(url), KEY, KEY))
    other = History(ledger, seed=2)
    other.grow(steps)
    stores = [closing(store) for store in open_stores(url, redis_url)]
    closing(Follower(ledger, stores)).catch_up()
    assert_right(stores, other)


@SQLITE
def test_a_dead_redis_stops_nobody(ledger, history, mortal_redis, database_url, closing):
    """With Redis gone the views go on and answers are right; it costs readers next to nothing."""
    stores = [closing(store) for store in open_stores(database_url, mortal_redis.url)]
    follower = closing(Follower(ledger, stores))
    views, plain = Views(stores), closing(Views(open_stores(database_url)))
    history.grow(30)
    follower.catch_up()
    assert_right(stores, history)
    mortal_redis.stop()
    history.grow(30)
    follower.catch_up()
    compare(views._sql, history.entries, history.everybody)
    who, today = history.people[0], history.entries[0].recorded_at.date()
    assert views.wallet(who, today) == plain.wallet(who, today)
    ratios = []
    for _ in range(5):
        took = []
        for facade in (plain, views):
            began = time.perf_counter()
            for _ in range(200):
                facade.wallet(who, today)
            took.append(time.perf_counter() - began)
        ratios.append(took[1] / took[0])
    assert min(ratios) < 3
    assert {line["state"] for line in views.status()} == {"live", "down"}


def test_a_child_process_reads_with_connections_of_its_own(follower, views, history):
    """After a fork the child reads the same, and the parent's connections are still good."""
    history.grow(20)
    follower.catch_up()
    who, today = history.people[0], history.entries[0].recorded_at.date()
    expected = views.wallet(who, today)
    child = os.fork()
    if child == 0:
        os._exit(0 if views.wallet(who, today) == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert views.wallet(who, today) == expected
