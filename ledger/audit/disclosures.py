"""Disclosures (保险库内容): what a fact committed to is in the vault and opens, or was erased."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

import msgspec

from ledger import facts
from ledger.audit.findings import Finding, found
from ledger.contributions.evidence import PHOTO_FIELD, Photo, PhotosAdded
from ledger.erasure.erasures import ErasureFenced, erasure_id
from ledger.errors import CommitmentBroken, Erased, LogCorrupt
from ledger.facts import Entry, Sealed
from ledger.store.fences import plain
from ledger.store.mapper import RecordedFact
from ledger.vault import Vault

HELD_BACK_MAX = 10_000


class ErasureFacts(Protocol):
    """What is asked of the recorder."""

    def select_erasures(self) -> Sequence[RecordedFact]: ...


class Disclosures:
    """Opens everything the log committed to. Only what the log says was erased may be missing.

    What is missing is told at the end: had the fact of an erasure been damaged, that comes first,
    and what hangs on one that nobody can read is not told again.
    """

    def __init__(self, vault: Vault, store: ErasureFacts) -> None:
        self._vault, self._lawful = vault, Lawful(store.select_erasures)
        self._missing: list[tuple[UUID, Finding]] = []  # with the erasure that it may hang on
        self._lost: set[UUID] = set()

    def check(self, entry: Entry) -> Iterator[Finding]:
        """Every value the fact sealed opens and has the digest the fact carries; photos twice."""
        sealed: tuple[Sealed, ...] = getattr(entry.fact, "sealed", ())
        for one in sealed:
            try:
                value = self._vault.check(entry.originator_id, one)
                if isinstance(entry.fact, PhotosAdded) and one.field != _photo_field(value):
                    yield found("VAULT", entry.position, f"{one.field}: another photo")
            except Erased:
                yield from self._gone(entry, one)
            except (CommitmentBroken, ValueError) as error:  # ValueError: damaged, or no photo
                text = f"{one.field}: does not open ({type(error).__name__})"
                yield found("VAULT", entry.position, text)

    def lost(self, originator: UUID | None) -> None:
        """What an unreadable fact committed to nobody can say, nor whom it erased."""
        if originator is not None:
            self._lost.add(originator)

    def end(self) -> Iterator[Finding]:
        """What is missing, but for what hangs on a fact that cannot be read."""
        for erasure, finding in self._missing:
            if erasure not in self._lost:
                yield finding

    def _gone(self, entry: Entry, sealed: Sealed) -> Iterator[Finding]:
        if self._lawful.may_be_gone(entry, sealed):
            return
        text = f"{sealed.field}: missing, and the log holds no erasure"
        finding = found("VAULT", entry.position, text)
        if len(self._missing) < HELD_BACK_MAX:
            self._missing.append((erasure_id(sealed.subject), finding))
        else:
            yield finding


def _photo_field(value: Any) -> str:
    """The name in the vault of a photo that was kept, by its bytes."""
    return PHOTO_FIELD + msgspec.convert(value, Photo).digest


class Lawful:
    """What may be gone, as the fences of the log say; looked up again when something is missing."""

    def __init__(self, select: Callable[[], Sequence[RecordedFact]]) -> None:
        self._select = select
        self._rows = -1
        self._kept: dict[UUID, tuple[str, ...]] = {}  # by subject
        self._visits: dict[UUID, int] = {}  # to the fence they are behind

    def may_be_gone(self, entry: Entry, sealed: Sealed) -> bool:
        """Whether a row or its key may be missing."""
        if not self._behind(entry, sealed):
            self._look()
        return self._behind(entry, sealed)

    def _behind(self, entry: Entry, sealed: Sealed) -> bool:
        kept = self._kept.get(sealed.subject)
        if kept is not None and plain(sealed.field) not in kept:
            return True
        return entry.position < self._visits.get(entry.originator_id, 0)

    def _look(self) -> None:
        rows = self._select()
        if len(rows) == self._rows:
            return
        self._rows = len(rows)
        for row in rows:
            if row.topic != ErasureFenced.topic:
                continue
            with suppress(LogCorrupt):  # It is a finding of its own.
                fact = facts.decode(row.topic, row.state)
                assert isinstance(fact, ErasureFenced)
                self._kept[fact.subject] = fact.kept
                self._visits.update(dict.fromkeys(fact.visits, row.position))
