"""The application's role in PostgreSQL (应用的数据库角色): it adds facts and can change none.

The tables belong to another role, the owner's, which no service connects as.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ledger.store.errors import NotPrepared, NotTheOwner, RoleTooStrong
from ledger.store.schema import relations

if TYPE_CHECKING:
    from ledger.store.postgres import Connection

INSUFFICIENT_PRIVILEGE = "42501"  # SQLSTATE
RIGHTS_ON_EVENTS = "SELECT, INSERT"
RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
KEPT = ("log_head", "vault_fences")
"""How far the log was signed, and who was erased, is never deleted."""
RIGHTS_ON_KEPT = "SELECT, INSERT, UPDATE"
SCRUBBED = ("vault", "vault_keys")
"""What is erased is vacuumed at once, which another than the owner may do since PostgreSQL 17."""
MAINTAIN_SINCE = 170_000
OWNED = """
SELECT coalesce(bool_and(pg_has_role(c.relowner, 'USAGE')), true)
FROM unnest(%s::text[]) AS name JOIN pg_class AS c ON c.oid = to_regclass(name)
"""
# Also by SET ROLE, so every role counts that this one is a member of. Owners of the table and of
# its schema, and whoever may give themselves a role, can take triggers off and grant themselves
# the rest; who may put a trigger on can have it change what is inserted. Who may make a function
# or an operator in the schema, or a schema, can have the owner run it for the server's own
# (CVE-2018-1058), and who may write files or run programs is the server.
MAY_CHANGE = """
SELECT EXISTS (
    SELECT FROM pg_roles AS g WHERE pg_has_role(%s::name, g.oid, 'MEMBER') AND (
        has_any_column_privilege(g.oid, c.oid, 'UPDATE')
        OR has_table_privilege(g.oid, c.oid, 'DELETE, TRUNCATE, TRIGGER')
        OR has_schema_privilege(g.oid, n.oid, 'CREATE')
        OR has_database_privilege(g.oid, current_database(), 'CREATE')
        OR g.rolname IN ('pg_write_server_files', 'pg_execute_server_program')
        OR g.rolcreaterole OR g.oid IN (c.relowner, n.nspowner)))
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = 'events'::regclass
"""


def all_made(connection: Connection, tables: str) -> bool:
    """Whether everything that these statements make is there; any role may ask."""
    question = "SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(%s::text[]) AS name"
    return bool(_one(connection, question, relations(tables)))


def make(connection: Connection, tables: str) -> None:
    """Executes these statements; raises NotPrepared where our role may make no tables."""
    try:
        for statement in tables.split(";"):
            connection.execute(statement)
    except Exception as error:
        if getattr(error, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        raise NotPrepared(
            f"tables are missing and this role may not make them ({error}); with the owner's"
            " GWC_DATABASE_URL run: gwc database prepare --app-role ROLE"
        ) from error


def current_role(connection: Connection) -> str:
    """The role this connection acts as."""
    return str(_one(connection, "SELECT current_user"))


def exists(connection: Connection, role: str) -> bool:
    """Whether the server knows a role of this name."""
    return bool(_one(connection, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", role))


def may_change_events(connection: Connection, role: str) -> bool:
    """Whether this role could change, remove or reshape what stands in ``events``."""
    return bool(_one(connection, MAY_CHANGE, role))


def check_owner(connection: Connection, tables: Sequence[str]) -> None:
    """Raises NotTheOwner where one of these tables is there and belongs to another role."""
    if not _one(connection, OWNED, list(tables)):
        raise NotTheOwner("the tables belong to another role")


def grant(connection: Connection, role: str, tables: Sequence[str]) -> dict[str, str]:
    """Gives a role what the application needs of each table, and takes whatever else it had.

    Nobody keeps a right through PUBLIC. Returns the rights by table; raises NotTheOwner, or
    RoleTooStrong when the role could change ``events`` even so, and leaves everything as it was.
    """
    quoted = _one(connection, "SELECT quote_ident(%s)", role)
    schema = _one(connection, "SELECT quote_ident(current_schema())")
    rights = {table: _rights(connection, table) for table in tables}
    with connection.transaction():
        check_owner(connection, tables)
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}")
        # Answered with a warning where it is not ours to take; then the role is too strong.
        connection.execute(f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {quoted}")
        for table, words in rights.items():
            connection.execute(f"REVOKE ALL ON {table} FROM PUBLIC, {quoted}")
            connection.execute(f"GRANT {words} ON {table} TO {quoted}")
        if may_change_events(connection, role):
            raise RoleTooStrong(role)
    return rights


def _rights(connection: Connection, table: str) -> str:
    if table == "events":
        return RIGHTS_ON_EVENTS
    if table in KEPT:
        return RIGHTS_ON_KEPT
    maintained = table in SCRUBBED and connection.info.server_version >= MAINTAIN_SINCE
    return f"{RIGHTS}, MAINTAIN" if maintained else RIGHTS


def _one(connection: Connection, question: str, *parameters: str | list[str]) -> object:
    row = connection.execute(question, parameters).fetchone()
    assert row is not None
    return row[0]
