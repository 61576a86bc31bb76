"""The trial balance (试算平衡): all coins by kind of account, and whether the books balance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ledger.coins import MOVEMENTS
from ledger.facts import Entry
from ledger.journal import KINDS, postings
from projections.view import Row, Rows, Source, View

TOTALS = "totals"
NEVER_BELOW_ZERO = ("available", "held")


class Purse(msgspec.Struct):
    """The three accounts of one wallet, as booked: what is owed stands below zero."""

    available: int = 0
    held: int = 0
    debt: int = 0

    @property
    def negative(self) -> int:
        """How many of its accounts are on the wrong side of zero; what is owed is booked below."""
        below = (getattr(self, kind) < 0 for kind in NEVER_BELOW_ZERO)
        return sum(map(bool, below)) + (self.debt > 0)


class Totals(msgspec.Struct):
    """Coins by kind of account, and how many accounts of wallets are below zero."""

    lines: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(KINDS.values(), 0))
    negative: int = 0

    @property
    def imbalance(self) -> int:
        """0 where the books balance, which they do after every fact.

        Coins between two wallets stand in ``transfers`` until the second fact of a gift is folded.
        """
        return abs(sum(self.lines.values())) + self.negative


_encode = msgspec.json.Encoder().encode
_purse = msgspec.json.Decoder(Purse).decode
_totals = msgspec.json.Decoder(Totals).decode


class TrialBalance(View):
    """A row of totals, and one per wallet, in no list."""

    name = "trial_balance"
    version = 1
    facts = MOVEMENTS

    def touches(self, entry: Entry) -> Iterable[str]:
        return TOTALS, str(entry.fact.participant_id)  # type: ignore[attr-defined]

    def fold(self, rows: Rows, entry: Entry) -> None:
        key = str(entry.fact.participant_id)  # type: ignore[attr-defined]
        kept, mine = rows.get(TOTALS), rows.get(key)
        totals = _totals(kept.data) if kept else Totals()
        purse = _purse(mine.data) if mine else Purse()
        totals.negative -= purse.negative
        for posting in postings(entry.fact):
            totals.lines[posting.kind] += posting.amount
            if posting.kind in Purse.__struct_fields__:
                setattr(purse, posting.kind, getattr(purse, posting.kind) + posting.amount)
        totals.negative += purse.negative
        rows[TOTALS] = Row(TOTALS, _encode(totals))
        rows[key] = Row(key, _encode(purse))


TRIAL_BALANCE = TrialBalance()


def trial_balance(store: Source) -> dict[str, Any]:
    """``{lines, imbalance, negative, position}``; imbalance is 0 where the books balance.

    ``lines`` are coins by kind of account, which come to 0 together; ``negative`` is how many
    accounts of wallets are below zero.
    """
    position, data = store.fetch(TRIAL_BALANCE, TOTALS)
    totals = _totals(data) if data else Totals()
    return {
        "lines": totals.lines,
        "imbalance": totals.imbalance,
        "negative": totals.negative,
        "position": position,
    }
