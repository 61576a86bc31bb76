"""The application's role in PostgreSQL adds facts, and cannot change one by any means it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import psycopg
import pytest

from ledger.store import postgres, roles
from ledger.store.errors import NotPrepared, NotTheOwner, RoleTooStrong
from ledger.store.immutable import Weakness
from ledger.store.postgres import PostgresRecorder
from ledger.store.schema import relations
from tests.dba import a_role, role_of
from tests.ledger.store.databases import fact, faults, history

TABLES = relations(postgres.TABLES, "TABLE")
ATTEMPTS = """
    UPDATE events SET topic = topic
    UPDATE events SET topic = topic WHERE false
    DELETE FROM events
    TRUNCATE events
    INSERT INTO events TABLE events ON CONFLICT (position) DO UPDATE SET topic = 'a.b'
    MERGE INTO events USING (SELECT 1) AS x ON position = 1 WHEN MATCHED THEN DELETE
    ALTER TABLE events DISABLE TRIGGER ALL
    ALTER TABLE events DISABLE TRIGGER events_append_only
    ALTER TABLE events ADD COLUMN note text
    ALTER TABLE events RENAME TO elsewhere
    ALTER TABLE events OWNER TO current_user
    DROP TABLE events
    DROP TRIGGER events_append_only ON events
    DROP FUNCTION gwc_refuse_change CASCADE
    ALTER FUNCTION gwc_refuse_change RENAME TO elsewhere
    CREATE OR REPLACE FUNCTION gwc_refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT 1'
    CREATE TRIGGER t BEFORE INSERT ON events EXECUTE FUNCTION tsvector_update_trigger()
    CREATE RULE r AS ON INSERT TO events DO INSTEAD NOTHING
    SET session_replication_role = replica
"""


@pytest.fixture
def roles_of(postgres_url, missing) -> Iterator[Callable[..., str]]:
    """Makes roles of the test's own on the server, and gives the database's URL as each."""
    with ExitStack() as stack:

        def make(words: str = "LOGIN") -> str:
            try:
                return stack.enter_context(a_role(postgres_url, words))
            except psycopg.errors.InsufficientPrivilege as problem:
                missing("a PostgreSQL user that may make roles", problem)
                raise

        yield make


@pytest.fixture
def owner(postgres_url, roles_of) -> str:
    """The URL of the role that owns the tables, which is no superuser; the log has two facts."""
    url = roles_of()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {role_of(url)}")
    with closing(PostgresRecorder(url, unsafe_server=True)) as recorder:
        recorder.insert_events([fact(), fact()])
    return url


def prepare(owner: str, app: str) -> dict[str, str]:
    with psycopg.connect(owner, autocommit=True) as connection:
        return roles.grant(connection, role_of(app), TABLES)


@pytest.fixture
def app(owner, roles_of) -> str:
    """The URL of the application's role."""
    url = roles_of()
    prepare(owner, url)
    return url


def test_it_appends_and_reads(app):
    """All that the service does with the log works as a role that owns nothing."""
    with closing(PostgresRecorder(app, unsafe_server=True)) as recorder:
        assert recorder.insert_events([fact()]) == [3]
        assert faults(history(recorder)) == []
        assert recorder.weaknesses() == []


def test_it_changes_nothing(app, owner):
    """Every way to change, remove or reshape what is recorded is refused to it."""
    with closing(PostgresRecorder(owner, unsafe_server=True)) as recorder:
        before = history(recorder)
        with psycopg.connect(app, autocommit=True) as connection:
            for statement in ATTEMPTS.strip().splitlines():
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
            # Answered with a warning, which is no error.
            connection.execute("GRANT ALL ON events TO current_user")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("UPDATE events SET topic = topic")
        assert history(recorder) == before


def test_it_vacuums_what_was_erased(app):
    """Since PostgreSQL 17 the pages of erased rows and keys need not wait for the owner."""
    with psycopg.connect(app, autocommit=True) as connection:
        if connection.info.server_version < roles.MAINTAIN_SINCE:
            return
        warnings: list[str] = []
        connection.add_notice_handler(lambda notice: warnings.append(str(notice.message_primary)))
        for statement in ("VACUUM vault", "VACUUM (FULL) vault_keys"):
            connection.execute(statement)
        assert warnings == []
        connection.execute("VACUUM events")
        assert warnings != []


