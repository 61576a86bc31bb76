"""Connections lent one at a time: opened on first use, thrown away after any error."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore
from typing import Generic, Protocol, TypeVar

from ledger.store.errors import StoreClosed, as_persistence_error


class Closeable(Protocol):
    """All that a pool asks of a connection."""

    def close(self) -> None: ...


C = TypeVar("C", bound=Closeable)


class Pool(Generic[C]):
    """At most ``size`` connections, made by ``connect``; the most recently used goes first.

    ``error`` is the base class of the driver's exceptions; they leave as the library's.
    """

    def __init__(self, connect: Callable[[], C], size: int, error: type[Exception]) -> None:
        self._connect = connect
        self._error = error
        self._free = BoundedSemaphore(size)
        self._idle: deque[C] = deque()
        self._closed = False
        self.used = False
        """Whether a connection was ever opened."""

    @contextmanager
    def borrow(self) -> Iterator[C]:
        """A connection for this block alone; after an exception it is never used again."""
        with self._free:
            if self._closed:
                raise StoreClosed("the store is closed")
            try:
                connection = self._take()
                try:
                    yield connection
                except BaseException:
                    _close(connection)
                    raise
            except self._error as error:
                raise as_persistence_error(error) from error
            self._idle.append(connection)
        if self._closed:
            self.discard_idle()

    def discard_idle(self) -> None:
        """Close what is not lent: after a lost connection the others are likely dead as well."""
        with suppress(IndexError):
            while True:
                _close(self._idle.pop())

    def close(self) -> None:
        """Lend nothing any more; a connection still lent is closed when it comes back."""
        self._closed = True
        self.discard_idle()

    def _take(self) -> C:
        with suppress(IndexError):
            return self._idle.pop()
        connection = self._connect()
        self.used = True
        return connection


def _close(connection: Closeable) -> None:
    with suppress(Exception):
        connection.close()
