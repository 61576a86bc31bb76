"""Rebuilding a view beside the live one (蓝绿重建), while the follower goes on with the latter."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from ledger.application import Ledger
from projections.feed import Diverged, Feed
from projections.folding import digest_of
from projections.store import OLD, RETIRED, Head, Store, live
from projections.view import View

ATTEMPTS = 1_000

Progress = Callable[[str, int, int], None]


class RebuildOutrun(Exception):
    """The live generation kept moving, or somebody else rebuilt the same view; nothing changed."""


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild came to; ``equal`` is None where there was no live one to compare with."""

    name: str
    store: str
    rows: int
    seconds: float
    digest: str
    equal: bool | None


def rebuild(
    ledger: Ledger, store: Store, view: View, progress: Progress | None = None
) -> Rebuilt:
    """Fold the whole log into a new generation, compare it with the live one, put it in its place.

    The two are compared at the same position, row by row as they are stored. ``progress`` is
    told (view, position, end). Raises RebuildOutrun.
    """
    began = time.monotonic()
    feed = Feed(ledger, [view])
    new = store.begin(view)
    for _ in range(ATTEMPTS):
        old = live(store.heads(), view.name)
        compared = old if old and _comparable(feed, view, old) else None
        new = _caught_up(feed, store, view, new, compared.position if compared else None, progress)
        if not store.swap(new, compared):
            continue
        equal = None
        if compared:
            # Nobody writes to it any more nor deletes it, so what is compared stands still.
            equal = compared.digest == digest_of(store.scan(compared)) == new.digest
        for head in store.heads():
            if head.view == view.name and head.state in (RETIRED, OLD):
                store.drop(head)
        seconds = time.monotonic() - began
        return Rebuilt(view.name, store.name, new.rows, seconds, new.digest, equal)
    raise RebuildOutrun(view.name)


def rebuild_all(
    ledger: Ledger, stores: Sequence[Store], views: Sequence[View], progress: Progress | None = None
) -> list[Rebuilt]:
    """Every view on every store, one after the other."""
    return [rebuild(ledger, store, view, progress) for store in stores for view in views]


def _comparable(feed: Feed, view: View, old: Head) -> bool:
    feed.forget()
    try:
        feed.page(old)
    except Diverged:
        return False
    return old.version == view.version


def _caught_up(
    feed: Feed, store: Store, view: View, head: Head, until: int | None, progress: Progress | None
) -> Head:
    """The new generation at ``until``, or at the end of the log."""
    last = False
    while not last and (until is None or head.position < until):
        feed.forget()
        page = feed.page(head, until)
        batch = feed.batch(store, view, head, page)
        if batch.after != batch.before and not all(store.write([batch])):
            raise RebuildOutrun(view.name)
        head, last = batch.after, page.last
        if progress:
            progress(view.name, head.position, until or head.position)
    return head