def test_the_owner_is_told_apart(owner, app):
    """A service that runs as the owner could change the history, and that is known."""
    with closing(PostgresRecorder(owner, unsafe_server=True)) as recorder:
        assert recorder.weaknesses() == [Weakness.ROLE]
    with (
        closing(PostgresRecorder(app, unsafe_server=True)) as recorder,
        psycopg.connect(owner, autocommit=True) as connection,
    ):
        for right in ("UPDATE (topic)", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER"):
            connection.execute(f"GRANT {right} ON events TO {role_of(app)}")
            assert recorder.weaknesses() == [Weakness.ROLE], right
            connection.execute(f"REVOKE {right} ON events FROM {role_of(app)}")
        assert recorder.weaknesses() == []


def test_triggers_that_are_off_are_told_to_who_cannot_mend_it(owner, app):
    """With the owner's trigger gone the application runs on, and the weakness is known."""
    with closing(PostgresRecorder(app, unsafe_server=True)) as recorder:
        assert recorder.weaknesses() == []
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        assert recorder.weaknesses() == [Weakness.TRIGGERS]
    with closing(PostgresRecorder(app, unsafe_server=True)) as recorder:
        assert recorder.insert_events([fact()]) == [3]
        assert recorder.weaknesses() == [Weakness.TRIGGERS]


def test_rights_it_had_before_are_taken(owner, roles_of):
    """Earlier grants, to the role or to everybody, do not survive."""
    url = roles_of()
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f"GRANT ALL ON events TO PUBLIC, {role_of(url)}")
        connection.execute(f"GRANT UPDATE (topic) ON events TO {role_of(url)}")
        assert roles.may_change_events(connection, role_of(url))
        rights = prepare(owner, url)
        assert not roles.may_change_events(connection, role_of(url))
    assert rights["events"] == "SELECT, INSERT"
    assert set(rights) == set(TABLES)


STRONG = {
    "a superuser": "LOGIN SUPERUSER",
    "one who makes roles": "LOGIN CREATEROLE",
    "a member of the owner's": "LOGIN NOINHERIT IN ROLE {owner}",
    "one who writes everywhere": "LOGIN IN ROLE pg_write_all_data",
    "one who writes the server's files": "LOGIN IN ROLE pg_write_server_files",
    "one who runs the server's programs": "LOGIN NOINHERIT IN ROLE pg_execute_server_program",
}


@pytest.mark.parametrize("who", STRONG)
def test_a_role_that_is_too_strong_is_given_nothing(who, owner, roles_of):
    """Who could change the history even so is refused, and its rights stay as they were."""
    url = roles_of(STRONG[who].format(owner=role_of(owner)))
    with pytest.raises(RoleTooStrong):
        prepare(owner, url)
    with psycopg.connect(owner) as connection:
        granted = connection.execute(
            "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = %s",
            (role_of(url),),
        )
        assert granted.fetchone() == (0,)


@pytest.mark.parametrize("where", ["SCHEMA public", "DATABASE {database}"])
@pytest.mark.parametrize("who", ["PUBLIC", "{role}"])
def test_who_may_make_functions_is_too_strong(postgres_url, owner, roles_of, where, who):
    """A function beside the tables can be found before the server's own, and run by the owner."""
    url = roles_of()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        names = {"database": connection.info.dbname, "role": role_of(url)}
        where, who = where.format(**names), who.format(**names)
        connection.execute(f"GRANT CREATE ON {where} TO {who}")
        try:
            assert roles.may_change_events(connection, role_of(url))
            with pytest.raises(RoleTooStrong):
                prepare(owner, url)
        finally:
            connection.execute(f"REVOKE CREATE ON {where} FROM {who}")
    prepare(owner, url)


def test_the_right_to_make_functions_is_taken_where_it_can_be(postgres_url, owner, roles_of):
    """An owner of the schema too takes CREATE away, which everybody had before PostgreSQL 15."""
    url = roles_of()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"ALTER SCHEMA public OWNER TO {role_of(owner)}")
        connection.execute(f"GRANT CREATE ON SCHEMA public TO PUBLIC, {role_of(url)}")
        try:
            prepare(owner, url)
            assert not roles.may_change_events(connection, role_of(url))
        finally:
            connection.execute("ALTER SCHEMA public OWNER TO pg_database_owner")


def test_what_keeps_a_log_or_an_erasure_is_not_removed(app):
    """The head of the published log and the fences of the erased are moved on, never deleted."""
    with psycopg.connect(app, autocommit=True) as connection:
        for table in ("log_head", "vault_fences"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"DELETE FROM {table}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"TRUNCATE {table}")


def test_the_owner_of_the_tables_is_too_strong(owner):
    """Whatever the owner is granted or not, it can grant itself the rest."""
    with pytest.raises(RoleTooStrong):
        prepare(owner, owner)


def test_the_owner_of_the_schema_is_too_strong(postgres_url, owner, roles_of):
    """Who owns the schema may drop its tables."""
    url = roles_of()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"ALTER SCHEMA public OWNER TO {role_of(url)}")
        try:
            with pytest.raises(RoleTooStrong):
                prepare(owner, url)
        finally:
            connection.execute("ALTER SCHEMA public OWNER TO pg_database_owner")


def test_only_the_owner_grants(app, roles_of):
    """Another role's grants would be warnings and no rights, so they are refused."""
    with pytest.raises(NotTheOwner):
        prepare(app, roles_of())


def test_without_tables_it_says_who_makes_them(roles_of):
    """On an empty database the application's role stops with the command for the owner."""
    recorder = PostgresRecorder(roles_of(), unsafe_server=True)
    with pytest.raises(NotPrepared, match="gwc database prepare"), closing(recorder):
        recorder.max_notification_id()
