"""From entries to a batch: folds a view over a page of the log and keeps its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import msgspec

from ledger.facts import Entry
from projections.store import Batch, Change, Head
from projections.view import Row, Rows, View

MODULUS = 2**256

Read = Callable[[Sequence[str]], dict[str, Row]]


def digest_of(rows: Iterable[Row]) -> str:
    """The digest of a set of rows, whatever their order: the sum of their hashes mod 2^256."""
    return _text(sum(map(_hash, rows)))


def fold_batch(
    view: View, head: Head, entries: Sequence[Entry], position: int, anchor: str, read: Read
) -> Batch:
    """The batch that takes a generation from its head to ``position``.

    ``read`` gives the rows as they are; ``entries`` may hold facts that are not the view's.
    """
    mine = [entry for entry in entries if isinstance(entry.fact, view.facts)]
    before = rows_for(view, mine, read)
    rows = dict(before)
    for entry in mine:
        view.fold(rows, entry)
    if unread := [key for key in rows if key not in before]:
        before.update(read(unread))
    changes = [
        Change(before.get(key), row) for key, row in rows.items() if row != before.get(key)
    ]
    after = msgspec.structs.replace(
        head,
        position=position,
        anchor=anchor,
        digest=_moved(head.digest, changes),
        rows=head.rows + sum((one.new is not None) - (one.old is not None) for one in changes),
    )
    return Batch(head, after, changes)


def rows_for(view: View, entries: Sequence[Entry], read: Read) -> Rows:
    """The rows that folding the entries reads, as they are before; None for those there are not.

    What an entry reads because of a row that an earlier one of them makes, that one touches too.
    """
    rows: Rows = {}
    for touched in (view.touches, partial(view.also_touches, rows)):
        wanted = [key for entry in entries for key in touched(entry) if key not in rows]
        if wanted:
            rows.update(dict.fromkeys(wanted))
            rows.update(read(list(dict.fromkeys(wanted))))
    return rows


def _moved(digest: str, changes: Sequence[Change]) -> str:
    total = int(digest, 16)
    for change in changes:
        total += (_hash(change.new) if change.new else 0) - (_hash(change.old) if change.old else 0)
    return _text(total)


def _hash(row: Row) -> int:
    # No text holds a zero byte, and the data comes last, so no two rows give the same bytes.
    parts = (row.key.encode(), row.bucket.encode(), row.sort.encode(), row.data)
    return int.from_bytes(hashlib.sha256(b"\0".join(parts)).digest(), "big")


def _text(total: int) -> str:
    return f"{total % MODULUS:064x}"
