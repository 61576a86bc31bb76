"""What became of each item of a parcel, as it is answered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from api import answers
from ledger.errors import FieldError
from ledger.parcels import Result, Status


class SyncResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One item: ``created`` or ``replayed`` may be forgotten by the phone, nothing else.

    ``waiting``: send it again after the item it builds on. ``conflict``: the number or the
    ``submission_id`` stands for other content. ``invalid``: correct it; the same numbers are free.
    """

    submission_id: UUID | None
    status: Status
    id: UUID | None = None
    position: int | None = None
    state: str | None = None
    coins: int | None = None
    balance: int | None = None
    reasons: list[answers.Reason] = []
    version: int | None = None
    clashes: tuple[str, ...] = ()
    code: str | None = None
    zh: str | None = None
    en: str | None = None
    errors: tuple[FieldError, ...] = ()


def told(result: Result) -> SyncResult:
    """A result in words."""
    made: dict[str, Any] = {
        "submission_id": result.submission_id, "status": result.status, "id": result.id,
        "position": result.position, "state": result.state,
    }  # fmt: skip
    for name in ("coins", "balance", "version", "clashes"):
        if (value := getattr(result.receipt, name, None)) is not None:
            made[name] = value
    if codes := getattr(result.receipt, "reasons", ()):
        made["reasons"] = answers.reasons(codes)
    if (refusal := result.refusal) is not None:
        made |= {"code": refusal.code, "zh": refusal.sentence_zh, "en": refusal.sentence_en,
                 "errors": refusal.errors}  # fmt: skip
    return SyncResult(**made)
