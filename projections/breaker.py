"""A circuit breaker (断路器): nobody waits for a server that was just found not to answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from projections.store import StoreDown

PROBE_SECONDS = 0.5


class Breaker:
    """After a failure callers are turned away at once, until a thread of its own gets an answer.

    ``error`` is the base class of the driver's exceptions, ``lost`` those that say that the
    server is gone; all of them leave as StoreDown.
    """

    def __init__(
        self,
        name: str,
        ask: Callable[[], object],
        error: type[Exception],
        lost: tuple[type[Exception], ...],
    ) -> None:
        self._name, self._ask, self._error, self._lost = name, ask, error, lost
        self._probing: threading.Thread | None = None

    @contextmanager
    def closed(self) -> Iterator[None]:
        """For a block that talks to the server."""
        if self._probing is not None and self._probing.is_alive():
            raise StoreDown(f"{self._name} does not answer")
        try:
            yield
        except self._error as error:
            if isinstance(error, self._lost):
                self._probing = threading.Thread(target=self._probe, daemon=True)
                self._probing.start()
            raise StoreDown(f"{self._name}: {error}") from error

    def _probe(self) -> None:
        while True:
            time.sleep(PROBE_SECONDS)
            try:
                self._ask()
            except self._error:
                continue
            return
