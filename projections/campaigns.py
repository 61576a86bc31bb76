"""Campaigns (走访活动): every one, newest first, as a list shows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ledger.campaigns.campaign import (
    CampaignClosed,
    CampaignOpened,
    CampaignPlanned,
    CampaignStep,
)
from ledger.facts import Entry
from projections.paging import paged
from projections.view import Row, Rows, Source, View, descending

ALL = "all"


class Item(msgspec.Struct):
    """One campaign in the list; ``position`` is of its first fact."""

    id: str
    name: str
    state: str
    district: str | None
    districts: tuple[str, ...]
    households: int
    position: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Item).decode


class Campaigns(View):
    """A row per campaign."""

    name = "campaigns"
    version = 1
    facts = (CampaignStep,)

    def touches(self, entry: Entry) -> Iterable[str]:
        return (str(entry.originator_id),)

    def fold(self, rows: Rows, entry: Entry) -> None:
        fact, key = entry.fact, str(entry.originator_id)
        row = rows.get(key)
        if isinstance(fact, CampaignPlanned):
            item = Item(key, fact.plan.name, "planned", fact.plan.district, fact.districts, 0,
                        entry.position)  # fmt: skip
        elif row is None:
            return
        else:
            item = _decode(row.data)
        if isinstance(fact, CampaignOpened):
            item.state, item.households = "open", fact.households
        elif isinstance(fact, CampaignClosed):
            item.state = "closed"
        rows[key] = Row(key, _encode(item), ALL, descending(item.position))


CAMPAIGNS = Campaigns()


def campaigns(store: Source, cursor: str | None, limit: int) -> dict[str, Any]:
    """``{items, next, position}``: every campaign, newest first."""
    return paged(store, CAMPAIGNS, [ALL], cursor, limit)
