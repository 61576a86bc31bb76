"""What a witness (见证人) remembers: of every log the largest tree it cosigned.

One row per log in an SQLite file of its own, moved in one transaction that is on the disk before
it returns. It must never go back: no backup of it is ever to be restored.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from ledger.transparency.merkle import EMPTY_ROOT

LOCK_SECONDS = 5.0
CREATE = (
    "CREATE TABLE cosigned (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL)"
    " STRICT"
)
EXISTS = "SELECT 1 FROM sqlite_schema WHERE name = 'cosigned'"
SELECT = "SELECT size, root FROM cosigned WHERE origin = ?"
REPLACE = "INSERT OR REPLACE INTO cosigned VALUES (?, ?, ?)"


class StateLost(Exception):
    """There is no state where one should be: who forgot may come to contradict what it signed."""


class Tree(NamedTuple):
    """The size and root of a tree."""

    size: int
    root: bytes


NEVER_SEEN = Tree(0, EMPTY_ROOT)


class WitnessState:
    """The trees a witness cosigned; safe to share between threads, and the file between processes.

    Raises StateLost where the file holds no state, unless ``begin``: then it is made.
    """

    def __init__(self, path: Path, *, begin: bool = False) -> None:
        if not begin and not path.exists():
            raise StateLost(path)
        self._lock = Lock()
        self._connection = sqlite3.connect(
            path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(path, begin)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, path: Path, begin: bool) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        # Each commit is synced; WAL alone would lose the last ones with the power.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("BEGIN IMMEDIATE")
        if not self._connection.execute(EXISTS).fetchone():
            if not begin:
                raise StateLost(path)
            self._connection.execute(CREATE)
        self._connection.execute("COMMIT")

    def cosigned(self, origin: str) -> Tree:
        """The largest tree of a log that was cosigned; NEVER_SEEN without one."""
        with self._lock:
            return self._select(origin)

    def move(self, origin: str, old: Tree, new: Tree) -> bool:
        """From one tree to the next, durably; False, and nothing done, if it is no longer there."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                moved = self._select(origin) == old
                if moved:
                    self._connection.execute(REPLACE, (origin, *new))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        return moved

    def _select(self, origin: str) -> Tree:
        row = self._connection.execute(SELECT, (origin,)).fetchone()
        return Tree(*row) if row else NEVER_SEEN

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()
