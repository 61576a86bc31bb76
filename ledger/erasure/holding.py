"""Legal holds (依法保全): placing them and lifting them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger import identity
from ledger.erasure.asking import Asking, ErasureReceipt
from ledger.erasure.erasures import (
    GONE,
    HOLD_BASIS,
    Erasure,
    HoldBasis,
    HoldLifted,
    HoldPlaced,
    SignedStep,
    erasure_id,
)
from ledger.erasure.errors import AlreadyErased, HoldOver
from ledger.errors import FieldError, InvalidInput, NotFound, SelfApproval
from ledger.participants import Actor
from ledger.store.fences import plain
from ledger.store.rows import Fence, VaultRow
from ledger.words import FIELDS


class Holding(Asking):
    """The commands on holds, which are in the way of an erasure."""

    def place_hold(
        self, actor: Actor | None, subject: UUID, basis: HoldBasis, fields: tuple[str, ...],
        now: datetime, *, household: str | None = None, request: Any = None,
        submission_id: UUID | None = None,
    ) -> ErasureReceipt:  # fmt: skip
        """Let nothing of a subject be erased, or nothing of some fields, until it is lifted.

        Its basis is sealed under a key of the hold's own. Raises UnknownSubject, SelfApproval,
        AlreadyErased, and InvalidInput for a field that is not among ``words.FIELDS``, or under
        which nothing is kept of them: such a hold would keep nothing.
        """
        _check_fields(fields)
        by = actor.participant_id if actor else None
        hold_id = identity.derived("hold", by, subject, submission_id or now.isoformat())
        rows: list[VaultRow] = []

        def decide(known: Erasure, signed: dict[str, Any]) -> SignedStep:
            if by == subject:
                raise SelfApproval
            if known.step in GONE - {"limited"}:
                raise AlreadyErased
            self._check_kept(subject, fields)
            sealed, row = self.vault.seal(erasure_id(subject), hold_id, HOLD_BASIS, basis, now)
            rows[:] = [row]
            return HoldPlaced(
                subject=subject, hold_id=hold_id, sealed=(sealed,),
                fields=tuple(sorted(set(fields))), **signed,
            )  # fmt: skip

        found = self._erasure_step(
            actor, "hold", subject, request, submission_id, now, decide, rows, household=household
        )
        return msgspec.structs.replace(found, hold_id=hold_id)

    def lift_hold(
        self, actor: Actor | None, hold_id: UUID, now: datetime, *,
        request: Any = None, submission_id: UUID | None = None,
    ) -> ErasureReceipt:  # fmt: skip
        """Lift a hold, by somebody else than who placed it; raises NotFound, HoldOver."""
        subject = self._subject_of_hold(hold_id)

        def decide(known: Erasure, signed: dict[str, Any]) -> SignedStep:
            hold = known.holds.get(hold_id)
            if hold is None:
                raise HoldOver
            if actor and actor.participant_id in (hold.by, subject):
                raise SelfApproval
            return HoldLifted(subject=subject, hold_id=hold_id, **signed)

        action = f"lift/{hold_id}"
        found = self._erasure_step(actor, action, subject, request, submission_id, now, decide)
        return msgspec.structs.replace(found, hold_id=hold_id)

    def _check_kept(self, subject: UUID, fields: Sequence[str]) -> None:
        kept = {plain(field) for _, field in self.store.select_places(Fence(subject, ()))}
        if unknown := sorted(set(fields) - kept):
            wrong, there = ", ".join(unknown), ", ".join(sorted(kept)) or "-"
            raise InvalidInput([FieldError(
                "fields", "nothing_kept", f"没有保存 {wrong}；现有：{there}。",
                f"Nothing is kept of them as {wrong}; there is: {there}.",
            )])  # fmt: skip

    def _subject_of_hold(self, hold_id: UUID) -> UUID:
        for subject, state in self.erasures().items():
            if hold_id in state.holds or hold_id in state.lifted:
                return subject
        raise NotFound


def _check_fields(fields: Sequence[str]) -> None:
    there = ", ".join(sorted(FIELDS))
    if wrong := [number for number, one in enumerate(fields) if one not in FIELDS]:
        raise InvalidInput([
            FieldError(f"fields[{number}]", "not_one_of",
                       f"不是允许的取值，请从以下各项中选择：{there}。", f"Choose one of: {there}.")
            for number in wrong
        ])  # fmt: skip
