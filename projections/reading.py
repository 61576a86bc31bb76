"""Where questions are answered: from Redis where it is up to date, else from the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from projections import VIEWS
from projections.questions import Questions
from projections.store import Head, Store, StoreDown, ViewNotReady, live
from projections.view import Place, Row, Source, View

REFRESH_SECONDS = 0.05
WAIT_SECONDS_MIN, WAIT_SECONDS_MAX = 0.0005, 0.01

T = TypeVar("T")


def open_stores(database_url: str, redis_url: str | None = None) -> list[Store]:
    """The stores of a follower, the database first; nothing is connected yet."""
    stores: list[Store] = [_sql_store(database_url)]
    if redis_url:
        from projections.store_redis import RedisStore

        stores.append(RedisStore(redis_url))
    return stores


def open_views(database_url: str, redis_url: str | None = None) -> Views:
    """The views of ``sqlite:///file`` or ``postgresql://...``; nothing is connected yet."""
    return Views(open_stores(database_url, redis_url))


def _sql_store(database_url: str) -> Store:
    scheme, _, path = database_url.partition(":///")
    if scheme == "sqlite":
        from projections.store_sql_sqlite import SqliteStore

        return SqliteStore(path)
    from projections.store_sql_postgres import PostgresStore

    return PostgresStore(database_url)


class Behind(Exception):
    """The copy has not reached what the database was seen to hold."""


class UpToDate:
    """A Source that refuses to answer from an earlier position than the database's."""

    def __init__(self, store: Source, seen: Callable[[View], int]) -> None:
        self._store = store
        self._seen = seen

    def fetch(self, view: View, key: str) -> tuple[int, bytes | None]:
        return self._checked(view, self._store.fetch(view, key))

    def page(
        self, view: View, bucket: str, after: Place, limit: int, *, backwards: bool = False
    ) -> tuple[int, list[Row]]:
        answer = self._store.page(view, bucket, after, limit, backwards=backwards)
        return self._checked(view, answer)

    def rank(self, view: View, bucket: str, place: Place) -> tuple[int, int]:
        return self._checked(view, self._store.rank(view, bucket, place))

    def _checked(self, view: View, answer: tuple[int, T]) -> tuple[int, T]:
        if answer[0] < self._seen(view):
            raise Behind
        return answer


class Views(Questions):
    """Answers all questions, for any thread and after any fork."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._sql, *copies = stores
        self._copies = [UpToDate(copy, self._seen) for copy in copies]
        self._stores = stores
        self._positions: dict[str, int] = {}
        self._refreshed = 0.0

    def position(self, view: str) -> int:
        """How far a view of the database is; 0 while there is none."""
        self._refresh()
        return self._positions[view]

    def wait_for(self, view: str, position: int, timeout: float) -> bool:
        """Wait until a view holds ``position``, at most ``timeout`` seconds; whether it does."""
        deadline = time.monotonic() + timeout
        pause = WAIT_SECONDS_MIN
        while self._positions.get(view, 0) < position and self.position(view) < position:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(2 * pause, WAIT_SECONDS_MAX)
        return True

    def status(self, log_head: int | None = None) -> list[dict[str, Any]]:
        """A line per view and store: name, version, generation, position, lag, digest, rows.

        ``lag`` is in entries behind ``log_head``, or behind the view that is furthest. A store
        that does not answer has ``state`` "down".
        """
        lines: list[dict[str, Any]] = []
        for store in self._stores:
            try:
                heads = store.heads()
            except StoreDown:
                heads = None
            lines += [_status(store.name, view, heads) for view in VIEWS]
        known = [line["position"] for line in lines if line["position"] is not None]
        end = max(known, default=0) if log_head is None else log_head
        for line in lines:
            line["lag"] = None if line["position"] is None else max(end - line["position"], 0)
        return lines

    def close(self) -> None:
        """Close every connection."""
        for store in self._stores:
            store.close()

    def _ask(self, question: Callable[[Source], T]) -> T:
        for copy in self._copies:
            try:
                return question(copy)
            except (StoreDown, Behind, ViewNotReady):
                continue
        return question(self._sql)

    def _seen(self, view: View) -> int:
        """The position of the database, looked up now and then so that a copy is never far off."""
        if time.monotonic() - self._refreshed > REFRESH_SECONDS:
            self._refresh()
        return self._positions.get(view.name, 0)

    def _refresh(self) -> list[Head]:
        heads = self._sql.heads()
        for view in VIEWS:
            head = live(heads, view.name)
            fits = head is not None and head.version == view.version
            self._positions[view.name] = head.position if head and fits else 0
        self._refreshed = time.monotonic()
        return heads


def _status(store: str, view: View, heads: Sequence[Head] | None) -> dict[str, Any]:
    head = live(heads, view.name) if heads is not None else None
    state = "down" if heads is None else head.state if head else "missing"
    return {
        "name": view.name,
        "store": store,
        "state": state,
        "version": head.version if head else view.version,
        "generation": head.generation if head else None,
        "position": head.position if head else None,
        "lag": None,
        "digest": head.digest if head else None,
        "rows": head.rows if head else None,
    }


