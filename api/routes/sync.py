"""Syncing (离线同步): what a phone recorded without signal, sent in as one parcel."""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routes.sync_answers import SyncResult, told
from api.routing import Routes, answer
from api.schemas import load, load_plain
from ledger.campaigns.edits import VisitEditBody
from ledger.contributions import BY_KIND
from ledger.errors import InvalidInput
from ledger.parcels import EDIT, KINDS, PHOTOS, WITHDRAWAL, Item, Parcel
from ledger.photos import PhotosBody

ITEMS_MAX = 500
SEQ_MAX = 2**31 - 1
Seq = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]

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
    of_kind: Literal[tuple(BY_KIND)] = "visit"  # type: ignore[valid-type]


BODIES: dict[str, type[msgspec.Struct]] = {
    **{kind: one.body for kind, one in BY_KIND.items()},
    EDIT: VisitEditItem, WITHDRAWAL: VisitWithdrawalItem, PHOTOS: PhotosItem,
}  # fmt: skip


class ItemShape(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An item without its body; the body is what the address of its kind takes."""

    kind: Literal[KINDS]  # type: ignore[valid-type]
    body: dict[str, Any]
    device_seq: Seq | None = None
    recorded_at: datetime | None = None


def _documented(kind: str, body: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """An item of a kind, as the OpenAPI document tells it."""
    name = "".join(word.capitalize() for word in kind.split("_"))
    submitted = msgspec.defstruct(
        f"{name}Submission", [("submission_id", UUID)], bases=(body,), kw_only=True, frozen=True
    )
    submitted.__doc__ = body.__doc__
    item = msgspec.defstruct(
        f"{name}ParcelItem",
        [("body", submitted), ("device_seq", int | None, None),
         ("recorded_at", datetime | None, None)],
        tag_field="kind", tag=kind, kw_only=True,
    )  # fmt: skip
    item.__doc__ = f"An item of the kind `{kind}`."
    return item


_ITEM: Any = reduce(or_, [_documented(*one) for one in BODIES.items()])
ITEMS = list[_ITEM]


class NewParcel(msgspec.Struct, kw_only=True):
    """What a phone sends in.

    Kinds are the ways to take part, whose `body` is that of their own address with its
    `submission_id`, and `visit_edit`, `visit_withdrawal`, `photos`. Numbers count from 1 on the
    device, for each account by itself: two people on one phone number for themselves. Times are
    those of its clock, and `sent_at`, which goes before any `sent_at` in a body, tells how wrong
    it is.
    """

    device_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    sent_at: datetime
    items: Annotated[
        list[Any], msgspec.Meta(max_length=ITEMS_MAX, extra={"documented": ITEMS})
    ]


class Parcelled(msgspec.Struct):
    """A result for each item, in their order; numbers of the device that never came.

    Came is what was recorded or refused for good (`final`), and what is in this parcel. Gaps are
    looked for among the thousands that this parcel's numbers are in, and those before.
    """

    results: list[SyncResult]
    missing_seqs: list[int]


@routes.on("POST", "/v1/sync", "sync.send", body=NewParcel, submitted=False, answers=Parcelled,
           name="send_parcel", summary="Send in what was recorded without signal")  # fmt: skip
def sync(body: NewParcel) -> Response:
    """Each item is recorded or refused for itself, in one commit where possible.

    It is safe to send a parcel again, whole or in part, in any order and from two phones at once:
    what was recorded is answered as `replayed`. A refused item may be sent again corrected. A body
    is the same as it was written: `null` is not what is left out, and `30.0` is not `30`.
    """
    here = services()
    parcel = Parcel(actor(), body.device_id, body.sent_at, [_item(one) for one in body.items])
    synced = here.ledger.sync(parcel, here.clock())
    return answer(Parcelled([told(one) for one in synced.results], synced.missing_seqs))


def _item(raw: Any) -> Item:
    """An item as the ledger takes it; what is wrong with its shape is told with it."""
    try:
        shape: ItemShape = load_plain(ItemShape, raw)
    except InvalidInput as refusal:
        return Item(
            kind="", submission_id=_sent_id(raw), device_seq=_sent_seq(raw), errors=refusal.errors
        )
    submission_id = _sent_id(raw)
    try:
        submission_id, content = load(BODIES[shape.kind], shape.body)
    except InvalidInput as refusal:
        errors = tuple(
            msgspec.structs.replace(one, path=f"body.{one.path}".rstrip("."))
            for one in refusal.errors
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


def _sent_seq(raw: Any) -> int | None:
    """The number of an item however malformed the rest of it is."""
    try:
        return msgspec.convert(raw["device_seq"], Seq)
    except (TypeError, KeyError, ValueError):
        return None


def _sent_id(raw: Any) -> UUID | None:
    """The ``submission_id`` of an item however malformed the rest of it is."""
    try:
        return UUID(raw["body"]["submission_id"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return None

