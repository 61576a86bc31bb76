"""Balances (余额): every participant's coins, lot by lot."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from ledger.days import day_of
from ledger.facts import Entry
from ledger.wallet import CoinsAwarded
from projections.view import Row, Rows, Source, View


class Lot(msgspec.Struct):
    """Coins of one award; dates are ISO text, which compares as the dates do."""

    amount: int
    expires_on: str
    cause: UUID
    rule: str
    policy_version: str
    position: int


class Account(msgspec.Struct):
    """The lots of one participant, first expiring first, and what is held or owed."""

    lots: list[Lot] = []
    held: int = 0
    debt: int = 0


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Account).decode
_read = msgspec.json.Decoder().decode


class Balances(View):
    """A row per participant, in no list."""

    name = "balances"
    version = 1
    facts = (CoinsAwarded,)

    def touches(self, entry: Entry) -> Iterable[str]:
        return (str(entry.fact.participant_id),)  # type: ignore[attr-defined]

    def fold(self, rows: Rows, entry: Entry) -> None:
        fact = entry.fact
        assert isinstance(fact, CoinsAwarded)
        key = str(fact.participant_id)
        row = rows.get(key)
        account = _decode(row.data) if row else Account()
        # Nobody can spend these any more, so a row stays small for ever.
        today = day_of(entry.recorded_at).isoformat()
        account.lots = [lot for lot in account.lots if lot.expires_on >= today]
        lot = Lot(
            fact.amount, fact.expires_on.isoformat(), fact.cause, fact.rule,
            fact.policy_version, entry.position,
        )  # fmt: skip
        insort(account.lots, lot, key=lambda one: (one.expires_on, one.position))
        rows[key] = Row(key, _encode(account))


BALANCES = Balances()


def wallet(store: Source, participant: UUID, today: date) -> dict[str, Any]:
    """What a participant can spend on ``today``; a lot is good through its expiry date.

    ``{participant_id, available, held, debt, lots, position}``; zeros for one without any coin.
    """
    key = str(participant)
    position, data = store.fetch(BALANCES, key)
    account: dict[str, Any] = _read(data) if data else {"lots": [], "held": 0, "debt": 0}
    day = today.isoformat()
    lots = [lot for lot in account["lots"] if lot["expires_on"] >= day]
    return {
        "participant_id": key,
        "available": sum(lot["amount"] for lot in lots) - account["held"],
        "held": account["held"],
        "debt": account["debt"],
        "lots": lots,
        "position": position,
    }
