"""The head of the published log (日志头): how far it was signed, kept where it can be compared.

A log that signs two trees of one size has forked, and nothing repairs that. So whoever signs
swaps this row first, and signs only what it then says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from ledger.store import schema

SELECT_HEAD = "SELECT log_id, origin, size, root FROM log_head"
BEGIN_LOG = "INSERT INTO log_head VALUES (1, ?, ?, 0, ?) ON CONFLICT (one) DO NOTHING"
SWAP_HEAD = "UPDATE log_head SET size = ?, root = ? WHERE size = ? AND root = ?"


class LogHead(NamedTuple):
    """The tree that was, or is about to be, signed; ``log_id`` is this database's own."""

    log_id: str
    origin: str
    size: int
    root: bytes


class LogHeadTable(ABC):
    """What the notary asks of a recorder."""

    @abstractmethod
    def rows(self, question: schema.Question) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def write(self, statements: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None: ...

    def select_log_head(self) -> LogHead | None:
        """The head; None before a notary began the log."""
        rows = self.rows((SELECT_HEAD, []))
        return LogHead(*rows[0]) if rows else None

    def begin_log(self, log_id: str, origin: str, empty_root: bytes) -> LogHead:
        """The head, begun with this id and origin unless it was begun before."""
        self.write([(BEGIN_LOG, [[log_id, origin, empty_root]])])
        head = self.select_log_head()
        assert head is not None
        return head

    def swap_log_head(self, old: LogHead, size: int, root: bytes) -> bool:
        """Move the head from ``old`` on, durably; False if it is not what was to be signed.

        Of two that swap at once one loses, unless both came to the very same tree.
        """
        self.write([(SWAP_HEAD, [[size, root, old.size, old.root]])])
        head = self.select_log_head()
        return head is not None and (head.size, head.root) == (size, root)
