"""The log in one SQLite file; chosen with PERSISTENCE_MODULE=ledger.store.sqlite.

``SQLITE_DBNAME`` is the path of the file, ``SQLITE_LOCK_TIMEOUT`` the seconds to wait for another
writer (30).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import OperationalError, TrackingRecorder

from ledger.store import schema
from ledger.store.append import Admission, Append, EventRow, LogState
from ledger.store.errors import NotDurable, RowRefused, as_persistence_error
from ledger.store.factory import StoreFactory
from ledger.store.fences import INSERT_FENCE, fence_row
from ledger.store.immutable import Weakness, guard_sqlite
from ledger.store.merge import WAITING_MAX
from ledger.store.recorder import LogRecorder

LOCK_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.005
SCRUB_SECONDS_MAX, SCRUB_AGAIN_SECONDS, SCRUB_LOCK_MILLISECONDS = 10.0, 0.1, 100
ROWS_PER_INSERT = 64
FINGERPRINTS_PER_QUESTION = 500
SYNCHRONOUS_FULL = 2
IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
PRIMARY_CODE = 0xFF  # Of a result code, the part that https://sqlite.org/rescode.html lists first.
# Each new originator touches another page of the index, and every touched page is written whole.
PAGE_BYTES = 2_048
PAGES_PER_CHECKPOINT = 2_000

# One row for any number of originators: each step of a statement gives up the interpreter lock.
STATE = """
SELECT (SELECT coalesce(max(position), 0) FROM events), (
    SELECT json_group_object(asked.value, (
        SELECT max(originator_version) FROM events WHERE originator_id = asked.value))
    FROM json_each(?) AS asked)
