"""Spilled (溢出到磁盘): mappings and sets as large as the log, in memory that stays as it is.

The newest are in memory, the others in a temporary file that is gone with the process; whatever
is asked for comes back from there. A value may be changed in place right after it was asked for.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import Any, Generic, TypeVar, overload
from uuid import UUID

KEPT = 10_000

K = TypeVar("K", UUID, str)
V = TypeVar("V")
D = TypeVar("D")
_absent: Any = object()


class SpillFailed(OSError):
    """The temporary file cannot be made, written or read: no fault of what is audited."""

    def __init__(self, error: sqlite3.Error) -> None:
        super().__init__(f"temporary file (see TMPDIR): {error}")


class Spilled(Generic[K, V]):
    """A mapping of ids or texts to values that can be pickled; at most twice ``kept`` in memory.

    Whatever is asked of it may raise SpillFailed.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._new: dict[K, V] = {}
        self._file: sqlite3.Connection | None = None  # None until something is spilled

    @overload
    def get(self, key: K) -> V | None: ...
    @overload
    def get(self, key: K, default: D) -> V | D: ...
    def get(self, key: K, default: Any = None) -> Any:
        """The value, or the default."""
        found = self._new.get(key, _absent)
        if found is not _absent:
            return found
        found = self._spilled(key)
        if found is _absent:
            return default
        self[key] = found
        return found

    def __getitem__(self, key: K) -> V:
        found = self.get(key, _absent)
        if found is _absent:
            raise KeyError(key)
        return found

    def __setitem__(self, key: K, value: V) -> None:
        self._new[key] = value
        if len(self._new) > 2 * self._kept:
            self._spill(len(self._new) - self._kept)

    def setdefault(self, key: K, value: V) -> V:
        """The value of the key, which is this one unless it has one."""
        found = self.get(key, _absent)
        if found is not _absent:
            return found
        self[key] = value
        return value

    @overload
    def pop(self, key: K) -> V: ...
    @overload
    def pop(self, key: K, default: D) -> V | D: ...
    def pop(self, key: K, default: Any = _absent) -> Any:
        """Take the key out; its value, or the default, or KeyError where none is given."""
        found = self._new.pop(key, _absent)
        spilled = self._spilled(key)
        if spilled is not _absent and self._file is not None:
            _run(self._file, "DELETE FROM spilled WHERE key = ?", _key(key))
        if found is _absent:
            found = default if spilled is _absent else spilled
        if found is _absent:
            raise KeyError(key)
        return found

    def __contains__(self, key: K) -> bool:
        return self.get(key, _absent) is not _absent

    def values(self) -> Iterator[V]:
        """Every value, in the order of the keys; nothing may be put in meanwhile."""
        return (value for _, value in self.items())

    def items(self) -> Iterator[tuple[bytes, V]]:
        """Every key, as bytes, and its value, in order; nothing may be put in meanwhile."""
        if self._file is None:
            yield from sorted(
                ((_key(key), value) for key, value in self._new.items()), key=lambda one: one[0]
            )
            return
        self._spill(len(self._new))
        rows = _run(self._file, "SELECT key, value FROM spilled ORDER BY key")
        yield from ((key, pickle.loads(value)) for key, value in rows)  # noqa: S301 - our own

    def _spilled(self, key: K) -> Any:
        if self._file is None:
            return _absent
        row = _run(self._file, "SELECT value FROM spilled WHERE key = ?", _key(key)).fetchone()
        return _absent if row is None else pickle.loads(row[0])  # noqa: S301 - our own bytes

    def _spill(self, count: int) -> None:
        """Write the oldest to the file, in the order of their keys, which is the file's."""
        oldest = list(islice(self._new, count))
        rows = [(_key(key), pickle.dumps(self._new.pop(key), -1)) for key in oldest]
        rows.sort()
        try:
            if self._file is None:
                self._file = _opened()
            self._file.execute("BEGIN")
            self._file.executemany("INSERT OR REPLACE INTO spilled VALUES (?, ?)", rows)
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            raise SpillFailed(error) from None


class SpilledSet(Generic[K]):
    """A set of ids or texts."""

    def __init__(self, kept: int = KEPT) -> None:
        self._marks: Spilled[K, None] = Spilled(kept)

    def add(self, key: K) -> None:
        self._marks[key] = None

    def discard(self, key: K) -> None:
        self._marks.pop(key, None)

    def __contains__(self, key: K) -> bool:
        return key in self._marks


def _key(key: UUID | str) -> bytes:
    return key.bytes if isinstance(key, UUID) else key.encode()


def _run(file: sqlite3.Connection, sql: str, *values: bytes) -> sqlite3.Cursor:
    try:
        return file.execute(sql, values)
    except sqlite3.Error as error:
        raise SpillFailed(error) from None


def _opened() -> sqlite3.Connection:
    """A file without a name, which the system removes; it need not survive anything."""
    connection = sqlite3.connect("", isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE spilled (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
    return connection
