"""The contract of a recorder, run on both databases."""

from __future__ import annotations

import os
import threading
import time
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from eventsourcing.persistence import InfrastructureFactory, IntegrityError, OperationalError

from ledger.store.errors import EntryTooLarge, FingerprintTaken, NotDurable, StoreClosed
from ledger.store.rows import VaultRow
from tests.ledger.store.databases import RECORDED_AT, fact, faults, history


def vault_row(**change: Any) -> VaultRow:
    columns = {
        "originator_id": uuid4(), "field": "track", "subject": uuid4(), "shelf": "reach-1",
        "fingerprint": None, "stored_at": RECORDED_AT, "nonce": b"n" * 12, "ciphertext": b"c",
    }  # fmt: skip
    return VaultRow(**columns | change)


def test_facts_come_back_as_they_went_in(recorder):
    """Every column is read back, in the order of positions, with consecutive positions from 1."""
    originator = uuid4()
    rows = [fact(originator, version, state=b'{"n":%d}' % version) for version in (1, 2, 3)]
    assert recorder.insert_events(rows) == [1, 2, 3]
    read = history(recorder)
    assert [(r.originator_id, r.originator_version, r.topic, r.state, r.recorded_at)
            for r in read] == [(r.originator_id, r.originator_version, r.topic, r.state,
                                r.recorded_at) for r in rows]
    assert faults(read) == []


def test_an_empty_log(recorder):
    """Nothing recorded: position 0, no rows, and an empty call changes nothing."""
    assert recorder.insert_events([]) == []
    assert recorder.max_notification_id() == 0
    assert history(recorder) == []
    assert recorder.select_events(uuid4()) == []


@pytest.mark.parametrize(("bounds", "versions"), [
    ({}, [1, 2, 3, 4]), ({"gt": 2}, [3, 4]), ({"lte": 2}, [1, 2]), ({"gt": 1, "lte": 3}, [2, 3]),
    ({"desc": True}, [4, 3, 2, 1]), ({"desc": True, "limit": 1}, [4]),
    ({"gt": 0, "limit": 2}, [1, 2]),
])
def test_a_sequence_is_selected_by_version(recorder, bounds, versions):
    """gt, lte, desc and limit select as the library promises, from one originator only."""
    originator = uuid4()
    recorder.insert_events([fact(originator, version) for version in (1, 2, 3, 4)] + [fact()])
    found = recorder.select_events(originator, **bounds)
    assert [row.originator_version for row in found] == versions


@pytest.mark.parametrize(("question", "positions"), [
    ((None, 9), [1, 2, 3, 4]), ((2, 2), [2, 3]), ((2, 9, 3), [2, 3]),
    ((1, 9, None, ["a"]), [1, 3]), ((None, 9, None, ("b", "c")), [2, 4]), ((9, 9), []),
])
def test_the_log_is_selected_by_position(recorder, question, positions):
    """start, limit, stop and topics select as the library promises."""
    recorder.insert_events([fact(topic=topic) for topic in "abac"])
    assert [row.id for row in recorder.select_notifications(*question)] == positions


def test_start_may_be_exclusive(recorder):
    """A follower that has seen a position asks for those after it."""
    recorder.insert_events([fact(), fact()])
    page = recorder.select_notifications(1, 9, inclusive_of_start=False)
    assert [row.id for row in page] == [2]


@pytest.mark.parametrize(("version", "reason"), [(0, "taken"), (1, "taken"), (3, "hole")])
def test_a_version_is_the_next_one(recorder, version, reason):
    """A taken version and one that would leave a hole are refused, whole call and all."""
    originator = uuid4()
    recorder.insert_events([fact(originator)])
    with pytest.raises(IntegrityError, match=reason):
        recorder.insert_events([fact(), fact(originator, version)])
    assert recorder.max_notification_id() == 1


def test_guards(recorder):
    """A decision stands only while what it was based on is unchanged."""
    seen, absent = uuid4(), uuid4()
    recorder.insert_events([fact(seen)])
    recorder.insert_events([fact()], unchanged={seen: 1, absent: 0}, head=1)
    for broken in ({"unchanged": {seen: 0}}, {"unchanged": {absent: 1}}, {"head": 1}):
        with pytest.raises(IntegrityError, match="no longer at"):
            recorder.insert_events([fact()], **broken)
    assert recorder.max_notification_id() == 2


