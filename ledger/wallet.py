"""The wallet (钱包): one person's coins in lots, as the rules need to know them.

Spent first-expiring-first (FEFO); of coins that expire on one day those granted first. A lot is
good through its expiry date, whether or not the job that writes expiries has run.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec

from ledger.coins import (
    LOTS_MAX,
    AwardReversed,
    CoinsAwarded,
    CoinsExpired,
    CoinsGiven,
    CoinsHeld,
    CoinsReceived,
    CoinsReleased,
    CoinsSpent,
    Part,
    total,
)
from ledger.days import day_of, month_of
from ledger.facts import Entry, Fact, stored_as

# Counters and paid periods older than this are forgotten, and nothing is awarded for such days.
REMEMBERED_DAYS = 400
DAYS_FORGOTTEN_AT_ONCE = 50


class Hold(msgspec.Struct, frozen=True):
    """Coins set aside for one redemption, and what of an offer it takes in which month."""

    offer_id: UUID
    quantity: int
    month: str
    parts: tuple[Part, ...]


class Wallet(msgspec.Struct):
    """Lots, holds and debt, and what the caps and limits have to remember."""

    version: int = 0
    lots: dict[date, dict[int, int]] = {}  # by expiry date, then by the fact that granted them
    holds: dict[UUID, Hold] = {}  # by redemption
    debt: int = 0
    month: str = ""  # the latest in which something was asked for
    taken: dict[UUID, int] = {}  # by offer, in that month
    earned: dict[date, dict[str, int]] = {}  # by day, then by kind
    paid: list[tuple[datetime, datetime]] = []

    def apply(self, entry: Entry) -> None:
        fact = entry.fact
        if isinstance(fact, OldWalletSnapshot):
            return  # It cannot tell one lot from another; the facts are folded instead.
        if isinstance(fact, WalletSnapshot):
            for field in self.__struct_fields__:
                setattr(self, field, getattr(fact.wallet, field))
        elif isinstance(fact, CoinsAwarded):
            self._award(fact, entry)
        else:
            self._move(fact, entry)
        self.version = entry.originator_version

    def _award(self, fact: CoinsAwarded, entry: Entry) -> None:
        self.debt -= fact.to_debt
        self._put(Part(entry.originator_version, fact.amount - fact.to_debt, fact.expires_on))
        if fact.earned_on not in self.earned:
            self._forget(entry.recorded_at)  # Once a day is enough.
        day = self.earned.setdefault(fact.earned_on, {})
        day[fact.kind] = day.get(fact.kind, 0) + fact.amount
        if fact.began_at and fact.ended_at:
            self.paid.append((fact.began_at, fact.ended_at))

    def _move(self, fact: Fact, entry: Entry) -> None:
        if isinstance(fact, CoinsHeld):
            self._take(fact.parts)
            self._count(fact, month_of(day_of(entry.recorded_at)))
            self.holds[fact.redemption_id] = Hold(
                fact.offer_id, fact.quantity, self.month, fact.parts
            )
        elif isinstance(fact, CoinsSpent):
            self.holds.pop(fact.redemption_id, None)
        elif isinstance(fact, CoinsReleased):
            self._release(fact)
        elif isinstance(fact, CoinsExpired | CoinsGiven):
            self._take(fact.parts)
        elif isinstance(fact, AwardReversed):
            self._take(fact.parts)
            self.debt += fact.debt
        elif isinstance(fact, CoinsReceived):
            for lot in fact.lots:
                self._put(Part(entry.originator_version, lot.amount, lot.expires_on))

    def _release(self, fact: CoinsReleased) -> None:
        hold = self.holds.pop(fact.redemption_id, None)
        for part in fact.parts:
            self._put(part)
        self._take(fact.debt_parts)
        self.debt -= total(fact.debt_parts)
        if hold is not None and hold.month == self.month:
            self.taken[hold.offer_id] -= hold.quantity

    def _count(self, fact: CoinsHeld, month: str) -> None:
        """Count towards the month's limits; a month begins for all offers at once."""
        if month > self.month:
            self.month, self.taken = month, {}
        self.taken[fact.offer_id] = self.taken.get(fact.offer_id, 0) + fact.quantity

    def _put(self, part: Part) -> None:
        if part.amount:
            lots = self.lots.setdefault(part.expires_on, {})
            lots[part.lot] = lots.get(part.lot, 0) + part.amount

    def _take(self, parts: tuple[Part, ...]) -> None:
        for part in parts:
            lots = self.lots.setdefault(part.expires_on, {})
            lots[part.lot] = lots.get(part.lot, 0) - part.amount
            if not lots[part.lot]:
                del lots[part.lot]
            if not lots:
                del self.lots[part.expires_on]

    def _forget(self, now: datetime) -> None:
        """Drop what no rule can ask about any more, so that a wallet stays small for ever."""
        if len(self.earned) > REMEMBERED_DAYS + DAYS_FORGOTTEN_AT_ONCE:
            oldest = now - timedelta(days=REMEMBERED_DAYS)
            self.earned = {day: kinds for day, kinds in self.earned.items() if day >= oldest.date()}
            self.paid = [period for period in self.paid if period[1] >= oldest]

    def available(self, today: date) -> int:
        """Coins that can be spent on ``today``; a lot is good through its expiry date."""
        return sum(sum(lots.values()) for day, lots in self.lots.items() if day >= today)

    @property
    def held(self) -> int:
        """Coins set aside for redemptions that are not over yet."""
        return sum(total(hold.parts) for hold in self.holds.values())

    def good(self, today: date) -> Iterator[Part]:
        """Every lot that can be spent on ``today``, first expiring first."""
        for expires_on in sorted(self.lots):
            if expires_on >= today:
                for lot in sorted(self.lots[expires_on]):
                    yield Part(lot, self.lots[expires_on][lot], expires_on)

    def due(self, as_of: date) -> tuple[Part, ...]:
        """What is left of lots whose last good day was before ``as_of``, LOTS_MAX at a time."""
        lots = (
            Part(lot, amount, expires_on)
            for expires_on in sorted(self.lots) if expires_on < as_of
            for lot, amount in sorted(self.lots[expires_on].items())
        )  # fmt: skip
        return tuple(islice(lots, LOTS_MAX))

    def left_of(self, lot: int, expires_on: date) -> int:
        """What is left of one lot."""
        return self.lots.get(expires_on, {}).get(lot, 0)

    def taken_in(self, offer_id: UUID, month: str) -> int:
        """How many of an offer were taken in a month and not given back."""
        return self.taken.get(offer_id, 0) if month <= self.month else 0

    def earned_in_day(self, day: date, kind: str | None = None) -> int:
        kinds = self.earned.get(day, {})
        return sum(kinds.values()) if kind is None else kinds.get(kind, 0)

    def earned_in_month(self, day: date) -> int:
        earned = map(self.earned.get, _month(day.year, day.month))
        return sum(sum(kinds.values()) for kinds in earned if kinds)


@lru_cache(maxsize=100)
def _month(year: int, month: int) -> tuple[date, ...]:
    """Every day of a month."""
    return tuple(date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1))


def first(parts: Iterator[Part], amount: int) -> tuple[Part, ...]:
    """The first ``amount`` coins of these lots, or fewer: all of them, or LOTS_MAX lots of them."""
    taken: list[Part] = []
    for part in parts:
        if amount <= 0 or len(taken) == LOTS_MAX:
            break
        some = min(part.amount, amount)
        taken.append(Part(part.lot, some, part.expires_on))
        amount -= some
    return tuple(taken)


@stored_as("wallet.snapshot-1", zh="钱包快照", en="A snapshot of a wallet")
class OldWalletSnapshot(Fact, frozen=True):
    """As 0.1 kept it before there were lots one by one; read, and then ignored."""

    wallet: dict[str, Any]


@stored_as("wallet.snapshot-2", zh="钱包快照", en="A snapshot of a wallet")
class WalletSnapshot(Fact, frozen=True):
    """A wallet as of one version; never in the log, only in the snapshot store."""

    wallet: Wallet
