"""Whether views are what a replay of the log gives: their rows, and the digests kept with them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import msgspec

from ledger.application import Ledger
from ledger.audit import Finding, Unreadable, rows_of
from ledger.audit.findings import found
from ledger.errors import LogCorrupt
from ledger.facts import Entry
from projections.folding import digest_of, rows_for
from projections.store import Head, Store, live
from projections.view import Row, View

ATTEMPTS = 50
MOVING = "视图一直在更新，未能核对 / the view kept moving and was not checked"

_log = logging.getLogger(__name__)


class Copy(msgspec.Struct, frozen=True):
    """The rows of a live generation, all as of its head's position."""

    head: Head
    rows: dict[str, Row]


def check_views(ledger: Ledger, store: Store, views: Sequence[View]) -> Iterator[Finding]:
    """A finding per row that differs, at the position that last wrote it; StoreDown passes.

    A view that is not built yet is no fault, but a warning says that it was left out; one that
    never stood still is a finding. The rows of one view are held in memory.
    """
    for view in views:
        copy = _standing_still(store, view)
        if isinstance(copy, Finding):
            yield copy
        elif copy is None:
            _log.warning(
                "%s (%s) 尚未建成，未核对 / is not built by this version yet and was not checked",
                view.name, store.name,
            )  # fmt: skip
        else:
            yield from sorted(_compared(ledger, store, view, copy), key=lambda one: one.position)


def _standing_still(store: Store, view: View) -> Copy | Finding | None:
    """A scan during which the follower wrote nothing; None where the view is not built."""
    position = 0
    for _ in range(ATTEMPTS):
        head = live(store.heads(), view.name)
        if head is None or head.version != view.version:
            return None
        rows = {row.key: row for row in store.scan(head)}
        if live(store.heads(), view.name) == head:
            return Copy(head, rows)
        position = head.position
    text = f"{MOVING}: {view.name} ({store.name})"
    return Finding("VIEW", position, text)


def _compared(ledger: Ledger, store: Store, view: View, copy: Copy) -> Iterator[Finding]:
    name = f"{view.name} ({store.name})"
    right, written = replayed(ledger, view, copy.head.position)
    for key in sorted(right.keys() | copy.rows.keys()):
        if right.get(key) != copy.rows.get(key):
            yield found("VIEW", written.get(key, copy.head.position), f"{name} row {key}")
    if copy.head.digest != digest_of(right.values()):
        yield found("VIEW", copy.head.position, f"{name} digest {copy.head.digest}")
    if copy.head.position > ledger.head():
        yield found("VIEW", copy.head.position, f"{name} is ahead of the log")


def replayed(ledger: Ledger, view: View, until: int) -> tuple[dict[str, Row], dict[str, int]]:
    """The rows a view has at a position, and the position that last wrote each.

    What cannot be read is passed over: the audit of the log names it.
    """
    rows: dict[str, Row] = {}
    written: dict[str, int] = {}
    for entry in _entries(ledger, until):
        if not isinstance(entry.fact, view.facts):
            continue
        before = rows_for(view, [entry], partial(_among, rows))
        after = dict(before)
        view.fold(after, entry)
        for key, row in after.items():
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
            if row != before.get(key):
                written[key] = entry.position
    return rows, written


def _among(rows: Mapping[str, Row], keys: Sequence[str]) -> dict[str, Row]:
    return {key: rows[key] for key in keys if key in rows}


def _entries(ledger: Ledger, until: int) -> Iterator[Entry]:
    for row in rows_of(ledger):
        if row.position > until:
            return
        if isinstance(row, Unreadable):
            continue
        try:
            yield ledger.entry(row)
        except (LogCorrupt, OverflowError):
            continue
