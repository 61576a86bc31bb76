"""Every balance (余额) from the money facts alone, straight from their stored bytes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from ledger import coins
from ledger.errors import CorruptFact

MONEY = tuple(fact.topic for fact in coins.MONEY)
GRANTED = coins.CoinsAwarded.topic
TAKEN = {
    fact.topic
    for fact in (coins.CoinsHeld, coins.CoinsExpired, coins.CoinsGiven, coins.AwardReversed)
}
RETURNED, RECEIVED = coins.CoinsReleased.topic, coins.CoinsReceived.topic
HELD = {coins.CoinsHeld.topic: 1, coins.CoinsSpent.topic: -1, RETURNED: -1}


class _Part(msgspec.Struct, gc=False):
    """Some coins and the last day they are good for."""

    amount: int
    expires_on: str


class _Movement(msgspec.Struct, gc=False):
    """All that a balance needs of a money fact; a refusal has no amount."""

    participant_id: str
    amount: int = 0
    expires_on: str = ""
    to_debt: int = 0
    parts: list[_Part] = []
    debt_parts: list[_Part] = []
    lots: list[_Part] = []


_decode = msgspec.json.Decoder(_Movement).decode


class Balances:
    """What everybody has, by the day it expires, and what they hold."""

    def __init__(self) -> None:
        self.coins: dict[str, dict[str, int]] = {}  # participant, expiry date as ISO text
        self.held: dict[str, int] = {}

    def of(self, today: date) -> list[tuple[str, int, int]]:
        """(participant, available, held) of everybody with a money fact, by participant id.

        A lot is good through its expiry day.
        """
        day = today.isoformat()  # Dates compare as their ISO text does.
        return [
            (person, sum(amount for last, amount in self.coins[person].items() if last >= day),
             self.held.get(person, 0))
            for person in sorted(self.coins)
        ]  # fmt: skip

    def add(self, topic: str, state: bytes) -> None:
        """Fold the stored bytes of one money fact; raises CorruptFact."""
        try:
            fact = _decode(state)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CorruptFact(topic=topic, problem=str(error)) from error
        mine = self.coins.setdefault(fact.participant_id, {})
        if topic == GRANTED:
            mine[fact.expires_on] = mine.get(fact.expires_on, 0) + fact.amount - fact.to_debt
            return
        if sign := HELD.get(topic):
            held = self.held.get(fact.participant_id, 0)
            self.held[fact.participant_id] = held + sign * fact.amount
        if topic in TAKEN:
            _move(mine, fact.parts, -1)
        elif topic == RETURNED:
            _move(mine, fact.parts, 1)
            _move(mine, fact.debt_parts, -1)
        elif topic == RECEIVED:
            _move(mine, fact.lots, 1)


def _move(coins: dict[str, int], parts: Iterable[_Part], sign: int) -> None:
    for part in parts:
        coins[part.expires_on] = coins.get(part.expires_on, 0) + sign * part.amount


def balances_of(states: Iterable[tuple[str, bytes]], today: date) -> list[tuple[str, int, int]]:
    """(participant, available, held) of everybody with a money fact; raises CorruptFact.

    ``states`` are the stored names and bytes of the facts of MONEY, in the order of the log.
    """
    balances = Balances()
    for topic, state in states:
        balances.add(topic, state)
    return balances.of(today)
