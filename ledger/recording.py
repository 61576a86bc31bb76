"""Recording a submission: what its decision may look at, and the rows it wants in the vault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from threading import Lock
from typing import Any
from uuid import UUID

import msgspec

from ledger.batch import NotInABatch, Refusal, refused
from ledger.contributions.base import F
from ledger.districts import Districts
from ledger.facts import Entry, Sealed
from ledger.log import Append, Log
from ledger.policy import KindRules, PolicyBook
from ledger.registers import Registers
from ledger.rivers import RiverMap
from ledger.settlement import policy_for
from ledger.store.errors import QuotaExceeded
from ledger.store.rows import Quota, VaultRow
from ledger.submissions import Submission


class Basis(msgspec.Struct):
    """What a decision stands on and must be saved with: its policies, vault rows and shelves."""

    book: PolicyBook
    rows: list[VaultRow] = []
    shelves: dict[str, int] = {}
    unchanged: dict[UUID, int] = {}
    quotas: list[Quota] = []
    refusals: dict[str, Refusal] = {}

    def take(self, key: str, amount: int, limit: int | None, refusal: Refusal) -> None:
        """Take so many of what many share; a negative amount gives back."""
        self.quotas.append(Quota(key, amount, limit))
        self.refusals[key] = refusal

    def save(
        self, log: Log, writes: Sequence[Append], now: datetime, *,
        unchanged: Mapping[UUID, int] = {}, quotas: Sequence[Quota] = (),
    ) -> list[Entry]:  # fmt: skip
        """Append what was decided on it; where a quota has no room its own refusal is raised."""
        if log.batch is not None:
            log.batch.refusals |= self.refusals
        try:
            return log.append(
                writes, now, vault_rows=self.rows, unchanged={**self.unchanged, **unchanged},
                shelves=self.shelves, quotas=[*self.quotas, *quotas],
            )  # fmt: skip
        except QuotaExceeded as exceeded:
            raise refused(self.refusals, exceeded) from None


class Recording:
    """The Context of one submission: what its decision may look at, and the rows it seals."""

    def __init__(self, ledger: Registers, submission: Submission, now: datetime) -> None:
        self.actor, self.now, self.times = submission.actor, now, submission.times
        self.copied = submission.copied
        self.raised = tuple(other.cause for other in submission.others)
        self.rivers: RiverMap = ledger.rivers.current()
        self.districts: Districts = ledger.districts.current()
        self.basis = Basis(ledger.policies.current())
        self._turn: Lock | None = None
        self._ledger = ledger
        self._kind, self._originator_id = submission.contribution.kind, submission.cause

    def rules(self, day: date) -> KindRules | None:
        policy = policy_for(self.basis.book, day)
        return policy.kinds.get(self._kind) if policy else None

    def policy_version(self, day: date) -> str:
        policy = policy_for(self.basis.book, day)
        return policy.version if policy else ""

    def seal(
        self, field: str, value: Any, *, subject: UUID | None = None, shelf: str | None = None,
        unique: bytes | None = None,
    ) -> Sealed:  # fmt: skip
        sealed, row = self._ledger.vault.seal(
            self._originator_id, subject or self.actor.participant_id, field, value, self.now,
            shelf=shelf, unique=unique,
        )  # fmt: skip
        self.basis.rows.append(row)
        return sealed

    def shelf(self, name: str, newest: int) -> Sequence[Any]:
        """The newest values of a shelf, which must still be its newest when this is saved."""
        if self._ledger.batch is not None:
            raise NotInABatch  # Told before anything is measured against it.
        if self._turn is None:
            self._turn = self._ledger.shelf_turns.of(name)
            self._turn.acquire()
        values, self.basis.shelves[name] = self._ledger.vault.on_shelf(name, newest)
        return values

    def register(self, name: str, of: UUID | None = None) -> Any:
        register = getattr(self._ledger, name)
        found = register.current() if of is None else register.current(of)
        self.basis.unchanged[of or register.originator_id] = found.version
        return found

    def originator(self, originator_id: UUID, state: F) -> F:
        found = self._ledger.fold(originator_id, state)
        self.basis.unchanged[originator_id] = found.version
        return found

    def take(self, key: str, amount: int, limit: int | None, refusal: Refusal) -> None:
        self.basis.take(key, amount, limit, refusal)

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        if self._turn is not None:
            self._turn.release()
