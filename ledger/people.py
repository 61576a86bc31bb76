"""People: registration, roles, consents, and the tokens they identify themselves with."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from ledger import access, identity
from ledger.errors import Forbidden, InvalidInput, NotFound, SubmissionConflict, UnknownDistrict
from ledger.facts import Entry, Fact, Sealed
from ledger.log import Append
from ledger.participants import (
    ROLES,
    Actor,
    ConsentGiven,
    ConsentWithdrawn,
    Participant,
    ParticipantRegistered,
    RoleGranted,
    RoleRevoked,
    TokenIssued,
    TokenRevoked,
)
from ledger.registers import Registers
from ledger.store.rows import VaultRow

TOKEN_BYTES = 32


class Registration(msgspec.Struct, frozen=True):
    """Who was registered, and the token they were given."""

    participant_id: UUID
    token: str
    position: int
    replayed: bool = False


class TokenState(msgspec.Struct):
    """One token as it stands."""

    version: int = 0
    issued: TokenIssued | None = None
    revoked: bool = False

    def apply(self, entry: Entry) -> None:
        self.version = entry.originator_version
        if isinstance(entry.fact, TokenIssued):
            self.issued = entry.fact
        elif isinstance(entry.fact, TokenRevoked):
            self.revoked = True


class People(Registers):
    """Registering people and deciding who a bearer of a token is."""

    def __init__(self, env: Mapping[str, str], vault_key: bytes, secret_key: bytes) -> None:
        super().__init__(env, vault_key)
        self._secret_key = secret_key

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
        if not access.may_register(by, role):
            raise Forbidden
        self._check_district(district)
        person = identity.participant_id(by.participant_id, submission_id)
        digest = self.vault.fingerprint(person, msgspec.json.encode(request, order="sorted"))
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

        Raises NotFound for a participant nobody registered. ``token`` and ``participant`` with
        ``new`` may be given by a caller whose ids must be repeatable (the demo).
        """
        if role not in ROLES:
            raise InvalidInput(role=role)
        self._check_district(district)
        bearer = token or secrets.token_urlsafe(TOKEN_BYTES)
        person = participant or uuid4()

        def command() -> Registration:
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
            entries = self.append(writes, now)
            return Registration(person, bearer, entries[-1].position)

        return self.attempt(command)

    def authenticate(self, token: str) -> Actor | None:
        """Who bears this token; None for an unknown or a revoked one."""
        state = self.fold(identity.token_id(_sha256(token)), TokenState())
        issued = state.issued
        if issued is None or state.revoked or issued.token_sha256 != _sha256(token):
            return None
        return Actor(issued.participant_id, issued.role, issued.district)

    def revoke_token(self, token: str, now: datetime, by: UUID | None = None) -> None:
        """End a token at once, everywhere; raises NotFound, and does nothing the second time."""
        originator = identity.token_id(_sha256(token))

        def command() -> None:
            state = self.fold(originator, TokenState())
            if state.issued is None:
                raise NotFound
            if not state.revoked:
                self.append([Append(originator, state.version, [TokenRevoked(by=by)])], now)

        self.attempt(command)

    def revoke_role(
        self, person: UUID, role: str, reason: str, now: datetime, by: UUID | None = None
    ) -> int:
        """Take a role away, and every token issued for it; returns how many tokens ended."""

        def command() -> int:
            # The head is guarded, so no token can be issued between the look and the end.
            head, state = self.head(), self.participant(person)
            if role not in state.roles:
                raise NotFound
            ended = []
            for entry in self.entries(topics=[TokenIssued.topic]):
                fact = entry.fact
                if not isinstance(fact, TokenIssued) or fact.role != role:
                    continue
                token = self.fold(entry.originator_id, TokenState())
                if fact.participant_id == person and not token.revoked:
                    ended.append(
                        Append(entry.originator_id, token.version, [TokenRevoked(by=by)])
                    )
            taken = RoleRevoked(role=role, reason=reason, by=by)
            self.append([Append(person, state.version, [taken]), *ended], now, head=head)
            return len(ended)

        return self.attempt(command)

    def consent(
        self, person: UUID, consent: str, given: bool, now: datetime, *, alias: str | None = None
    ) -> int:
        """Give or withdraw a consent; the position, also when nothing had to change."""

        def command() -> int:
            state = self.participant(person)
            same_alias = alias is None or (state.alias and alias == self.alias_of(person))
            if (consent in state.consents) == given and same_alias:
                return self.head()
            if not given:
                fact: Fact = ConsentWithdrawn(participant_id=person, consent=consent)
                return self.append([Append(person, state.version, [fact])], now)[-1].position
            # An alias chosen later is a new disclosure under its own field of a new originator row.
            sealed, rows = self._sealed(
                person, {f"alias-{state.version + 1}": alias} if alias else {}, now
            )
            fact = ConsentGiven(participant_id=person, consent=consent, sealed=sealed)
            writes = [Append(person, state.version, [fact])]
            return self.append(writes, now, vault_rows=rows)[-1].position

        return self.attempt(command)

    def participant(self, person: UUID) -> Participant:
        """A participant as it stands; one without facts has no ``registered``."""
        return self.fold(person, Participant())

    def alias_of(self, person: UUID) -> str | None:
        """The alias chosen for the boards, from the vault; None without one."""
        alias = self.participant(person).alias
        return None if alias is None else str(self.vault.open(person, alias))

    def _sealed(
        self, person: UUID, personal: Mapping[str, Any], now: datetime
    ) -> tuple[tuple[Sealed, ...], list[VaultRow]]:
        pairs = [
            self.vault.seal(person, person, field, value, now)
            for field, value in personal.items()
            if value is not None
        ]
        return tuple(sealed for sealed, _ in pairs), [row for _, row in pairs]

    def _issued(
        self, token: str, person: UUID, role: str, district: str | None, by: UUID | None
    ) -> Append:
        digest = _sha256(token)
        fact = TokenIssued(
            token_sha256=digest, participant_id=person, role=role, district=district, by=by
        )
        return Append(identity.token_id(digest), 0, [fact])

    def _derived_token(self, person: UUID) -> str:
        mac = hmac.digest(self._secret_key, b"token/v1/" + person.bytes, "sha256")
        return urlsafe_b64encode(mac).rstrip(b"=").decode()

    def _check_district(self, district: str | None) -> None:
        if not self.districts.current().known(district):
            raise UnknownDistrict(district=district)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
