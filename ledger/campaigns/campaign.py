"""A campaign (走访活动) as it stands: planned with a frame, opened once, closed once.

The frame (走访底册) is frozen when the campaign opens: coverage means nothing while the list of
those who are to be visited still moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from ledger.campaigns.questionnaire import Question, Questionnaire
from ledger.commands import Signed
from ledger.days import SHANGHAI, day_of
from ledger.facts import Entry, stored_as

TOPICS_MAX, MATERIALS_MAX = 30, 20
EARLY = timedelta(days=1)
ShowKind = Literal["opera", "talk", "exhibition", "other"]

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=r"\S")]
# A code of the plan's, and not a sentence, a phone's or an identity card's number.
Code = Annotated[str, msgspec.Meta(max_length=60, pattern=r"^(?!.*\d{7})[\w.-]+$(?!\n)")]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign says of itself.

    ``starts_on`` keeps out visits that claim to be from before; else opening and closing decides.
    ``ends_on`` is what is announced: once it is over none is opened any more, but one that is open
    takes visits until somebody closes it.
    ``materials`` is what is handed out (宣传册, 宣传品), by kind, and how many of each there are;
    where it is empty anything may be noted, and nothing is counted against a stock.
    """

    name: Name
    district: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    topics: Annotated[tuple[Code, ...], msgspec.Meta(max_length=TOPICS_MAX)] = ()
    materials: Annotated[dict[Code, Count], msgspec.Meta(max_length=MATERIALS_MAX)] = {}
    questionnaire: Questionnaire = ()


class CampaignStep(Signed, frozen=True):
    """Base of the facts about a campaign."""


@stored_as(
    "campaign.planned",
    zh="{by} 策划走访活动 {originator}“{plan.name}”（{plan.starts_on} 至 {plan.ends_on}）",
    en="{by} planned the campaign {originator}, “{plan.name}” ({plan.starts_on} to {plan.ends_on})",
)
class CampaignPlanned(CampaignStep, frozen=True):
    """A campaign, with the path of its district, lowest first."""

    plan: Plan
    districts: tuple[str, ...] = ()


@stored_as(
    "campaign.opened",
    zh="{by} 启动走访活动 {originator}，共 {households} 户",
    en="{by} opened the campaign {originator} with {households} households",
)
class CampaignOpened(CampaignStep, frozen=True):
    """From here on visits count, and the frame stands still."""

    households: int


@stored_as(
    "campaign.closed",
    zh="{by} 结束走访活动 {originator}",
    en="{by} closed the campaign {originator}",
)
class CampaignClosed(CampaignStep, frozen=True):
    """What was visited before is still taken in afterwards; nothing later is."""


@stored_as(
    "campaign.stock-allotted",
    zh="{by} 给网格 {grid} 配发“{material}”，累计 {count} 份（走访活动 {originator}）",
    en="{by} allotted {count} of “{material}” in all to the grid {grid} (campaign {originator})",
)
class StockAllotted(CampaignStep, frozen=True):
    """A grid has so many of a kind in all; more later is another fact with the new sum."""

    grid: str
    material: str
    count: int
    districts: tuple[str, ...] = ()


@stored_as(
    "campaign.show-held",
    zh="{by} 登记 {held_on} 举办的{kind}，到场 {headcount} 人（走访活动 {originator}）",
    en="{by} noted {kind} held on {held_on} with {headcount} people (campaign {originator})",
)
class ShowHeld(CampaignStep, frozen=True):
    """送戏下乡, a talk, an exhibition: how many came, and what was handed out."""

    kind: str
    held_on: date
    headcount: int
    grid: str | None = None
    districts: tuple[str, ...] = ()
    materials: dict[str, int] = {}


class Campaign(msgspec.Struct):
    """A campaign folded from its facts: ``unknown``, ``planned``, ``open`` or ``closed``."""

    version: int = 0
    state: str = "unknown"
    planned: CampaignPlanned | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    households: int = 0
    allotted: dict[tuple[str, str], int] = {}
    shows: int = 0
    commands: dict[UUID, tuple[str, int]] = {}  # digest of the body, and position

    @property
    def plan(self) -> Plan:
        """What it says of itself; only of one that was planned."""
        assert self.planned is not None
        return self.planned.plan

    @property
    def questions(self) -> tuple[Question, ...]:
        return self.plan.questionnaire

    def with_entries(self, entries: Sequence[Entry]) -> Campaign:
        """The campaign after more of its facts; this one stays as it is."""
        after = msgspec.structs.replace(
            self, allotted=dict(self.allotted), commands=dict(self.commands)
        )
        for entry in entries:
            after._apply(entry)
        return after

    def _apply(self, entry: Entry) -> None:
        fact, self.version = entry.fact, entry.originator_version
        if isinstance(fact, CampaignPlanned):
            self.planned, self.state = fact, "planned"
        elif isinstance(fact, CampaignOpened):
            self.state, self.opened_at = "open", entry.recorded_at
            self.households = fact.households
        elif isinstance(fact, CampaignClosed):
            self.state, self.closed_at = "closed", entry.recorded_at
        elif isinstance(fact, StockAllotted):
            self.allotted[fact.grid, fact.material] = fact.count
        elif isinstance(fact, ShowHeld):
            self.shows += 1
        if isinstance(fact, CampaignStep):
            self.commands[fact.command_id] = (fact.body_digest, entry.position)

    def takes(self, moment: datetime) -> bool:
        """Whether a visit made at a moment is taken in; once it was opened, whenever it arrives.

        Phones without signal send it in after the closing: then only nothing later is taken. Where
        a beginning was announced none may claim to be from before it, or from before the day before
        it was opened if that was earlier: old days' caps are not for it to collect.
        """
        if self.opened_at is None or (self.closed_at is not None and moment > self.closed_at):
            return False
        if self.plan.starts_on is None:
            return True
        return moment >= datetime.combine(self.first_day, time(0), SHANGHAI)

    @property
    def first_day(self) -> date:
        """The announced one, or the day before it was opened if that was earlier."""
        assert self.opened_at is not None
        early = day_of(self.opened_at - EARLY)
        return min(self.plan.starts_on or early, early)


def frame_key(campaign_id: UUID) -> str:
    """The store's name for how many households a frame has."""
    return f"frame/{campaign_id}"


def stock_limits(
    campaign_id: UUID, campaign: Campaign, grid: str | None, material: str
) -> Mapping[str, int | None]:
    """The store's names of the stocks a thing comes out of, and how many each has in all.

    The campaign's own, and the grid's, which is counted before anything is allotted to it (None:
    no end yet), so that what is allotted later bounds all of it. None where nothing is counted.
    """
    limits = campaign.plan.materials
    if not limits:
        return {}
    keys: dict[str, int | None] = {f"material/{campaign_id}/{material}": limits.get(material, 0)}
    if grid:
        keys[f"material/{campaign_id}/{material}/{grid}"] = campaign.allotted.get((grid, material))
    return keys
