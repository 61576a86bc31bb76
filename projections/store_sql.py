"""Rows of views in the database of the log: all that SQLite and PostgreSQL have in common.

Rows and position move in one transaction, which begins by moving the position: where it is not
where the batch began, nothing else is done. These transactions need not be durable by themselves:
after a power cut an earlier position with its rows is there, and the follower goes on from it.
"""

from __future__ import annotations

import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from eventsourcing.persistence import DataError, IntegrityError, PersistenceError

from ledger.store.pool import Closeable, Pool
from projections import store as contract
from projections.store import BUILDING, Batch, Head, Leadership, StoreDown, ViewNotReady
from projections.view import START, Place, Row, View

READERS_MAX = 32
ROWS_PER_SCAN = 2_000
ROWS_PER_DELETE = 1_000
GENERATION_BITS = 48

TABLES = """
CREATE TABLE IF NOT EXISTS views (
    generation {bigint} PRIMARY KEY,
    name TEXT NOT NULL,
    version {bigint} NOT NULL,
    state TEXT NOT NULL,
    position {bigint} NOT NULL,
    anchor TEXT NOT NULL,
    digest TEXT NOT NULL,
    rows {bigint} NOT NULL
){strict};
CREATE TABLE IF NOT EXISTS view_rows (
    generation {bigint} NOT NULL,
    key TEXT {bytewise} NOT NULL,
    bucket TEXT {bytewise} NOT NULL,
    sort TEXT {bytewise} NOT NULL,
    data {bytes} NOT NULL,
    PRIMARY KEY (generation, key)
){rows_strict};
CREATE INDEX IF NOT EXISTS view_rows_in_order ON view_rows (generation, bucket, sort, key)
"""
THE_LIVE_ONE = "FROM views v WHERE v.name = ? AND v.version = ? AND v.state = 'live'"
FETCH = f"""
SELECT v.position, (SELECT data FROM view_rows WHERE generation = v.generation AND key = ?)
{THE_LIVE_ONE}
"""
# The first row tells of the view; all of it is one statement, and so one state of the database.
PAGE = f"""
SELECT v.position, NULL AS key, NULL AS sort, NULL AS data {THE_LIVE_ONE}
UNION ALL SELECT * FROM (
    SELECT 0, key, sort, data FROM view_rows
    WHERE generation = (SELECT generation {THE_LIVE_ONE}) AND bucket = ?{{condition}}
    ORDER BY {{order}} LIMIT ?) AS page
"""
PAGE_FORWARDS = PAGE.format(condition=" AND (sort, key) > (?, ?)", order="sort, key")
PAGE_BACKWARDS = PAGE.format(condition=" AND (sort, key) < (?, ?)", order="sort DESC, key DESC")
RANK = f"""
SELECT v.position, (SELECT count(*) FROM view_rows
    WHERE generation = v.generation AND bucket = ? AND (sort, key) < (?, ?))
{THE_LIVE_ONE}
"""
HEADS = """
SELECT name, version, generation, state, position, anchor, digest, rows,
    rows > 0 AND NOT EXISTS (SELECT 1 FROM view_rows r WHERE r.generation = views.generation)
FROM views
"""
BEGIN = "INSERT INTO views VALUES (?, ?, ?, 'building', 0, '', ?, 0)"
GIVE_UP = "UPDATE views SET state = 'old' WHERE name = ? AND state IN ('building', 'retired')"
MOVE = (
    "UPDATE views SET position = ?, anchor = ?, digest = ?, rows = ?"
    " WHERE generation = ? AND position = ? AND digest = ? AND state IN ('building', 'live')"
)
# An update that changes nothing, for the lock: the follower cannot move it before the swap.
STILL = (
    "UPDATE views SET state = 'live' WHERE generation = ? AND position = ? AND state = 'live'"
)
OUTDATE = "UPDATE views SET state = 'old' WHERE name = ? AND generation <> ?"
RETIRE = "UPDATE views SET state = 'retired' WHERE generation = ?"
MAKE_LIVE = "UPDATE views SET state = 'live' WHERE generation = ? AND state = 'building'"
UPSERT = (
    "INSERT INTO view_rows VALUES (?, ?, ?, ?, ?) ON CONFLICT (generation, key)"
    " DO UPDATE SET bucket = excluded.bucket, sort = excluded.sort, data = excluded.data"
)
REMOVE = "DELETE FROM view_rows WHERE generation = ? AND key = ?"
SCAN = (
    "SELECT key, data, bucket, sort FROM view_rows WHERE generation = ? AND key > ?"
    f" ORDER BY key LIMIT {ROWS_PER_SCAN}"
)
SWEEP = (
    "DELETE FROM view_rows WHERE generation = ? AND key IN"
    f" (SELECT key FROM view_rows WHERE generation = ? LIMIT {ROWS_PER_DELETE})"
)
FORGET = "DELETE FROM views WHERE generation = ? AND state IN ('retired', 'old')"

