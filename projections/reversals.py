"""Reversals (撤回): awards to be taken back, or that were, and those that await a second person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger.coins import AwardReversed
from ledger.facts import Entry, Fact, Sealed
from ledger.reversals import ReversalConfirmed, ReversalProposed, ReversalRejected
from projections.paging import paged, places, queued_in
from projections.view import Row, Rows, Source, View, ascending, descending


class Item(msgspec.Struct):
    """The reversal of one award as it stands.

    ``amount`` was taken back, and of it ``debt`` is what could not be found; 0 before that.
    ``sealed`` commits to the words of whoever proposed it, ``by``.
    """

    id: str
    participant_id: str
    cause: str
    reason: str
    by: str
    districts: tuple[str, ...]
    recorded_at: datetime
    position: int
    state: str = "proposed"
    decided_by: str | None = None
    amount: int = 0
    debt: int = 0
    sealed: Sealed | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Item).decode


class Reversals(View):
    """A row per reversal in its participant's list; while it waits, one per district."""

    name = "reversals"
    version = 1
    facts = (ReversalProposed, ReversalConfirmed, ReversalRejected, AwardReversed)

    def touches(self, entry: Entry) -> Iterable[str]:
        return (_key(entry),)

    def fold(self, rows: Rows, entry: Entry) -> None:
        key, fact = _key(entry), entry.fact
        row = rows.get(key)
        if isinstance(fact, ReversalProposed):
            item = _proposed(entry, fact)
        elif row is None:
            return
        else:
            item = _decode(row.data)
        _apply(item, fact)
        data = _encode(item)
        rows[key] = Row(key, data, f"of/{item.participant_id}", descending(item.position))
        for place in queued_in(item.districts):
            bucket = f"waiting/{place}"
            copy = f"{bucket}/{key}"
            queued = Row(copy, data, bucket, ascending(item.position))
            rows[copy] = queued if item.state == "proposed" else None


REVERSALS = Reversals()


def _key(entry: Entry) -> str:
    fact = entry.fact
    return str(fact.reversal_id if isinstance(fact, AwardReversed) else entry.originator_id)


def _proposed(entry: Entry, fact: ReversalProposed) -> Item:
    return Item(
        id=str(entry.originator_id), participant_id=str(fact.participant_id),
        cause=str(fact.cause), reason=fact.reason, by=str(fact.by), districts=fact.districts,
        recorded_at=entry.recorded_at, position=entry.position,
        sealed=next(iter(fact.sealed), None),
    )  # fmt: skip


def _apply(item: Item, fact: Fact) -> None:
    if isinstance(fact, ReversalConfirmed):
        item.state, item.decided_by = "confirmed", str(fact.by)
    elif isinstance(fact, ReversalRejected):
        item.state, item.decided_by = "rejected", str(fact.by)
    elif isinstance(fact, AwardReversed):
        item.amount, item.debt = fact.amount, fact.debt


def reversal(store: Source, reversal_id: UUID) -> dict[str, Any] | None:
    """One reversal as it stands; None where there is none."""
    _, data = store.fetch(REVERSALS, str(reversal_id))
    return msgspec.json.decode(data) if data else None


def reversals(
    store: Source, participant: UUID, cursor: str | None, limit: int
) -> dict[str, Any]:
    """``{items, next, position}``: those of a participant's awards, last proposed first."""
    return paged(store, REVERSALS, [f"of/{participant}"], cursor, limit)


def waiting(
    store: Source, districts: Sequence[str] | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """``{items, next, position}``: what awaits a second person, oldest first; None is the city."""
    buckets = [f"waiting/{place}" for place in places(districts)]
    return paged(store, REVERSALS, buckets, cursor, limit)
