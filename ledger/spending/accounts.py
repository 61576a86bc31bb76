"""Accounts (账户) of teams and enterprises: a wallet of their own, members, and who keeps it."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Literal
from uuid import UUID

import msgspec

from ledger.coins import CoinsGiven, CoinsReceived, GivenLot, total
from ledger.commands import Signed
from ledger.facts import Entry, Fact, Sealed, stored_as
from ledger.wallet import Wallet, first

AccountKind = Literal["team", "enterprise"]


class AccountChanged(Signed, frozen=True):
    """Base of the facts about an account."""


@stored_as(
    "account.opened",
    zh="{by} 开设{kind}账户 {originator}，管理人 {keeper}",
    en="{by} opened the {kind} account {originator}, kept by {keeper}",
)
class AccountOpened(AccountChanged, frozen=True):
    """A team or an enterprise has a wallet; its keeper spends from it.

    Its name is sealed under a key of its own: teams are called after people as well.
    """

    kind: str
    district: str | None
    keeper: UUID
    sealed: tuple[Sealed, ...]


@stored_as(
    "account.member-added",
    zh="{by} 将 {participant_id} 加为账户 {originator} 的{keeper}",
    en="{by} made {participant_id} {keeper} of the account {originator}",
)
class MemberAdded(AccountChanged, frozen=True):
    """A member sees what the account has; a keeper spends from it too."""

    participant_id: UUID
    keeper: bool


@stored_as(
    "account.member-removed",
    zh="{by} 将 {participant_id} 移出账户 {originator}",
    en="{by} removed {participant_id} from the account {originator}",
)
class MemberRemoved(AccountChanged, frozen=True):
    participant_id: UUID


@stored_as(
    "donation.made",
    zh="{participant_id} 向账户 {to} 捐赠 {coins} 枚绿水币",
    en="{participant_id} donated {coins} coins to the account {to}",
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


def moved(
    donation_id: UUID, made: DonationMade, wallet: Wallet, today: date
) -> tuple[CoinsGiven, CoinsReceived]:
    """What a donation does to both wallets: first expiring first, keeping the expiry dates."""
    parts = first(wallet.good(today), made.coins)
    lots = tuple(
        GivenLot(expires_on, sum(part.amount for part in group))
        for expires_on, group in groupby(parts, key=lambda part: part.expires_on)
    )
    given = CoinsGiven(
        participant_id=made.participant_id, donation_id=donation_id, to=made.to,
        amount=total(parts), parts=parts,
    )  # fmt: skip
    received = CoinsReceived(
        participant_id=made.to, donation_id=donation_id, giver=made.participant_id,
        amount=total(parts), lots=lots,
    )  # fmt: skip
    return given, received
