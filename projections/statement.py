"""The statement (明细): whatever happened to a participant's coins, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from ledger.coins import (
    MONEY,
    AwardRefused,
    AwardReversed,
    CoinsAwarded,
    CoinsExpired,
    CoinsGiven,
    CoinsHeld,
    CoinsReceived,
    CoinsReleased,
    CoinsSpent,
)
from ledger.facts import Entry, Fact
from ledger.journal import postings
from projections.paging import paged
from projections.view import LARGEST, START, Row, Rows, Source, View, descending

WHAT: dict[type[Fact], str] = {
    CoinsAwarded: "awarded",
    AwardRefused: "refused",
    CoinsHeld: "held",
    CoinsSpent: "spent",
    CoinsReleased: "returned",
    CoinsExpired: "expired",
    AwardReversed: "reversed",
    CoinsGiven: "given",
    CoinsReceived: "received",
}
# Where a line says which redemption, donation or reversal it belongs to.
NAMED = ("redemption_id", "donation_id", "reversal_id")
# Of the fact itself, and what stands there for a fact without it.
FIELDS: dict[str, Any] = {
    "offer_id": None, "cause": None, "kind": "", "rule": "", "policy_version": "", "reasons": (),
    "earned_on": None, "expires_on": None, "reason": "",
}  # fmt: skip

_encode = msgspec.json.Encoder().encode
_total = msgspec.json.Decoder(int).decode


class Statement(View):
    """A row per money fact in its participant's list, and one that keeps the running total."""

    name = "statement"
    version = 2
    facts = MONEY

    def touches(self, entry: Entry) -> Iterable[str]:
        return (_kept(entry.fact),)

    def fold(self, rows: Rows, entry: Entry) -> None:
        fact, kept, key = entry.fact, _kept(entry.fact), f"line/{entry.position}"
        row = rows.get(kept)
        amount = sum(one.amount for one in postings(fact) if one.kind == "available")
        total = (_total(row.data) if row else 0) + amount
        line = {
            "amount": amount,
            "total": total,
            "what": WHAT[type(fact)],
            "coins": getattr(fact, "amount", 0),
            "of": next((getattr(fact, name) for name in NAMED if hasattr(fact, name)), None),
            **{name: getattr(fact, name, default) for name, default in FIELDS.items()},
            "recorded_at": entry.recorded_at,
            "position": entry.position,
        }
        rows[kept] = Row(kept, _encode(total))
        rows[key] = Row(key, _encode(line), _owner(fact), descending(entry.position))


STATEMENT = Statement()


def _owner(fact: Fact) -> str:
    return str(fact.participant_id)  # type: ignore[attr-defined]


def _kept(fact: Fact) -> str:
    return f"total/{_owner(fact)}"


def statement(
    store: Source, participant: UUID, cursor: str | None, limit: int, through: int | None = None
) -> dict[str, Any]:
    """``{items, next, position}``: lines newest first, those up to position ``through`` alone.

    ``amount`` is by how much a line changed what is available, and ``total`` the sum up to it;
    coins past their last day are in it until that is written down. ``coins`` is what the fact
    itself is about: of coins that are spent none was available any more.
    """
    begin = START
    if through is not None:
        begin = (descending(min(max(through, 0), LARGEST)), "")
    return paged(store, STATEMENT, [str(participant)], cursor, limit, begin=begin)
