"""Parcels (离线包): what a phone sends in with one call, and what became of each item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from ledger.contributions import BY_KIND
from ledger.errors import FieldError, LedgerError
from ledger.participants import Actor

EDIT, WITHDRAWAL, PHOTOS = "visit_edit", "visit_withdrawal", "photos"
ACTIONS = {EDIT: "edit", WITHDRAWAL: "withdraw", PHOTOS: "photos"}
KINDS = (*BY_KIND, *ACTIONS)
RECORDED = ("created", "replayed")
Status = Literal["created", "replayed", "conflict", "invalid", "waiting"]


class ItemTooLarge(LedgerError):
    code = "entry_too_large"
    zh = "内容过长，无法记入账本；请缩短后重试。"
    en = "The content is too long for an entry of the log; shorten it and try again."


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a phone recorded; ``errors`` are what is wrong with its shape.

    ``about`` is what an edit, a withdrawal or photos are of: the id of the contribution, or the
    ``submission_id`` the same person sent it in under, of kind ``about_kind``.
    """

    kind: str
    submission_id: UUID | None
    body: Any = None
    request: Mapping[str, Any] = {}
    device_seq: int | None = None
    recorded_at: datetime | None = None
    about: UUID | None = None
    about_kind: str = "visit"
    errors: tuple[FieldError, ...] = ()

    @property
    def name(self) -> tuple[Any, ...]:
        """What makes it the same command as another."""
        return self.kind, self.submission_id, self.about, self.about_kind

    @property
    def builds_on(self) -> tuple[UUID, ...]:
        """What must be there before it, as it names them."""
        named = (self.about, getattr(self.body, "replaces", None))
        return tuple(one for one in named if isinstance(one, UUID))


class Parcel(msgspec.Struct, frozen=True):
    """What one call brings: whose, of which device, sent when by its clock."""

    actor: Actor
    device_id: str
    sent_at: datetime | None
    items: Sequence[Item]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item; only what is ``created`` or ``replayed`` is recorded."""

    submission_id: UUID | None
    status: Status
    id: UUID | None = None
    position: int | None = None
    state: str | None = None
    receipt: Any = None
    refusal: LedgerError | None = None


class Synced(msgspec.Struct, frozen=True):
    """The results in the order of the items, and the device's numbers that never came."""

    results: list[Result]
    missing_seqs: list[int]

    @property
    def replayed(self) -> bool:
        """Whether nothing was recorded because all of it was before."""
        return all(one.status == "replayed" for one in self.results)
