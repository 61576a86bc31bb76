"""Participants (参与者) and their roles, as pseudonyms; names and phones are in the vault."""

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
    zh="登记参与者，角色 {role}",
    en="A participant was registered as {role}",
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


@stored_as("participant.role-granted", zh="授予角色 {role}", en="The role {role} was granted")
class RoleGranted(Fact, frozen=True):
    role: str
    district: str | None
    by: UUID | None = None


@stored_as(
    "participant.role-revoked",
    zh="撤销角色 {role}（{reason}）",
    en="The role {role} was revoked ({reason})",
)
class RoleRevoked(Fact, frozen=True):
    role: str
    reason: str
    by: UUID | None = None


@stored_as(
    "participant.consent-given",
    zh="同意 {consent}",
    en="Consent to {consent} was given",
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
    zh="撤回同意 {consent}",
    en="Consent to {consent} was withdrawn",
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
