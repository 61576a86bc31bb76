"""Rows of views in the SQLite file of the log."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from projections.store import Leadership
from projections.store_sql import TABLES, SqlStore

LOCK_TIMEOUT_SECONDS = 30.0
STATEMENTS_CACHED = 64
LOCK_SUFFIX = ".follower"


class SqliteStore(SqlStore[sqlite3.Connection]):
    """Readers never wait for the one writer (write-ahead log)."""

    name = "sqlite"
    driver_error = sqlite3.Error
    read_rows = (
        "SELECT key, data, bucket, sort FROM view_rows"
        " WHERE generation = ? AND key IN (SELECT value FROM json_each(?))"
    )

    def __init__(self, path: str) -> None:
        self._path = path
        super().__init__()

    def leadership(self) -> Leadership:
        return FileLock(self._path + LOCK_SUFFIX)

    def _connect(self) -> sqlite3.Connection:
        connection = self._open()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _connect_writer(self) -> sqlite3.Connection:
        connection = self._open()
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            for statement in SQLITE_TABLES.split(";"):
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._path,
            timeout=LOCK_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS_CACHED,
        )

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")

    def _query(
        self, connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        return connection.execute(sql, parameters).fetchall()

    def _run(self, connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> int:
        return connection.execute(sql, parameters).rowcount

    def _run_many(
        self, connection: sqlite3.Connection, sql: str, rows: Sequence[Sequence[Any]]
    ) -> None:
        connection.executemany(sql, rows)

    def _array(self, keys: Sequence[str]) -> str:
        return json.dumps(keys)


SQLITE_TABLES = TABLES.format(
    bigint="INTEGER", bytes="BLOB", bytewise="", strict=" STRICT", rows_strict=" STRICT"
)


class FileLock:
    """A locked file beside the database; the lock ends with its holder."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def held(self) -> bool:
        if self._file is not None:
            return True
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
