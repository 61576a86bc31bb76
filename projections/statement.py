"""The statement (明细): every coin and every refusal of a participant, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from ledger.facts import Entry
from ledger.wallet import AwardRefused, CoinsAwarded
from projections import cursor as cursors
from projections.view import Row, Rows, Source, View, descending

_encode = msgspec.json.Encoder().encode
_total = msgspec.json.Decoder(int).decode


class Statement(View):
    """A row per money fact in its participant's list, and one that keeps the running total."""

    name = "statement"
    version = 1
    facts = (CoinsAwarded, AwardRefused)

    def touches(self, entry: Entry) -> Iterable[str]:
        return (f"total/{entry.fact.participant_id}",)  # type: ignore[attr-defined]

    def fold(self, rows: Rows, entry: Entry) -> None:
        fact = entry.fact
        assert isinstance(fact, CoinsAwarded | AwardRefused)
        amount = fact.amount if isinstance(fact, CoinsAwarded) else 0
        expires_on = fact.expires_on if isinstance(fact, CoinsAwarded) else None
        kept = f"total/{fact.participant_id}"
        row = rows.get(kept)
        total = (_total(row.data) if row else 0) + amount
        line = {
            "amount": amount,
            "total": total,
            "cause": fact.cause,
            "kind": fact.kind,
            "rule": fact.rule,
            "policy_version": fact.policy_version,
            "reasons": fact.reasons,
            "earned_on": fact.earned_on,
            "expires_on": expires_on,
            "recorded_at": entry.recorded_at,
            "position": entry.position,
        }
        key = f"line/{entry.position}"
        bucket, sort = str(fact.participant_id), descending(entry.position)
        rows[kept] = Row(kept, _encode(total))
        rows[key] = Row(key, _encode(line), bucket, sort)


STATEMENT = Statement()


def statement(store: Source, participant: UUID, cursor: str | None, limit: int) -> dict[str, Any]:
    """``{items, next, position}``: lines newest first; ``total`` is of all coins ever awarded."""
    bucket = str(participant)
    listing = f"statement/{bucket}"
    position, rows = store.page(STATEMENT, bucket, cursors.read(listing, cursor), limit + 1)
    shown, following = cursors.cut(listing, rows, limit)
    items = [msgspec.json.decode(row.data) for row in shown]
    return {"items": items, "next": following, "position": position}
