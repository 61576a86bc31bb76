"""The recorder of the log (事件日志), all but the words of one database.

It plugs into the eventsourcing library as its ApplicationRecorder.  The library's own recorders
are not subclassed: the one for PostgreSQL connects in its constructor, which must not happen
before a fork, and both open a transaction for every call.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from threading import Condition
from typing import Any, Generic, NoReturn, TypeVar
from uuid import UUID
from weakref import WeakSet

from eventsourcing.persistence import ApplicationRecorder, OperationalError, StoredEvent

from ledger.store import schema
from ledger.store.append import Append
from ledger.store.errors import RowRefused
from ledger.store.fences import FencedVault
from ledger.store.immutable import Weakness
from ledger.store.log_head import LogHeadTable
from ledger.store.mapper import RecordedFact, StoredFact, as_uuid
from ledger.store.matching import Match, Words, select_matching
from ledger.store.merge import WAITING_MAX, MergedCommit
from ledger.store.pool import Closeable, Pool
from ledger.store.rows import Fence, Guard, Quota, VaultRow

READERS_MAX = 8
WATCHERS_MAX = 4

C = TypeVar("C", bound=Closeable)
T = TypeVar("T")


class LogRecorder(FencedVault, LogHeadTable, ApplicationRecorder, Generic[C]):
    """Appends facts in gapless positions and reads them back; safe for threads and forks."""

    driver_error: type[Exception]
    holds: str  # as in ``matching.Words``

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        self._waiting_max = waiting_max
        self._was_bare = False  # Whether the log was found without what refuses changes.
        self._start()
        _recorders.add(self)

    def _start(self) -> None:
        """Everything that belongs to this process; nothing is opened yet."""
        self._merge = MergedCommit(self._commit, waiting_max=self._waiting_max)
        self._writer: Pool[C] = Pool(self._connect_writer, 1, self.driver_error)
        self._readers: Pool[C] = Pool(self._connect_reader, READERS_MAX, self.driver_error)
        self._watchers: Pool[C] = Pool(self._connect_watcher, WATCHERS_MAX, self.driver_error)
        self._grown = Condition()

    # Writing

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        vault_rows: Sequence[VaultRow] = (),
        unchanged: Mapping[UUID, int] | None = None,
        head: int | None = None,
        shelves: Mapping[str, int] | None = None,
        quotas: Sequence[Quota] = (),
        fence: Fence | None = None,
        **unknown: Any,
    ) -> Sequence[int]:
        """Records all of it durably, or nothing; returns the consecutive positions.

        ``unchanged``: originator to the version that must still be its latest (0: none yet);
        ``head``: the position that must still be the last; ``shelves``: shelf of the vault to
        the position its newest row must still have; ``quotas``: what it takes of shared amounts;
        ``fence``: of whom nothing is to be kept any more, from the first of these positions on.
        Raises IntegrityError if these do not hold or a version is taken or would leave a hole,
        QuotaExceeded, FingerprintTaken, SubjectFenced, EntryTooLarge, Overloaded, StoreClosed;
        after OperationalError the outcome has to be looked up.
        """
        if any(value is not None for value in unknown.values()):  # The library passes None.
            raise TypeError(f"the log cannot record {', '.join(unknown)}")
        if not stored_events and not vault_rows and not quotas:
            return []
        facts = [fact for fact in stored_events if isinstance(fact, StoredFact)]
        if len(facts) < len(stored_events):
            raise TypeError("the log takes StoredFact rows, which say when they were recorded")
        guard = Guard(unchanged or {}, head, shelves or {}, quotas)
        append = Append(facts, vault_rows, guard, fence)
        self._merge.submit(append)
        return append.positions

    def close(self) -> None:
        """Settles the calls already accepted, refuses new ones, closes every connection."""
        self._merge.close()
        for pool in (self._writer, self._readers, self._watchers):
            pool.close()

    def assert_durable(self) -> None:
        """Raises NotDurable, naming the setting, if a commit could be lost in a power cut."""
        with self._writer.borrow() as connection:
            self._check_durable(connection)

    def weaknesses(self) -> list[Weakness]:
        """Why what is recorded could be changed without the database refusing it; if all is well,
        nothing.
        """
        with self._writer.borrow() as connection:
            return self._weaknesses(connection)

    def _commit(self, appends: Sequence[Append]) -> None:
        """Commit the calls together or, should the database refuse a row of them, one by one."""
        try:
            self._transact(appends)
        except RowRefused as refusal:
            if len(appends) == 1:
                appends[0].settle(refusal.error)
            else:
                for append in appends:
                    self._commit([append])
        with self._grown:
            self._grown.notify_all()

    # Reading

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[RecordedFact]:
        """The facts of one originator, by version: ``gt`` < version <= ``lte``."""
        return self._facts(
            schema.select_sequence("events", self.key(originator_id), gt, lte, desc, limit)
        )

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[RecordedFact]:
        """The log from position ``start`` to ``stop`` (inclusive), at most ``limit`` facts."""
        clause = self._topics_clause(topics) if topics else ("", [])
        return self._facts(
            schema.select_positions(start, limit, stop, clause, inclusive_of_start)
        )

    def select_matching(
        self, match: Match, after: int, through: int, limit: int
    ) -> Sequence[RecordedFact]:
        """The rows of ``after`` < position <= ``through`` that match, in order."""
        words = Words(self.key, self._topics_clause, self.holds)
        return self._facts(select_matching(match, after, through, limit, words))

    def select_erasures(self) -> Sequence[RecordedFact]:
        """Every fact about erasures and legal holds, found through an index of their own."""
        return self._facts((schema.SELECT_ERASURES, []))

    def max_notification_id(self) -> int:
        """The last position of the log; 0 while it is empty."""
        head: int = self.rows((schema.MAX_POSITION, []))[0][0]
        return head

    def select_versions(self, originators: Sequence[UUID]) -> dict[UUID, int]:
        """The latest version of each of these originators; those that have none are left out."""
        clause, asked = self._originators_clause(originators)
        rows = self.rows((f"{schema.LATEST} WHERE {clause} GROUP BY originator_id", asked))
        return {as_uuid(originator_id): int(version) for originator_id, version in rows}

    def select_used(self, key: str) -> int:
        """How much of a shared amount is used; 0 of one that nothing was taken of."""
        rows = self.rows((schema.SELECT_USED, [key]))
        return int(rows[0][0]) if rows else 0

    def select_quotas(self) -> dict[str, int]:
        """How much is used of every shared amount."""
        return self.select_quotas_at()[1]

    def select_quotas_at(self) -> tuple[int, dict[str, int]]:
        """The last position of the log, and how much is used of every shared amount then."""
        rows = self.rows((schema.SELECT_QUOTAS, []))
        return int(rows[0][0]), {key: int(used) for _, key, used in rows if key is not None}

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> NoReturn:
        """Not offered: followers pull by position and use wait_for_change as a hint."""
        raise NotImplementedError("pull with select_notifications and wait_for_change")

    def _facts(self, question: schema.Question) -> list[RecordedFact]:
        return [
            RecordedFact(
                id=position,
                originator_id=as_uuid(originator_id),
                originator_version=version,
                topic=topic,
                state=state,
                recorded_at=recorded_at,
                leaf_hash=leaf_hash,
            )
            for position, originator_id, version, topic, state, recorded_at, leaf_hash
            in self.rows(question)
        ]  # fmt: skip

    def rows(self, question: schema.Question) -> list[tuple[Any, ...]]:
        """Ask once more on a new connection if the first was lost: reading changes nothing."""
        try:
            with self._readers.borrow() as connection:
                return self._ask(connection, question)
        except OperationalError:
            self._readers.discard_idle()
            with self._readers.borrow() as connection:
                return self._ask(connection, question)

    def _has_grown(self, after_position: int, connection: C) -> bool:
        head: int = self._ask(connection, (schema.MAX_POSITION, []))[0][0]
        return head > after_position

    # What a database must provide

    @abstractmethod
    def wait_for_change(self, after_position: int, timeout: float) -> None:
        """Returns when the log may have grown past the position, or after ``timeout`` seconds."""

    @abstractmethod
    def _transact(self, appends: Sequence[Append]) -> None:
        """One transaction for all; settles them after its commit.  May raise RowRefused."""

    @abstractmethod
    def write(self, statements: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None:
        """Executes each statement for each of its parameter rows, in one transaction."""

    @abstractmethod
    def scrub(self) -> None:
        """Lets no bytes of deleted vault rows and keys lie about, as far as it is ours to say."""

    @abstractmethod
    def _ask(self, connection: C, question: schema.Question) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def key(self, value: UUID | str) -> Any:
        """An originator or subject as a parameter of this database."""

    @abstractmethod
    def _topics_clause(self, topics: Sequence[str]) -> schema.Question: ...

    @abstractmethod
    def _originators_clause(self, originators: Sequence[UUID]) -> schema.Question: ...

    @abstractmethod
    def _check_durable(self, connection: C) -> None: ...

    @abstractmethod
    def _weaknesses(self, connection: C) -> list[Weakness]: ...

    @abstractmethod
    def _connect_writer(self) -> C: ...

    @abstractmethod
    def _connect(self) -> C: ...

    def _connect_reader(self) -> C:
        """The first writer asserts durability and makes the tables, also for those who read."""
        if not self._writer.used:
            with self._writer.borrow():
                pass
        return self._connect()

    def _connect_watcher(self) -> C:
        return self._connect_reader()


_recorders: WeakSet[LogRecorder[Any]] = WeakSet()
_inherited: list[object] = []


def _start_again() -> None:
    """In a forked child: leave the parent's connections open and untouched, and make own ones."""
    for recorder in list(_recorders):
        _inherited.append((recorder._writer, recorder._readers, recorder._watchers))
        recorder._start()


os.register_at_fork(after_in_child=_start_again)
