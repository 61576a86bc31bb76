"""Recording a submission: what its decision may look at, and the rows it wants in the vault."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from threading import Lock
from typing import Any
from uuid import UUID

import msgspec

from ledger.districts import Districts
from ledger.facts import Sealed
from ledger.participants import Actor
from ledger.policy import KindRules, PolicyBook
from ledger.registers import Registers
from ledger.rivers import RiverMap
from ledger.settlement import policy_for
from ledger.store.rows import VaultRow


class Basis(msgspec.Struct):
    """What a decision stands on and must be saved with: its policies, vault rows and shelves."""

    book: PolicyBook
    rows: list[VaultRow] = []
    shelves: dict[str, int] = {}


class Recording:
    """The Context of one submission: what its decision may look at, and the rows it seals."""

    def __init__(
        self, ledger: Registers, kind: str, actor: Actor, originator_id: UUID, now: datetime,
        *, copied: bool,
    ) -> None:  # fmt: skip
        self.actor, self.now, self.copied = actor, now, copied
        self.rivers: RiverMap = ledger.rivers.current()
        self.districts: Districts = ledger.districts.current()
        self.basis = Basis(ledger.policies.current())
        self._turn: Lock | None = None
        self._ledger, self._kind, self._originator_id = ledger, kind, originator_id

    def rules(self, day: date) -> KindRules | None:
        policy = policy_for(self.basis.book, day)
        return policy.kinds.get(self._kind) if policy else None

    def policy_version(self, day: date) -> str:
        policy = policy_for(self.basis.book, day)
        return policy.version if policy else ""

    def seal(
        self, field: str, value: Any, *, shelf: str | None = None, unique: bytes | None = None
    ) -> Sealed:
        sealed, row = self._ledger.vault.seal(
            self._originator_id, self.actor.participant_id, field, value, self.now,
            shelf=shelf, unique=unique,
        )  # fmt: skip
        self.basis.rows.append(row)
        return sealed

    def shelf(self, name: str, newest: int) -> Sequence[Any]:
        """The newest values of a shelf, which must still be its newest when this is saved."""
        if self._turn is None:
            self._turn = self._ledger.shelf_turns.of(name)
            self._turn.acquire()
        values, self.basis.shelves[name] = self._ledger.vault.on_shelf(name, newest)
        return values

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        if self._turn is not None:
            self._turn.release()
