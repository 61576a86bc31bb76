"""Asking for an erasure (申请删除), and the second person's word on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

import msgspec

from ledger import access
from ledger.campaigns.campaign import CampaignPlanned
from ledger.campaigns.frame import door_id, household_subject
from ledger.commands import Signature, signature
from ledger.contributions.visits import VisitRecorded
from ledger.erasure.erasures import (
    GONE,
    Basis,
    Erasure,
    ErasureApproved,
    ErasureRefused,
    ErasureRequested,
    SignedStep,
    erasure_id,
    is_office,
)
from ledger.erasure.errors import (
    AlreadyErased,
    ErasureOpen,
    ErasureOver,
    UnknownSubject,
)
from ledger.errors import NotFound, SelfApproval
from ledger.facts import Entry
from ledger.log import Append
from ledger.participants import Actor, ParticipantRegistered, RoleGranted
from ledger.searching import Wanted, search
from ledger.store.mapper import as_uuid
from ledger.store.rows import VaultRow
from ledger.tokens import Tokens


class ErasureReceipt(msgspec.Struct, frozen=True):
    """An erasure right after a command; what was destroyed once it is completed."""

    id: UUID
    subject: UUID
    state: str
    position: int
    keys: int = 0
    rows: int = 0
    photos: int = 0
    tokens: int = 0
    kept: tuple[str, ...] = ()
    hold_id: UUID | None = None
    replayed: bool = False


class Asking(Tokens):
    """The commands of people on an erasure; nothing is destroyed by them."""

    def erasure(self, subject: UUID) -> Erasure:
        """The erasure of a subject, and the holds on them, as they stand."""
        return self.fold(erasure_id(subject), Erasure())

    def erasure_of(self, identifier: UUID) -> Erasure:
        """The erasure with this id; raises NotFound."""
        state = self.fold(identifier, Erasure())
        if state.subject is None or erasure_id(state.subject) != identifier:
            raise NotFound
        return state

    def erasures(self) -> dict[UUID, Erasure]:
        """Every subject's, by subject, in the order they were first heard of."""
        found: dict[UUID, Erasure] = {}
        for row in self.store.select_erasures():
            entry = self.entry(row)
            found.setdefault(entry.fact.subject, Erasure()).apply(entry)  # type: ignore[attr-defined]
        return found

    def ask_erasure(
        self, actor: Actor | None, subject: UUID, basis: Basis, now: datetime, *,
        household: str | None = None, request: Any = None, submission_id: UUID | None = None,
    ) -> ErasureReceipt:  # fmt: skip
        """Ask that somebody's personal data be erased: one's own, or for somebody else.

        For a household it may be asked again once more was kept of it. Raises UnknownSubject,
        AlreadyErased, ErasureOpen.
        """

        def decide(known: Erasure, signed: dict[str, Any]) -> SignedStep:
            if not known.may_ask(lambda: self._is_kept(known, household)):
                if known.step in GONE:
                    raise AlreadyErased
                raise ErasureOpen(id=erasure_id(subject), state=known.state)
            staff = any(map(is_office, self._roles_ever(subject)))
            return ErasureRequested(
                subject=subject, basis=basis, staff=staff, household=household, **signed
            )

        return self._erasure_step(
            actor, "ask", subject, request, submission_id, now, decide, household=household
        )

    def approve_erasure(
        self, actor: Actor, identifier: UUID, request: Any, submission_id: UUID | None,
        now: datetime,
    ) -> ErasureReceipt:  # fmt: skip
        """The second person's yes; raises NotFound, SelfApproval, ErasureOver."""
        given = (actor, identifier, request, submission_id, now)
        return self._second_word("approve", ErasureApproved, *given)

    def refuse_erasure(
        self, actor: Actor, identifier: UUID, request: Any, submission_id: UUID | None,
        now: datetime,
    ) -> ErasureReceipt:  # fmt: skip
        """The second person's no; it may be asked for again on other grounds."""
        given = (actor, identifier, request, submission_id, now)
        return self._second_word("refuse", ErasureRefused, *given)

    def _second_word(
        self, action: str, word: type[ErasureApproved | ErasureRefused], actor: Actor,
        identifier: UUID, request: Any, submission_id: UUID | None, now: datetime,
    ) -> ErasureReceipt:  # fmt: skip
        subject = self._subject_of(identifier)

        def decide(known: Erasure, signed: dict[str, Any]) -> SignedStep:
            _check_second(actor, known)
            return word(subject=subject, **signed)

        return self._erasure_step(actor, action, subject, request, submission_id, now, decide)

    def _erasure_step(
        self, actor: Actor | None, action: str, subject: UUID, request: Any,
        submission_id: UUID | None, now: datetime,
        decide: Callable[[Erasure, dict[str, Any]], SignedStep], rows: Sequence[VaultRow] = (),
        household: str | None = None,
    ) -> ErasureReceipt:  # fmt: skip
        if household is not None and household_subject(household) != subject:
            raise UnknownSubject
        signed: Signature | None = None
        if actor is not None and submission_id is not None:
            signed = signature(
                self.vault, actor.participant_id, f"erasure/{action}/{subject}", submission_id,
                request,
            )  # fmt: skip

        def command() -> ErasureReceipt:
            person = self.participant(subject)
            if not self._reaches_subject(actor, subject, household):
                raise UnknownSubject
            known = self.erasure(subject)
            if signed and (position := signed.earlier(known.commands)) is not None:
                told = erasure_told(subject, self._as_answered(subject, position))
                return msgspec.structs.replace(told, replayed=True)
            fields: dict[str, Any] = signed.fields if signed else {}
            if actor is not None and not signed:
                fields = {"by": actor.participant_id}
            fact, originator = decide(known, fields), erasure_id(subject)
            # What roles they have held decides who else must say yes.
            unchanged = {subject: person.version}
            (entry,) = self.append(
                [Append(originator, known.version, [fact])], now, vault_rows=rows,
                unchanged=unchanged,
            )  # fmt: skip
            known.apply(Entry(originator, known.version + 1, now, fact, entry.position))
            return erasure_told(subject, known)

        return self.attempt(command)

    def _as_answered(self, subject: UUID, position: int) -> Erasure:
        """The erasure as it stood once a command, and what it set off, was done."""
        then = Erasure()
        for entry in self._of(erasure_id(subject)):
            if entry.position > position and isinstance(entry.fact, SignedStep):
                break
            then.apply(entry)
        return then

    def _reaches_subject(
        self, actor: Actor | None, subject: UUID, household: str | None
    ) -> bool:
        """Whether anything is kept of a subject, within the actor's district where they have one.

        What has no district of its own (a household, an account) is the city's to erase. Of a
        household that a frame lists without an address visits may keep something all the same.
        """
        registered = self.participant(subject).registered
        if registered is not None:
            path = self.districts.current().path(registered.district)
            own = actor is not None and actor.participant_id == subject
            return actor is None or own or access.within(actor, path)
        if actor is not None and actor.district is not None:
            return False
        known = self.store.select_stored_key(subject) is not None or self.erasure(subject).version
        return bool(known) or (household is not None and self._is_listed(household))

    def _is_listed(self, household: str) -> bool:
        """Whether the frame of any campaign has a household."""
        planned = Wanted((CampaignPlanned.topic,))
        doors = [
            door_id(as_uuid(row.originator_id), household)
            for found in search(self, planned, 0) for row in found.rows
        ]  # fmt: skip
        return bool(doors and self.store.select_versions(doors))

    def _is_kept(self, known: Erasure, household: str | None) -> bool:
        """Whether the vault has anything of the visits to a household."""
        if household is None:
            return False
        later = self.visits_to(household, known.searched, self.head())
        visits = chain(known.visits, (visit for visit, _ in later))
        return any(map(self.store.select_fields, visits))

    def visits_to(
        self, household: str, after: int, through: int
    ) -> Iterator[tuple[UUID, int]]:
        """Visits to a household in campaigns, with their positions behind ``after``."""
        for found in search(self, Wanted((VisitRecorded.topic,)), after):
            for entry in map(self.entry, found.rows):
                number = getattr(entry.fact, "household", None)
                if number == household and entry.position <= through:
                    yield entry.originator_id, entry.position
            if found.reached >= through:
                return

    def _roles_ever(self, person: UUID) -> set[str]:
        """Every role somebody was ever given."""
        facts = (entry.fact for entry in self._of(person))
        return {one.role for one in facts if isinstance(one, ParticipantRegistered | RoleGranted)}

    def _subject_of(self, identifier: UUID) -> UUID:
        subject = self.erasure_of(identifier).subject
        assert subject is not None
        return subject


def erasure_told(subject: UUID, state: Erasure) -> ErasureReceipt:
    """An erasure as it stands, as an answer."""
    done = state.completed
    counts = (done.keys, done.rows, done.photos, done.tokens) if done else (0, 0, 0, 0)
    return ErasureReceipt(
        erasure_id(subject), subject, state.state, state.position, *counts, kept=state.kept
    )


def _check_second(actor: Actor, known: Erasure) -> None:
    asked = known.requested
    if asked is None:
        raise NotFound
    if actor.participant_id in (asked.by, asked.subject):
        raise SelfApproval
    if not known.waits_for_second:
        raise ErasureOver(state=known.state)
