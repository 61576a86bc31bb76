"""What keeps ``events`` as it was written (不可更改): triggers of SQLite and of PostgreSQL.

Friction, not proof: whoever owns a database can take its triggers off. What was changed then is
found by the leaf hashes and the signed checkpoints. A role that cannot take them off: ``roles.py``.
"""

from __future__ import annotations

import sqlite3
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.store.postgres import Connection

REFUSED = "events is append-only: a recorded fact is never changed"
_RAISE = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"

# INSERT OR REPLACE deletes without a DELETE trigger (recursive_triggers is off unless asked for),
# so a row that would take another's place is refused before it is inserted.
SQLITE_TRIGGERS = {
    "events_no_update": f"CREATE TRIGGER events_no_update BEFORE UPDATE ON events {_RAISE}",
    "events_no_delete": f"CREATE TRIGGER events_no_delete BEFORE DELETE ON events {_RAISE}",
    "events_no_replace": (
        "CREATE TRIGGER events_no_replace BEFORE INSERT ON events WHEN"
        " EXISTS (SELECT 1 FROM events WHERE position = NEW.position)"
        " OR EXISTS (SELECT 1 FROM events WHERE originator_id = NEW.originator_id"
        f" AND originator_version = NEW.originator_version) {_RAISE}"
    ),
}
SQLITE_FOUND = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'events'"

POSTGRES_TRIGGER = "events_append_only"
POSTGRES_FUNCTION = "gwc_refuse_change"
POSTGRES_BODY = f" BEGIN RAISE insufficient_privilege USING MESSAGE = '{REFUSED}'; END "
# Per statement: an INSERT pays nothing, and a statement that would change no row is refused too.
# ALWAYS: a session that plays a replica (session_replication_role) does not get past it.
POSTGRES_GUARD = f"""
CREATE OR REPLACE FUNCTION {POSTGRES_FUNCTION}() RETURNS trigger LANGUAGE plpgsql
    AS $body${POSTGRES_BODY}$body$;
DROP TRIGGER IF EXISTS {POSTGRES_TRIGGER} ON events;
CREATE TRIGGER {POSTGRES_TRIGGER} BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION {POSTGRES_FUNCTION}();
ALTER TABLE events ENABLE ALWAYS TRIGGER {POSTGRES_TRIGGER}
"""
# tgtype 58: before (2), delete (8), update (16), truncate (32), per statement (no 1).
POSTGRES_FOUND = """
SELECT pg_has_role(c.relowner, 'USAGE'), EXISTS (
    SELECT FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE t.tgrelid = c.oid AND t.tgname = %s AND t.tgtype = 58 AND t.tgenabled = 'A'
    AND t.tgqual IS NULL AND t.tgattr = '' AND p.prosrc = %s),
    EXISTS (SELECT FROM events)
FROM pg_class AS c WHERE c.oid = 'events'::regclass
"""


class Weakness(Enum):
    """Why a row of ``events`` could be changed, or could have been, without being refused."""

    TRIGGERS = "triggers"
    """They are off; or were, and were put back when the log was opened."""
    ROLE = "role"
    """The role we connect as may change rows, or take the triggers off (PostgreSQL)."""


def guard_sqlite(connection: sqlite3.Connection) -> bool:
    """Puts the triggers on where they are missing or are not ours, whatever their name.

    Whether a log that holds facts was found without them: an older one, or one a hand was laid on.
    """
    if _found(connection) == SQLITE_TRIGGERS:
        return False
    connection.execute("BEGIN IMMEDIATE")
    bare = _found(connection) != SQLITE_TRIGGERS
    if bare:
        for name, statement in SQLITE_TRIGGERS.items():
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
            connection.execute(statement)
    holds_facts = connection.execute("SELECT EXISTS (SELECT 1 FROM events)").fetchone()[0]
    connection.execute("COMMIT")
    return bare and bool(holds_facts)


def _found(connection: sqlite3.Connection) -> dict[str, str]:
    found = connection.execute(SQLITE_FOUND).fetchall()
    return {name: sql for name, sql in found if name in SQLITE_TRIGGERS}


def guard_postgres(connection: Connection) -> bool:
    """Puts the trigger on where it is missing, off or not ours, if we own the table; as above.

    To be called in a transaction that holds the log's lock.
    """
    owned, guarded, holds_facts = _state(connection)
    if owned and not guarded:
        connection.execute(POSTGRES_GUARD, prepare=False)
    return holds_facts and not guarded


def is_guarded(connection: Connection) -> bool:
    """Whether PostgreSQL's trigger is on, and is ours."""
    return _state(connection)[1]


def _state(connection: Connection) -> tuple[bool, bool, bool]:
    """Whether we own the table, whether its trigger is as it should be, whether it holds facts."""
    row = connection.execute(POSTGRES_FOUND, (POSTGRES_TRIGGER, POSTGRES_BODY)).fetchone()
    assert row is not None
    return row[0], row[1], row[2]
