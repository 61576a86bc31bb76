"""What the published log (公开日志) says and a database that was restored has forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from ledger.errors import LedgerError
from ledger.store.leaf import EntryRow, parse_entry
from ledger.store.mapper import RecordedFact
from ledger.transparency.merkle import leaf_hash
from ledger.transparency.tiles import LogFolder, TileDamaged


class PublishedUnreadable(LedgerError):
    """It reaches further than this log and may hold erasures; nothing is served without them."""

    code = "published_log_unreadable"
    zh = "公开日志比数据库长，但无法读取（{problem}）；请先修复该文件夹，再启动。"
    en = "The published log goes on behind this one and cannot be read ({problem}); mend it first."


class Rows(Protocol):
    """What is asked of the log."""

    def head(self) -> int: ...
    def rows(self, after: int = 0, limit: int = ...) -> Sequence[RecordedFact]: ...


def unheld(log: Rows, folders: Iterable[LogFolder]) -> Iterator[EntryRow]:
    """Rows of this log as it was published that it does not hold, since it was restored.

    Those behind its end; or, where it went on differently since, all there are. Of folders that
    begin with another entry nothing. Raises PublishedUnreadable.
    """
    first, head = log.rows(0, 1), log.head()
    for folder in folders:
        size = published_size(folder)
        if not first or not size:
            continue
        try:
            if not _holds(folder, first[0]):
                continue
            (last,) = log.rows(min(size, head) - 1, 1)
            start = head if _holds(folder, last) else 0
            yield from map(parse_entry, folder.entries(start, size) if start < size else ())
        except (TileDamaged, ValueError) as error:
            if size > head:  # Else it has nothing new, and its damage is for the notary to tell.
                raise PublishedUnreadable(problem=str(error)) from error


def published_size(folder: LogFolder) -> int:
    """How many entries the published checkpoint covers; 0 without one that can be read."""
    lines = (folder.checkpoint() or b"").split(b"\n")
    return int(lines[1]) if len(lines) > 1 and lines[1].isdigit() else 0


def _holds(folder: LogFolder, row: RecordedFact) -> bool:
    """Whether the folder holds this very row; raises TileDamaged."""
    # Partial files are there for published sizes alone.
    entry = next(folder.entries(row.position - 1, published_size(folder)))
    return leaf_hash(entry) == row.leaf_hash