def test_a_guard_may_name_an_originator_of_the_same_call(recorder):
    """``unchanged`` speaks of the state before the call's own facts."""
    originator = uuid4()
    assert recorder.insert_events([fact(originator)], unchanged={originator: 0}) == [1]


def test_an_unknown_word_is_refused(recorder):
    """A misspelt guard is an error, while the library's tracking=None passes."""
    assert recorder.insert_events([fact()], tracking=None) == [1]
    with pytest.raises(TypeError, match="unchangd"):
        recorder.insert_events([fact()], unchangd={uuid4(): 1})


def test_vault_rows_are_recorded_with_the_facts(recorder):
    """Vault rows come back by originator and by shelf, newest first."""
    originator = uuid4()
    rows = [vault_row(originator_id=originator, field="a", fingerprint=b"f", stored_at=1),
            vault_row(originator_id=originator, field="b", shelf=None)]
    recorder.insert_events([fact(originator)], vault_rows=rows)
    newer = vault_row(stored_at=0)
    recorder.insert_events([fact()], vault_rows=[newer])
    first, second = (msgspec.structs.replace(row, position=1) for row in rows)
    newest = msgspec.structs.replace(newer, position=2)
    assert recorder.select_vault(originator) == [first, second]
    assert recorder.select_shelf("reach-1", 9) == [newest, first]
    assert recorder.select_shelf("reach-1", 1) == [newest]


def test_a_shelf_that_was_looked_at_must_not_have_grown(recorder):
    """Whoever compared with a shelf's newest row is refused when there is a newer one."""
    recorder.insert_events([fact()], vault_rows=[vault_row()], shelves={"reach-1": 0})
    for position in (0, 2):
        with pytest.raises(IntegrityError):
            recorder.insert_events([fact()], shelves={"reach-1": position})
    recorder.insert_events([fact()], vault_rows=[vault_row()], shelves={"reach-1": 1})
    recorder.insert_events([fact()], shelves={"reach-1": 2, "reach-2": 0})
    assert recorder.max_notification_id() == 3


def test_a_fingerprint_is_taken_once(recorder):
    """A second row with a fingerprint is refused, also within one call, and nothing is kept."""
    recorder.insert_events([fact()], vault_rows=[vault_row(fingerprint=b"photo")])
    late = vault_row(fingerprint=b"photo")
    with pytest.raises(FingerprintTaken):
        recorder.insert_events([fact()], vault_rows=[late])
    twins = [vault_row(fingerprint=b"twin"), vault_row(fingerprint=b"twin")]
    with pytest.raises(FingerprintTaken):
        recorder.insert_events([fact()], vault_rows=twins)
    assert recorder.max_notification_id() == 1
    assert recorder.select_vault(late.originator_id) == []


def test_a_call_is_recorded_whole_or_not_at_all(recorder):
    """A vault row that the database refuses takes the facts of its call with it."""
    row = vault_row()
    recorder.insert_events([], vault_rows=[row])
    with pytest.raises(IntegrityError):
        recorder.insert_events([fact()], vault_rows=[row])
    assert recorder.max_notification_id() == 0
    assert recorder.insert_events([fact()]) == [1]


def test_an_oversize_entry_is_refused(recorder):
    """An entry that no tile bundle could hold is refused before anything is queued."""
    with pytest.raises(EntryTooLarge):
        recorder.insert_events([fact(), fact(state=b"x" * 65_535)])
    assert recorder.insert_events([fact()]) == [1]


def test_a_large_call(recorder):
    """Far more facts than one statement takes are still one call."""
    positions = recorder.insert_events([fact() for _ in range(1_000)])
    assert positions == list(range(1, 1_001))
    assert faults(history(recorder)) == []


def test_the_first_key_wins(recorder):
    """Of two makers of a subject's key both get the same one."""
    subject = uuid4()
    assert recorder.select_key(subject) is None
    assert recorder.insert_key(subject, b"first") == b"first"
    assert recorder.insert_key(subject, b"second") == b"first"
    assert recorder.select_key(subject) == b"first"


