"""Balances (余额): every participant's coins, lot by lot, and what is held or owed."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from ledger.coins import (
    MOVEMENTS,
    AwardReversed,
    CoinsAwarded,
    CoinsExpired,
    CoinsGiven,
    CoinsHeld,
    CoinsReceived,
    CoinsReleased,
    CoinsSpent,
    Movement,
    Part,
    total,
)
from ledger.days import day_of
from ledger.facts import Entry
from projections.view import Row, Rows, Source, View

DONATED = "donation"


class Lot(msgspec.Struct):
    """Coins that came together; dates are ISO text, which compares as the dates do.

    ``lot`` is the version of the wallet fact that brought them, ``position`` its place in the log.
    """

    amount: int
    expires_on: str
    cause: UUID
    rule: str
    policy_version: str
    position: int
    lot: int

    @property
    def place(self) -> tuple[str, int]:
        """First expiring first, then first granted first; no two lots of a wallet share it."""
        return self.expires_on, self.lot


class Account(msgspec.Struct):
    """The coins of one participant that can be spent, in lots, and what is held or owed.

    ``holds`` keeps by redemption what was taken of which lot, so that it can come back.
    """

    lots: list[Lot] = []
    held: int = 0
    debt: int = 0
    holds: dict[UUID, list[Lot]] = {}

    def put(self, lot: Lot) -> None:
        """Add coins to their lot."""
        for known in self.lots:
            if known.place == lot.place:
                known.amount += lot.amount
                return
        if lot.amount:
            insort(self.lots, lot, key=lambda one: one.place)

    def take(self, parts: Iterable[Part]) -> list[Lot]:
        """Take coins out of their lots, except from a lot that was dropped when it expired."""
        wanted = {(part.expires_on.isoformat(), part.lot): part.amount for part in parts}
        taken = []
        for lot in self.lots:
            if amount := wanted.get(lot.place):
                lot.amount -= amount
                taken.append(msgspec.structs.replace(lot, amount=amount))
        self.lots = [lot for lot in self.lots if lot.amount]
        return taken


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Account).decode
_read = msgspec.json.Decoder().decode


class Balances(View):
    """A row per participant, in no list."""

    name = "balances"
    version = 2
    facts = MOVEMENTS

    def touches(self, entry: Entry) -> Iterable[str]:
        return (str(entry.fact.participant_id),)  # type: ignore[attr-defined]

    def fold(self, rows: Rows, entry: Entry) -> None:
        fact = entry.fact
        assert isinstance(fact, Movement)
        key = str(fact.participant_id)
        row = rows.get(key)
        account = _decode(row.data) if row else Account()
        _move(account, fact, entry)
        # Nobody can spend these any more, so a row stays small for ever.
        today = day_of(entry.recorded_at).isoformat()
        account.lots = [lot for lot in account.lots if lot.expires_on >= today]
        rows[key] = Row(key, _encode(account))


BALANCES = Balances()


def _move(account: Account, fact: Movement, entry: Entry) -> None:
    match fact:
        case CoinsAwarded():
            account.debt -= fact.to_debt
            account.put(_awarded(fact, entry))
        case CoinsReceived():
            for lot in _received(fact, entry):
                account.put(lot)
        case CoinsHeld():
            account.held += fact.amount
            account.holds[fact.redemption_id] = account.take(fact.parts)
        case CoinsSpent():
            account.held -= fact.amount
            account.holds.pop(fact.redemption_id, None)
        case CoinsReleased():
            account.held -= fact.amount
            for lot in account.holds.pop(fact.redemption_id, ()):
                account.put(lot)
            account.take(fact.debt_parts)
            account.debt -= total(fact.debt_parts)
        case AwardReversed():
            account.take(fact.parts)
            account.debt += fact.debt
        case CoinsExpired() | CoinsGiven():
            account.take(fact.parts)


def _awarded(fact: CoinsAwarded, entry: Entry) -> Lot:
    return Lot(
        fact.amount - fact.to_debt, fact.expires_on.isoformat(), fact.cause, fact.rule,
        fact.policy_version, entry.position, entry.originator_version,
    )  # fmt: skip


def _received(fact: CoinsReceived, entry: Entry) -> list[Lot]:
    return [
        Lot(given.amount, given.expires_on.isoformat(), fact.donation_id, DONATED, "",
            entry.position, entry.originator_version)
        for given in fact.lots
    ]  # fmt: skip


def shown(row: Row, today: date) -> tuple[int, int]:
    """What a row says somebody can spend on ``today``, and what they hold."""
    account, day = _decode(row.data), today.isoformat()
    return sum(lot.amount for lot in account.lots if lot.expires_on >= day), account.held


def wallet(store: Source, participant: UUID, today: date) -> dict[str, Any]:
    """What a participant can spend on ``today``; a lot is good through its expiry date.

    ``{participant_id, available, held, debt, lots, position}``; zeros for one without any coin.
    Coins that are held for a redemption stand in no lot.
    """
    key = str(participant)
    position, data = store.fetch(BALANCES, key)
    account: dict[str, Any] = _read(data) if data else {"lots": [], "held": 0, "debt": 0}
    day = today.isoformat()
    lots = [lot for lot in account["lots"] if lot["expires_on"] >= day]
    return {
        "participant_id": key,
        "available": sum(lot["amount"] for lot in lots),
        "held": account["held"],
        "debt": account["debt"],
        "lots": lots,
        "position": position,
    }
