"""Stocks again (重新清点物品): what each fact takes of a campaign's materials, and of its frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from ledger.audit.spilled import Spilled
from ledger.campaigns.campaign import (
    Campaign,
    CampaignStep,
    ShowHeld,
    StockAllotted,
    frame_key,
    stock_limits,
)
from ledger.campaigns.frame import HouseholdListed
from ledger.contributions.visits import (
    OfVisit,
    VisitAnnulled,
    VisitEdited,
    VisitRecorded,
    VisitWithdrawn,
)
from ledger.facts import Entry


class Taken(NamedTuple):
    """So much of a shared amount, of which there is ``limit`` in all (None: no end)."""

    key: str
    amount: int
    limit: int | None


class Stocks:
    """Campaigns, and what every visit had handed out so far."""

    def __init__(self) -> None:
        self._campaigns: dict[UUID, Campaign] = {}
        # By visit: grid and materials.
        self._handed: Spilled[UUID, tuple[str, dict[str, int]]] = Spilled()

    def taken(self, entry: Entry) -> Iterator[Taken]:
        """What a fact takes of which shared amounts; negative where it gives back."""
        fact = entry.fact
        if isinstance(fact, HouseholdListed):
            yield Taken(frame_key(fact.campaign_id), 1, None)
        elif isinstance(fact, CampaignStep):
            known = self._campaigns.get(entry.originator_id, Campaign())
            if isinstance(fact, ShowHeld):
                yield from self._moved(entry.originator_id, fact.grid or "", fact.materials)
            self._campaigns[entry.originator_id] = after = known.with_entries([entry])
            if isinstance(fact, StockAllotted) and after.planned is not None:
                limits = stock_limits(entry.originator_id, after, fact.grid, fact.material)
                for key, limit in limits.items():
                    yield Taken(key, 0, limit)
        elif isinstance(fact, VisitRecorded | OfVisit) and fact.campaign_id is not None:
            yield from self._visit(entry, fact.campaign_id)

    def _visit(self, entry: Entry, campaign_id: UUID) -> Iterator[Taken]:
        fact, visit = entry.fact, entry.originator_id
        if isinstance(fact, VisitRecorded):
            self._handed[visit] = (fact.grid or "", {})
        if visit not in self._handed:
            return
        grid, before = self._handed[visit]
        after = before
        if isinstance(fact, VisitRecorded):
            after = fact.materials
        elif isinstance(fact, VisitEdited):
            after = before | fact.effective().get("materials", {})
        elif isinstance(fact, VisitWithdrawn | VisitAnnulled):
            after = {}
        kinds = sorted(before.keys() | after.keys())
        more = {kind: after.get(kind, 0) - before.get(kind, 0) for kind in kinds}
        yield from self._moved(campaign_id, grid, more)
        self._handed[visit] = (grid, after)

    def _moved(
        self, campaign_id: UUID, grid: str, materials: Mapping[str, int]
    ) -> Iterator[Taken]:
        campaign = self._campaigns.get(campaign_id)
        if campaign is None or campaign.planned is None:
            return
        for kind, count in materials.items():
            if count == 0:
                continue  # Nothing moves, so nothing is over that was not before.
            for key, limit in stock_limits(campaign_id, campaign, grid, kind).items():
                yield Taken(key, count, limit)
