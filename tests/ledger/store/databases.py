"""The two databases under test, and what must be true of any log."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from ledger.store import leaf_hash
from ledger.store.mapper import RecordedFact, StoredFact
from ledger.store.recorder import LogRecorder

RECORDED_AT = 1_767_225_600_000_000  # 2026-01-01 UTC, in microseconds
TOPIC = "wallet.coins-awarded"
INSERT = "INSERT INTO events SELECT coalesce(max(position), 0) + 1"


def fact(
    originator: UUID | None = None, version: int = 1, *, topic: str = TOPIC, state: bytes = b"{}"
) -> StoredFact:
    """A row to append; of a new originator unless one is given."""
    return StoredFact(originator or uuid4(), version, topic, state, RECORDED_AT)


@dataclass(frozen=True)
class Database:
    """One empty database; ``kind`` is sqlite or postgres, ``where`` its path or URL."""

    kind: str
    where: str

    def recorder(self, **options: Any) -> LogRecorder[Any]:
        """A recorder of its own connections, as another process would have."""
        if self.kind == "sqlite":
            from ledger.store.sqlite import SQLiteRecorder

            return SQLiteRecorder(self.where, **options)
        from ledger.store.postgres import PostgresRecorder

        return PostgresRecorder(self.where, unsafe_server=True, **options)

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """A writer that has inserted a fact and commits it only at the end of the block."""
        row = (str(uuid4()), 1, TOPIC, b"{}", RECORDED_AT, bytes(32))
        if self.kind == "sqlite":
            writer = sqlite3.connect(self.where, isolation_level=None)
            writer.execute("BEGIN IMMEDIATE")
            writer.execute(f"{INSERT}, ?, ?, ?, ?, ?, ? FROM events", row)
            yield
            writer.execute("COMMIT")
            writer.close()
            return
        import psycopg

        from ledger.store.postgres import LOCK

        with psycopg.connect(self.where) as connection:
            connection.execute(LOCK)
            connection.execute(f"{INSERT}, %s::uuid, %s, %s, %s, %s, %s FROM events", row)
            yield


class Tail(threading.Thread):
    """A follower: pulls by position and never looks back, as every projection does."""

    def __init__(self, recorder: LogRecorder[Any]) -> None:
        super().__init__(daemon=True)
        self.recorder = recorder
        self.positions: list[int] = []
        self.stopping = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.stopping.is_set():
            self.pull()
            time.sleep(0.001)
        self.pull()

    def pull(self) -> None:
        last = self.positions[-1] if self.positions else 0
        page = self.recorder.select_notifications(last, 500, inclusive_of_start=False)
        self.positions += [row.id for row in page]

    def finish(self) -> list[int]:
        """All it has ever seen, after one last pull."""
        self.stopping.set()
        self.join(30)
        return self.positions


def history(recorder: LogRecorder[Any], after: int = 0) -> list[RecordedFact]:
    """The log after a position, from the first fact to the last."""
    rows: list[RecordedFact] = []
    while page := recorder.select_notifications(after, 2_000, inclusive_of_start=False):
        rows += page
        after = page[-1].id
    return rows


def faults(rows: Sequence[RecordedFact], after: int = 0) -> list[str]:
    """What is wrong with a log: gaps, broken versions, wrong hashes."""
    found = []
    versions: dict[Any, int] = {}
    for position, row in enumerate(rows, after + 1):
        if row.id != position:
            found.append(f"position {row.id} where {position} belongs")
        if row.originator_version != versions.get(row.originator_id, 0) + 1:
            found.append(f"version {row.originator_version} at {row.id} is out of turn")
        if row.leaf_hash != leaf_hash(row):
            found.append(f"leaf hash at {row.id} is wrong")
        versions[row.originator_id] = row.originator_version
    return found
