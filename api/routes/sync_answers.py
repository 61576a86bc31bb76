"""What became of each item of a parcel, as it is answered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from api import answers, metrics
from ledger.application import Receipt
from ledger.errors import FieldError
from ledger.parcels import Result, Status

ITEM_FIELDS = ("kind", "body", "device_seq", "recorded_at")


class SyncResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One item: ``created`` or ``replayed`` may be forgotten by the phone, nothing else.

    ``waiting``: send it again after the item it builds on. ``conflict``: the number or the
    ``submission_id`` stands for other content. ``invalid``: correct it; the same numbers are free.
    Of ``visit_withdrawn`` and ``campaign_closed`` nothing more can come; such an item may go too.
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
    """A result in words; what was decided is counted for the operator."""
    if result.status == "created" and isinstance(result.receipt, Receipt):
        metrics.decided(result.receipt.kind, result.receipt.coins, result.receipt.reasons)
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
                 "errors": tuple(map(_of_item, refusal.errors))}  # fmt: skip
    return SyncResult(**made)


def _of_item(error: FieldError) -> FieldError:
    """The same with its path from the item on, as all of them are told."""
    own = error.path.partition(".")[0] in ITEM_FIELDS
    return error if own else msgspec.structs.replace(error, path=f"body.{error.path}")
