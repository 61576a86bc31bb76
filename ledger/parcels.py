"""Parcels (离线包): what a phone sends in with one call, and what became of each item."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from ledger.campaigns.errors import (
    BuildsOnItself,
    CampaignOver,
    TooManyEdits,
    VisitIsWithdrawn,
    WithdrawWindowOver,
)
from ledger.contributions import BY_KIND
from ledger.erasure.errors import SubjectErased
from ledger.errors import AlreadyDecided, FieldError, InvalidInput, LedgerError
from ledger.participants import Actor

EDIT, WITHDRAWAL, PHOTOS = "visit_edit", "visit_withdrawal", "photos"
ACTIONS = {EDIT: "edit", WITHDRAWAL: "withdraw", PHOTOS: "photos"}
KINDS = (*BY_KIND, *ACTIONS)
RECORDED = ("created", "replayed")
FINAL = (
    AlreadyDecided, BuildsOnItself, CampaignOver, SubjectErased, TooManyEdits, VisitIsWithdrawn,
    WithdrawWindowOver,
)  # fmt: skip
Status = Literal["created", "replayed", "conflict", "invalid", "waiting"]


class MalformedItem(InvalidInput):
    """What is wrong with an item's shape; its paths are from the item on, not from its body on."""


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

    @property
    def final(self) -> bool:
        """Whether it was refused for good: the same can never be recorded, however often sent."""
        return isinstance(self.refusal, FINAL)


def in_circles(after: Mapping[Hashable, Hashable]) -> set[Hashable]:
    """Those that come after themselves, or after such; ``after`` says behind what each comes."""
    left = dict(after)
    while free := [one for one, before in left.items() if before not in left]:
        for one in free:
            del left[one]
    return set(left)


class Synced(msgspec.Struct, frozen=True):
    """The results in the order of the items, and the device's numbers that never came.

    A number came once its item was recorded or refused for good; in this parcel, however it fared.
    """

    results: list[Result]
    missing_seqs: list[int]

    @property
    def replayed(self) -> bool:
        """Whether nothing was recorded because all of it was before."""
        return all(one.status == "replayed" for one in self.results)
