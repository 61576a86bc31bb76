"""Photos (照片) of contributions of every kind: sent in one by one, looked at by who may."""

from __future__ import annotations

from hashlib import sha256 as sha256_of
from typing import Any
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.photos import MEDIA_TYPES, DigestMismatch, photo_of
from api.routing import PERSONAL, Routes, answer
from api.schemas import bytes_sent
from ledger.campaigns.errors import EarlierItemMissing
from ledger.errors import NotFound

PHOTOS = "/v1/contributions/<uuid:id>/photos"
PHOTO = f"{PHOTOS}/<sha256>"

routes = Routes("photos", __name__, description="Photos of what was contributed")


class PhotoKept(msgspec.Struct):
    """That a photo is kept, as what, and where the log says so."""

    id: UUID
    sha256: str
    media_type: str
    position: int


class NamedPhoto(msgspec.Struct):
    """A photo that a contribution names: neither `kept` nor `erased` is still to be sent."""

    sha256: str
    kept: bool
    erased: bool


class NamedPhotos(msgspec.Struct):
    """Every photo that a contribution names, in their order."""

    items: list[NamedPhoto]


@routes.on("PUT", PHOTO, "photos.send", raw=MEDIA_TYPES, answers=PhotoKept, status=(201, 200),
           summary="Send in a photo of one's own contribution")  # fmt: skip
def send_photo(id: UUID, sha256: str) -> Response:
    """The body is the photo: JPEG, PNG, WebP or HEIC by its first bytes, at most 2 MiB.

    `sha256` is its digest, whether the contribution named it before or not. It is kept as it came,
    with the places and device names that phones write into it: it is evidence.
    """
    content, here = bytes_sent(), services()
    if sha256_of(content).hexdigest() != sha256:
        raise DigestMismatch
    photo = photo_of(content)
    try:
        receipt = here.ledger.keep_photos(actor(), id, [photo], here.clock())
    except EarlierItemMissing:  # Nothing is on its way to somebody who asks online.
        raise NotFound from None
    kept = PhotoKept(id, sha256, photo.media_type, receipt.position)
    return answer(kept, 200 if receipt.replayed else 201, replayed=receipt.replayed)


@routes.on("GET", PHOTOS, "contributions.read", answers=NamedPhotos,
           summary="The photos that a contribution names")  # fmt: skip
def list_photos(id: UUID) -> Response:
    """For whoever may look at them: what is neither kept nor erased is still to be sent."""
    named = services().ledger.photos_named(actor(), id)
    return answer(NamedPhotos([NamedPhoto(one.sha256, one.kept, one.erased) for one in named]))


@routes.on("GET", PHOTO, "contributions.read", answers=Any, media=MEDIA_TYPES,
           summary="A photo as it came")  # fmt: skip
def get_photo(id: UUID, sha256: str) -> Response:
    """For who took part and for reviewers of its district; for everybody else it is not there.

    `photo_not_kept` (404): only its digest is known so far. `photo_erased` (404): it was here.
    """
    photo = services().ledger.photo(actor(), id, sha256)
    response = Response(photo.content, content_type=photo.media_type)
    response.headers["Cache-Control"] = PERSONAL
    name = f"{sha256}.{photo.media_type.rpartition('/')[2]}"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response
