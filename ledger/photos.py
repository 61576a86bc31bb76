"""Photos (照片) that come after what they show: their digests, and where sent along, the photos.

A photo is kept as it came, with the places and device names that phones write into it (EXIF): it
is evidence, and the log names the digest of these very bytes. Whoever may look at it sees them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated
from uuid import UUID

import msgspec

from ledger import access, identity
from ledger.campaigns.errors import EarlierItemMissing, VisitIsWithdrawn
from ledger.campaigns.frame import household_subject
from ledger.commands import Signature, signature
from ledger.contributions import CONTRIBUTIONS
from ledger.contributions.base import Recorded, State
from ledger.contributions.evidence import PHOTOS_MAX, PhotosAdded, Sha256
from ledger.erasure.erasures import Erasure, erasure_id
from ledger.erasure.errors import SubjectErased
from ledger.errors import Erased, FieldError, InvalidInput, NotFound
from ledger.facts import Entry, Sealed
from ledger.log import Append
from ledger.participants import Actor
from ledger.registers import Registers

FIELD = "photo/"
"""Before a digest: the name in the vault of a photo that is kept there."""


class PhotoNotKept(NotFound):
    code = "photo_not_kept"
    zh = "只登记了这张照片的摘要，照片本身尚未送达；请由登记人的手机补传。"
    en = "Only the digest of this photo is known; its owner's phone has still to send the photo."


class PhotoErased(NotFound):
    code = "photo_erased"
    zh = "这张照片已按要求删除，不能再查看，也无需补传。"
    en = "This photo was erased on request; it cannot be seen any more, nor need it be sent again."


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
    """A contribution with the photos it names, in their order.

    ``kept`` are those that came: the commitment of each, and the position of its fact.
    """

    state: State = msgspec.field(default_factory=State)
    named: dict[str, None] = {}
    kept: dict[str, tuple[Sealed, int]] = {}
    commands: dict[UUID, tuple[str, int]] = {}

    @property
    def version(self) -> int:
        return self.state.version

    def apply(self, entry: Entry) -> None:
        self.state.apply(entry)
        fact = entry.fact
        if isinstance(fact, Recorded | PhotosAdded):  # Not every kind of contribution has photos.
            self.named.update(dict.fromkeys(getattr(fact, "photos", ())))
        if isinstance(fact, PhotosAdded):
            for one in fact.sealed:
                self.kept[one.field.removeprefix(FIELD)] = one, entry.position
            self.commands[fact.command_id] = (fact.body_digest, entry.position)


class PhotoNamed(msgspec.Struct, frozen=True):
    """A photo that a contribution names, whether it is here, and whether it was and is erased."""

    sha256: str
    kept: bool
    erased: bool


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
        if recorded is None:  # Of what is no contribution none will come.
            raise NotFound if found.version else EarlierItemMissing
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

        Each is kept once, however often it comes: ``replayed`` where all of them came before.
        Raises NotFound, EarlierItemMissing, VisitIsWithdrawn, SubjectErased, InvalidInput.
        """
        by_digest = {one.digest: one for one in photos}
        return self.attempt(lambda: self._keep_once(actor, cause, by_digest, now))

    def photos_named(self, actor: Actor, cause: UUID) -> list[PhotoNamed]:
        """Every photo that a contribution names; raises NotFound for who may not look at them."""
        found = self._seen_by(actor, cause)
        fence, _ = self._last_fence(cause, found)
        rows = set(self.store.select_fields(cause))
        owners = {subject for _, subject in rows if self.store.select_key(subject)}
        here = {
            digest for digest, (one, position) in found.kept.items()
            if position > fence and one.subject in owners and (one.field, one.subject) in rows
        }  # fmt: skip
        return [
            PhotoNamed(one, kept=one in here, erased=one in found.kept.keys() - here)
            for one in found.named
        ]

    def photo(self, actor: Actor, cause: UUID, digest: str) -> Photo:
        """A photo as it came; raises NotFound, PhotoNotKept, PhotoErased."""
        found = self._seen_by(actor, cause)
        if digest not in found.named:
            raise NotFound
        if digest not in found.kept:
            raise PhotoNotKept
        sealed, position = found.kept[digest]
        if position < self._last_fence(cause, found)[0]:
            raise PhotoErased
        try:
            return msgspec.convert(self.vault.open(cause, sealed), Photo)
        except Erased:
            raise PhotoErased from None

    def _seen_by(self, actor: Actor, cause: UUID) -> Photographed:
        """A contribution whose photos somebody may look at; for everybody else it is not there."""
        found = self.fold(cause, Photographed())
        if (recorded := found.state.recorded) is None:
            raise NotFound
        kinds = (one.reviewers for one in CONTRIBUTIONS if one.recorded is type(recorded))
        reviewers = next(kinds, frozenset[str]())
        if not access.sees_photos(actor, recorded.people, reviewers, recorded.districts):
            raise NotFound
        return found

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
            position = max(found.kept[digest][1] for digest in photos)
            return PhotosReceipt(cause, position, found.state.state, replayed=True)
        if found.state.state == "withdrawn":
            raise VisitIsWithdrawn
        fence, unchanged = self._last_fence(cause, found)
        if fence:  # What comes behind it would stay.
            raise SubjectErased
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
        (entry,) = self.append(
            [Append(cause, found.version, [fact])], now, vault_rows=rows, unchanged=unchanged
        )
        return PhotosReceipt(cause, entry.position, found.state.state)

    def _last_fence(self, cause: UUID, found: Photographed) -> tuple[int, dict[UUID, int]]:
        """The last fence of its household that names a visit (0: none), and its erasure's version.

        What a visit kept before goes with its household, whoever's it is.
        """
        if (household := getattr(found.state.recorded, "household", None)) is None:
            return 0, {}
        originator = erasure_id(household_subject(household))
        erasure = self.fold(originator, Erasure())
        return erasure.visits.get(cause, 0), {originator: erasure.version}


def _check_room(found: Photographed, photos: Iterable[str]) -> None:
    """Raises InvalidInput for more photos than a contribution may name; those it does need none."""
    new = set(photos) - found.named.keys()
    if new and len(found.named) + len(new) > PHOTOS_MAX:
        raise InvalidInput([FieldError("photos", "too_long", f"照片最多 {PHOTOS_MAX} 张。",
                                       f"At most {PHOTOS_MAX} photos.")])  # fmt: skip
