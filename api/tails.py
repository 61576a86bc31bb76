"""Live tails (实时跟随): answers that go on while the log grows, a bounded number for a while.

Each takes a thread of its worker for as long as it lasts, so a worker serves at most half as many
as it has threads; whoever comes then is asked to come back. An answer ends after some minutes, when
its worker ends, or when its bearer's right does; the client goes on from the last position it saw.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from threading import BoundedSemaphore
from typing import Protocol

from eventsourcing.persistence import PersistenceError
from flask import Flask, Response

from api.config import Settings
from api.services import Opening
from ledger.errors import LedgerError
from ledger.history import history_line
from ledger.searching import Found
from ledger.store.mapper import RecordedFact
from ledger.store.recorder import WATCHERS_MAX

NDJSON, EVENTS = "application/x-ndjson", "text/event-stream"
LOOK_SECONDS = 1.0
KEEP_ALIVE_SECONDS = 15.0
LAST_SECONDS = 300.0
RECONNECT_MILLISECONDS = 1_000


class TooManyTails(LedgerError):
    code = "too_many_tails"
    zh = "同时跟随日志的连接已满；请稍后再连，或用 after 分页读取。"
    en = "As many follow the log as this server allows; come back later, or page with after."
    retry_after_seconds = 15


class Form(Protocol):
    """How entries are written into an answer that lasts."""

    def beginning(self) -> bytes: ...
    def entry(self, row: RecordedFact) -> bytes: ...
    def keep_alive(self, reached: int) -> bytes: ...


class Lines:
    """NDJSON: an entry a line; an empty line says that the connection is alive."""

    def beginning(self) -> bytes:
        return b"\n"

    def entry(self, row: RecordedFact) -> bytes:
        return history_line(row)

    def keep_alive(self, reached: int) -> bytes:  # noqa: ARG002
        return b"\n"


class Events:
    """Server-Sent Events (WHATWG HTML 9.2): an entry an event, whose id is the position.

    An id without data moves where the client resumes, and dispatches nothing.
    """

    def beginning(self) -> bytes:
        return b"retry: %d\n\n" % RECONNECT_MILLISECONDS

    def entry(self, row: RecordedFact) -> bytes:
        return b"id: %d\ndata: %s\n" % (row.position, history_line(row))

    def keep_alive(self, reached: int) -> bytes:
        return b"id: %d\n\n" % reached


FORMS: dict[str, Form] = {NDJSON: Lines(), EVENTS: Events()}


class Tails:
    """The tails of one worker."""

    def __init__(self, settings: Settings, opening: Opening) -> None:
        self._free = BoundedSemaphore(min(settings.threads // 2, WATCHERS_MAX))
        self._opening = opening

    def answer(
        self, kind: str, founds: Iterable[Found], limit: int | None, stands: Callable[[], bool]
    ) -> Response:
        """The answer, written while it is being sent; raises TooManyTails."""
        if not self._free.acquire(blocking=False):
            raise TooManyTails
        written = self._written(FORMS[kind], founds, limit, stands)
        response = Response(written, content_type=kind)
        response.headers["X-Accel-Buffering"] = "no"  # A proxy must pass it on as it comes.
        # Called whatever became of the client, and even if nothing was ever sent.
        response.call_on_close(self._free.release)
        return response

    def _written(
        self, form: Form, founds: Iterable[Found], limit: int | None, stands: Callable[[], bool]
    ) -> Iterator[bytes]:
        began = said = time.monotonic()
        yield form.beginning()
        for found in founds:
            rows = found.rows if limit is None else found.rows[:limit]
            if rows and not _still(stands):
                return
            if rows:
                yield b"".join(map(form.entry, rows))
            now = time.monotonic()
            if not rows and now - said >= KEEP_ALIVE_SECONDS:
                yield form.keep_alive(found.reached)
            if rows or now - said >= KEEP_ALIVE_SECONDS:
                said = now
            limit = None if limit is None else limit - len(rows)
            if limit == 0 or self._opening.ending() or now - began >= LAST_SECONDS:
                return


def _still(stands: Callable[[], bool]) -> bool:
    """Whether the bearer may go on; not where nobody can tell."""
    try:
        return stands()
    except PersistenceError:
        return False


def register(app: Flask, settings: Settings) -> None:
    """Give the worker its tails."""
    opening: Opening = app.extensions["gwc"]
    app.extensions["gwc-tails"] = Tails(settings, opening)
