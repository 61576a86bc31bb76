"""The wallet (钱包): coins in lots, each with an expiry date of its own.

Coins are integers. A coin exists because a policy version granted it for a recorded cause, once
per cause; nobody can mint.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from ledger.facts import Entry, Fact, stored_as

# Counters and paid periods older than this are forgotten, and nothing is awarded for such days.
REMEMBERED_DAYS = 400
DAYS_FORGOTTEN_AT_ONCE = 50


@stored_as(
    "wallet.coins-awarded",
    zh="获得 {amount} 枚绿水币（政策 {policy_version}，规则 {rule}）",
    en="{amount} coins were awarded (policy {policy_version}, rule {rule})",
)
class CoinsAwarded(Fact, frozen=True):
    """A lot: coins granted for one recorded cause under one rule of one policy version."""

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


@stored_as(
    "wallet.award-refused",
    zh="未发放绿水币（政策 {policy_version}，规则 {rule}）",
    en="No coins were awarded (policy {policy_version}, rule {rule})",
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


class Wallet(msgspec.Struct):
    """What the rules need to know of one person's coins; the lots one by one are a view's."""

    version: int = 0
    coins: dict[date, int] = {}  # by expiry date
    earned: dict[date, dict[str, int]] = {}  # by day, then by kind
    paid: list[tuple[datetime, datetime]] = []

    def apply(self, entry: Entry) -> None:
        self.version = entry.originator_version
        fact = entry.fact
        if isinstance(fact, WalletSnapshot):
            self.coins, self.earned = fact.wallet.coins, fact.wallet.earned
            self.paid = fact.wallet.paid
        elif isinstance(fact, CoinsAwarded):
            self.coins[fact.expires_on] = self.coins.get(fact.expires_on, 0) + fact.amount
            if fact.earned_on not in self.earned:
                self._forget(entry.recorded_at)  # Once a day is enough.
            day = self.earned.setdefault(fact.earned_on, {})
            day[fact.kind] = day.get(fact.kind, 0) + fact.amount
            if fact.began_at and fact.ended_at:
                self.paid.append((fact.began_at, fact.ended_at))

    def _forget(self, now: datetime) -> None:
        """Drop what no rule can ask about any more, so that a wallet stays small for ever."""
        if len(self.earned) > REMEMBERED_DAYS + DAYS_FORGOTTEN_AT_ONCE:
            oldest = now - timedelta(days=REMEMBERED_DAYS)
            self.earned = {day: kinds for day, kinds in self.earned.items() if day >= oldest.date()}
            self.paid = [period for period in self.paid if period[1] >= oldest]

    def available(self, today: date) -> int:
        """Coins that can be spent on ``today``; a lot is good through its expiry date."""
        return sum(amount for expires_on, amount in self.coins.items() if expires_on >= today)

    def earned_in_day(self, day: date, kind: str | None = None) -> int:
        kinds = self.earned.get(day, {})
        return sum(kinds.values()) if kind is None else kinds.get(kind, 0)

    def earned_in_month(self, day: date) -> int:
        first = day.replace(day=1)
        month = (first + timedelta(days=number) for number in range(31))
        return sum(self.earned_in_day(one) for one in month if one.month == day.month)


@stored_as("wallet.snapshot-1", zh="钱包快照", en="A snapshot of a wallet")
class WalletSnapshot(Fact, frozen=True):
    """A wallet as of one version; never in the log, only in the snapshot store."""

    wallet: Wallet
