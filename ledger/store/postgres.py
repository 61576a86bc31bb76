"""The log in PostgreSQL; chosen with PERSISTENCE_MODULE=ledger.store.postgres.

``DATABASE_URL`` is a libpq URL.  ``ALLOW_UNSAFE_TEST_SERVER=yes`` accepts a server that runs
without fsync.  This is the only module that knows psycopg.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from eventsourcing.persistence import OperationalError, TrackingRecorder
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict

from ledger.store import fences, roles, schema
from ledger.store.append import Admission, Append, LogState
from ledger.store.errors import NotDurable, RowRefused, as_persistence_error
from ledger.store.factory import StoreFactory
from ledger.store.fences import INSERT_FENCE, SHARE_KEYS, STOP_KEYS, fence_row
from ledger.store.immutable import Weakness, guard_postgres, is_guarded
from ledger.store.merge import WAITING_MAX
from ledger.store.recorder import LogRecorder

Connection = psycopg.Connection[tuple[Any, ...]]
RV = TypeVar("RV")

READ_SECONDS_MAX = 5.0
WRITE_SECONDS_MAX = 30.0
SCRUB_SECONDS_MAX = 60.0
POLL_SECONDS = 0.1
GRACE_SECONDS = 1.0  # The server's own time-out comes first where the server is well.
# How long a server or a network that is gone goes unnoticed; the URL may say otherwise.
LINK: dict[str, Any] = {
    "connect_timeout": 5, "keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5,
    "keepalives_count": 3, "tcp_user_timeout": 15_000,
}  # fmt: skip
LOG_LOCK = 0x6757_C014  # Any number will do, as long as every process takes the same one.
SENT_AT_ONCE_BYTES = 16 * 1024
"""So much fits into a socket's buffer; of more a part may be left, and the ``sync`` of a pipeline
waits for the answer to it without sending it, with the lock of the log in its hand."""
CHANNEL = "gwc_events"
DURABLE_COMMITS = ("on", "remote_write", "remote_apply")

TABLES = schema.TABLES.format(bigint="bigint", uuid="uuid", bytes="bytea", strict="")
# A frozen process must not keep the log's lock, nor a caller wait for it for ever.
SESSION = "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '10s'"
LOCK = f"SELECT pg_advisory_xact_lock({LOG_LOCK})"
STATE = """
SELECT (SELECT coalesce(max(position), 0) FROM events),
       ARRAY(SELECT coalesce((SELECT max(originator_version) FROM events
                              WHERE originator_id = asked.id), 0)
             FROM unnest(%b::text[]::uuid[]) WITH ORDINALITY AS asked (id, place) ORDER BY place),
       ARRAY(SELECT fingerprint FROM vault WHERE fingerprint = ANY(%b::bytea[])),
       ARRAY(SELECT coalesce((SELECT max(position) FROM vault WHERE shelf = asked.shelf), 0)
             FROM unnest(%b::text[]) WITH ORDINALITY AS asked (shelf, place) ORDER BY place),
       ARRAY(SELECT coalesce((SELECT used FROM quotas WHERE key = asked.key), 0)
             FROM unnest(%b::text[]) WITH ORDINALITY AS asked (key, place) ORDER BY place),
       ARRAY(SELECT subject::text FROM vault_fences WHERE subject = ANY(%b::text[]::uuid[]))
"""
INSERT_EVENTS = """
INSERT INTO events SELECT * FROM unnest(
    %b::bigint[], %b::text[]::uuid[], %b::bigint[], %b::text[], %b::bytea[], %b::bigint[],
    %b::bytea[])
