"""Coverage (走访覆盖率): how far a campaign has come, and which doors are still to be visited."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routing import Cursor, Limit, MinPosition, Routes, answer, link_next, page, reached
from api.shapes import DistrictCode
from ledger import access
from ledger.campaigns.errors import UnknownCampaign
from ledger.errors import Erased, FieldError, Forbidden, InvalidInput, NotFound
from projections.coverage_rows import Counts, Household
from projections.paging import CITY

VIEW = "coverage"
PLACES, WORKERS, DAYS = "place", "worker", "day"

By = Literal["grid", "town", "zone", "county", "city", "place", "worker", "day"]

routes = Routes("coverage", __name__, description="How far a campaign has come")


class Asked(msgspec.Struct):
    """Whose coverage, and by what it is broken down."""

    by: Annotated[By, msgspec.Meta(
        description="Places of a kind, all `place`s, the workers, or the days"
    )] = "grid"  # fmt: skip
    district: Annotated[DistrictCode | None, msgspec.Meta(
        description="One's own district if none is named"
    )] = None  # fmt: skip
    cursor: Cursor = None
    limit: Limit = 50
    min_position: MinPosition = 0


class Covered(msgspec.Struct, kw_only=True):
    """Counts of a place, a worker or a day; ``coverage`` is met ÷ frame, ``attempted_rate`` alike.

    ``frame`` and the rates are of places alone. A household counts once for a place; for a worker
    or a day, once if that worker met it, or it was met on that day.
    """

    of: str
    frame: int
    attempted: int
    met: int
    revisit_due: int
    visits: int
    outcomes: dict[str, int]
    given: dict[str, int]
    stock: dict[str, int]
    shows: int
    headcount: int
    coverage: float | None
    attempted_rate: float | None


class CoverageAnswer(Covered, kw_only=True):
    """The whole, and a page of its parts; ``of`` null is the whole campaign."""

    campaign_id: UUID
    of: str | None  # type: ignore[assignment]
    by: By
    items: list[Covered]
    next: str | None
    position: int


class Doors(msgspec.Struct):
    """Which grid's households."""

    grid: Annotated[DistrictCode | None, msgspec.Meta(
        description="One's own district if none is named"
    )] = None  # fmt: skip
    cursor: Cursor = None
    limit: Limit = 50
    min_position: MinPosition = 0


class Door(msgspec.Struct, kw_only=True):
    """A household to be visited; ``address`` is null without one, and once it was erased.

    ``state``: `not_visited`, `met`, `revisit`, or the outcome it was left with.
    """

    household: str
    grid: str
    state: str
    tries: int
    follow_up_on: str | None
    address: str | None


class DoorPage(msgspec.Struct, kw_only=True):
    """A page of the households of a grid, by number."""

    items: list[Door]
    next: str | None
    position: int


@routes.on(
    "GET", "/v1/campaigns/<uuid:id>/coverage", "coverage.read", query=Asked, name="get_coverage",
    answers=CoverageAnswer, summary="How far a campaign has come",
)  # fmt: skip
def coverage(id: UUID, query: Asked) -> Response:
    """In one's own district, or one below it; workers by name for those who direct them."""
    reached(VIEW, query.min_position)
    place = _place(id, query.district)
    if query.by == WORKERS and not access.allowed(actor(), "coverage.workers"):
        raise Forbidden
    if query.by in (WORKERS, DAYS) and not _whole(id, place):
        raise InvalidInput([FieldError(
            "by", "whole_campaign_only", "按网格员或按日的统计只有整个活动的。",
            "Workers and days are counted for the whole campaign only.",
        )])  # fmt: skip
    views = services().views
    position, whole = views.coverage(id, place)
    found = _parts(id, place, query)
    content = CoverageAnswer(
        campaign_id=id, by=query.by, items=[Covered(**_told(one)) for one in found["items"]],
        next=found["next"], position=min(position, found["position"]),
        **{**_told(whole), "of": place},
    )  # fmt: skip
    response = answer(content)
    if content.next:
        link_next(response, cursor=content.next)
    return response


@routes.on(
    "GET", "/v1/campaigns/<uuid:id>/households", "visits.edit", query=Doors, answers=DoorPage,
    name="list_households", summary="The doors of a grid, and which are still to be visited",
)  # fmt: skip
def households(id: UUID, query: Doors) -> Response:
    """For the workers and dispatchers of the grid, with addresses from the vault."""
    reached(VIEW, query.min_position)
    grid = query.grid or actor().district
    if grid is None or _place(id, grid) is None:
        raise NotFound
    found = services().views.households(id, grid, query.cursor, query.limit)
    return page({**found, "items": [_door(id, one) for one in found["items"]]})


def _place(campaign_id: UUID, district: str | None) -> str | None:
    """The place that is asked for, which must be the asker's; raises what refuses it."""
    here, who = services(), actor()
    if here.ledger.campaigns.current(campaign_id).planned is None:
        raise UnknownCampaign
    place = district or who.district
    if place is not None and not access.within(who, here.ledger.districts.current().path(place)):
        raise NotFound
    return place


def _whole(campaign_id: UUID, place: str | None) -> bool:
    """Whether a place holds all of a campaign."""
    planned = services().ledger.campaigns.current(campaign_id).planned
    return place is None or (planned is not None and place in planned.districts)


def _parts(campaign_id: UUID, place: str | None, query: Asked) -> dict[str, Any]:
    """A page of parts; of places those of the kind asked for, within the place asked for."""
    views = services().views
    if query.by in (WORKERS, DAYS):
        found = views.coverage_rows(campaign_id, query.by, query.cursor, query.limit)
        return {**found, "items": [msgspec.convert(one, Counts) for one in found["items"]]}
    return views.coverage_places(
        campaign_id, lambda counts: _wanted(counts, place, query.by), f"{query.by}/{place}",
        query.cursor, query.limit,
    )  # fmt: skip


def _wanted(counts: Counts, place: str | None, by: str) -> bool:
    if counts.of == CITY or (place is not None and place not in (counts.of, *counts.above)):
        return False
    known = services().ledger.districts.current().by_code.get(counts.of)
    # Where no districts were imported every place with households is a grid.
    return by == PLACES or (known.kind if known else "grid") == by


def _told(counts: Counts) -> dict[str, Any]:
    told = {name: value for name, value in msgspec.structs.asdict(counts).items()
            if name != "above"}  # fmt: skip
    frame = counts.frame
    return told | {
        "coverage": round(counts.met / frame, 4) if frame else None,
        "attempted_rate": round(counts.attempted / frame, 4) if frame else None,
    }


def _door(campaign_id: UUID, one: Household) -> Door:
    try:
        address = services().ledger.address_of(campaign_id, one.household)
    except Erased:
        address = None
    return Door(
        household=one.household, grid=one.grid, state=one.state, tries=len(one.visits),
        follow_up_on=one.follow_up_on, address=address,
    )  # fmt: skip
