"""Photos (照片) that come after what they show: their digests, and where sent along, the photos.

A photo is kept as it came, with the places and device names that phones write into it (EXIF): it
is evidence, and the log names the digest of these very bytes. Whoever may look at it sees them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from ledger import access, identity
from ledger.campaigns.errors import EarlierItemMissing, VisitIsWithdrawn
from ledger.commands import Signature, signature
from ledger.contributions import CONTRIBUTIONS
from ledger.contributions.base import Recorded, State
from ledger.contributions.evidence import (
    PHOTO_FIELD,
    PHOTOS_MAX,
    Photo,
    PhotosAdded,
    Sha256,
)
from ledger.erasure.erasures import last_fence
from ledger.erasure.errors import SubjectErased
from ledger.errors import Erased, FieldError, InvalidInput, NotFound
from ledger.facts import Entry, Sealed
from ledger.log import Append
from ledger.participants import Actor
from ledger.registers import Registers
from ledger.store.rows import VaultRow


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
                self.kept[one.field.removeprefix(PHOTO_FIELD)] = one, entry.position
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
        found = self._own_photographed(actor, cause)
        if (position := signed.earlier(found.commands)) is not None:
            return PhotosReceipt(cause, position, found.state.state, replayed=True)
        _check_takes(found, body.photos)
        fact = PhotosAdded(photos=body.photos, **signed.fields)
        return self._add_photos(cause, found, fact, now)

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
        fence, _ = self._fence_of_photos(cause, found)
        rows = set(self.store.select_fields(cause))
        owners = {subject for _, subject in rows if self.store.select_key(subject)}
        here = {
            digest for digest, (one, position) in found.kept.items()
            if position > fence and one.subject in owners and (one.field, one.subject) in rows
        }  # fmt: skip
        return [
            PhotoNamed(one, kept=one in here, erased=one in found.kept and one not in here)
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
        if position < self._fence_of_photos(cause, found)[0]:
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

    def _own_photographed(self, actor: Actor, cause: UUID) -> Photographed:
        """One's own contribution; EarlierItemMissing while there is nothing, else NotFound."""
        found = self.fold(cause, Photographed())
        if (recorded := found.state.recorded) is None:  # Of what is none no contribution will come.
            raise NotFound if found.version else EarlierItemMissing
        if recorded.participant_id != actor.participant_id:
            raise NotFound
        return found

    def _keep_once(
        self, actor: Actor, cause: UUID, photos: Mapping[str, Photo], now: datetime
    ) -> PhotosReceipt:
        found = self._own_photographed(actor, cause)
        new = {digest: one for digest, one in photos.items() if digest not in found.kept}
        if not new:
            position = max(found.kept[digest][1] for digest in photos)
            return PhotosReceipt(cause, position, found.state.state, replayed=True)
        _check_takes(found, new)
        fence, unchanged = self._fence_of_photos(cause, found)
        if fence:  # What comes behind it would stay.
            raise SubjectErased
        fact, rows = self._seal_photos(actor.participant_id, cause, new, now)
        return self._add_photos(cause, found, fact, now, vault_rows=rows, unchanged=unchanged)

    def _seal_photos(
        self, owner: UUID, cause: UUID, photos: Mapping[str, Photo], now: datetime
    ) -> tuple[PhotosAdded, list[VaultRow]]:
        """The fact that photos were kept, and their rows in the vault."""
        named = sorted(photos)
        signed = signature(
            self.vault, owner, f"photos/{cause}", identity.derived("photos", cause, *named),
            {"photos": named},
        )  # fmt: skip
        kept = [
            self.vault.seal(cause, owner, PHOTO_FIELD + digest, msgspec.to_builtins(one), now)
            for digest, one in photos.items()
        ]
        sealed = tuple(commitment for commitment, _ in kept)
        fact = PhotosAdded(photos=tuple(photos), sealed=sealed, **signed.fields)
        return fact, [row for _, row in kept]

    def _add_photos(
        self, cause: UUID, found: Photographed, fact: PhotosAdded, now: datetime, *,
        vault_rows: Sequence[VaultRow] = (), unchanged: Mapping[UUID, int] | None = None,
    ) -> PhotosReceipt:  # fmt: skip
        (entry,) = self.append(
            [Append(cause, found.version, [fact])], now, vault_rows=vault_rows, unchanged=unchanged
        )
        return PhotosReceipt(cause, entry.position, found.state.state)

    def _fence_of_photos(self, cause: UUID, found: Photographed) -> tuple[int, dict[UUID, int]]:
        household = getattr(found.state.recorded, "household", None)
        return last_fence(self.fold, cause, household)


def _check_takes(found: Photographed, photos: Iterable[str]) -> None:
    """Raises VisitIsWithdrawn; InvalidInput for more photos than a contribution may name."""
    if found.state.state == "withdrawn":
        raise VisitIsWithdrawn
    new = set(photos) - found.named.keys()
    if new and len(found.named) + len(new) > PHOTOS_MAX:
        raise InvalidInput([FieldError("photos", "too_long", f"照片最多 {PHOTOS_MAX} 张。",
                                       f"At most {PHOTOS_MAX} photos.")])  # fmt: skip