def test_waiting_ends_when_the_log_grows(open_recorder):
    """Another recorder's append wakes a waiting follower long before the timeout."""
    writer, follower = open_recorder(), open_recorder()
    writer.insert_events([fact()])
    begin = time.monotonic()
    follower.wait_for_change(0, 20)
    timer = threading.Timer(0.1, writer.insert_events, [[fact()]])
    timer.start()
    follower.wait_for_change(1, 20)
    timer.join()
    assert time.monotonic() - begin < 10
    assert follower.max_notification_id() == 2


def test_waiting_is_bounded(recorder):
    """Without an append the wait ends with its timeout."""
    begin = time.monotonic()
    recorder.wait_for_change(0, 0.1)
    assert 0.09 < time.monotonic() - begin < 5


def test_a_closed_store_refuses(open_recorder):
    """After close() nothing is recorded or read, and closing again is harmless."""
    recorder = open_recorder()
    recorder.insert_events([fact()])
    recorder.close()
    recorder.close()
    for call in (lambda: recorder.insert_events([fact()]), recorder.max_notification_id):
        with pytest.raises(StoreClosed):
            call()


def test_only_the_newest_snapshot_is_kept(database):
    """A snapshot replaces older ones, and a late older one does not come back."""
    env = {"PERSISTENCE_MODULE": f"ledger.store.{database.kind}",
           "SQLITE_DBNAME": database.where, "DATABASE_URL": database.where,
           "ALLOW_UNSAFE_TEST_SERVER": "yes"}
    with InfrastructureFactory.construct(env) as factory:
        snapshots, originator = factory.aggregate_recorder("snapshots"), uuid4()
        for version in (200, 400, 300):
            snapshots.insert_events([fact(originator, version)])
        kept = snapshots.select_events(originator, desc=True, limit=1)
        assert kept == [fact(originator, 400)]
        assert snapshots.select_events(originator, lte=399) == []
        assert factory.application_recorder().insert_events([fact()]) == [1]


def test_a_server_without_fsync_is_refused(postgres_url):
    """A PostgreSQL that could lose commits is refused, by the name of the setting."""
    import psycopg

    from ledger.store.postgres import PostgresRecorder

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    recorder = PostgresRecorder(postgres_url)
    with pytest.raises(NotDurable, match="synchronous_commit is off"):
        recorder.assert_durable()
    recorder.close()


def test_the_lockless_functions_of_the_library_are_refused():
    """POSTGRES_ENABLE_DB_FUNCTIONS makes followers lose events, so it is not tolerated."""
    env = {"PERSISTENCE_MODULE": "ledger.store.postgres", "DATABASE_URL": "postgresql:///x",
           "POSTGRES_ENABLE_DB_FUNCTIONS": "y"}
    with pytest.raises(OSError, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        InfrastructureFactory.construct(env)


def test_a_file_that_cannot_use_wal_is_refused(monkeypatch, tmp_path):
    """Where the file system refuses WAL the store says so instead of running less durably."""
    from ledger.store.sqlite import SQLiteRecorder

    monkeypatch.setattr(SQLiteRecorder, "_use_wal", lambda self, connection: None)
    with pytest.raises(NotDurable, match="journal_mode is 'delete'"):
        SQLiteRecorder(str(tmp_path / "log.db")).assert_durable()


def test_a_fork_shares_no_connection(recorder):
    """A child forked from a process that used the store appends on connections of its own."""
    recorder.insert_events([fact()])
    child = os.fork()
    if child == 0:
        try:
            recorder.insert_events([fact()])
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert recorder.insert_events([fact()]) == [3]
    assert faults(history(recorder)) == []


def test_the_library_chooses_the_store(database):
    """PERSISTENCE_MODULE selects our recorder, which opens nothing before its first use."""
    env = {"PERSISTENCE_MODULE": f"ledger.store.{database.kind}",
           "SQLITE_DBNAME": "/nowhere/at/all", "DATABASE_URL": "postgresql:///x?host=/nowhere"}
    with InfrastructureFactory.construct(env) as factory:
        recorder = factory.application_recorder()
        assert type(recorder) is type(database.recorder())
        with pytest.raises(OperationalError):
            recorder.max_notification_id()
