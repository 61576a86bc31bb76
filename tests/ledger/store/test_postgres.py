"""What only PostgreSQL can do to a recorder: refuse a row late, or freeze."""

from __future__ import annotations

import os
import signal
import time
from threading import Timer
from uuid import uuid4

import pytest
from eventsourcing.persistence import DataError, OperationalError

from ledger.store import postgres
from ledger.store.rows import VaultRow
from tests.ledger.store.databases import fact


def test_a_refused_row_leaves_the_connection_in_use(postgres_url, caplog):
    """After a row PostgreSQL refuses, the writer goes on with the same connection, in silence."""
    recorder = postgres.PostgresRecorder(postgres_url, unsafe_server=True)
    recorder.insert_events([fact()])
    (writer,) = recorder._writer._idle
    for round_ in range(3):
        with pytest.raises(DataError):
            recorder.insert_events([fact(topic="a\0b")])
        assert recorder.insert_events([fact()]) == [2 + round_]
        assert list(recorder._writer._idle) == [writer]
    recorder.close()
    assert not caplog.records


def test_a_frozen_server_is_not_waited_for(postgres_url, monkeypatch):
    """A server process stopped by SIGSTOP costs a caller its time, and then the call fails."""
    monkeypatch.setattr(postgres, "READ_SECONDS_MAX", 0.3)
    monkeypatch.setattr(postgres, "WRITE_SECONDS_MAX", 0.3)
    monkeypatch.setattr(postgres, "GRACE_SECONDS", 0.2)
    recorder = postgres.PostgresRecorder(postgres_url, unsafe_server=True)
    recorder.insert_events([fact()])
    recorder.max_notification_id()
    frozen = [c.info.backend_pid for p in (recorder._writer, recorder._readers) for c in p._idle]
    try:
        for process in frozen:
            os.kill(process, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(OperationalError):
            recorder.insert_events([fact()])
        assert recorder.max_notification_id() == 1
        assert time.monotonic() - began < 10
    finally:
        for process in frozen:
            os.kill(process, signal.SIGCONT)
    recorder.close()


def test_a_large_row_does_not_hang_where_the_server_reads_slowly(postgres_url, monkeypatch):
    """A row that does not fit into the socket's buffer is sent to its end, and nobody waits for an
    answer to half of it while the lock of the log is held.
    """
    monkeypatch.setattr(postgres, "WRITE_SECONDS_MAX", 5.0)
    recorder = postgres.PostgresRecorder(postgres_url, unsafe_server=True)
    recorder.insert_events([fact()])
    (writer,) = recorder._writer._idle
    server, insert = writer.info.backend_pid, postgres._insert

    def slowly(*args) -> None:
        os.kill(server, signal.SIGSTOP)
        Timer(0.3, os.kill, (server, signal.SIGCONT)).start()
        insert(*args)

    monkeypatch.setattr(postgres, "_insert", slowly)
    large = VaultRow(uuid4(), "photo/x", uuid4(), None, None, 1, bytes(12), bytes(2_700_000))
    assert recorder.insert_events([fact()], vault_rows=[large]) == [2]
    (stored,) = recorder.select_vault(large.originator_id)
    assert len(stored.ciphertext) == 2_700_000
    assert list(recorder._writer._idle) == [writer]
    recorder.close()
