"""The hands of somebody with the database's password (DBA), who is refused nothing for long."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

from ledger.store.immutable import POSTGRES_TRIGGER, SQLITE_TRIGGERS


def unprotect(connection: Any) -> None:
    """Take off the triggers that keep ``events``, on SQLite or as its owner on PostgreSQL.

    They are put on again by the next process that opens the log as its owner.
    """
    if isinstance(connection, sqlite3.Connection):
        for name in SQLITE_TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
    else:
        connection.execute(f"DROP TRIGGER IF EXISTS {POSTGRES_TRIGGER} ON events")


@contextmanager
def a_role(url: str, words: str = "LOGIN") -> Iterator[str]:
    """The URL of the same database as a new role, dropped afterwards with all that is its own."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    name, password = f"gwc_{token_hex(6)}", token_hex(16)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} {words} PASSWORD '{password}'")
        try:
            mine = {**conninfo_to_dict(url), "user": name, "password": password}
            yield f"postgresql:///?{urlencode(mine)}"
        finally:
            connection.execute(f"DROP OWNED BY {name}")
            connection.execute(f"DROP ROLE {name}")


def role_of(url: str) -> str:
    """The role that a URL connects as."""
    from psycopg.conninfo import conninfo_to_dict

    return str(conninfo_to_dict(url)["user"])
