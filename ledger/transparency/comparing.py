"""Comparing (比对): rows of the log as entries, if they are what their leaf hashes say."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from eventsourcing.persistence import PersistenceError

from ledger.log import Log
from ledger.store.leaf import entry_bytes
from ledger.store.mapper import RecordedFact
from ledger.transparency.errors import EntryDiffers, EntryMissing
from ledger.transparency.merkle import leaf_hash

UNREADABLE = (ValueError, PersistenceError)
NO_ENTRY = (ValueError, TypeError, AttributeError, struct.error, PersistenceError)


def compared_rows(
    log: Log, after: int, through: int, read: Callable[[], None] = lambda: None
) -> tuple[list[bytes], list[bytes]]:
    """The entries of ``after`` < position <= ``through``, and their hashes.

    ``read`` is called between reading them and comparing each with the hash stored beside it.
    Raises EntryDiffers, EntryMissing, and what an unreachable store raises.
    """
    rows = _rows(log, after, through)
    read()
    entries = [_compared(row, position) for position, row in enumerate(rows, after + 1)]
    if len(entries) < through - after:
        raise EntryMissing(position=after + len(entries) + 1)
    return entries, [bytes(row.leaf_hash) for row in rows]


def _rows(log: Log, after: int, through: int) -> Sequence[RecordedFact]:
    try:
        rows: Sequence[RecordedFact] = log.store.select_notifications(
            after + 1, through - after, through
        )
        return rows
    except UNREADABLE:
        return [_row(log, position) for position in range(after + 1, through + 1)]


def _row(log: Log, position: int) -> RecordedFact:
    try:
        rows: Sequence[RecordedFact] = log.store.select_notifications(position, 1, position)
    except UNREADABLE:
        log.head()  # Raises as well when it is the store that cannot be reached.
        raise EntryDiffers(position=position) from None
    if not rows:
        raise EntryMissing(position=position)
    return rows[0]


def _compared(row: RecordedFact, position: int) -> bytes:
    if row.position != position:
        raise EntryMissing(position=position)
    try:
        entry = entry_bytes(row)
    except NO_ENTRY:
        raise EntryDiffers(position=position) from None
    if leaf_hash(entry) != row.leaf_hash:
        raise EntryDiffers(position=position)
    return entry
