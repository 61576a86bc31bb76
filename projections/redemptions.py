"""Redemptions (兑换): those of a person or an account, of a merchant, and what awaits approval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger.facts import Entry, Fact, Sealed
from ledger.spending.redemptions import (
    STATES,
    RedemptionDeclined,
    RedemptionIssued,
    RedemptionRefused,
    RedemptionRequested,
)
from projections.paging import paged, places, queued_in
from projections.view import Row, Rows, Source, View, ascending, descending

UNNAMED = "*"
"""Stands for the merchant of an offer that names none."""


class Item(msgspec.Struct):
    """One redemption as it stands; ``position`` and ``recorded_at`` are of its first fact.

    ``reason`` is that of a refusal: nothing was held, and the price is not known. ``decline``
    commits to an approver's words; the words themselves are in the vault.
    """

    id: str
    participant_id: str
    by: str
    offer_id: str
    quantity: int
    recorded_at: datetime
    position: int
    state: str = ""
    price: int = 0
    coins: int = 0
    merchant_id: str | None = None
    districts: tuple[str, ...] = ()
    reason: str = ""
    decide_by: date | None = None
    collect_by: date | None = None
    decline: Sealed | None = None

    @property
    def waits(self) -> bool:
        """Whether it waits for approval; one that wants none is requested and issued at once."""
        return self.state == "requested" and self.decide_by is not None

    @property
    def lists(self) -> list[str]:
        """The lists it stands in for ever."""
        lists = [f"of/{who}" for who in dict.fromkeys((self.by, self.participant_id))]
        # A refusal names no merchant, and there is nothing to hand out.
        return lists if self.reason else [*lists, f"merchant/{self.merchant_id or UNNAMED}"]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Item).decode


class Redemptions(View):
    """A row per redemption in no list, and a copy in each of its lists."""

    name = "redemptions"
    version = 1
    facts = tuple(STATES)

    def touches(self, entry: Entry) -> Iterable[str]:
        return (str(entry.originator_id),)

    def fold(self, rows: Rows, entry: Entry) -> None:
        key = str(entry.originator_id)
        row = rows.get(key)
        item = _decode(row.data) if row else _asked(entry)
        if item is None:
            return
        waited = item.waits
        _apply(item, entry.fact)
        data = _encode(item)
        rows[key] = Row(key, data)
        for bucket in item.lists:
            copy = f"{bucket}/{key}"
            rows[copy] = Row(copy, data, bucket, descending(item.position))
        if item.waits or waited:
            for place in queued_in(item.districts):
                bucket = f"waiting/{place}"
                copy = f"{bucket}/{key}"
                queued = Row(copy, data, bucket, ascending(item.position))
                rows[copy] = queued if item.waits else None


REDEMPTIONS = Redemptions()


def _asked(entry: Entry) -> Item | None:
    fact = entry.fact
    if not isinstance(fact, RedemptionRequested | RedemptionRefused):
        return None
    item = Item(
        id=str(entry.originator_id), participant_id=str(fact.participant_id), by=str(fact.by),
        offer_id=str(fact.offer_id), quantity=fact.quantity, recorded_at=entry.recorded_at,
        position=entry.position,
    )  # fmt: skip
    if isinstance(fact, RedemptionRefused):
        item.reason = fact.reason
        return item
    item.price, item.coins, item.districts = fact.price, fact.coins, fact.districts
    item.merchant_id = str(fact.merchant_id) if fact.merchant_id else None
    item.decide_by = fact.decide_by
    return item


def _apply(item: Item, fact: Fact) -> None:
    item.state = STATES[type(fact)]
    if isinstance(fact, RedemptionIssued):
        item.collect_by = fact.collect_by
    elif isinstance(fact, RedemptionDeclined):
        item.decline = next(iter(fact.sealed), None)


def redemption(store: Source, redemption_id: UUID) -> dict[str, Any] | None:
    """One redemption as it stands; None where there is none."""
    _, data = store.fetch(REDEMPTIONS, str(redemption_id))
    return msgspec.json.decode(data) if data else None


def redemptions(
    store: Source, participant: UUID, cursor: str | None, limit: int
) -> dict[str, Any]:
    """``{items, next, position}``: what one asked for or an account paid for, newest first."""
    return paged(store, REDEMPTIONS, [f"of/{participant}"], cursor, limit)


def of_merchant(
    store: Source, merchant_id: UUID | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """``{items, next, position}``: of a merchant's offers, or for None those that name none."""
    return paged(store, REDEMPTIONS, [f"merchant/{merchant_id or UNNAMED}"], cursor, limit)


def waiting(
    store: Source, districts: Sequence[str] | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """``{items, next, position}``: what waits for approval, oldest first; None is the city."""
    buckets = [f"waiting/{place}" for place in places(districts)]
    return paged(store, REDEMPTIONS, buckets, cursor, limit)
