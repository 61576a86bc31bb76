"""One insert_events call, and the decision which calls of a batch are admitted.

Both databases decide here, in Python and under their lock: no savepoint per call, and no query
beyond the one that reads where the log stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from eventsourcing.persistence import IntegrityError

from ledger.store.errors import FingerprintTaken, QuotaExceeded, SubjectFenced
from ledger.store.leaf import entry_tail, tail_hash
from ledger.store.mapper import StoredFact
from ledger.store.merge import Call
from ledger.store.rows import Fence, Guard, Quota, VaultRow


class EventRow(NamedTuple):
    """A row of the table ``events``, in the order of its columns."""

    position: int
    originator_id: str
    originator_version: int
    topic: str
    state: bytes
    recorded_at: int
    leaf_hash: bytes


class Append(Call):
    """The facts and vault rows of one call: recorded together or not at all."""

    __slots__ = (
        "events", "fence", "head", "positions", "quotas", "shelves", "unchanged", "vault_rows",
    )  # fmt: skip

    def __init__(
        self, stored: Sequence[StoredFact], vault_rows: Sequence[VaultRow], guard: Guard,
        fence: Fence | None = None,
    ) -> None:  # fmt: skip
        self.events = [_prepared(fact) for fact in stored]
        self.vault_rows = vault_rows
        self.fence = fence
        self.unchanged = {str(key): version for key, version in guard.unchanged.items()}
        self.head = guard.head
        self.shelves = guard.shelves
        self.quotas = guard.quotas
        self.positions: list[int] = []
        super().__init__(
            sum(len(tail) for _, tail in self.events)
            + sum(len(row.ciphertext) for row in vault_rows)
        )


class LogState:
    """Where the log stands under the lock; admitted calls count for the later ones."""

    def __init__(
        self,
        head: int,
        versions: dict[str, int],
        fingerprints: Iterable[bytes] = (),
        shelves: Mapping[str, int] | None = None,
        used: Mapping[str, int] | None = None,
        fenced: Iterable[str] = (),
    ) -> None:
        self.head = head
        self.versions = versions
        self.fingerprints = set(fingerprints)
        self.shelves = dict(shelves or {})
        self.used = dict(used or {})
        self.fenced = set(fenced)


class Admission:
    """The rows of a batch's admitted calls; nothing is final until ``settle`` after the commit."""

    def __init__(self, appends: Sequence[Append], log: LogState) -> None:
        self.events: list[EventRow] = []
        self.vault_rows: list[tuple[VaultRow, int]] = []
        self.used: dict[str, int] = {}
        self.fences: list[tuple[Fence, int]] = []
        self._verdicts: list[tuple[Append, IntegrityError | None]] = []
        for append in appends:
            refusal = self._admit(append, log)
            self._verdicts.append((append, refusal))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to insert: every call was refused."""
        return not self.events and not self.vault_rows and not self.used

    def settle(self) -> None:
        """Tell every call its outcome; to be called when the transaction is committed."""
        for append, refusal in self._verdicts:
            append.settle(refusal)

    def _admit(self, append: Append, log: LogState) -> IntegrityError | None:
        if refusal := _guard_broken(append, log):
            return refusal
        versions = _versions_after(append, log)
        if isinstance(versions, IntegrityError):
            return versions
        fingerprints = [row.fingerprint for row in append.vault_rows if row.fingerprint]
        if len(set(fingerprints) - log.fingerprints) < len(fingerprints):
            return FingerprintTaken("a vault row with this fingerprint exists")
        if any(str(row.subject) in log.fenced for row in append.vault_rows):
            return SubjectFenced("a vault row is of a subject who was erased")
        used = _used_after(append.quotas, log.used)
        if isinstance(used, IntegrityError):
            return used
        log.used.update(used)
        self.used.update(used)
        log.versions.update(versions)
        log.fingerprints.update(fingerprints)
        append.positions = list(range(log.head + 1, log.head + 1 + len(append.events)))
        log.head += len(append.events)
        for position, (columns, tail) in zip(append.positions, append.events, strict=True):
            self.events.append(EventRow(position, *columns, tail_hash(position, tail)))
        first = append.positions[0] if append.positions else log.head
        if append.fence is not None:
            self.fences.append((append.fence, first))
            log.fenced.add(str(append.fence.subject))
        for row in append.vault_rows:
            # A row of a later command of a batch names its place behind the first.
            self.vault_rows.append((row, first + row.position))
            if row.shelf is not None:
                log.shelves[row.shelf] = first + row.position
        return None


Columns = tuple[str, int, str, bytes, int]


def _prepared(fact: StoredFact) -> tuple[Columns, bytes]:
    """All that can be computed before the position is known, in the thread of the caller."""
    columns = (
        str(fact.originator_id), fact.originator_version, fact.topic, fact.state, fact.recorded_at,
    )  # fmt: skip
    originator_id, version, topic, state, recorded_at = columns
    return columns, entry_tail(originator_id, version, topic, recorded_at, state)


def _guard_broken(append: Append, log: LogState) -> IntegrityError | None:
    if append.head is not None and append.head != log.head:
        return IntegrityError(f"the log is at {log.head}, no longer at {append.head}")
    for originator_id, version in append.unchanged.items():
        if (latest := log.versions.get(originator_id, 0)) != version:
            return IntegrityError(f"{originator_id} is at {latest}, no longer at {version}")
    for shelf, position in append.shelves.items():
        if (newest := log.shelves.get(shelf, 0)) != position:
            return IntegrityError(f"the shelf {shelf} is at {newest}, no longer at {position}")
    return None


def _used_after(
    quotas: Sequence[Quota], used: Mapping[str, int]
) -> dict[str, int] | IntegrityError:
    """What the shared amounts come to with this call, or why it cannot have its share."""
    after: dict[str, int] = {}
    for quota in quotas:
        before = after.get(quota.key, used.get(quota.key, 0))
        if quota.was not in (None, before):
            return IntegrityError(f"{quota.key} is at {before}, no longer at {quota.was}")
        total = before + quota.amount
        fits = quota.limit is None or quota.amount <= 0 or total <= quota.limit
        if quota.full and fits:
            return IntegrityError(f"{quota.key} has room again")
        if not quota.full and not fits:
            return QuotaExceeded(quota.key, max((quota.limit or 0) - before, 0))
        if not quota.full:
            after[quota.key] = total
    return after


def _versions_after(append: Append, log: LogState) -> dict[str, int] | IntegrityError:
    versions: dict[str, int] = {}
    for (originator_id, version, *_), _tail in append.events:
        latest = versions.get(originator_id) or log.versions.get(originator_id, 0)
        if version <= latest:
            return IntegrityError(f"version {version} of {originator_id} is taken")
        if version > latest + 1:
            return IntegrityError(f"version {version} of {originator_id} after {latest}: a hole")
        versions[originator_id] = version
    return versions
