"""What was recorded stays: no UPDATE, DELETE, TRUNCATE or REPLACE, whoever asks in passing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest
from eventsourcing.persistence import PersistenceError

from ledger.store.immutable import REFUSED, Weakness
from tests.dba import unprotect
from tests.ledger.store.databases import Database, fact, history

SOMEBODY = UUID(int=7)
FIRST = "SELECT * FROM events WHERE position = 1"
# The first row once more, further behind: its originator and version are taken.
AGAIN = FIRST.replace("*", "3, originator_id, originator_version, topic, state, 0, leaf_hash")
# Another fact in the first one's place.
INSTEAD = FIRST.replace("*", "1, '{0}', 1, topic, state, 0, leaf_hash").format(UUID(int=8))
TOPIC = "SET topic = 'wallet.coins-given'"
KEY = "(originator_id, originator_version)"
CHANGES = (
    f"UPDATE events {TOPIC}",
    "UPDATE events SET position = position + 1 WHERE position = 2",
    "UPDATE events SET state = state",
    "DELETE FROM events",
    "DELETE FROM events WHERE position = 2",
    f"INSERT INTO events {FIRST} ON CONFLICT (position) DO UPDATE {TOPIC}",
    f"INSERT INTO events {AGAIN} ON CONFLICT {KEY} DO UPDATE {TOPIC}",
)
ON_SQLITE = (
    f"INSERT OR REPLACE INTO events {FIRST}",
    f"REPLACE INTO events {AGAIN}",
    f"REPLACE INTO events {INSTEAD}",
    "UPDATE OR REPLACE events SET position = 1 WHERE position = 2",
)
ON_POSTGRES = (
    "TRUNCATE events",
    "TRUNCATE snapshots, events CASCADE",
    "MERGE INTO events USING (SELECT 1) AS x ON position = 1 WHEN MATCHED THEN DELETE",
    "WITH gone AS (DELETE FROM events RETURNING *) SELECT count(*) FROM gone",
    "UPDATE events SET topic = topic WHERE false",
)


@pytest.fixture
def recorder(open_recorder):
    """A log of two facts."""
    one = open_recorder()
    one.insert_events([fact(SOMEBODY), fact()])
    return one


@pytest.fixture
def shell(database, recorder) -> Iterator[Any]:
    """A plain connection of the owner, as the database's own shell has it."""
    with closing(connect(database)) as connection:
        yield connection


def connect(database: Database) -> Any:
    if database.kind == "sqlite":
        return sqlite3.connect(database.where, isolation_level=None)
    return psycopg.connect(database.where, autocommit=True)


def changes_of(database: Database) -> tuple[str, ...]:
    return CHANGES + (ON_SQLITE if database.kind == "sqlite" else ON_POSTGRES)


def test_no_statement_changes_what_is_recorded(database, recorder, shell):
    """Each way of SQL to change or remove a row is refused in the shell, and nothing is changed."""
    before = history(recorder)
    for statement in changes_of(database):
        with pytest.raises((sqlite3.IntegrityError, psycopg.Error), match=REFUSED):
            shell.execute(statement)
    assert history(recorder) == before
    assert recorder.insert_events([fact(SOMEBODY, 2)]) == [3]


def test_the_services_own_connection_is_refused_as_well(database, recorder):
    """Not even code of ours could change a fact; the next append goes on as if nothing had been."""
    before = history(recorder)
    for statement in changes_of(database):
        with pytest.raises(PersistenceError, match=REFUSED):
            recorder.write([(statement, [()])])
    assert history(recorder) == before
    assert recorder.insert_events([fact(SOMEBODY, 2)]) == [3]


def test_a_session_that_plays_a_replica_is_refused(postgres_url):
    """session_replication_role, which turns ordinary triggers off, does not turn off ours."""
    database = Database("postgres", postgres_url)
    with closing(database.recorder()) as recorder, closing(connect(database)) as shell:
        recorder.insert_events([fact()])
        with suppress(psycopg.errors.InsufficientPrivilege):  # Superusers alone may.
            shell.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            shell.execute("DELETE FROM events")
        assert len(history(recorder)) == 1


def test_a_new_log_has_no_weakness_of_its_triggers(recorder, open_recorder):
    """Made together with the tables, they were never missing, and a second process finds them."""
    assert Weakness.TRIGGERS not in recorder.weaknesses()
    assert Weakness.TRIGGERS not in open_recorder().weaknesses()


def test_an_older_database_gets_the_triggers(shell, open_recorder):
    """Opening a log that was made before there were any puts them on, and says so once."""
    unprotect(shell)
    opened = open_recorder()
    assert Weakness.TRIGGERS in opened.weaknesses()
    for statement in ("UPDATE events SET topic = 'a.b'", "DELETE FROM events"):
        with pytest.raises((sqlite3.IntegrityError, psycopg.Error), match=REFUSED):
            shell.execute(statement)
    assert Weakness.TRIGGERS not in open_recorder().weaknesses()


HOLLOW = {
    "sqlite": """
        DROP TRIGGER events_no_update;
        CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT 1; END
        ---
        DROP TRIGGER events_no_delete; CREATE TRIGGER events_no_delete
        BEFORE DELETE ON events WHEN OLD.position < 0 BEGIN SELECT RAISE(ABORT, 'no'); END
        ---
        DROP TRIGGER events_no_replace
    """,
    "postgres": """
        ALTER TABLE events DISABLE TRIGGER ALL
        ---
        ALTER TABLE events ENABLE REPLICA TRIGGER events_append_only
        ---
        CREATE OR REPLACE FUNCTION gwc_refuse_change() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RETURN NULL; END'
        ---
        DROP TRIGGER events_append_only ON events; CREATE TRIGGER events_append_only
        BEFORE UPDATE ON events FOR EACH STATEMENT
        EXECUTE FUNCTION gwc_refuse_change();
        ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only
        ---
        DROP TRIGGER events_append_only ON events; CREATE TRIGGER events_append_only
        BEFORE UPDATE OF topic OR DELETE OR TRUNCATE ON events FOR EACH STATEMENT
        EXECUTE FUNCTION gwc_refuse_change();
        ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only
        ---
        DROP TRIGGER events_append_only ON events; CREATE TRIGGER events_append_only
        BEFORE UPDATE OR DELETE OR TRUNCATE ON events FOR EACH STATEMENT
        WHEN (false) EXECUTE FUNCTION gwc_refuse_change();
        ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only
    """,
}


def test_a_trigger_that_was_hollowed_out_is_put_right(database, shell, open_recorder):
    """Switched off, or of the right name with no effect: opening the log finds and mends it."""
    for hollowed in HOLLOW[database.kind].split("---"):
        (shell.executescript if database.kind == "sqlite" else shell.execute)(hollowed)
        assert Weakness.TRIGGERS in open_recorder().weaknesses(), hollowed
        for statement in changes_of(database):
            with pytest.raises((sqlite3.IntegrityError, psycopg.Error), match=REFUSED):
                shell.execute(statement)
