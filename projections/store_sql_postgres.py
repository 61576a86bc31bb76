"""Rows of views in the PostgreSQL database of the log."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

import psycopg

from ledger.store import roles
from ledger.store.postgres import READ_SECONDS_MAX, WRITE_SECONDS_MAX, Connection, connect
from projections.store import Leadership
from projections.store_sql import TABLES, SqlStore

FOLLOWER_LOCK = 0x6757_F011  # Any number will do, as long as every follower takes the same one.
TABLES_LOCK = 0x6757_F012
TIMEOUTS = "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '10s'"


class PostgresStore(SqlStore[Connection]):
    """Commits do not wait for the disk: the log, which does, can always repeat them."""

    name = "postgres"
    driver_error = psycopg.Error
    # A row that is too long for the index is an OperationalError to psycopg.
    of_rows = (psycopg.errors.ProgramLimitExceeded,)
    read_rows = (
        "SELECT key, data, bucket, sort FROM view_rows WHERE generation = ? AND key = ANY(?)"
    )

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__()

    def leadership(self) -> Leadership:
        return AdvisoryLock(self._url)

    def _connect(self) -> Connection:
        return connect(self._url, READ_SECONDS_MAX)

    def _connect_writer(self) -> Connection:
        connection = connect(self._url, WRITE_SECONDS_MAX)
        try:
            connection.execute(f"{TIMEOUTS}; SET synchronous_commit = off", prepare=False)
            with connection.transaction():
                # Two creating at once would trip over the catalogue.
                connection.execute(f"SELECT pg_advisory_xact_lock({TABLES_LOCK})")
                if not roles.all_made(connection, POSTGRES_TABLES):
                    roles.make(connection, POSTGRES_TABLES)
        except BaseException:
            connection.close()
            raise
        return connection

    def _transaction(self, connection: Connection) -> AbstractContextManager[Any]:
        return connection.transaction()

    def _query(
        self, connection: Connection, sql: str, parameters: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        return connection.execute(sql.replace("?", "%b"), parameters, binary=True).fetchall()

    def _run(self, connection: Connection, sql: str, parameters: Sequence[Any]) -> int:
        return connection.execute(sql.replace("?", "%b"), parameters).rowcount

    def _run_many(self, connection: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            connection.cursor().executemany(sql.replace("?", "%b"), rows)

    def _array(self, keys: Sequence[str]) -> list[str]:
        return list(keys)


POSTGRES_TABLES = TABLES.format(
    bigint="bigint", bytes="bytea", bytewise='COLLATE "C"', strict="", rows_strict=""
)


class AdvisoryLock:
    """An advisory lock on a connection of its own; it ends with that connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def held(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.execute("SELECT 1")
                return True
            return self._taken()
        except psycopg.Error:
            self.release()
            return False

    def _taken(self) -> bool:
        connection = connect(self._url, READ_SECONDS_MAX)
        row = connection.execute(f"SELECT pg_try_advisory_lock({FOLLOWER_LOCK})").fetchone()
        if row is None or not row[0]:
            connection.close()
            return False
        self._connection = connection
        return True

    def release(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
