"""Merged commit (合并提交): concurrent calls of one process share one transaction.

There is no thread of its own.  The caller that finds nobody committing leads: it commits whatever
is queued, its own call first, and then hands the lead to a waiting caller.  A lone caller commits
at once and never changes threads.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Lock
from typing import Generic, TypeVar

from eventsourcing.persistence import OperationalError, PersistenceError

from ledger.store.errors import Overloaded, StoreClosed

CALLS_PER_COMMIT_MAX = 256
BYTES_PER_COMMIT_MAX = 4 * 1024 * 1024
WAITING_MAX = 1_024
GATHER_SECONDS = 0.001
GATHER_STEP_SECONDS = 0.0001


class Call:
    """One call that wants to be committed; ``commit`` must settle it, or raise for the whole."""

    __slots__ = ("error", "leads", "settled", "size", "turn")

    def __init__(self, size: int) -> None:
        self.size = size
        self.settled = False
        self.error: PersistenceError | None = None
        self.leads = False
        self.turn: Lock | None = None
        """Held while the caller must wait; opened when it is settled or is to lead."""

    def settle(self, error: PersistenceError | None = None) -> None:
        """Recorded, or refused for this reason: final either way."""
        self.settled, self.error = True, error


C = TypeVar("C", bound=Call)


class MergedCommit(Generic[C]):
    """Runs ``commit`` over batches of calls, one batch at a time, in the order of arrival."""

    def __init__(
        self, commit: Callable[[Sequence[C]], None], *, waiting_max: int = WAITING_MAX
    ) -> None:
        self._commit = commit
        self._waiting_max = waiting_max
        self._waiting: deque[C] = deque()
        self._led = False
        self._closed = False
        self._company = 1
        self._gather_until = 0.0
        self._lock = Lock()
        self._idle = Condition(self._lock)

    def submit(self, call: C) -> None:
        """Returns once ``call`` is committed, with whatever the others brought along.

        Raises the call's own error, OperationalError if the shared transaction failed as a whole,
        Overloaded if too many wait, StoreClosed after close().
        """
        batch: list[C] = []
        failure: BaseException = InterruptedError("the commit was interrupted")
        try:
            self._enter(call)
            if call.turn is not None:
                call.turn.acquire()
            if call.leads:
                self._gather()
                self._take(batch)
                try:
                    self._commit(batch)
                except Exception as error:  # noqa: BLE001 - every call of the batch gets it
                    failure = error
        finally:  # Also after an interrupt: whoever waits must be told, and somebody must lead.
            self._leave(call, batch, failure)
        if call.error is not None:
            raise call.error

    def close(self) -> None:
        """Refuses new calls and returns when those already accepted are settled."""
        with self._lock:
            self._closed = True
            while self._led:
                self._idle.wait()

    def _enter(self, call: C) -> None:
        with self._lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            if not self._led:
                self._led = call.leads = True
            elif len(self._waiting) >= self._waiting_max:
                raise Overloaded(f"{self._waiting_max} calls wait for the log already")
            else:
                call.turn = Lock()
                call.turn.acquire()
            self._waiting.append(call)

    def _gather(self) -> None:
        """Let those just answered come back: one commit for all is worth more than an early start.

        Ends a millisecond after the last commit at the latest; a lone caller never waits.
        """
        while len(self._waiting) < self._company and time.monotonic() < self._gather_until:
            time.sleep(GATHER_STEP_SECONDS)

    def _take(self, batch: list[C]) -> None:
        """Move the next calls into ``batch``; the leader's own is always the first of them."""
        with self._lock:
            size = 0
            while self._waiting and len(batch) < CALLS_PER_COMMIT_MAX:
                size += self._waiting[0].size
                if batch and size > BYTES_PER_COMMIT_MAX:
                    break
                batch.append(self._waiting[0])
                self._waiting.popleft()

    def _leave(self, call: C, batch: list[C], failure: BaseException) -> None:
        for member in batch:
            if not member.settled:
                member.settle(_not_acknowledged(failure))
        with self._lock:
            if not call.settled and call in self._waiting:
                self._waiting.remove(call)
            if call.leads:
                self._company = min(len(batch) + len(self._waiting), CALLS_PER_COMMIT_MAX)
                self._gather_until = time.monotonic() + GATHER_SECONDS
                self._hand_over()
        for member in batch:
            if member.turn is not None:
                member.turn.release()

    def _hand_over(self) -> None:
        while self._waiting and self._waiting[0].settled:
            self._waiting.popleft()
        if self._waiting:
            heir = self._waiting[0]
            assert heir.turn is not None
            heir.leads = True
            heir.turn.release()
        else:
            self._led = False
            self._idle.notify_all()


def _not_acknowledged(error: BaseException) -> OperationalError:
    """One exception per call: raised in several threads, a shared one would mix their traces."""
    failure = OperationalError(str(error))
    failure.__cause__ = error
    return failure
