"""Accounts (账户) of teams and enterprises: a wallet of their own, members, and who keeps it."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from ledger.commands import Signed
from ledger.facts import Entry, Fact, Sealed, stored_as

AccountKind = Literal["team", "enterprise"]


class AccountChanged(Signed, frozen=True):
    """Base of the facts about an account."""


@stored_as("account.opened", zh="开设账户：{kind}", en="An account was opened: {kind}")
class AccountOpened(AccountChanged, frozen=True):
    """A team or an enterprise has a wallet; its keeper spends from it.

    Its name is sealed under a key of its own: teams are called after people as well.
    """

    kind: str
    district: str | None
    keeper: UUID
    sealed: tuple[Sealed, ...]


@stored_as("account.member-added", zh="账户增加成员", en="A member joined an account")
class MemberAdded(AccountChanged, frozen=True):
    """A member sees what the account has; a keeper spends from it too."""

    participant_id: UUID
    keeper: bool


@stored_as("account.member-removed", zh="账户减少成员", en="A member left an account")
class MemberRemoved(AccountChanged, frozen=True):
    participant_id: UUID


@stored_as(
    "donation.made", zh="捐赠 {coins} 枚绿水币", en="{coins} coins were donated to an account"
)
class DonationMade(Fact, frozen=True):
    """Coins go from one wallet to another, with the expiry they had."""

    participant_id: UUID
    to: UUID
    coins: int
    body_digest: str


class Account(msgspec.Struct):
    """An account as it stands; ``members`` to whether they keep it."""

    version: int = 0
    opened: AccountOpened | None = None
    members: dict[UUID, bool] = {}
    commands: dict[UUID, tuple[str, int]] = {}

    def apply(self, entry: Entry) -> None:
        fact, self.version = entry.fact, entry.originator_version
        if isinstance(fact, AccountOpened):
            self.opened = fact
            self.members[fact.keeper] = True
        elif isinstance(fact, MemberAdded):
            self.members[fact.participant_id] = fact.keeper
        elif isinstance(fact, MemberRemoved):
            self.members.pop(fact.participant_id, None)
        if isinstance(fact, AccountChanged):
            self.commands[fact.command_id] = (fact.body_digest, entry.position)

    def kept_by(self, person: UUID) -> bool:
        """Whether somebody may spend from it."""
        return self.members.get(person, False)


class Donation(msgspec.Struct):
    """A donation as it stands: made or not."""

    version: int = 0
    made: DonationMade | None = None
    position: int = 0

    def apply(self, entry: Entry) -> None:
        self.version = entry.originator_version
        if isinstance(entry.fact, DonationMade):
            self.made, self.position = entry.fact, entry.position
