"""What became of each item of a parcel, as it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from api import answers, metrics
from ledger.application import Receipt
from ledger.errors import FieldError
from ledger.parcels import MalformedItem, Result, Status

AROUND_BODY = ("recorded_at", "sent_at")


def _in_item(path: str) -> str:
    """From the item on: when it was sent stands with the parcel, when recorded with the item."""
    return path if path in AROUND_BODY else f"body.{path}"


class SyncResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One item: ``created``, ``replayed`` or ``final`` may be forgotten by the phone, nothing else.

    ``waiting``: send it again after the item it builds on. ``conflict``: the number or the
    ``submission_id`` stands for other content. ``invalid``: correct it; the same numbers are free.
    ``final``: it was refused for good, the same can never be recorded; its number counts as come.
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
    final: bool = False
    code: str | None = None
    zh: str | None = None
    en: str | None = None
    errors: tuple[FieldError, ...] = ()


def told(result: Result, path: Callable[[str], str] = _in_item) -> SyncResult:
    """A result in words; what was decided is counted for the operator.

    ``path``: where in the request a field of the body stands.
    """
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
        told_already = isinstance(refusal, MalformedItem)
        errors = tuple(
            one if told_already else msgspec.structs.replace(one, path=path(one.path))
            for one in refusal.errors
        )
        made |= {"code": refusal.code, "zh": refusal.sentence_zh, "en": refusal.sentence_en,
                 "errors": errors, "final": result.final}  # fmt: skip
    return SyncResult(**made)
