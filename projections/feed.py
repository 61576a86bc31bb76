"""The log as followers pull it: pages behind a position, checked to go on from where they ended."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ledger.application import Ledger
from ledger.facts import Entry
from projections.folding import fold_batch
from projections.store import Batch, Head, Store
from projections.view import View, topics

ENTRIES_MAX = 500


class Diverged(Exception):
    """The log does not hold what this generation was made from: another log, or a restored one."""


class Page(msgspec.Struct, frozen=True):
    """Entries behind a position, of the topics any view folds; where they end, and if all do."""

    entries: Sequence[Entry]
    start: int
    start_anchor: str
    end: int
    end_anchor: str
    last: bool


class Feed:
    """Pages and batches of one step, each made once however many views and stores want it."""

    def __init__(self, ledger: Ledger, views: Sequence[View], limit: int = ENTRIES_MAX) -> None:
        self._ledger = ledger
        self._topics = topics(views)
        self._limit = limit
        self._pages: dict[int, Page | None] = {}
        self._batches: dict[tuple[str, int, str], Batch] = {}

    def forget(self) -> None:
        """Begin a step: the log may have grown."""
        self._pages.clear()
        self._batches.clear()

    def end(self) -> int | None:
        """The furthest position pulled in this step; None when nothing was asked for."""
        return max((page.end for page in self._pages.values() if page), default=None)

    def page(self, head: Head, until: int | None = None) -> Page:
        """The next page for a generation; raises Diverged."""
        if head.position not in self._pages:
            self._pages[head.position] = self._pull(head.position, until)
        page = self._pages[head.position]
        if page is None or page.start_anchor != head.anchor:
            raise Diverged
        return page

    def batch(self, store: Store, view: View, head: Head, page: Page) -> Batch:
        """The page folded, or what another store with the same digest was already given."""
        if made := self._batches.get((view.name, head.position, head.digest)):
            moved = {"generation": head.generation, "state": head.state}
            after = msgspec.structs.replace(made.after, **moved)
            return Batch(head, after, made.changes)
        return fold_batch(
            view, head, page.entries, page.end, page.end_anchor,
            lambda keys: store.rows(head, keys),
        )  # fmt: skip

    def applied(self, batch: Batch) -> None:
        """Offer a batch to the other stores.

        Never one that was refused: what it read may have been a generation half deleted.
        """
        self._batches[batch.before.view, batch.before.position, batch.before.digest] = batch

    def _pull(self, position: int, until: int | None) -> Page | None:
        """The page behind ``position``; None when the log does not reach that far."""
        limit = self._limit if until is None else min(self._limit, until - position)
        # The row at the position itself comes along: its leaf hash is what the head must name.
        rows = self._ledger.rows(max(position - 1, 0), limit + bool(position))
        start_anchor = ""
        if position:
            if not rows or rows[0].id != position:
                return None
            start_anchor = rows.pop(0).leaf_hash.hex()
        entries = [self._ledger.entry(row) for row in rows if row.topic in self._topics]
        end = rows[-1].id if rows else position
        anchor = rows[-1].leaf_hash.hex() if rows else start_anchor
        return Page(entries, position, start_anchor, end, anchor, len(rows) < limit)
