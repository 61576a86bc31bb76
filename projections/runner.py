"""The follower (跟随进程): pulls the log and keeps every view on every store up to date.

It can be killed at any moment: each store knows its own position. A view that is missing, was
made by an older version of its fold, or from another log, is built beside the live one and put in
its place once it has caught up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from threading import Event
from typing import Any, TypeAlias

from ledger.application import Ledger
from projections import VIEWS
from projections.feed import ENTRIES_MAX, Diverged, Feed
from projections.store import OLD, Batch, Head, Leadership, Store, StoreDown, building, live
from projections.store_sql import SqlStore
from projections.view import View

POLL_SECONDS = 0.5
STANDBY_SECONDS = 0.5
RETRY_SECONDS = 0.5
CATCH_UP_SECONDS = 600.0
CATCH_UP_POLL_SECONDS = 0.01

Step: TypeAlias = tuple[Batch, bool]
"""A batch, and whether its generation has then caught up and is to go live."""

_log = logging.getLogger(__name__)


class Follower:
    """Follows one ledger into some stores, the first of which holds the lock of the leader.

    One follower leads; any other stands by. Even two that both believe to lead cannot count
    twice, for a batch is applied only to exactly the head it was made from.
    """

    def __init__(
        self,
        ledger: Ledger,
        stores: Sequence[Store],
        views: Sequence[View] = VIEWS,
        *,
        entries_max: int = ENTRIES_MAX,
    ) -> None:
        self._ledger = ledger
        self._stores = stores
        self._views = views
        self._feed = Feed(ledger, self._views, entries_max)
        self._lock: Leadership = _sql(stores).leadership()
        self._leading = False
        self._down: dict[str, float] = {}
        self._stuck: dict[tuple[str, str], float] = {}

    def leads(self) -> bool:
        """Whether this follower is the one that writes, becoming it when nobody is."""
        self._leading = self._lock.held()
        return self._leading

    @property
    def leading(self) -> bool:
        """Whether this follower was the one that writes when it last looked; for other threads."""
        return self._leading

    def step(self) -> int:
        """One batch for every view on every store that answers; how many batches moved a view.

        0 when there is nothing to do, or another follower leads.
        """
        if not self.leads():
            return 0
        self._feed.forget()
        moved = 0
        for store in self._stores:
            if self._down.get(store.name, 0.0) > time.monotonic():
                continue
            try:
                moved += self._advance(store)
                self._down.pop(store.name, None)
            except StoreDown as problem:
                if store.name not in self._down:
                    _log.warning("views are not followed for now: %s", problem)
                self._down[store.name] = time.monotonic() + RETRY_SECONDS
        return moved

    def run(self, stop: Event) -> None:
        """Follow until ``stop`` is set; after an error go on, for positions are never lost."""
        try:
            while not stop.is_set():
                try:
                    if not self.leads():
                        stop.wait(STANDBY_SECONDS)
                    elif not self.step():
                        self._wait(stop)
                except Exception:  # noqa: BLE001 - a follower must outlive whatever went wrong
                    _log.exception("the follower stumbled and goes on")
                    stop.wait(RETRY_SECONDS)
        finally:
            self.close()

    def _wait(self, stop: Event) -> None:
        """Until the log grows; what it held before a step is never waited for."""
        end = self._feed.end()
        if end is None:
            stop.wait(RETRY_SECONDS)
        else:
            self._ledger.store.wait_for_change(end, POLL_SECONDS)

    def catch_up(self, timeout: float = CATCH_UP_SECONDS) -> int:
        """Follow until every view of the first store is at the end of the log; its position.

        Waits for the follower that leads, if it is another. Raises TimeoutError.
        """
        end = self._ledger.head()
        deadline = time.monotonic() + timeout
        while True:
            moved = self.step()
            if not moved and self._seen() >= end:
                return end
            if time.monotonic() > deadline:
                stuck = ", ".join(f"{view} on {store}" for store, view in self._stuck)
                raise TimeoutError(
                    f"the views have not reached position {end}" + f": {stuck}" * bool(stuck)
                )
            if not moved:
                time.sleep(CATCH_UP_POLL_SECONDS)

    def close(self) -> None:
        """Let another follower lead; the stores stay open."""
        self._lock.release()

    def _seen(self) -> int:
        """The position every view of the first store has reached; -1 before there are any."""
        heads = _sql(self._stores).heads()
        found = [_fitting(heads, view) for view in self._views]
        return min(head.position if head else -1 for head in found)

    def _advance(self, store: Store) -> int:
        """A batch for every view of one store, in one go; then what has caught up goes live."""
        heads = store.heads()
        tried = [self._step_of(store, view, heads) for view in self._views]
        steps = [step for step in tried if step]
        batches = [batch for batch, _ in steps if batch.after != batch.before]
        outrun = self._write(store, batches)
        ready = [batch.after for batch, last in steps if last and batch.after not in outrun]
        swapped = sum(store.swap(head, None) for head in ready)
        for head in (*heads, *(store.heads() if swapped else ())):
            if head.state == OLD:
                store.drop(head)
        return len(batches) - len(outrun) + swapped

    def _step_of(self, store: Store, view: View, heads: Sequence[Head]) -> Step | None:
        """What one view is to do; None for a view that has to wait."""
        shown = live(heads, view.name)
        if shown and shown.version > view.version:
            return None  # A newer follower made it; ours is about to be replaced.
        if self._stuck.get((store.name, view.name), 0.0) > time.monotonic():
            return None
        try:
            head = _fitting(heads, view)
            if head and (batch := self._next(store, view, head)):
                return batch, False
            return self._rebuilt(store, view, building(heads, view))
        except StoreDown:
            raise
        except Exception as problem:  # noqa: BLE001 - the other views must not wait for this one
            self._hold(store, view.name, problem)
            return None

    def _hold(self, store: Store, view: str, problem: Exception) -> None:
        """Let a view stand where it is, which its lag shows, and try it again later."""
        if (store.name, view) not in self._stuck:
            _log.error("%s on %s stands still", view, store.name, exc_info=problem)
        self._stuck[store.name, view] = time.monotonic() + RETRY_SECONDS

    def _write(self, store: Store, batches: Sequence[Batch]) -> set[Head]:
        """Write what was folded; the heads that were not reached.

        Somebody was faster, or the store refuses a row: then that view alone is held.
        """
        outrun = set()
        try:
            written = store.write(batches)
        except StoreDown:
            raise
        except Exception as problem:  # noqa: BLE001 - which of them it was, each alone will tell
            if len(batches) > 1:
                return set().union(*(self._write(store, [batch]) for batch in batches))
            self._hold(store, batches[0].before.view, problem)
            return {batches[0].after}
        for batch, done in zip(batches, written, strict=True):
            if done:
                self._feed.applied(batch)
            else:
                outrun.add(batch.after)
            if self._stuck.pop((store.name, batch.before.view), None):
                _log.warning("%s on %s goes on", batch.before.view, store.name)
        return outrun

    def _next(self, store: Store, view: View, head: Head) -> Batch | None:
        """The next batch of a live generation; None when the log is not the one it was made of."""
        try:
            return self._feed.batch(store, view, head, self._feed.page(head))
        except Diverged:
            _log.warning("%s on %s is not of this log and is made anew", view.name, store.name)
            return None

    def _rebuilt(self, store: Store, view: View, head: Head | None) -> tuple[Batch, bool]:
        """The next batch of a generation being built, and whether it is the last one."""
        try:
            head = head or store.begin(view)
            page = self._feed.page(head)
        except Diverged:
            head = store.begin(view)
            page = self._feed.page(head)
        return self._feed.batch(store, view, head, page), page.last


def _fitting(heads: Sequence[Head], view: View) -> Head | None:
    """The live generation, if this version of the code made it and its rows are there."""
    head = live(heads, view.name)
    return head if head and head.version == view.version and not head.hollow else None


def _sql(stores: Sequence[Store]) -> SqlStore[Any]:
    first = stores[0]
    assert isinstance(first, SqlStore)
    return first
