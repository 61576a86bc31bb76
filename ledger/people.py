"""People: registration, roles and consents."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from ledger import access, identity
from ledger.erasure.errors import SubjectErased
from ledger.errors import (
    CommitmentBroken,
    Erased,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    SubmissionConflict,
)
from ledger.facts import Fact, Sealed
from ledger.log import Append
from ledger.participants import (
    ROLES,
    Actor,
    ConsentGiven,
    ConsentWithdrawn,
    ParticipantRegistered,
    RoleGranted,
    RoleRevoked,
)
from ledger.store.rows import VaultRow
from ledger.tokens import TOKEN_BYTES, Tokens
from ledger.vault import content_of


class Registration(msgspec.Struct, frozen=True):
    """Who was registered, and the token they were given."""

    participant_id: UUID
    token: str
    position: int
    replayed: bool = False


class People(Tokens):
    """Registering people, their roles and consents."""

    def register(
        self,
        by: Actor,
        submission_id: UUID,
        role: str,
        now: datetime,
        *,
        request: Any,
        district: str | None = None,
        consents: tuple[str, ...] = (),
        employer: UUID | None = None,
        personal: Mapping[str, Any] | None = None,
    ) -> Registration:
        """Register a person in a role; ``personal`` (name, phone, alias ...) goes to the vault.

        The same submission again gives the same participant and token: the token is derived
        from the server's key, and only its hash is stored.
        """
        self._check_district(district)
        if not access.may_register(by, role, self.districts.current().path(district)):
            raise Forbidden
        if employer and "enterprise" not in self.participant(employer).roles:
            raise InvalidInput(
                [FieldError("employer", "not_an_enterprise", "没有这个企业", "no such enterprise")]
            )
        person = identity.participant_id(by.participant_id, submission_id)
        digest = self.vault.fingerprint(person, content_of(request))
        token = self._derived_token(person)

        def command() -> Registration:
            state = self.participant(person)
            if state.registered is not None:
                if state.registered.body_digest != digest:
                    raise SubmissionConflict
                last = state.registered_at_position + 1
                return Registration(person, token, last, replayed=True)
            sealed, rows = self._sealed(person, personal or {}, now)
            registered = ParticipantRegistered(
                role=role, district=district, consents=consents, sealed=sealed,
                body_digest=digest, employer=employer, by=by.participant_id,
            )  # fmt: skip
            issued = self._issued(token, person, role, district, by.participant_id)
            entries = self.append([Append(person, 0, [registered]), issued], now, vault_rows=rows)
            return Registration(person, token, entries[-1].position)

        return self.attempt(command)

    def issue_token(
        self,
        role: str,
        now: datetime,
        *,
        participant: UUID | None = None,
        district: str | None = None,
        by: UUID | None = None,
        token: str | None = None,
        new: bool = False,
    ) -> Registration:
        """A new token; without ``participant`` for a new one, else granting the role if need be.

        Raises NotFound for a participant nobody registered, SubjectErased. ``token`` and
        ``participant`` with ``new`` may be given by a caller whose ids must be repeatable (the
        demo).
        """
        if role not in ROLES:
            raise InvalidInput(role=role)
        self._check_district(district)
        bearer = token or secrets.token_urlsafe(TOKEN_BYTES)
        person = participant or uuid4()

        def command() -> Registration:
            if participant is not None and self.store.is_fenced(person):
                raise SubjectErased
            state = self.participant(person)
            writes = [self._issued(bearer, person, role, district, by)]
            if state.registered is None:
                if participant is not None and not new:
                    raise NotFound
                registered = ParticipantRegistered(
                    role=role, district=district, consents=(), sealed=(), body_digest="", by=by
                )
                writes.insert(0, Append(person, 0, [registered]))
            elif state.roles.get(role, "-") != district:
                granted = RoleGranted(role=role, district=district, by=by)
                writes.insert(0, Append(person, state.version, [granted]))
            # A role taken away meanwhile must not get a token after all.
            untouched = {} if len(writes) > 1 else {person: state.version}
            entries = self.append(writes, now, unchanged=untouched)
            return Registration(person, bearer, entries[-1].position)

        return self.attempt(command)

    def revoke_role(
        self, person: UUID, role: str, reason: str, now: datetime, by: UUID | None = None
    ) -> None:
        """Take a role away, and with it every token issued for it so far; raises NotFound."""

        def command() -> None:
            state = self.participant(person)
            if role not in state.roles:
                raise NotFound
            taken = RoleRevoked(role=role, reason=reason, by=by)
            self.append([Append(person, state.version, [taken])], now)
            self._known.look_again()

        self.attempt(command)

    def consent(
        self,
        person: UUID,
        consent: str,
        given: bool,
        now: datetime,
        *,
        submission_id: UUID,
        request: Mapping[str, Any],
        alias: str | None = None,
    ) -> tuple[int, bool]:
        """Give or withdraw a consent: the position, and whether this was sent in before.

        A retry changes nothing, also when the opposite was said meanwhile; the same
        ``submission_id`` with another body raises SubmissionConflict. Raises SubjectErased.
        """
        command_id = identity.command_id(person, "consent", submission_id)
        digest = self.vault.fingerprint(person, content_of(request))

        def command() -> tuple[int, bool]:
            state = self.participant(person)
            if self.store.is_fenced(person):  # Since the digest was made.
                raise SubjectErased
            if known := state.commands.get(command_id):
                if known[0] != digest:
                    raise SubmissionConflict
                return known[1], True
            signed: dict[str, Any] = {"command_id": command_id, "body_digest": digest}
            rows: list[VaultRow] = []
            fact: Fact = ConsentWithdrawn(participant_id=person, consent=consent, **signed)
            if given:
                # A later alias is a disclosure of its own, under a field of its own.
                chosen = {f"alias-{state.version + 1}": alias} if alias else {}
                sealed, rows = self._sealed(person, chosen, now)
                fact = ConsentGiven(
                    participant_id=person, consent=consent, sealed=sealed, **signed
                )
            writes = [Append(person, state.version, [fact])]
            return self.append(writes, now, vault_rows=rows)[-1].position, False

        return self.attempt(command)

    def alias_of(self, person: UUID) -> str | None:
        """The alias chosen for the boards, from the vault; None without one that can be read."""
        alias = self.participant(person).alias
        try:
            return None if alias is None else str(self.vault.open(person, alias))
        except (Erased, CommitmentBroken):  # The audit tells a damaged one from an erased one.
            return None

    def _sealed(
        self, person: UUID, personal: Mapping[str, Any], now: datetime
    ) -> tuple[tuple[Sealed, ...], list[VaultRow]]:
        pairs = [
            self.vault.seal(person, person, field, value, now)
            for field, value in personal.items()
            if value is not None
        ]
        return tuple(sealed for sealed, _ in pairs), [row for _, row in pairs]
