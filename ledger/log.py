"""The event log (事件日志) as the ledger uses it: load, decide, append, and decide again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from threading import Lock, local
from typing import Any, Generic, Protocol, TypeVar, cast
from uuid import UUID

import msgspec
from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError

from ledger.batch import Batch, refused
from ledger.errors import Contended
from ledger.facts import Entry, Fact
from ledger.identity import wallet_id
from ledger.store.errors import QuotaExceeded
from ledger.store.mapper import RecordedFact
from ledger.store.rows import Fence, Quota, VaultRow
from ledger.vault import Vault, VaultStore
from ledger.wallet import Wallet, WalletSnapshot

ATTEMPTS = 20
BACKOFF_SECONDS_MAX = 0.02
SNAPSHOT_EVERY = 20  # Loading a fact costs 10 µs, keeping a snapshot about as much as 20 facts.
PAGE = 2_000

T = TypeVar("T")


class Folded(Protocol):
    """A state that facts are applied to one by one."""

    @property
    def version(self) -> int: ...
    def apply(self, entry: Entry) -> None: ...


class RegisterState(Protocol):
    """A state shared by all readers: new facts give a new one."""

    @property
    def version(self) -> int: ...
    def with_facts(self, facts: Sequence[Fact]) -> Any: ...


S = TypeVar("S", bound=Folded)
R = TypeVar("R", bound=RegisterState)
K = TypeVar("K", bound="Fold")


class Fold(Protocol):
    """A state that entries of the log are added to one by one."""

    def add(self, entry: Entry) -> None: ...


class Register(Generic[R]):
    """One originator everybody reads and few write, kept folded and brought up to date on use."""

    def __init__(self, originator_id: UUID, empty: R, events: Callable[..., Iterable[Any]]) -> None:
        self.originator_id = originator_id
        self._state = empty
        self._events = events
        self._lock = Lock()

    def current(self) -> R:
        state = self._state
        if new := [entry.fact for entry in self._events(self.originator_id, gt=state.version)]:
            with self._lock:
                new = new[self._state.version - state.version :]
                self._state = self._state.with_facts(new)
        return self._state


class Kept(Generic[K]):
    """A fold of the facts of some topics over the whole log, kept and brought up to date on use."""

    def __init__(self, log: Log, topics: Sequence[str], empty: Callable[[], K]) -> None:
        self._log, self._topics, self._empty = log, topics, empty
        self._position, self._state = 0, empty()
        self._lock = Lock()

    @contextmanager
    def current(self) -> Iterator[K]:
        """The fold of everything recorded so far; nobody else moves it meanwhile."""
        with self._lock:
            state, after = self._state, self._position
            self._state, self._position = self._empty(), 0  # Half folded it must not be found.
            head = self._log.head()
            for entry in self._log.entries(after, self._topics):
                state.add(entry)
                head = max(head, entry.position)
            self._state, self._position = state, head
            yield state


class Append(msgspec.Struct):
    """Facts to be added to one originator, which was at ``version`` when they were decided."""

    originator_id: UUID
    version: int
    facts: Sequence[Fact]


class Log(Application[UUID]):
    """The store as an eventsourcing Application with our recorder, mapper and snapshots."""

    name = "gwc"

    def __init__(self, env: Mapping[str, str], vault_key: bytes) -> None:
        super().__init__({
            "MAPPER_TOPIC": "ledger.store.mapper:FactMapper",
            "IS_SNAPSHOTTING_ENABLED": "y",
            **env,
        })  # fmt: skip
        self.store: Any = self.recorder
        self.vault = Vault(cast("VaultStore", self.store), vault_key)
        self._thread = local()

    @contextmanager
    def together(self) -> Iterator[Batch]:
        """Save what this thread appends within the block in one commit at its end.

        Nothing is saved where the block raises. Within another batch it is part of that one.
        Raises what ``append`` does, and NotInABatch for what must be saved alone.
        """
        if (outer := self.batch) is not None:
            with outer.all_or_none():
                yield outer
            return
        self._thread.batch = batch = Batch()
        try:
            yield batch
        finally:
            self._thread.batch = None
        try:
            positions = self.store.insert_events(
                list(map(self.mapper.to_stored_event, batch.entries)),
                vault_rows=batch.rows, unchanged=batch.unchanged, quotas=batch.quotas,
            )  # fmt: skip
        except QuotaExceeded as exceeded:
            raise refused(batch.refusals, exceeded) from None
        batch.saved(positions)

    @property
    def batch(self) -> Batch | None:
        """The batch this thread is making, if it is."""
        return getattr(self._thread, "batch", None)

    def _of(self, originator_id: UUID, gt: int = 0) -> Iterator[Entry]:
        """The facts of an originator, those of the batch that is being made included."""
        read: Callable[[], Iterable[Any]] = partial(
            self.events.get, originator_id, gt=gt or None
        )
        if (batch := self.batch) is None:
            yield from read()
        else:
            yield from batch.once((originator_id, gt), read)
            yield from batch.of(originator_id, gt)

    def _news(self, originator_id: UUID, gt: int | None = None) -> Iterable[Any]:
        """What a register does not know yet; within a batch it is asked for once."""
        if self.batch is not None and not self.batch.first_look(originator_id):
            return ()
        return self.events.get(originator_id, gt=gt or None)

    def fold(self, originator_id: UUID, state: S) -> S:
        """``state`` with every fact of the originator applied."""
        for entry in self._of(originator_id):
            state.apply(entry)
        return state

    def wallet(self, participant: UUID) -> Wallet:
        """A participant's wallet as it stands, from its last snapshot on."""
        originator, wallet = wallet_id(participant), Wallet()
        assert self.snapshots is not None
        for snapshot in self.snapshots.get(originator, desc=True, limit=1):
            wallet.apply(snapshot)  # type: ignore[arg-type]
        for entry in self._of(originator, wallet.version):
            wallet.apply(entry)
        return wallet

    def wallet_at(self, participant: UUID, position: int) -> Wallet:
        """The wallet as it stood right after a position of the log."""
        wallet = Wallet()
        for entry in self.events.get(wallet_id(participant)):
            if entry.position > position:  # type: ignore[attr-defined]
                break
            wallet.apply(entry)  # type: ignore[arg-type]
        return wallet

    def append(
        self,
        writes: Sequence[Append],
        now: datetime,
        *,
        vault_rows: Sequence[VaultRow] = (),
        unchanged: Mapping[UUID, int] | None = None,
        head: int | None = None,
        shelves: Mapping[str, int] | None = None,
        quotas: Sequence[Quota] = (),
        fence: Fence | None = None,
    ) -> list[Entry]:
        """Save the facts of one command, all or none; raises IntegrityError when outrun.

        They get consecutive positions. ``unchanged`` names originators the decision looked at
        with the version they must still have, ``shelves`` those of the vault with the position of
        their newest row; ``head`` is the last position of the log it looked at; ``quotas`` are
        what it takes of shared amounts (raises QuotaExceeded); ``fence``: as the store takes it.
        """
        entries = [
            Entry(write.originator_id, write.version + number, now, fact)
            for write in writes
            for number, fact in enumerate(write.facts, 1)
        ]
        if (batch := self.batch) is not None:
            alone = head is not None or bool(shelves) or fence is not None
            batch.afford(quotas, self.store.select_used)
            return batch.add(entries, vault_rows, unchanged or {}, quotas, alone=alone)
        # As the library's EventStore.put does, without a Notification for every fact.
        positions = self.store.insert_events(
            [self.mapper.to_stored_event(entry) for entry in entries],
            vault_rows=vault_rows, unchanged=unchanged, head=head, shelves=shelves, quotas=quotas,
            fence=fence,
        )  # fmt: skip
        return [
            msgspec.structs.replace(entry, position=position)
            for entry, position in zip(entries, positions, strict=True)
        ]

    def snapshot_if_due(
        self, wallet: Wallet, before: int, participant: UUID, now: datetime
    ) -> None:
        """Keep a snapshot each time a wallet passes a multiple of SNAPSHOT_EVERY facts."""
        if wallet.version // SNAPSHOT_EVERY > before // SNAPSHOT_EVERY:
            assert self.snapshots is not None
            snapshot = WalletSnapshot(wallet=wallet)
            entry = Entry(wallet_id(participant), wallet.version, now, snapshot)
            if (batch := self.batch) is None:
                self.snapshots.put([entry])
            else:
                batch.afterwards.append(partial(self.snapshots.put, [entry]))

    def attempt(
        self, command: Callable[[], T], attempts: int = ATTEMPTS,
        *, stop_at: type[IntegrityError] | tuple[()] = (),
    ) -> T:  # fmt: skip
        """Run load, decide and append; again while somebody else was faster, up to a bound.

        ``stop_at`` is what deciding again would not change.
        """
        for attempt in range(attempts):
            try:
                return command()
            except stop_at:
                raise
            except IntegrityError:
                if attempt:  # The first loser tries at once, later ones step aside.
                    time.sleep(random.uniform(0, BACKOFF_SECONDS_MAX))  # noqa: S311
        raise Contended

    def head(self) -> int:
        """The last position of the log; 0 when it is empty."""
        return self.recorder.max_notification_id() or 0

    def rows(
        self, after: int = 0, limit: int = PAGE, topics: Sequence[str] = ()
    ) -> list[RecordedFact]:
        """Stored rows behind a position, in order."""
        found: list[RecordedFact] = self.store.select_notifications(
            after, limit, topics=topics, inclusive_of_start=False
        )
        return found

    def rows_through(
        self, position: int, after: int, topics: Sequence[str]
    ) -> Iterator[RecordedFact]:
        """Stored rows of some topics behind ``after`` up to a position, page by page."""
        while after < position:
            rows = self.store.select_notifications(
                after, PAGE, position, topics, inclusive_of_start=False
            )
            yield from rows
            after = rows[-1].position if len(rows) == PAGE else position

    def entry(self, row: RecordedFact) -> Entry:
        return self.mapper.to_domain_event(row)  # type: ignore[return-value]

    def entries(self, after: int = 0, topics: Sequence[str] = ()) -> Iterable[Entry]:
        """Every entry behind a position, page by page."""
        while rows := self.rows(after, topics=topics):
            yield from map(self.entry, rows)
            after = rows[-1].id
