"""A batch (批): commands of one thread, saved in one commit, each seeing those before it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import IntegrityError

from ledger.errors import LedgerError
from ledger.facts import Entry
from ledger.store.errors import QuotaExceeded
from ledger.store.rows import Quota, VaultRow

Refusal = Callable[[int], LedgerError]
"""What to say where a quota has no room, by how much of it is left."""


class NotInABatch(Exception):
    """A command depends on what a batch cannot see; it must be saved by itself."""


class Batch:
    """What is to be saved together; until then a position is a place in the batch, from 1 on."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.rows: list[VaultRow] = []
        self.unchanged: dict[UUID, int] = {}
        self.quotas: list[Quota] = []
        self.taken: dict[str, int] = {}  # by quota
        self.refusals: dict[str, Refusal] = {}
        self.afterwards: list[Callable[[], object]] = []
        self._added: dict[UUID, list[Entry]] = {}
        self._read: dict[Hashable, list[Any]] = {}
        self._registers: set[UUID] = set()
        self._before = 0

    def of(self, originator_id: UUID, gt: int = 0) -> list[Entry]:
        """What the batch adds to an originator behind a version."""
        added = self._added.get(originator_id, ())
        return [one for one in added if one.originator_version > gt]

    def once(self, what: Hashable, read: Callable[[], Iterable[Any]]) -> list[Any]:
        """What is stored, asked only once: where it changed meanwhile the batch is outrun."""
        if what not in self._read:
            self._read[what] = list(read())
        return self._read[what]

    def first_look(self, originator_id: UUID) -> bool:
        """Whether a register was not brought up to date in this batch yet; it is from now on."""
        new = originator_id not in self._registers
        self._registers.add(originator_id)
        return new

    def add(
        self, entries: Sequence[Entry], rows: Sequence[VaultRow], unchanged: Mapping[UUID, int],
        quotas: Sequence[Quota], *, alone: bool,
    ) -> list[Entry]:  # fmt: skip
        """Take in what a command appends; raises IntegrityError where it was outrun meanwhile.

        ``alone``: it depends on what a batch cannot see, and NotInABatch is raised.
        """
        if alone or any(row.fingerprint for row in rows):
            raise NotInABatch
        for originator_id, version in unchanged.items():
            if added := self.of(originator_id):
                stands = added[-1].originator_version
            else:
                stands = self.unchanged.setdefault(originator_id, version)
            if stands != version:
                raise IntegrityError(f"{originator_id} is at {stands}, no longer at {version}")
        before = len(self.entries)
        placed = [
            msgspec.structs.replace(entry, position=before + number)
            for number, entry in enumerate(entries, 1)
        ]
        self.entries += placed
        for entry in placed:
            self._added.setdefault(entry.originator_id, []).append(entry)
        self.rows += [msgspec.structs.replace(row, position=before) for row in rows]
        self.quotas += quotas
        for one in quotas:
            self.taken[one.key] = self.taken.get(one.key, 0) + one.amount * (not one.full)
        return placed

    def afford(self, quotas: Sequence[Quota], used: Callable[[str], int]) -> None:
        """Raises QuotaExceeded where there is no room as things stand, for this command alone.

        The store looks again when it is saved, for what others have taken meanwhile.
        """
        taken: dict[str, int] = {}
        for one in quotas:
            if one.full or one.limit is None or one.amount <= 0:
                continue
            (stored,) = self.once(("used", one.key), partial(_alone, used, one.key))
            before = stored + self.taken.get(one.key, 0) + taken.get(one.key, 0)
            taken[one.key] = taken.get(one.key, 0) + one.amount
            if before + one.amount > one.limit:
                raise QuotaExceeded(one.key, max(one.limit - before, 0))

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """What a failing command within had added is taken out again."""
        kept = [len(one) for one in self._parts()]
        looked_at = len(self.unchanged)
        try:
            yield
        except BaseException:
            for entry in reversed(self.entries[kept[0] :]):
                self._added[entry.originator_id].pop()
            for one in self.quotas[kept[2] :]:
                self.taken[one.key] -= one.amount * (not one.full)
            for part, length in zip(self._parts(), kept, strict=True):
                del part[length:]
            while len(self.unchanged) > looked_at:
                self.unchanged.popitem()
            raise

    def _parts(self) -> tuple[list[Any], ...]:
        return self.entries, self.rows, self.quotas, self.afterwards

    def saved(self, positions: Sequence[int]) -> None:
        """It is stored from the first of these positions on."""
        self._before = positions[0] - 1 if positions else 0
        for one in self.afterwards:
            one()

    def position(self, place: int) -> int:
        """The position in the log of a place in the batch, once it is saved."""
        return self._before + place


def _alone(used: Callable[[str], int], key: str) -> list[int]:
    return [used(key)]


def refused(refusals: Mapping[str, Refusal], exceeded: QuotaExceeded) -> Exception:
    """What is said of a quota that has no room; itself where nothing was left to say."""
    refusal = refusals.get(exceeded.key)
    return refusal(exceeded.left) if refusal else exceeded