"""
INSERT_EVENTS = tuple(
    "INSERT INTO events VALUES " + ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * rows)
    for rows in range(ROWS_PER_INSERT + 1)
)
INSERT_VAULT = "INSERT INTO vault VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
NEWEST = "SELECT coalesce(max(position), 0) FROM vault WHERE shelf = ?"
FENCED = (
    "SELECT subject FROM vault_fences WHERE subject IN (SELECT value FROM json_each(?))"
)
USED = "SELECT key, used FROM quotas WHERE key IN (SELECT value FROM json_each(?))"
ROW_ERRORS = (
    sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError,
    OverflowError, ValueError,
)  # fmt: skip


class SQLiteRecorder(LogRecorder[sqlite3.Connection]):
    """One writing connection per process; readers never wait for it (write-ahead log)."""

    driver_error = sqlite3.Error
    holds = "(instr({0}, ?) > 0)"

    def __init__(
        self,
        path: str,
        *,
        lock_timeout: float = LOCK_TIMEOUT_SECONDS,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._path = path
        self._lock_timeout = lock_timeout
        super().__init__(waiting_max)

    def wait_for_change(self, after_position: int, timeout: float) -> None:
        """Polls ``PRAGMA data_version`` every 5 ms; commits of this process wake it at once."""
        deadline = time.monotonic() + timeout
        version = None
        with self._watchers.borrow() as connection:
            while True:
                seen = connection.execute("PRAGMA data_version").fetchone()[0]
                if seen != version and self._has_grown(after_position, connection):
                    return
                version = seen
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                with self._grown:
                    self._grown.wait(min(POLL_SECONDS, left))

    def _transact(self, appends: Sequence[Append]) -> None:
        with self._writer.borrow() as connection:
            connection.execute("BEGIN IMMEDIATE")
            admission = Admission(appends, self._state(connection, appends))
            try:
                _insert(connection, admission)
            except ROW_ERRORS as error:
                connection.execute("ROLLBACK")
                raise RowRefused(as_persistence_error(error)) from error
            connection.execute("ROLLBACK" if admission.empty else "COMMIT")
        admission.settle()

    def _state(self, connection: sqlite3.Connection, appends: Sequence[Append]) -> LogState:
        originators = {row[0] for append in appends for row, _ in append.events}
        originators.update(*(append.unchanged for append in appends))
        row = connection.execute(STATE, (json.dumps(list(originators)),)).fetchone()
        versions = {key: latest for key, latest in json.loads(row[1]).items() if latest}
        asked = [row.fingerprint for a in appends for row in a.vault_rows if row.fingerprint]
        taken: list[bytes] = []
        for start in range(0, len(asked), FINGERPRINTS_PER_QUESTION):
            part = asked[start : start + FINGERPRINTS_PER_QUESTION]
            marks = ", ".join("?" * len(part))
            found = f"SELECT fingerprint FROM vault WHERE fingerprint IN ({marks})"
            taken += [fingerprint for (fingerprint,) in connection.execute(found, part)]
        shelves = {
            shelf: connection.execute(NEWEST, (shelf,)).fetchone()[0]
            for shelf in {shelf for append in appends for shelf in append.shelves}
        }
        keys = {quota.key for append in appends for quota in append.quotas}
        used = connection.execute(USED, (json.dumps(list(keys)),)).fetchall() if keys else ()
        subjects = {str(row.subject) for append in appends for row in append.vault_rows}
        fenced = (
            connection.execute(FENCED, (json.dumps(list(subjects)),)).fetchall() if subjects else ()
        )
        return LogState(
            row[0], versions, taken, shelves, dict(used), (subject for (subject,) in fenced)
        )

    def write(self, statements: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None:
        with self._writer.borrow() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for sql, rows in statements:
                connection.executemany(sql, rows)
            connection.execute("COMMIT")

    def scrub(self) -> None:
        """Deleted bytes were overwritten (secure_delete); this takes what the log of writes has.

        Raises OperationalError while somebody reads for longer than ``SCRUB_SECONDS_MAX``.
        """
        deadline = time.monotonic() + SCRUB_SECONDS_MAX
        while self._emptying_is_hindered():
            if time.monotonic() > deadline:
                raise OperationalError("the write-ahead log is being read and cannot be emptied")
            time.sleep(SCRUB_AGAIN_SECONDS)

    def _emptying_is_hindered(self) -> bool:
        """By a reader, who is waited for a moment only, for nobody writes meanwhile; or by a
        process that does the same, which SQLite does not wait for.
        """
        with self._writer.borrow() as connection:
            connection.execute(f"PRAGMA busy_timeout = {SCRUB_LOCK_MILLISECONDS}")
            try:
                busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                connection.execute(f"PRAGMA busy_timeout = {int(self._lock_timeout * 1000)}")
        return bool(busy)

    def _ask(
        self, connection: sqlite3.Connection, question: schema.Question
    ) -> list[tuple[Any, ...]]:
        return connection.execute(*question).fetchall()

    def key(self, value: UUID | str) -> str:
        return str(value)

    def _topics_clause(self, topics: Sequence[str]) -> schema.Question:
        return "topic IN (SELECT value FROM json_each(?))", [json.dumps(list(topics))]

    def _originators_clause(self, originators: Sequence[UUID]) -> schema.Question:
        asked = json.dumps([str(one) for one in originators])
        return "originator_id IN (SELECT value FROM json_each(?))", [asked]

    def _check_durable(self, connection: sqlite3.Connection) -> None:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        if mode != "wal":
            raise NotDurable(f"journal_mode is {mode!r}: this file system refuses WAL")
        level = connection.execute("PRAGMA synchronous").fetchone()[0]
        if level < SYNCHRONOUS_FULL:
            raise NotDurable(f"synchronous is {level}; it must be FULL ({SYNCHRONOUS_FULL})")

    def _weaknesses(self, connection: sqlite3.Connection) -> list[Weakness]:
        return [Weakness.TRIGGERS] if self._was_bare else []

    def _connect_writer(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            self._use_wal(connection)
            connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_PER_CHECKPOINT}")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            self._check_durable(connection)
            for statement in TABLES.split(";"):
                connection.execute(statement)
            self._was_bare |= guard_sqlite(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._path,
            timeout=self._lock_timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=2 * ROWS_PER_INSERT,
        )

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        """Switching needs the file alone and does not wait for it, so try again for a while."""
        deadline = time.monotonic() + self._lock_timeout
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                in_use = error.sqlite_errorcode & PRIMARY_CODE in IN_USE  # Else waiting is no use.
                if not in_use or time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)


TABLES = schema.TABLES.format(bigint="INTEGER", uuid="TEXT", bytes="BLOB", strict=" STRICT")


class Factory(StoreFactory[TrackingRecorder]):
    """Found by the library in the module that PERSISTENCE_MODULE names."""

    def _recorder(self, waiting_max: int) -> SQLiteRecorder:
        path = self.env.get("SQLITE_DBNAME")
        if not path:
            raise OSError("SQLITE_DBNAME is not set: the path of the database file")
        timeout = float(self.env.get("SQLITE_LOCK_TIMEOUT") or LOCK_TIMEOUT_SECONDS)
        return SQLiteRecorder(path, lock_timeout=timeout, waiting_max=waiting_max)


def _insert(connection: sqlite3.Connection, admission: Admission) -> None:
    events = admission.events
    for start in range(0, len(events), ROWS_PER_INSERT):
        part: list[EventRow] = events[start : start + ROWS_PER_INSERT]
        connection.execute(INSERT_EVENTS[len(part)], [value for row in part for value in row])
    if admission.vault_rows:
        connection.executemany(
            INSERT_VAULT,
            [
                (str(row.originator_id), row.field, str(row.subject), row.shelf, row.fingerprint,
                 row.stored_at, row.nonce, row.ciphertext, position)
                for row, position in admission.vault_rows
            ],
        )  # fmt: skip
    if admission.fences:
        rows = [fence_row(fence, position, str) for fence, position in admission.fences]
        connection.executemany(INSERT_FENCE, rows)
    if admission.used:
        connection.executemany(schema.KEEP_USED, list(admission.used.items()))