"""
INSERT_VAULT = "INSERT INTO vault VALUES (%b, %b, %b, %b, %b, %b, %b, %b, %b)"
NOTIFY = f"SELECT pg_notify('{CHANNEL}', '')"
# A name that is too long for an index is an OperationalError to psycopg.
ROW_ERRORS = (
    psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError, ValueError,
    psycopg.errors.ProgramLimitExceeded,
)  # fmt: skip


class PostgresRecorder(LogRecorder[Connection]):
    """An advisory lock, held for the short insert, makes the order of positions that of commits."""

    driver_error = psycopg.Error
    holds = "(position(? IN {0}) > 0)"
    before_keys = ((SHARE_KEYS, ((),)),)

    def __init__(
        self, url: str, *, unsafe_server: bool = False, waiting_max: int = WAITING_MAX
    ) -> None:
        self._url = url
        self._unsafe_server = unsafe_server
        super().__init__(waiting_max)

    def wait_for_change(self, after_position: int, timeout: float) -> None:
        """Listens for the NOTIFY that every commit sends; a lost one costs the timeout."""
        deadline = time.monotonic() + timeout
        with self._watchers.borrow() as connection:
            while not self._has_grown(after_position, connection):
                left = deadline - time.monotonic()
                if left <= 0 or not list(connection.notifies(timeout=left, stop_after=1)):
                    return

    def _transact(self, appends: Sequence[Append]) -> None:
        with self._writer.borrow() as connection, connection.pipeline() as pipeline:
            # Each statement must see what was committed before the lock was given.
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            connection.execute(LOCK)
            log = self._state(connection, appends)
            admission = Admission(appends, log)
            refused: Exception | None = None
            try:
                _insert(connection, admission)
                if not admission.empty:
                    told = connection.execute(NOTIFY)
                    if sum(append.size for append in appends) > SENT_AT_ONCE_BYTES:
                        told.fetchone()  # Only this waits until all of it is sent (psycopg #685).
                ended = connection.execute("COMMIT")
                pipeline.sync()
            except ROW_ERRORS as error:
                refused = error
                _roll_back(connection, pipeline)
            else:
                if ended.statusmessage != "COMMIT":
                    raise OperationalError(f"COMMIT was answered with {ended.statusmessage}")
        if refused:  # Only now: a connection left by an exception is thrown away.
            raise RowRefused(as_persistence_error(refused)) from refused
        admission.settle()

    def _state(self, connection: Connection, appends: Sequence[Append]) -> LogState:
        originators = {row[0] for append in appends for row, _ in append.events}
        originators.update(*(append.unchanged for append in appends))
        asked = list(originators)
        fingerprints = [row.fingerprint for a in appends for row in a.vault_rows if row.fingerprint]
        shelves = list({shelf for append in appends for shelf in append.shelves})
        quotas = list({quota.key for append in appends for quota in append.quotas})
        subjects = list({str(row.subject) for append in appends for row in append.vault_rows})
        parameters = (asked, fingerprints or None, shelves, quotas, subjects)
        cursor = connection.execute(STATE, parameters, binary=True)
        row = cursor.fetchone()
        assert row is not None
        head, versions, taken, newest, used, fenced = row
        return LogState(
            head,
            dict(zip(asked, versions, strict=True)),
            taken,
            dict(zip(shelves, newest, strict=True)),
            dict(zip(quotas, used, strict=True)),
            fenced,
        )

    def write(self, statements: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None:
        with self._writer.borrow() as connection, connection.transaction():
            for sql, rows in statements:
                connection.cursor().executemany(_sql(sql), rows)

    def scrub(self) -> None:
        """What a role that does not own the tables leaves to their owner's vacuum."""
        with suppress(psycopg.Error), connect(self._url, SCRUB_SECONDS_MAX) as connection:
            few = connection.execute(fences.KEYS_ARE_FEW, (fences.KEYS_BYTES_MAX,)).fetchone()
            scrub = fences.POSTGRES_SCRUB if few and few[0] else fences.POSTGRES_SCRUB_LARGE
            for statement in scrub:
                connection.execute(statement, prepare=False)

    def _ask(self, connection: Connection, question: schema.Question) -> list[tuple[Any, ...]]:
        sql, parameters = question
        return connection.execute(_sql(sql), parameters, binary=True).fetchall()

    def key(self, value: UUID | str) -> UUID:
        return value if isinstance(value, UUID) else UUID(value)

    def _topics_clause(self, topics: Sequence[str]) -> schema.Question:
        return "topic = ANY(?)", [list(topics)]

    def _originators_clause(self, originators: Sequence[UUID]) -> schema.Question:
        return "originator_id = ANY(?)", [list(originators)]

    def _check_durable(self, connection: Connection) -> None:
        if self._unsafe_server:
            return
        for setting, allowed in (("synchronous_commit", DURABLE_COMMITS), ("fsync", ("on",))):
            row = connection.execute("SELECT current_setting(%s)", (setting,)).fetchone()
            if row is None or row[0] not in allowed:
                raise NotDurable(f"{setting} is {row and row[0]}; it must be {allowed[0]}")

    def _connect_writer(self) -> Connection:
        connection = connect(self._url, WRITE_SECONDS_MAX)
        try:
            connection.execute(SESSION, prepare=False)
            self._check_durable(connection)
            self._create_tables(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _create_tables(self, connection: Connection) -> None:
        with connection.transaction():
            if not roles.all_made(connection, TABLES):
                connection.execute(LOCK)  # Two creating at once would trip over the catalogue.
                roles.make(connection, TABLES)
            if not is_guarded(connection):
                connection.execute(LOCK)
                self._was_bare |= guard_postgres(connection)

    def _weaknesses(self, connection: Connection) -> list[Weakness]:
        bare = self._was_bare or not is_guarded(connection)
        strong = roles.may_change_events(connection, roles.current_role(connection))
        return [Weakness.TRIGGERS] * bare + [Weakness.ROLE] * strong

    def _connect_watcher(self) -> Connection:
        connection = self._connect_reader()
        connection.execute(f"LISTEN {CHANNEL}")
        return connection

    def _connect(self) -> Connection:
        return connect(self._url, READ_SECONDS_MAX)


class Bounded(psycopg.Connection[tuple[Any, ...]]):
    """A connection that never waits longer than ``seconds`` for the server.

    A process that was frozen (SIGSTOP, a paused machine) cannot cancel its own statement, and its
    kernel still acknowledges every packet: nothing but a clock on this side ends the wait.
    """

    seconds = WRITE_SECONDS_MAX

    def wait(
        self, gen: PQGen[RV], interval: float = POLL_SECONDS, timeout: float | None = None
    ) -> RV:
        """The one place where psycopg waits; a wait that brings its own time-out keeps it."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        began = time.monotonic()
        try:
            return super().wait(gen, interval, self.seconds)
        except psycopg.OperationalError:
            if time.monotonic() - began >= self.seconds:
                self.pgconn.finish()  # What comes after must not wait for the answer again.
            raise


def connect(url: str, seconds: float) -> Connection:
    """Open a connection whose statements end after ``seconds``, by the server or, if it is frozen,
    a second later by us; raises psycopg.OperationalError.
    """
    connection = Bounded.connect(
        **{**LINK, **conninfo_to_dict(url)}, autocommit=True, prepare_threshold=0
    )
    connection.seconds = seconds + GRACE_SECONDS
    connection.execute(f"SET statement_timeout = {int(seconds * 1000)}", prepare=False)
    return connection


class Factory(StoreFactory[TrackingRecorder]):
    """Found by the library in the module that PERSISTENCE_MODULE names."""

    def _recorder(self, waiting_max: int) -> PostgresRecorder:
        if self.env.get("POSTGRES_ENABLE_DB_FUNCTIONS"):
            raise OSError("POSTGRES_ENABLE_DB_FUNCTIONS takes no lock, so followers lose events")
        url = self.env.get("DATABASE_URL")
        if not url:
            raise OSError("DATABASE_URL is not set: the libpq URL of the database")
        unsafe = self.env.get("ALLOW_UNSAFE_TEST_SERVER") == "yes"
        return PostgresRecorder(url, unsafe_server=unsafe, waiting_max=waiting_max)


def _sql(sql: str) -> str:
    """A question of the schema in psycopg's words; binary parameters."""
    return sql.replace("?", "%b")


def _roll_back(connection: Connection, pipeline: psycopg.Pipeline) -> None:
    """Leave the transaction of a refused row, and a pipeline that is fit for the next one.

    Statements that were skipped after the error were never prepared, whatever psycopg noted.
    """
    with suppress(psycopg.errors.PipelineAborted):
        pipeline.sync()
    for statement in ("ROLLBACK", "DEALLOCATE ALL"):
        pipeline.sync()
        connection.execute(statement, prepare=False)
    pipeline.sync()


def _insert(connection: Connection, admission: Admission) -> None:
    if admission.events:
        columns = [list(column) for column in zip(*admission.events, strict=True)]
        connection.execute(INSERT_EVENTS, columns)
    for row, position in admission.vault_rows:
        connection.execute(
            INSERT_VAULT,
            (row.originator_id, row.field, row.subject, row.shelf, row.fingerprint, row.stored_at,
             row.nonce, row.ciphertext, position),
        )  # fmt: skip
    for fence, position in admission.fences:
        connection.execute(STOP_KEYS)
        connection.execute(_sql(INSERT_FENCE), fence_row(fence, position, lambda key: key))
    for item in admission.used.items():
        connection.execute(_sql(schema.KEEP_USED), item)
