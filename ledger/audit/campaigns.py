"""Campaigns again (重新核对走访): their steps, their frames, and the visits in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import get_args
from uuid import UUID

from ledger import access
from ledger.audit.actors import Actors
from ledger.audit.findings import Finding, found
from ledger.audit.spilled import Spilled
from ledger.campaigns.campaign import (
    Campaign,
    CampaignClosed,
    CampaignOpened,
    CampaignPlanned,
    CampaignStep,
    ShowHeld,
    StockAllotted,
)
from ledger.campaigns.frame import HouseholdListed, door_id, elsewhere
from ledger.campaigns.streets import StreetLogged, street_id
from ledger.contributions.visit import Outcome
from ledger.contributions.visits import VisitRecorded
from ledger.days import LATE_DAYS_MAX, corrected, reward_day
from ledger.districts import Districts
from ledger.facts import Entry

RIGHTS = access.RIGHTS
OUTCOMES = frozenset(get_args(Outcome))
# Which steps a campaign in each state may take.
STEPS: dict[str, tuple[type[CampaignStep], ...]] = {
    "unknown": (CampaignPlanned,),
    "planned": (StockAllotted, CampaignOpened),
    "open": (StockAllotted, ShowHeld, CampaignClosed),
    "closed": (),
}


class Campaigns:
    """Campaigns and their frames, as the facts so far say."""

    def __init__(self, actors: Actors, tree: Callable[[], Districts | None]) -> None:
        self._actors, self._tree = actors, tree
        self._campaigns: dict[UUID, Campaign] = {}
        self._doors: Spilled[UUID, tuple[str, tuple[str, ...]]] = Spilled()
        self._listed: dict[UUID, int] = {}
        self._paths: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._lost: set[UUID | None] = set()
        self._lost_rows = 0
        # Visits right before this where nobody was home: when, by whom, of what; and how many.
        self._logging: tuple[datetime, UUID, UUID | None] | None = None
        self._visits = 0
        self._lost_before = False

    def check(self, entry: Entry) -> Iterator[Finding]:
        """What is wrong with the next entry; nothing for other facts."""
        fact = entry.fact
        if not isinstance(fact, StreetLogged):
            self._count(entry)
        if self._is_lost(entry):
            return
        if isinstance(fact, CampaignStep):
            yield from self._step(entry, fact)
        elif isinstance(fact, HouseholdListed):
            yield from self._household(entry, fact)
        elif isinstance(fact, VisitRecorded) and fact.campaign_id is not None:
            yield from self._visit(entry, fact)
        elif isinstance(fact, StreetLogged):
            yield from self._street(entry, fact)

    def lost(self, originator: UUID | None) -> None:
        """A row could not be read: nothing more is said of its campaign, its door or its street."""
        self._lost.add(originator)
        self._lost_rows += 1
        self._logging, self._visits, self._lost_before = None, 0, True

    def _is_lost(self, entry: Entry) -> bool:
        fact = entry.fact
        steps = isinstance(fact, CampaignStep)
        campaign = entry.originator_id if steps else getattr(fact, "campaign_id", None)
        return None in self._lost or (campaign is not None and campaign in self._lost)

    def _count(self, entry: Entry) -> None:
        fact, before = entry.fact, self._logging
        self._logging, self._lost_before = None, False
        if isinstance(fact, VisitRecorded) and fact.outcome == "nobody_home":
            self._logging = entry.recorded_at, fact.participant_id, fact.campaign_id
        self._visits = self._visits + 1 if self._logging == before else 1

    def _step(self, entry: Entry, fact: CampaignStep) -> Iterator[Finding]:
        campaign = self._campaigns.get(entry.originator_id, Campaign())
        if type(fact) not in STEPS[campaign.state]:
            yield found("CAMPAIGN", entry.position, f"{fact.topic}: {campaign.state}")
            return
        listed = self._listed.get(entry.originator_id, 0)
        most = listed + self._lost_rows
        if isinstance(fact, CampaignOpened) and not listed <= fact.households <= most:
            yield found("CAMPAIGN", entry.position, f"{fact.households} ≠ {listed} households")
        right = "campaigns.show" if isinstance(fact, ShowHeld) else "campaigns.manage"
        places = campaign.planned.districts if campaign.planned else ()
        if isinstance(fact, CampaignPlanned | ShowHeld):
            places = fact.districts
        tree = self._tree()
        if tree and isinstance(fact, CampaignPlanned) and places != tree.path(fact.plan.district):
            yield found("CAMPAIGN", entry.position, f"{fact.plan.district} is not in {places}")
        yield from self._actors.holder(entry, fact.by, RIGHTS[right], places)
        self._campaigns[entry.originator_id] = campaign.with_entries([entry])

    def _household(self, entry: Entry, fact: HouseholdListed) -> Iterator[Finding]:
        campaign = self._campaigns.get(fact.campaign_id, Campaign())
        right = door_id(fact.campaign_id, fact.household)
        if campaign.state != "planned" or entry.originator_id != right or right in self._doors:
            yield found("FRAME", entry.position, f"{fact.household}: {campaign.state}")
            return
        tree = self._tree()
        if tree and (
            elsewhere(fact.grid, campaign.plan.district, tree)
            or fact.districts != tree.path(fact.grid)
        ):
            yield found("FRAME", entry.position, f"{fact.household}: {fact.grid} is no such grid")
        path = self._paths.setdefault(fact.districts, fact.districts)  # One tuple for a grid.
        self._doors[right] = (fact.grid, path)
        self._listed[fact.campaign_id] = self._listed.get(fact.campaign_id, 0) + 1

    def _street(self, entry: Entry, fact: StreetLogged) -> Iterator[Finding]:
        """One command is one street, of a campaign, by somebody who logs visits, and did."""
        one = entry.recorded_at, fact.by, fact.campaign_id  # A commit has one moment.
        visits = self._visits if self._logging == one else 0
        self._logging = None
        if not (self._lost_before or visits) or visits > fact.households:
            yield found("VISIT", entry.position, f"a street of {fact.households}: {visits} visits")
        if (entry.originator_id, entry.originator_version) != (street_id(fact.command_id), 1):
            yield found("OUT_OF_PLACE", entry.position, fact.topic)
        if fact.campaign_id not in self._campaigns:
            yield found("VISIT", entry.position, f"a street of {fact.campaign_id}: no campaign")
        yield from self._actors.holder(entry, fact.by, RIGHTS["visits.log"])

    def _visit(self, entry: Entry, fact: VisitRecorded) -> Iterator[Finding]:
        assert fact.campaign_id is not None
        campaign = self._campaigns.get(fact.campaign_id, Campaign())
        moment = corrected(
            fact.claimed_at or entry.recorded_at, fact.sent_at, entry.recorded_at
        )
        if fact.household is None and fact.grid is None and campaign.planned is None:
            return  # As visits were before there were campaigns.
        if not campaign.takes(moment):
            yield found("VISIT", entry.position, f"the campaign is {campaign.state}")
            return
        if fact.earned_on != reward_day(moment, entry.recorded_at, LATE_DAYS_MAX):
            yield found("REWARD_DAY", entry.position, f"{fact.earned_on}")
        plan = campaign.plan
        named = set(fact.materials) if plan.materials else set[str]()
        topics = set(fact.topics) if plan.topics else set[str]()
        if (
            fact.outcome not in OUTCOMES or not named <= set(plan.materials)
            or not topics <= set(plan.topics)
        ):  # fmt: skip
            yield found("VISIT", entry.position, "outcome, material or topic of no plan")
        place = door_id(fact.campaign_id, fact.household or "")
        if place in self._lost:
            return
        door = self._doors.get(place)
        if door != (fact.grid, fact.districts):
            yield found("VISIT", entry.position, f"{fact.household} of {fact.grid}: no such door")
        elif fact.role_district is not None and fact.role_district not in fact.districts:
            yield found("VISIT", entry.position, f"{fact.grid} is not in {fact.role_district}")
