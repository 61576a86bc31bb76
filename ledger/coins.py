"""Coins (绿水币) as they move: the facts of a wallet.

Coins are integers. A coin exists because a policy version granted it for a recorded cause, once
per cause; nobody can mint. Coins granted together are a lot (批次) with an expiry date of its own;
whatever moves coins names the lots.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from ledger.facts import Fact, stored_as


class Part(msgspec.Struct, frozen=True):
    """Coins of one lot: the version of the wallet fact that granted it, and its last good day."""

    lot: int
    amount: int
    expires_on: date


# What one fact may name: twice as many fit into an entry, for a release that pays debts as well.
LOTS_MAX = 500


def total(parts: tuple[Part, ...]) -> int:
    """How many coins these are together."""
    return sum(part.amount for part in parts)


@stored_as(
    "wallet.coins-awarded",
    zh="{participant_id} 因 {earned_on} 的{kind} {cause} 获得 {amount} 枚绿水币，有效至 "
    "{expires_on}（政策 {policy_version}，规则：{rule}）{reasons}",
    en="{participant_id} was awarded {amount} coins for the {kind} {cause} of {earned_on}, good "
    "through {expires_on} (policy {policy_version}, rule: {rule}){reasons}",
)
class CoinsAwarded(Fact, frozen=True):
    """A lot: coins granted for one recorded cause under one rule of one policy version.

    Of the ``amount``, ``to_debt`` paid at once what an earlier reversal had left owing.
    """

    participant_id: UUID
    amount: int
    cause: UUID
    kind: str
    rule: str
    policy_version: str
    earned_on: date
    expires_on: date
    role: str
    districts: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    began_at: datetime | None = None
    ended_at: datetime | None = None
    to_debt: int = 0


@stored_as(
    "wallet.award-refused",
    zh="{participant_id} 因 {earned_on} 的{kind} {cause} 未获绿水币（政策 {policy_version}，"
    "规则：{rule}）{reasons}",
    en="{participant_id} was awarded no coins for the {kind} {cause} of {earned_on} (policy "
    "{policy_version}, rule: {rule}){reasons}",
)
class AwardRefused(Fact, frozen=True):
    """Why a contribution earned nothing: the rule that said no, and its reasons."""

    participant_id: UUID
    cause: UUID
    kind: str
    rule: str
    policy_version: str
    earned_on: date
    reasons: tuple[str, ...]


@stored_as(
    "wallet.coins-held",
    zh="为兑换 {redemption_id} 冻结 {participant_id} 的 {amount} 枚绿水币",
    en="{amount} coins of {participant_id} were held for the redemption {redemption_id}",
)
class CoinsHeld(Fact, frozen=True):
    """Coins set aside for a redemption: spent when it is collected, else released."""

    participant_id: UUID
    redemption_id: UUID
    offer_id: UUID
    quantity: int
    amount: int
    parts: tuple[Part, ...]


@stored_as(
    "wallet.coins-spent",
    zh="{participant_id} 为兑换 {redemption_id} 花费 {amount} 枚绿水币",
    en="{participant_id} spent {amount} coins on the redemption {redemption_id}",
)
class CoinsSpent(Fact, frozen=True):
    """All the coins held for a redemption are spent; a hold is never split."""

    participant_id: UUID
    redemption_id: UUID
    offer_id: UUID
    amount: int


@stored_as(
    "wallet.coins-released",
    zh="兑换 {redemption_id} 未成，{participant_id} 的 {amount} 枚绿水币解冻，退回原批次",
    en="The redemption {redemption_id} came to nothing: {amount} held coins of {participant_id} "
    "came back to their lots",
)
class CoinsReleased(Fact, frozen=True):
    """All the coins held for a redemption come back, with the expiry they had.

    ``debt_parts`` are those of them that paid at once what was owed.
    """

    participant_id: UUID
    redemption_id: UUID
    offer_id: UUID
    amount: int
    parts: tuple[Part, ...]
    debt_parts: tuple[Part, ...] = ()


@stored_as(
    "wallet.coins-expired",
    zh="{participant_id} 的 {amount} 枚绿水币过期（截至 {as_of}）",
    en="{amount} coins of {participant_id} expired (as of {as_of})",
)
class CoinsExpired(Fact, frozen=True):
    """What was left of lots whose last good day was before ``as_of``."""

    participant_id: UUID
    as_of: date
    amount: int
    parts: tuple[Part, ...]


@stored_as(
    "wallet.award-reversed",
    zh="撤回 {participant_id} 因{kind} {cause} 获得的 {amount} 枚绿水币，其中欠 {debt} 枚，"
    "原因：{reason}",
    en="{amount} coins of {participant_id} for the {kind} {cause} were taken back, {debt} of "
    "them are owed: {reason}",
)
class AwardReversed(Fact, frozen=True):
    """An award was taken back: from its own lot, then from others, and the rest is owed.

    ``lot`` is the version of the award; role, districts and day are the award's.
    """

    participant_id: UUID
    reversal_id: UUID
    cause: UUID
    lot: int
    amount: int
    parts: tuple[Part, ...]
    debt: int
    kind: str
    earned_on: date
    role: str
    districts: tuple[str, ...]
    reason: str


@stored_as(
    "wallet.coins-given",
    zh="{participant_id} 向账户 {to} 捐出 {amount} 枚绿水币",
    en="{participant_id} gave {amount} coins to the account {to}",
)
class CoinsGiven(Fact, frozen=True):
    """Coins left for a team's or an enterprise's account."""

    participant_id: UUID
    donation_id: UUID
    to: UUID
    amount: int
    parts: tuple[Part, ...]


class GivenLot(msgspec.Struct, frozen=True):
    """Coins that came with the expiry they had."""

    expires_on: date
    amount: int


@stored_as(
    "wallet.coins-received",
    zh="账户 {participant_id} 收到 {giver} 捐赠的 {amount} 枚绿水币",
    en="The account {participant_id} received {amount} coins from {giver}",
)
class CoinsReceived(Fact, frozen=True):
    """Coins arrived in an account: a lot for each expiry date, so giving prolongs nothing."""

    participant_id: UUID
    donation_id: UUID
    giver: UUID
    amount: int
    lots: tuple[GivenLot, ...]


Movement = (
    CoinsAwarded | CoinsHeld | CoinsSpent | CoinsReleased | CoinsExpired | AwardReversed
    | CoinsGiven | CoinsReceived
)  # fmt: skip
MOVEMENTS: tuple[type[Fact], ...] = (
    CoinsAwarded, CoinsHeld, CoinsSpent, CoinsReleased, CoinsExpired, AwardReversed, CoinsGiven,
    CoinsReceived,
)  # fmt: skip
MONEY: tuple[type[Fact], ...] = (*MOVEMENTS, AwardRefused)
