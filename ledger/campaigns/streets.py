"""Streets (整条街): nobody opened at any door of one, logged in one action."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from ledger import identity
from ledger.commands import Signature, Signed, signature
from ledger.facts import Entry, stored_as

if TYPE_CHECKING:
    from ledger.vault import Vault


@stored_as(
    "visit.street-logged",
    zh="{by} 一次登记整条街 {households} 户无人在家（走访活动 {campaign_id}）",
    en="{by} logged a street of {households} households where nobody was home (campaign "
    "{campaign_id})",
)
class StreetLogged(Signed, frozen=True):
    """A whole street was logged; its visits are facts of their own, in the same commit.

    It is what the command is known by: the same number with another street finds it here.
    """

    campaign_id: UUID
    households: int


class Street(msgspec.Struct):
    """What was logged under one command; digest of the body by command."""

    version: int = 0
    commands: dict[UUID, tuple[str, int]] = {}

    def apply(self, entry: Entry) -> None:
        self.version = entry.originator_version
        if isinstance(fact := entry.fact, StreetLogged):
            self.commands[fact.command_id] = (fact.body_digest, entry.position)


def street_id(command_id: UUID) -> UUID:
    """The originator of a street, one for every command."""
    return identity.derived("street", command_id)


def street_signature(
    vault: Vault, by: UUID, submission_id: UUID, campaign_id: UUID, households: Sequence[str],
    recorded_at: datetime | None,
) -> Signature:  # fmt: skip
    """What the command to log a street is known by."""
    return signature(vault, by, "street", submission_id, {
        "campaign_id": campaign_id, "households": households, "recorded_at": recorded_at,
    })  # fmt: skip
