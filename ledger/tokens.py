"""Tokens (令牌): opaque 256-bit bearers, of which only the SHA-256 is stored."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from ledger import identity
from ledger.errors import NotFound
from ledger.known_tokens import NEVER, KnownTokens
from ledger.log import Append
from ledger.participants import (
    Actor,
    Participant,
    RoleRevoked,
    TokenIssued,
    TokenRevoked,
    TokenState,
)
from ledger.registers import Registers
from ledger.store.mapper import as_uuid

TOKEN_BYTES = 32


class Tokens(Registers):
    """Deciding who the bearer of a token is, and ending tokens."""

    def __init__(self, env: Mapping[str, str], vault_key: bytes, secret_key: bytes) -> None:
        super().__init__(env, vault_key)
        self._secret_key = secret_key
        self._known = KnownTokens(self._revoked_behind)

    def authenticate(self, token: str) -> Actor | None:
        """Who bears this token; None for an unknown one, or one revoked over 20 ms ago."""
        digest = _sha256(token)
        if known := self._known.get(digest):
            return known
        seen, originator = self._known.seen, identity.token_id(digest)
        state = self.fold(originator, TokenState())
        issued = state.issued
        if issued is None or state.revoked or issued.token_sha256 != digest:
            return None
        if not self.participant(issued.participant_id).holds(issued.role, state.position):
            return None
        actor = Actor(issued.participant_id, issued.role, issued.district)
        self._known.put(originator, digest, actor, seen)
        return actor

    def participant(self, person: UUID) -> Participant:
        """A participant as it stands; one without facts has no ``registered``."""
        return self.fold(person, Participant())

    def _revoked_behind(self, position: int) -> tuple[set[UUID] | None, int]:
        """What was revoked behind a position: tokens, and roles of participants; the new position.

        A log that is shorter than before is another log: everybody is asked for again.
        """
        head = self.head()
        if position == NEVER or head == position:  # nothing is known yet, or nothing is new
            return set(), head
        if head < position:
            return None, head
        revoked: set[UUID] = set()
        while rows := self.rows(position, topics=[TokenRevoked.topic, RoleRevoked.topic]):
            revoked.update(as_uuid(row.originator_id) for row in rows)
            position = rows[-1].position
        return revoked, max(head, position)

    def revoke_token(self, token: str, now: datetime, by: UUID | None = None) -> None:
        """End a token, within 20 ms everywhere; raises NotFound; nothing happens a second time."""
        originator = identity.token_id(_sha256(token))

        def command() -> None:
            state = self.fold(originator, TokenState())
            if state.issued is None:
                raise NotFound
            if not state.revoked:
                self.append([Append(originator, state.version, [TokenRevoked(by=by)])], now)
                self._known.look_again()

        self.attempt(command)

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


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
