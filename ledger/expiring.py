"""Deadlines (期限): lots that expire, holds nobody collected in time, and notices beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import cached_property
from uuid import UUID

import msgspec

from ledger import identity
from ledger.coins import CoinsExpired, total
from ledger.days import day_of
from ledger.facts import Entry
from ledger.log import Append, Kept
from ledger.spending.donating import Donating
from ledger.spending.redemptions import STATES, Redemption, RedemptionRefused

# How many days beforehand people are told (常州: after a reminder).
NOTICE_DAYS = (30, 7)
REDEMPTION_TOPICS = tuple(fact.topic for fact in STATES if fact is not RedemptionRefused)


class Notice(msgspec.Struct, frozen=True):
    """Somebody's coins will expire within so many days."""

    participant_id: str
    amount: int
    expires_on: str
    days: int


class Holds:
    """Redemptions that are neither collected nor over."""

    def __init__(self) -> None:
        self.held: dict[UUID, Redemption] = {}

    def add(self, entry: Entry) -> None:
        known = self.held.setdefault(entry.originator_id, Redemption())
        known.apply(entry)
        if known.deadline is None:
            del self.held[entry.originator_id]


class Expiring(Donating):
    """What time ends by itself, written down as facts."""

    @cached_property
    def _holds(self) -> Kept[Holds]:
        return Kept(self, REDEMPTION_TOPICS, Holds)

    def expire(self, participant: UUID, as_of: date, now: datetime) -> CoinsExpired | None:
        """Write off lots whose last good day was before ``as_of``, LOTS_MAX at a time.

        None where there are none (any more).
        """

        def command() -> CoinsExpired | None:
            wallet = self.wallet(participant)
            parts = wallet.due(as_of)
            if not parts:
                return None
            fact = CoinsExpired(
                participant_id=participant, as_of=as_of, amount=total(parts), parts=parts
            )
            before = wallet.version
            write = Append(identity.wallet_id(participant), before, [fact])
            (entry,) = self.append([write], now)
            wallet.apply(entry)
            self.snapshot_if_due(wallet, before, participant, now)
            return fact

        with self.wallet_turns.of(participant):
            return self.attempt(command)

    def expire_all(self, as_of: date, now: datetime) -> Iterator[CoinsExpired]:
        """Write off everybody's expired coins; the second time there is nothing to write."""
        for person in self.due_to_expire(as_of):
            while fact := self.expire(person, as_of, now):
                yield fact

    def due_to_expire(self, as_of: date) -> list[UUID]:
        """Whoever has coins left of lots whose last good day was before ``as_of``."""
        limit = as_of.isoformat()
        return [
            UUID(person) for person, lots in self.coins_by_expiry()
            if any(amount and last < limit for last, amount in lots.items())
        ]  # fmt: skip

    def lapse_all(self, now: datetime, as_of: date | None = None) -> Iterator[UUID]:
        """End every hold whose last day is over; the ids of the redemptions that lapsed."""
        today = as_of or day_of(now)
        for redemption_id in self.overdue(today):
            if self.lapse(redemption_id, now, today) is not None:
                yield redemption_id

    def overdue(self, today: date) -> list[UUID]:
        """Every redemption whose hold should have ended before ``today``."""
        with self._holds.current() as holds:
            return [one for one, known in holds.held.items() if known.overdue(today)]

    def notices(self, as_of: date) -> list[Notice]:
        """Whose coins will expire within 30 and within 7 days, by participant and date."""
        found = []
        for person, lots in self.coins_by_expiry():
            for last, amount in sorted(lots.items()):
                left = (date.fromisoformat(last) - as_of).days
                within = [days for days in NOTICE_DAYS if 0 <= left <= days]
                if amount and within:
                    found.append(Notice(person, amount, last, min(within)))
        return found
