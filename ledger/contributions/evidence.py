"""Evidence (证据): where something was seen, at which reach, and the digests of its photos.

Photos may come later than what they show.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from ledger.commands import Signed
from ledger.errors import FieldError, UnknownReach
from ledger.facts import Sealed, stored_as
from ledger.rivers import ReachImported, RiverMap

PHOTOS_MAX = 20
PHOTO_FIELD = "photo/"
"""Before a digest: the name in the vault of a photo that is kept there."""
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$(?!\n)")]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A point as the phone declared it; accuracy in metres."""

    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    crs: Literal["wgs84", "gcj02"] = "wgs84"
    accuracy: Annotated[float, msgspec.Meta(ge=0)] | None = None


class Photo(msgspec.Struct, frozen=True):
    """A photo as it came: what it is, and its bytes."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()


@stored_as(
    "contribution.photos-added",
    zh="{by} 为 {originator} 补充 {photos} 张照片",
    en="{by} added {photos} photos to {originator}",
)
class PhotosAdded(Signed, frozen=True):
    """Digests of photos that were sent in after the contribution they belong to."""

    photos: tuple[str, ...]
    sealed: tuple[Sealed, ...] = ()


def reach_named(text: str | None, rivers: RiverMap) -> ReachImported | None:
    """The reach with this id, None for no id; raises UnknownReach."""
    if text is None:
        return None
    try:
        return rivers.reaches[UUID(text)]
    except (ValueError, KeyError):
        raise UnknownReach(
            [FieldError("reach_id", UnknownReach.code, "没有这个河段", "no such reach")],
            reach_id=text,
        ) from None
