"""What only PostgreSQL can do to a recorder: refuse a row late, or freeze."""

from __future__ import annotations

import os
import signal
import time

import pytest
from eventsourcing.persistence import DataError, OperationalError

from ledger.store import postgres
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
