"""Participants (参与者), their roles and their tokens, as pseudonyms.

Names and phones are in the vault.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from ledger.facts import Entry, Fact, Sealed, stored_as

ROLES = (
    "citizen",
    "civic_river_chief",
    "village_chief",
    "grid_worker",
    "cleaner",
    "enterprise",
    "dispatcher",
    "handler",
    "reward_officer",
    "approver",
    "merchant",
    "registrar",
    "auditor",
    "admin",
    "open311",
)
# Who takes part in person, and so earns and spends coins; a way to take part may name fewer.
CONTRIBUTORS = frozenset(
    {"citizen", "civic_river_chief", "village_chief", "grid_worker", "cleaner", "enterprise"}
)
CONSENTS = ("track", "board", "photo")


class Actor(msgspec.Struct, frozen=True):
    """Who is asking: a participant in one role, within one district (None: the whole city)."""

    participant_id: UUID
    role: str
    district: str | None = None


@stored_as(
    "participant.registered",
    zh="{by} 登记参与者 {originator}，角色{role}，地区 {district}",
    en="{by} registered the participant {originator} as {role} of {district}",
)
class ParticipantRegistered(Fact, frozen=True):
    """Somebody joined; ``employer`` is the enterprise whose staff they are."""

    role: str
    district: str | None
    consents: tuple[str, ...]
    sealed: tuple[Sealed, ...]
    body_digest: str
    employer: UUID | None = None
    by: UUID | None = None


@stored_as(
    "participant.role-granted",
    zh="{by} 授予 {originator} 角色{role}，地区 {district}",
    en="{by} granted {originator} the role {role} of {district}",
)
class RoleGranted(Fact, frozen=True):
    role: str
    district: str | None
    by: UUID | None = None


@stored_as(
    "participant.role-revoked",
    zh="{by} 撤销 {originator} 的角色{role}，原因：{reason}",
    en="{by} took the role {role} from {originator}: {reason}",
)
class RoleRevoked(Fact, frozen=True):
    role: str
    reason: str
    by: UUID | None = None


@stored_as(
    "participant.consent-given",
    zh="{participant_id} 同意{consent}",
    en="{participant_id} consented to {consent}",
)
class ConsentGiven(Fact, frozen=True):
    """A separate consent (个人信息保护法 art. 29) to one use of personal data."""

    participant_id: UUID
    consent: str
    sealed: tuple[Sealed, ...] = ()
    command_id: UUID | None = None
    body_digest: str = ""


@stored_as(
    "participant.consent-withdrawn",
    zh="{participant_id} 撤回对{consent}的同意",
    en="{participant_id} withdrew the consent to {consent}",
)
class ConsentWithdrawn(Fact, frozen=True):
    """As easily taken back as given (art. 15)."""

    participant_id: UUID
    consent: str
    command_id: UUID | None = None
    body_digest: str = ""


class Participant(msgspec.Struct):
    """One person's roles and consents as they stand."""

    version: int = 0
    registered: ParticipantRegistered | None = None
    registered_at_position: int = 0
    roles: dict[str, str | None] = {}
    revoked_at_position: dict[str, int] = {}
    consents: set[str] = set()
    alias: Sealed | None = None
    commands: dict[UUID, tuple[str, int]] = {}  # what was sent in: its digest and position

    def holds(self, role: str, since: int) -> bool:
        """Whether the role is held, and was not taken away after a position of the log."""
        return role in self.roles and self.revoked_at_position.get(role, 0) < since

    def apply(self, entry: Entry) -> None:
        self.version = entry.originator_version
        fact = entry.fact
        if isinstance(fact, ParticipantRegistered):
            self.registered, self.registered_at_position = fact, entry.position
            self.roles[fact.role] = fact.district
            self.consents.update(fact.consents)
            self.alias = _alias(fact.sealed)
        elif isinstance(fact, RoleGranted):
            self.roles[fact.role] = fact.district
        elif isinstance(fact, RoleRevoked):
            self.roles.pop(fact.role, None)
            self.revoked_at_position[fact.role] = entry.position
        if isinstance(fact, ConsentGiven | ConsentWithdrawn) and fact.command_id:
            self.commands[fact.command_id] = (fact.body_digest, entry.position)
        if isinstance(fact, ConsentGiven):
            self.consents.add(fact.consent)
            self.alias = _alias(fact.sealed) or self.alias
        elif isinstance(fact, ConsentWithdrawn):
            self.consents.discard(fact.consent)


def _alias(sealed: tuple[Sealed, ...]) -> Sealed | None:
    """The alias among what a fact sealed; a later one has a number behind its field's name."""
    return next((one for one in sealed if one.field.startswith("alias")), None)


@stored_as(
    "token.issued",
    zh="{by} 为 {participant_id} 签发访问令牌 {originator}，角色{role}，地区 {district}",
    en="{by} issued the access token {originator} to {participant_id} as {role} of {district}",
)
class TokenIssued(Fact, frozen=True):
    """An opaque bearer token exists; only its SHA-256 is known here."""

    token_sha256: str
    participant_id: UUID
    role: str
    district: str | None
    by: UUID | None = None


@stored_as(
    "token.revoked",
    zh="{by} 吊销访问令牌 {originator}",
    en="{by} revoked the access token {originator}",
)
class TokenRevoked(Fact, frozen=True):
    by: UUID | None = None


class TokenState(msgspec.Struct):
    """One token as it stands."""

    version: int = 0
    issued: TokenIssued | None = None
    position: int = 0
    revoked: bool = False

    def apply(self, entry: Entry) -> None:
        self.version = entry.originator_version
        if isinstance(entry.fact, TokenIssued):
            self.issued, self.position = entry.fact, entry.position
        elif isinstance(entry.fact, TokenRevoked):
            self.revoked = True
