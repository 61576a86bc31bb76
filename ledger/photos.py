"""Photos (照片) that come after what they show: their digests, and where sent along, the photos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated
from uuid import UUID

import msgspec

from ledger import identity
from ledger.campaigns.errors import EarlierItemMissing, VisitIsWithdrawn
from ledger.commands import Signature, signature
from ledger.contributions.base import State
from ledger.contributions.evidence import PHOTOS_MAX, PhotosAdded, Sha256
from ledger.errors import FieldError, InvalidInput, NotFound
from ledger.facts import Entry
from ledger.log import Append
from ledger.participants import Actor
from ledger.registers import Registers

FIELD = "photo/"
"""Before a digest: the name in the vault of a photo that is kept there."""


class PhotosBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Photos of a contribution, by the SHA-256 of each."""

    photos: Annotated[tuple[Sha256, ...], msgspec.Meta(min_length=1, max_length=PHOTOS_MAX)]


class Photo(msgspec.Struct, frozen=True):
    """A photo as it came: what it is, and its bytes."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()


class Photographed(msgspec.Struct):
    """A contribution with the photos that were added to it; ``kept`` are in the vault."""

    state: State = msgspec.field(default_factory=State)
    added: set[str] = set()
    kept: set[str] = set()
    commands: dict[UUID, tuple[str, int]] = {}

    @property
    def version(self) -> int:
        return self.state.version

    def apply(self, entry: Entry) -> None:
        self.state.apply(entry)
        if isinstance(fact := entry.fact, PhotosAdded):
            self.added.update(fact.photos)
            self.kept.update(one.field.removeprefix(FIELD) for one in fact.sealed)
            self.commands[fact.command_id] = (fact.body_digest, entry.position)


class PhotosReceipt(msgspec.Struct, frozen=True):
    """That photos were added, and where."""

    id: UUID
    position: int
    state: str
    replayed: bool = False


class Photographing(Registers):
    """Adding photos to one's own contributions."""

    def add_photos_once(
        self, signed: Signature, actor: Actor, cause: UUID, body: PhotosBody, now: datetime
    ) -> PhotosReceipt:
        """Add photos to one's own once; whoever calls it tries again where it is outrun.

        Raises NotFound, EarlierItemMissing, VisitIsWithdrawn, InvalidInput, SubmissionConflict.
        """
        found = self.fold(cause, Photographed())
        recorded, state = found.state.recorded, found.state.state
        if recorded is None:
            raise EarlierItemMissing
        if recorded.participant_id != actor.participant_id:
            raise NotFound
        if (position := signed.earlier(found.commands)) is not None:
            return PhotosReceipt(cause, position, state, replayed=True)
        if state == "withdrawn":
            raise VisitIsWithdrawn
        _check_room(found, body.photos)
        fact = PhotosAdded(photos=body.photos, **signed.fields)
        (entry,) = self.append([Append(cause, found.version, [fact])], now)
        return PhotosReceipt(cause, entry.position, state)

    def keep_photos(
        self, actor: Actor, cause: UUID, photos: Sequence[Photo], now: datetime
    ) -> PhotosReceipt:
        """Keep photos of one's own contribution in the vault, under their owner's key.

        Each is kept once, however often it comes: ``replayed`` where all of them were there.
        Raises NotFound, EarlierItemMissing, VisitIsWithdrawn, InvalidInput.
        """
        by_digest = {one.digest: one for one in photos}
        return self.attempt(lambda: self._keep_once(actor, cause, by_digest, now))

    def _keep_once(
        self, actor: Actor, cause: UUID, photos: Mapping[str, Photo], now: datetime
    ) -> PhotosReceipt:
        found = self.fold(cause, Photographed())
        recorded, owner = found.state.recorded, actor.participant_id
        if recorded is None:
            raise EarlierItemMissing
        if recorded.participant_id != owner:
            raise NotFound
        new = {digest: one for digest, one in photos.items() if digest not in found.kept}
        if not new:
            return PhotosReceipt(cause, found.state.position, found.state.state, replayed=True)
        if found.state.state == "withdrawn":
            raise VisitIsWithdrawn
        _check_room(found, new)
        signed = signature(
            self.vault, owner, f"photos/{cause}", identity.derived("photos", cause, *sorted(new)),
            {"photos": sorted(new)},
        )  # fmt: skip
        sealed, rows = [], []
        for digest, one in new.items():
            commitment, row = self.vault.seal(
                cause, owner, FIELD + digest, msgspec.to_builtins(one), now
            )
            sealed.append(commitment)
            rows.append(row)
        fact = PhotosAdded(photos=tuple(new), sealed=tuple(sealed), **signed.fields)
        (entry,) = self.append([Append(cause, found.version, [fact])], now, vault_rows=rows)
        return PhotosReceipt(cause, entry.position, found.state.state)


def _check_room(found: Photographed, photos: Iterable[str]) -> None:
    if len(found.added | set(photos)) > PHOTOS_MAX:
        raise InvalidInput([FieldError("photos", "too_long", f"照片最多 {PHOTOS_MAX} 张。",
                                       f"At most {PHOTOS_MAX} photos.")])  # fmt: skip
