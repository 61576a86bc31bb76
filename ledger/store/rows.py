"""What goes into the store beside the facts: vault rows (保险库) and the guards of a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec


class VaultRow(msgspec.Struct, frozen=True):
    """One encrypted piece of personal data, kept outside the log and linked by its originator."""

    originator_id: UUID
    field: str
    subject: UUID
    shelf: str | None
    fingerprint: bytes | None
    stored_at: int
    """Microseconds since 1970 UTC."""
    nonce: bytes
    ciphertext: bytes
    position: int = 0
    """Of the first fact recorded with it. Until it is committed: how far behind the first fact of
    its commit that is."""


class Quota(msgspec.Struct, frozen=True):
    """A claim on what many share (额度): a budget's coins, an offer's stock.

    The store keeps, under the lock that gives positions, how much of ``key`` is used. A call whose
    ``amount`` goes beyond ``limit`` (None: there is none) is refused; a negative one gives back.
    ``full`` turns it round: nothing is used, and the call stands only while the amount would *not*
    fit, which is what a refusal for lack of room was decided on. ``was`` is what must be used
    beforehand, for one who sets it right.
    """

    key: str
    amount: int
    limit: int | None
    full: bool = False
    was: int | None = None


class Fence(msgspec.Struct, frozen=True):
    """From the position of its first fact on, a subject gets neither a key nor rows any more.

    ``prints`` are the SHA-256 of key material that may never return; of the subject's rows those
    of the fields ``kept`` stay, for a legal hold, and ``visits`` are originators whose older rows
    go as well, whoever's key they are under.
    """

    subject: UUID
    prints: tuple[str, ...]
    kept: tuple[str, ...] = ()
    visits: tuple[UUID, ...] = ()
    position: int = 0
    """Of the fact it was set with; 0 until that is committed."""


class Guard(msgspec.Struct, frozen=True):
    """What a decision was based on and must still hold when its facts are committed."""

    unchanged: Mapping[UUID, int] = {}
    """Originator to the version that must still be its latest; 0 means it must not exist."""
    head: int | None = None
    """The position that must still be the last of the log."""
    shelves: Mapping[str, int] = {}
    """Shelf to the position its newest row must still have; 0 means it must be empty."""
    quotas: Sequence[Quota] = ()
    """What it takes of shared amounts, or found used up."""
