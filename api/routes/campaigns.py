"""Campaigns (走访活动): planned, opened, closed; their stock and their shows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routing import Cursor, Limit, MinPosition, Routes, answer, page, reached
from api.schemas import body_sent
from api.shapes import Command, DistrictCode, Fresh, Name
from ledger import access
from ledger.campaigns.campaign import (
    MATERIALS_MAX,
    TOPICS_MAX,
    Campaign,
    Code,
    Count,
    Plan,
    ShowKind,
)
from ledger.campaigns.errors import UnknownCampaign
from ledger.campaigns.planning import CampaignReceipt, Show
from ledger.campaigns.questionnaire import Question, Questionnaire
from ledger.participants import Actor

VIEW = "campaigns"
HEADCOUNT_MAX = 100_000

Materials = Annotated[dict[Code, Count], msgspec.Meta(max_length=MATERIALS_MAX)]

routes = Routes("campaigns", __name__, description="Household visits, planned and counted")


class NewCampaign(msgspec.Struct, kw_only=True):
    """What a campaign is about; without ``district`` it is for the whole of one's own.

    Opening and closing decide when visits count, whatever was announced. ``starts_on`` keeps out
    visits that claim to be from before it (or, opened earlier, from before the day before its
    opening). ``ends_on`` is the last day that is announced: once it is over the campaign cannot be
    opened any more, but an open one takes visits until it is closed.
    ``materials`` is the stock of what is handed out, by kind; empty: nothing is counted.
    ``questionnaire`` has at most 48,000 bytes, as JSON in UTF-8: 60 questions of five options in
    two languages, or 15 of thirty.
    """

    name: Name
    district: DistrictCode | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    topics: Annotated[tuple[Code, ...], msgspec.Meta(max_length=TOPICS_MAX)] = ()
    materials: Materials = {}
    questionnaire: Questionnaire = ()


class Allotment(msgspec.Struct, kw_only=True):
    """How many of a kind a grid has in all."""

    grid: DistrictCode
    material: Code
    count: Count


class NewShow(msgspec.Struct, kw_only=True):
    """A show (送戏下乡), a talk or an exhibition, and how many came."""

    kind: ShowKind
    held_on: date
    headcount: Annotated[int, msgspec.Meta(ge=0, le=HEADCOUNT_MAX)]
    grid: DistrictCode | None = None
    materials: Materials = {}


class CampaignAnswer(msgspec.Struct, kw_only=True):
    """A campaign as it stands."""

    id: UUID
    name: str
    state: str
    district: str | None
    starts_on: date | None
    ends_on: date | None
    opened_at: datetime | None
    closed_at: datetime | None
    households: int
    shows: int
    topics: tuple[str, ...]
    materials: dict[str, int]
    questionnaire: tuple[Question, ...]
    allowed_actions: list[str]


class CampaignRecorded(CampaignAnswer, kw_only=True):
    """A campaign right after a command; ``households`` are counted from its opening on."""

    position: int


class CampaignItem(msgspec.Struct, kw_only=True):
    """A campaign in the list."""

    id: UUID
    name: str
    state: str
    district: str | None
    households: int
    position: int


class CampaignPage(msgspec.Struct, kw_only=True):
    """A page of campaigns, newest first."""

    items: list[CampaignItem]
    next: str | None
    position: int


class Listing(msgspec.Struct):
    """A page of campaigns."""

    cursor: Cursor = None
    limit: Limit = 20
    min_position: MinPosition = 0


@routes.on("POST", "/v1/campaigns", "campaigns.manage", body=NewCampaign,
           answers=CampaignRecorded, status=(201, 200), summary="Plan a campaign")  # fmt: skip
def plan_campaign(body: tuple[UUID, NewCampaign]) -> Response:
    """Its households are imported next (`gwc import households`); then it is opened."""
    here = services()
    submission_id, wanted = body
    plan = Plan(**msgspec.structs.asdict(wanted))
    return _recorded(
        here.ledger.plan_campaign(actor(), plan, body_sent(), submission_id, here.clock())
    )


@routes.on("GET", "/v1/campaigns", "campaigns.read", query=Listing, answers=CampaignPage,
           summary="Every campaign, newest first")  # fmt: skip
def list_campaigns(query: Listing) -> Response:
    """The list is a view; ask with `min_position` for one that was just planned."""
    reached(VIEW, query.min_position)
    return page(services().views.campaigns(query.cursor, query.limit))


@routes.on("GET", "/v1/campaigns/<uuid:id>", "campaigns.read", query=Fresh,
           answers=CampaignAnswer, summary="One campaign as it stands")  # fmt: skip
def get_campaign(id: UUID, query: Fresh) -> Response:  # noqa: ARG001 - it is always fresh
    """With its questionnaire, from which a phone makes its form."""
    campaign = services().ledger.campaigns.current(id)
    if campaign.planned is None:
        raise UnknownCampaign
    frame = services().ledger.households_listed(id)
    return answer(CampaignAnswer(**_told(id, campaign, actor(), frame)))


@routes.on("POST", "/v1/campaigns/<uuid:id>/open", "campaigns.manage", body=Command,
           answers=CampaignRecorded, status=(201, 200), summary="Open a campaign")  # fmt: skip
def open_campaign(id: UUID, body: tuple[UUID, Command]) -> Response:
    """From here on visits count and the frame of households stands still."""
    here = services()
    return _recorded(
        here.ledger.open_campaign(actor(), id, body_sent(), body[0], here.clock())
    )


@routes.on("POST", "/v1/campaigns/<uuid:id>/close", "campaigns.manage", body=Command,
           answers=CampaignRecorded, status=(201, 200), summary="Close a campaign")  # fmt: skip
def close_campaign(id: UUID, body: tuple[UUID, Command]) -> Response:
    """What was visited before may still be sent in by phones that had no signal."""
    here = services()
    return _recorded(
        here.ledger.close_campaign(actor(), id, body_sent(), body[0], here.clock())
    )


@routes.on(
    "POST", "/v1/campaigns/<uuid:id>/stock", "campaigns.manage", body=Allotment,
    answers=CampaignRecorded, status=(201, 200), summary="Allot stock to a grid",
)  # fmt: skip
def allot_stock(id: UUID, body: tuple[UUID, Allotment]) -> Response:
    """How many of a kind a grid has in all; the next word on it replaces this one."""
    here = services()
    submission_id, one = body
    return _recorded(here.ledger.allot_stock(
        actor(), id, one.grid, one.material, one.count, body_sent(), submission_id, here.clock()
    ))  # fmt: skip


@routes.on(
    "POST", "/v1/campaigns/<uuid:id>/shows", "campaigns.show", body=NewShow,
    answers=CampaignRecorded, status=(201, 200), summary="Note a show or a talk",
)  # fmt: skip
def hold_show(id: UUID, body: tuple[UUID, NewShow]) -> Response:
    """送戏下乡 and the like: how many came, and what was handed out of the stock."""
    here = services()
    submission_id, one = body
    show = Show(**msgspec.structs.asdict(one))
    return _recorded(
        here.ledger.hold_show(actor(), id, show, body_sent(), submission_id, here.clock())
    )


def _recorded(receipt: CampaignReceipt) -> Response:
    # Of how many were listed by then no fact tells, and a replay must be the first answer.
    frame = receipt.campaign.households
    content = CampaignRecorded(
        **_told(receipt.id, receipt.campaign, actor(), frame), position=receipt.position
    )
    return answer(content, 200 if receipt.replayed else 201, replayed=receipt.replayed)


def _told(campaign_id: UUID, campaign: Campaign, who: Actor, frame: int) -> dict[str, Any]:
    plan = campaign.plan
    return {
        "id": campaign_id, "name": plan.name, "state": campaign.state, "district": plan.district,
        "starts_on": plan.starts_on, "ends_on": plan.ends_on, "opened_at": campaign.opened_at,
        "closed_at": campaign.closed_at, "households": frame, "shows": campaign.shows,
        "topics": plan.topics, "materials": plan.materials,
        "questionnaire": plan.questionnaire, "allowed_actions": _actions(campaign, who),
    }  # fmt: skip


def _actions(campaign: Campaign, who: Actor) -> list[str]:
    """What the asker may do with it now."""
    reaches = services().ledger.reaches
    managing = {"planned": ["open", "stock"], "open": ["close", "stock", "shows"], "closed": []}
    may = reaches(who, campaign, part=False) and access.allowed(who, "campaigns.manage")
    allowed = managing[campaign.state] if may else []
    part = reaches(who, campaign, part=True)
    if campaign.state == "open" and part and access.allowed(who, "campaigns.show"):
        allowed = list(dict.fromkeys([*allowed, "shows"]))
    return allowed
