"""Recording a submission: what its decision may look at, and the rows it wants in the vault."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from ledger.districts import Districts
from ledger.facts import Sealed
from ledger.participants import Actor
from ledger.policy import KindRules, PolicyBook
from ledger.registers import Registers
from ledger.rivers import RiverMap
from ledger.settlement import policy_for
from ledger.store.rows import VaultRow


class Recording:
    """The Context of one submission: what its decision may look at, and the rows it seals."""

    def __init__(
        self, ledger: Registers, kind: str, actor: Actor, originator_id: UUID, now: datetime,
        *, copied: bool,
    ) -> None:  # fmt: skip
        self.actor, self.now, self.copied = actor, now, copied
        self.rivers: RiverMap = ledger.rivers.current()
        self.districts: Districts = ledger.districts.current()
        self.book: PolicyBook = ledger.policies.current()
        self.rows: list[VaultRow] = []
        self._ledger, self._kind, self._originator_id = ledger, kind, originator_id

    def rules(self, day: date) -> KindRules | None:
        policy = policy_for(self.book, day)
        return policy.kinds.get(self._kind) if policy else None

    def policy_version(self, day: date) -> str:
        policy = policy_for(self.book, day)
        return policy.version if policy else ""

    def seal(
        self, field: str, value: Any, *, shelf: str | None = None, unique: bytes | None = None
    ) -> Sealed:
        sealed, row = self._ledger.vault.seal(
            self._originator_id, self.actor.participant_id, field, value, self.now,
            shelf=shelf, unique=unique,
        )  # fmt: skip
        self.rows.append(row)
        return sealed

    def shelf(self, name: str, newest: int) -> Sequence[Any]:
        return [value for _, value in self._ledger.vault.on_shelf(name, newest)]