C = TypeVar("C", bound=Closeable)


class SqlStore(ABC, Generic[C]):
    """A Store in SQL; safe for threads and forks, connected when first used."""

    name: str
    driver_error: type[Exception]
    of_rows: tuple[type[Exception], ...] = ()  # Of a row, whatever its class tells.
    read_rows: str
    """The question for some rows of a generation by their keys."""

    def __init__(self) -> None:
        self._start()
        _stores.add(self)

    def _start(self) -> None:
        self._writer: Pool[C] = Pool(self._connect_writer, 1, self.driver_error)
        self._readers: Pool[C] = Pool(self._connect_reader, READERS_MAX, self.driver_error)

    # Questions

    def fetch(self, view: View, key: str) -> tuple[int, bytes | None]:
        rows = self._ask(FETCH, (key, view.name, view.version))
        if not rows:
            raise ViewNotReady(view=view.name)
        return rows[0][0], rows[0][1]

    def page(
        self, view: View, bucket: str, after: Place, limit: int, *, backwards: bool = False
    ) -> tuple[int, list[Row]]:
        sql = PAGE_BACKWARDS if backwards else PAGE_FORWARDS
        mine = (view.name, view.version)
        rows = self._ask(sql, (*mine, *mine, bucket, *after, limit))
        if not rows:
            raise ViewNotReady(view=view.name)
        return rows[0][0], [Row(key, data, bucket, sort) for _, key, sort, data in rows[1:]]

    def rank(self, view: View, bucket: str, place: Place) -> tuple[int, int]:
        rows = self._ask(RANK, (bucket, *place, view.name, view.version))
        if not rows:
            raise ViewNotReady(view=view.name)
        return rows[0][0], rows[0][1]

    # Following

    def heads(self) -> list[Head]:
        return [
            Head(
                view=name, version=version, generation=generation, state=state,
                position=position, anchor=anchor, digest=digest, rows=rows, hollow=bool(hollow),
            )
            for name, version, generation, state, position, anchor, digest, rows, hollow
            in self._ask(HEADS, ())
        ]  # fmt: skip

    def begin(self, view: View) -> Head:
        generation = secrets.randbits(GENERATION_BITS)
        head = Head(view=view.name, version=view.version, generation=generation, state=BUILDING)
        with self._writing() as connection:
            self._run(connection, GIVE_UP, (view.name,))
            self._run(connection, BEGIN, (generation, view.name, view.version, head.digest))
        return head

    def rows(self, head: Head, keys: Sequence[str]) -> dict[str, Row]:
        found = self._ask(self.read_rows, (head.generation, self._array(keys)))
        return {row[0]: Row(*row) for row in found}

    def write(self, batches: Sequence[Batch]) -> list[bool]:
        if not batches:
            return []
        with self._writing() as connection:
            return [self._write(connection, batch) for batch in batches]

    def _write(self, connection: C, batch: Batch) -> bool:
        before, after = batch.before, batch.after
        moved = self._run(
            connection,
            MOVE,
            (after.position, after.anchor, after.digest, after.rows,
             before.generation, before.position, before.digest),
        )  # fmt: skip
        if moved:
            number = before.generation
            new = [contract.named(one.new) for one in batch.changes if one.new]
            gone = [one.old.key for one in batch.changes if one.old and not one.new]
            put = [(number, row.key, row.bucket, row.sort, row.data) for row in new]
            self._run_many(connection, UPSERT, put)
            self._run_many(connection, REMOVE, [(number, key) for key in gone])
        return bool(moved)

    def swap(self, new: Head, old: Head | None) -> bool:
        with self._writing() as connection:
            if old and not self._run(connection, STILL, (old.generation, old.position)):
                return False
            if not self._run(connection, MAKE_LIVE, (new.generation,)):
                return False
            self._run(connection, OUTDATE, (new.view, new.generation))
            if old:
                self._run(connection, RETIRE, (old.generation,))
        return True

    def drop(self, head: Head) -> None:
        swept = True
        while swept:
            with self._writing() as connection:
                swept = bool(self._run(connection, SWEEP, (head.generation, head.generation)))
        with self._writing() as connection:
            self._run(connection, FORGET, (head.generation,))

    def scan(self, head: Head) -> Iterator[Row]:
        key = START[1]
        while rows := self._ask(SCAN, (head.generation, key)):
            yield from (Row(*row) for row in rows)
            key = rows[-1][0]

    def close(self) -> None:
        self._writer.close()
        self._readers.close()

    @contextmanager
    def _writing(self) -> Iterator[C]:
        """A transaction; all of it is undone when the block raises."""
        try:
            with self._writer.borrow() as connection, self._transaction(connection):
                yield connection
        except PersistenceError as error:
            raise self._problem(error) from error

    def _ask(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Ask once more on a new connection when the first was lost: reading changes nothing."""
        try:
            with self._readers.borrow() as connection:
                return self._query(connection, sql, parameters)
        except PersistenceError:
            self._readers.discard_idle()
        try:
            with self._readers.borrow() as connection:
                return self._query(connection, sql, parameters)
        except PersistenceError as error:
            raise self._problem(error) from error

    def _problem(self, error: PersistenceError) -> Exception:
        refused = isinstance(error, (DataError, IntegrityError))
        refused = refused or isinstance(error.__cause__, self.of_rows)
        return (contract.RowRefused if refused else StoreDown)(f"{self.name}: {error}")

    def _connect_reader(self) -> C:
        """The writer makes the tables, also for those who only read."""
        if not self._writer.used:
            with self._writer.borrow():
                pass
        return self._connect()

    # What a database must provide

    @abstractmethod
    def leadership(self) -> Leadership:
        """The lock that one follower of this database can hold."""

    @abstractmethod
    def _connect(self) -> C: ...

    @abstractmethod
    def _connect_writer(self) -> C: ...

    @abstractmethod
    def _transaction(self, connection: C) -> AbstractContextManager[Any]: ...

    @abstractmethod
    def _query(
        self, connection: C, sql: str, parameters: Sequence[Any]
    ) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def _run(self, connection: C, sql: str, parameters: Sequence[Any]) -> int:
        """How many rows the statement changed or found."""

    @abstractmethod
    def _run_many(self, connection: C, sql: str, rows: Sequence[Sequence[Any]]) -> None: ...

    @abstractmethod
    def _array(self, keys: Sequence[str]) -> Any: ...


_stores: WeakSet[SqlStore[Any]] = WeakSet()
_inherited: list[object] = []


def _start_again() -> None:
    """In a forked child: leave the parent's connections open and untouched, and make own ones."""
    for store in list(_stores):
        _inherited.append((store._writer, store._readers))
        store._start()


os.register_at_fork(after_in_child=_start_again)
