"""Positions become visible in order, so a follower that never looks back misses nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from ledger.store.append import Admission, LogState
from ledger.store.postgres import PostgresRecorder
from tests.ledger.store.databases import Database, Tail, fact, faults, history

ROOT = Path(__file__).resolve().parents[3]
PROCESSES, THREADS, CALLS = 4, 4, 40


def tail_beside_a_held_writer(recorder, reader, held_open) -> list[int]:
    """What a follower sees while one writer is held open and another appends."""
    recorder.insert_events([fact()])
    tail = Tail(reader)
    with held_open:
        second = threading.Thread(target=recorder.insert_events, args=([fact()],))
        second.start()
        second.join(0.3)
        time.sleep(0.1)
    second.join(20)
    return tail.finish()


def test_a_later_append_waits_for_a_held_writer(database, open_recorder):
    """While a transaction is open nobody appends, and the follower sees every position in order."""
    recorder, reader = open_recorder(), open_recorder()
    assert tail_beside_a_held_writer(recorder, reader, database.held_open()) == [1, 2, 3]


class WithoutLock(PostgresRecorder):
    """The mutant: positions from a sequence and no lock, as with the library's DB functions."""

    def _transact(self, appends):
        with self._writer.borrow() as connection, connection.transaction():
            for append in appends:
                row = connection.execute("SELECT nextval('positions')").fetchone()
                admission = Admission([append], LogState(row[0] - 1, {}))
                admitted = admission.events[0]
                connection.execute(
                    "INSERT INTO events VALUES (%s, %s::uuid, %s, %s, %s, %s, %s)", admitted
                )
        for append in appends:
            append.settle()


@contextmanager
def held_open_without_lock(url):
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO events"
            " VALUES (nextval('positions'), gen_random_uuid(), 1, 't', '', 0, %s)",
            (bytes(32),),
        )
        yield


def test_the_mutant_without_the_lock_is_caught(postgres_url):
    """The check above can fail: without the lock the follower misses the held writer's fact."""
    reader = Database("postgres", postgres_url).recorder()
    reader.assert_durable()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE positions")
    mutant = WithoutLock(postgres_url, unsafe_server=True)
    seen = tail_beside_a_held_writer(mutant, reader, held_open_without_lock(postgres_url))
    mutant.close()
    reader.close()
    assert seen == [1, 3]


@pytest.mark.timeout(110)
def test_many_processes_append_while_a_reader_tails(database, recorder, tmp_path):
    """4 processes of 4 threads: a follower sees every fact once, in order, without a gap."""
    recorder.assert_durable()
    tail = Tail(recorder)
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.ledger.store.appender", database.kind, database.where,
             str(THREADS), str(CALLS), str(tmp_path / f"acknowledged-{number}")],
            cwd=ROOT,
        )
        for number in range(PROCESSES)
    ]  # fmt: skip
    assert [child.wait(100) for child in children] == [0] * PROCESSES
    rows = history(recorder)
    assert len(rows) == PROCESSES * THREADS * (CALLS + CALLS // 3)
    assert faults(rows) == []
    assert tail.finish() == [row.id for row in rows]
