"""Merged commit: shared transactions, separate outcomes."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from eventsourcing.persistence import IntegrityError, OperationalError, PersistenceError

from ledger.store.errors import Overloaded, StoreClosed
from ledger.store.merge import BYTES_PER_COMMIT_MAX, CALLS_PER_COMMIT_MAX, Call, MergedCommit
from tests.ledger.store.databases import fact, faults, history


class Gate:
    """Holds the first commit of a recorder until opened, and counts what each commit carried."""

    def __init__(self, recorder):
        self.transact = recorder._transact
        self.sizes = []
        self.entered, self.opened = threading.Event(), threading.Event()
        recorder._transact = self

    def __call__(self, appends):
        self.sizes.append(len(appends))
        self.entered.set()
        assert self.opened.wait(20)
        self.transact(appends)


class BadRow:
    """A vault row without its nonce, which no VaultRow could be and no database takes."""

    originator_id = subject = uuid4()
    field, shelf, fingerprint, stored_at, nonce, ciphertext = "f", None, None, 1, None, b""
    position = 0


def outcome(future):
    return type(error).__name__ if (error := future.exception(20)) else future.result()


def together(recorder, calls, waiting=None):
    """The outcomes of calls that all arrive while a first commit is held open."""
    gate = Gate(recorder)
    with ThreadPoolExecutor(len(calls) + 1) as pool:
        first = pool.submit(recorder.insert_events, [fact()])
        assert gate.entered.wait(20)
        futures = []
        for call in calls:
            futures.append(pool.submit(call))
            until(lambda: len(recorder._merge._waiting) == min(len(futures), waiting or 999))
        gate.opened.set()
        assert outcome(first) == [1]
        return [outcome(future) for future in futures], gate.sizes


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def more_than(things, count):
    until(lambda: len(things) > count)


def appending(recorder, *facts, **guards):
    return lambda: recorder.insert_events(facts, **guards)


def test_a_lone_append(recorder):
    """One caller at a time leads its own commits, in its own thread."""
    committed_in = []
    transact = recorder._transact
    recorder._transact = lambda appends: (
        committed_in.append((threading.get_ident(), len(appends))), transact(appends)
    )
    assert [recorder.insert_events([fact()]) for _ in range(3)] == [[1], [2], [3]]
    assert committed_in == [(threading.get_ident(), 1)] * 3


def test_concurrent_calls_share_a_transaction(recorder):
    """Eight calls that wait for a commit are committed by the next one, in order of arrival."""
    results, sizes = together(recorder, [appending(recorder, fact(), fact()) for _ in range(8)])
    assert results == [[2 + 2 * n, 3 + 2 * n] for n in range(8)]
    assert sizes == [1, 8]
    assert faults(history(recorder)) == []


def test_a_conflict_fails_its_own_call_only(recorder):
    """Of two calls for one version the first wins, and calls around them are not touched."""
    wanted = uuid4()
    results, sizes = together(recorder, [
        appending(recorder, fact(wanted)), appending(recorder, fact(wanted)),
        appending(recorder, fact(wanted, 2)), appending(recorder, fact(), head=99),
        appending(recorder, fact()),
    ])  # fmt: skip
    assert results == [[2], "IntegrityError", [3], "IntegrityError", [4]]
    assert sizes == [1, 5]


def test_a_row_the_database_refuses_fails_its_own_call_only(recorder):
    """A row that only the database can refuse sends the calls through one by one."""
    results, sizes = together(recorder, [
        appending(recorder, fact()), appending(recorder, fact(), vault_rows=[BadRow]),
        appending(recorder, fact()),
    ])  # fmt: skip
    assert results == [[2], "IntegrityError", [3]]
    assert sizes == [1, 3, 1, 1, 1]
    assert faults(history(recorder)) == []


def test_text_with_a_zero_byte_fails_its_own_call_only(database, recorder):
    """PostgreSQL takes no NUL in text: that call alone is refused there."""
    results, _ = together(recorder, [appending(recorder, fact()),
                                     appending(recorder, fact(topic="a\0b")),
                                     appending(recorder, fact())])
    expected = [[2], [3], [4]] if database.kind == "sqlite" else [[2], "DataError", [3]]
    assert results == expected
    assert faults(history(recorder)) == []


def test_a_full_queue_refuses(open_recorder):
    """With as many waiting as allowed the next call is refused at once, and the others succeed."""
    recorder = open_recorder(waiting_max=2)
    results, _ = together(recorder, [appending(recorder, fact()) for _ in range(3)], waiting=2)
    assert results == [[2], [3], "Overloaded"]


def test_close_drains(recorder):
    """close() waits for the calls already accepted and refuses later ones."""
    gate = Gate(recorder)
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(recorder.insert_events, [fact()])]
        assert gate.entered.wait(20)
        futures += [pool.submit(recorder.insert_events, [fact()]) for _ in range(4)]
        until(lambda: len(recorder._merge._waiting) == 4)
        closing = pool.submit(recorder.close)
        until(lambda: recorder._merge._closed)
        with pytest.raises(StoreClosed):
            recorder.insert_events([fact()])
        assert not closing.done()
        gate.opened.set()
        closing.result(20)
        assert sorted(outcome(future)[0] for future in futures) == [1, 2, 3, 4, 5]


def test_a_lost_connection_heals(postgres_url):
    """A backend terminated in mid-run fails the calls under way, and the next ones succeed."""
    import psycopg

    from tests.ledger.store.databases import Database

    recorder = Database("postgres", postgres_url).recorder()
    acknowledged, failed = [], []
    stopping = threading.Event()

    def work():
        while not stopping.is_set():
            mine = fact()
            try:
                recorder.insert_events([mine])
                acknowledged.append(mine.originator_id)
            except OperationalError:
                failed.append(mine.originator_id)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for _ in range(3):
            before = len(acknowledged)
            more_than(acknowledged, before + 20)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        more_than(acknowledged, len(acknowledged) + 20)
    stopping.set()
    for worker in workers:
        worker.join(20)
    stored = [row.originator_id for row in history(recorder)]
    assert faults(history(recorder)) == []
    recorder.close()
    assert failed
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored) <= set(acknowledged) | set(failed)


def test_a_failed_transaction_acknowledges_nothing():
    """If the shared commit fails every call of it gets its own OperationalError."""
    entered, opened = threading.Event(), threading.Event()

    def commit(batch):
        entered.set()
        assert opened.wait(20)
        raise OSError("the disk is full")

    merge = MergedCommit(commit)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(merge.submit, Call(1))
        assert entered.wait(20)
        futures = [pool.submit(merge.submit, Call(1)) for _ in range(3)]
        until(lambda: len(merge._waiting) == 3)
        opened.set()
        errors = [future.exception(20) for future in [first, *futures]]
    assert [type(error) for error in errors] == [OperationalError] * 4
    assert len(set(map(id, errors))) == 4


def test_an_interrupted_leader_strands_nobody():
    """KeyboardInterrupt in the leader reaches its caller; those who waited get an answer."""
    entered, opened, batches = threading.Event(), threading.Event(), []

    def commit(batch):
        batches.append(len(batch))
        if len(batches) == 1:
            entered.set()
            assert opened.wait(20)
            raise KeyboardInterrupt
        for call in batch:
            call.settle()

    merge = MergedCommit(commit)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(merge.submit, Call(1))
        assert entered.wait(20)
        futures = [pool.submit(merge.submit, Call(1)) for _ in range(3)]
        until(lambda: len(merge._waiting) == 3)
        opened.set()
        assert isinstance(first.exception(20), KeyboardInterrupt)
        assert [future.exception(20) for future in futures] == [None] * 3
    merge.close()


def test_a_commit_is_bounded():
    """No commit carries more than 256 calls or 4 MiB, but a larger single call passes."""
    entered, opened, batches = threading.Event(), threading.Event(), []

    def commit(batch):
        batches.append([call.size for call in batch])
        entered.set()
        assert opened.wait(20)
        for call in batch:
            call.settle()

    merge = MergedCommit(commit)
    sizes = [BYTES_PER_COMMIT_MAX + 1, 10, *[1] * (CALLS_PER_COMMIT_MAX + 3)]
    with ThreadPoolExecutor(len(sizes) + 1) as pool:
        pool.submit(merge.submit, Call(0))
        assert entered.wait(20)
        for count, size in enumerate(sizes, 1):
            pool.submit(merge.submit, Call(size))
            until(lambda: len(merge._waiting) == count)  # noqa: B023
        opened.set()
    assert batches[1] == [BYTES_PER_COMMIT_MAX + 1]
    assert [len(batch) for batch in batches] == [1, 1, CALLS_PER_COMMIT_MAX, 4]


def test_the_errors_have_the_right_kind():
    """A refusal for overload is no OperationalError: it says that nothing was recorded."""
    assert issubclass(Overloaded, PersistenceError)
    assert not issubclass(Overloaded, OperationalError | IntegrityError)
