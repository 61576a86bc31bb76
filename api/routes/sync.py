"""Syncing (离线同步): what a phone recorded without signal, sent in as one parcel."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.complaints import coded
from api.routes.sync_answers import SyncResult, told
from api.routing import Routes, answer
from api.schemas import errors_in, load
from ledger.campaigns.edits import VisitEditBody
from ledger.contributions import BY_KIND
from ledger.errors import FieldError, InvalidInput
from ledger.parcels import EDIT, KINDS, PHOTOS, WITHDRAWAL, Item, Parcel
from ledger.photos import PhotosBody

ITEMS_MAX = 500
SEQ_MAX = 2**31 - 1

routes = Routes("sync", __name__, description="What was recorded without signal")


class VisitEditItem(VisitEditBody, frozen=True, kw_only=True):
    """An edit; ``visit`` is the id of the visit, or the ``submission_id`` it was recorded under."""

    visit: UUID


class VisitWithdrawalItem(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawal of one's own visit."""

    visit: UUID


class PhotosItem(PhotosBody, frozen=True, kw_only=True):
    """Photos of something recorded before, by its id or its ``submission_id`` and kind."""

    of: UUID
    of_kind: str = "visit"


BODIES: dict[str, type[msgspec.Struct]] = {
    **{kind: one.body for kind, one in BY_KIND.items()},
    EDIT: VisitEditItem, WITHDRAWAL: VisitWithdrawalItem, PHOTOS: PhotosItem,
}  # fmt: skip


class ItemShape(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An item without its body; the body is what the address of its kind takes."""

    kind: str
    body: dict[str, Any]
    device_seq: Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)] | None = None
    recorded_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class NewParcel(msgspec.Struct, kw_only=True):
    """What a phone sends in: `{kind, device_seq, recorded_at, body}` for each item.

    Kinds are the ways to take part (`visit`, `patrol`, `report` …), whose `body` is that of their
    own address with its `submission_id`, and `visit_edit`, `visit_withdrawal`, `photos`. Numbers
    count from 1 on the device; times are those of its clock, and `sent_at` tells how wrong it is.
    """

    device_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    sent_at: datetime
    items: Annotated[list[Any], msgspec.Meta(max_length=ITEMS_MAX)]


class Parcelled(msgspec.Struct):
    """A result for each item, in their order; numbers of the device that never came."""

    results: list[SyncResult]
    missing_seqs: list[int]


@routes.on("POST", "/v1/sync", "sync.send", body=NewParcel, submitted=False, answers=Parcelled,
           name="send_parcel", summary="Send in what was recorded without signal")  # fmt: skip
def sync(body: NewParcel) -> Response:
    """Each item is recorded or refused for itself, in one commit where possible.

    It is safe to send a parcel again, whole or in part, in any order and from two phones at once:
    what was recorded is answered as `replayed`. A refused item may be sent again corrected.
    """
    here = services()
    parcel = Parcel(actor(), body.device_id, body.sent_at, [_item(one) for one in body.items])
    synced = here.ledger.sync(parcel, here.clock())
    return answer(Parcelled([told(one) for one in synced.results], synced.missing_seqs))


def _item(raw: Any) -> Item:
    """An item as the ledger takes it; what is wrong with its shape is told with it."""
    try:
        shape = msgspec.convert(raw, ItemShape)
    except msgspec.ValidationError as error:
        return Item(kind="", submission_id=_sent_id(raw), errors=(_malformed(error),))
    submission_id = _sent_id(raw)
    if shape.kind not in BODIES:
        names = ", ".join(KINDS)
        problem = FieldError("kind", "unknown_kind", f"没有这种类型，可用：{names}。",
                             f"Choose one of: {names}.")  # fmt: skip
        return Item(kind=shape.kind, submission_id=submission_id, errors=(problem,))
    try:
        submission_id, content = load(BODIES[shape.kind], shape.body)
    except InvalidInput as refusal:
        errors = tuple(
            msgspec.structs.replace(one, path=f"body.{one.path}") for one in refusal.errors
        )
        return Item(
            kind=shape.kind, submission_id=submission_id, device_seq=shape.device_seq,
            errors=errors,
        )  # fmt: skip
    about = {EDIT: "visit", WITHDRAWAL: "visit", PHOTOS: "of"}.get(shape.kind)
    # What it is about is in the command's id: by its address the same body has no such field.
    request = {name: value for name, value in shape.body.items() if name != about}
    return Item(
        kind=shape.kind, submission_id=submission_id, body=content, request=request,
        device_seq=shape.device_seq, recorded_at=shape.recorded_at,
        about=getattr(content, about) if about else None,
        about_kind=getattr(content, "of_kind", "visit"),
    )  # fmt: skip


def _sent_id(raw: Any) -> UUID | None:
    """The ``submission_id`` of an item however malformed the rest of it is."""
    try:
        return UUID(raw["body"]["submission_id"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _malformed(error: Exception) -> FieldError:
    """What is wrong with an item's own fields."""
    (found,) = errors_in(coded(error, ItemShape))
    return found
