"""Coverage (走访覆盖率): how far a campaign has come, and which doors are still to be visited."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal
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
PLACES: Final = "place"
WORKERS, DAYS = "worker", "day"
OF_PLACES = ("frame", "revisit_due", "stock", "shows", "headcount")

By = Literal["grid", "town", "zone", "county", "city", "place", "worker", "day"]

routes = Routes("coverage", __name__, description="How far a campaign has come")


class Asked(msgspec.Struct):
    """Whose coverage, and by what it is broken down."""

    by: Annotated[By, msgspec.Meta(
        description="Places of a kind, all `place`s, the workers, or the days, in the district"
    )] = "grid"  # fmt: skip
    district: Annotated[DistrictCode | None, msgspec.Meta(
        description="One's own district if none is named"
    )] = None  # fmt: skip
    on: Annotated[date | None, msgspec.Meta(
        description="With `by=worker`: what the workers did on this day of Asia/Shanghai"
    )] = None  # fmt: skip
    cursor: Cursor = None
    limit: Limit = 50
    min_position: MinPosition = 0


class Covered(msgspec.Struct, kw_only=True):
    """Counts of a place, a worker or a day; ``coverage`` is met ÷ frame, ``attempted_rate`` alike.

    A household counts once for a place, that of its listing; for a worker or a day of a place, once
    if that worker met it, or it was met on that day. A worker's are the visits that worker logged:
    who came along is told by the visit. `revisit_due` are households where somebody must come
    again, on whatever day: nobody was home, and they were not tried twice at times four hours
    apart; or a promise to come again (`follow_up_on`) was not kept, also by who was met. `stock` is
    what a grid was allotted, and the sum of that above it; the campaign's own place (unless it is a
    grid that was allotted some), and those above it, have all that was planned. `frame`,
    `revisit_due`, `stock`, `shows`, `headcount` and the rates are of places alone, else null.
    """

    of: str
    frame: int | None
    attempted: int
    met: int
    revisit_due: int | None
    visits: int
    outcomes: dict[str, int]
    given: dict[str, int]
    stock: dict[str, int] | None
    shows: int | None
    headcount: int | None
    coverage: float | None
    attempted_rate: float | None


class CoverageAnswer(Covered, kw_only=True):
    """A place, and a page of its parts; ``of`` null is the whole campaign.

    The place's own counts are of all days, also where its workers are asked for ``on`` one.
    """

    campaign_id: UUID
    of: str | None  # type: ignore[assignment]
    by: By
    on: date | None
    items: list[Covered]
    next: str | None
    position: int


class Doors(msgspec.Struct):
    """Which grid's households."""

    grid: Annotated[DistrictCode | None, msgspec.Meta(
        description="One's own district if none is named"
    )] = None  # fmt: skip
    due_by: Annotated[date | None, msgspec.Meta(
        description="Only those to be visited again by this day of Asia/Shanghai: where nobody was "
        "home yet, and where somebody promised to come on that day or before"
    )] = None  # fmt: skip
    cursor: Cursor = None
    limit: Limit = 50
    min_position: MinPosition = 0


class Door(msgspec.Struct, kw_only=True):
    """A household to be visited; ``address`` is null without one, and once it was erased.

    ``state``: `not_visited`, `met`, `revisit` (nobody was home, to be tried again), or the outcome
    of the latest visit that was made there, whenever it arrived; `nobody_home` only where nobody
    ever was. ``tries`` are visits at least four hours apart. ``follow_up_on`` is the first day that
    was promised and not kept: nobody has come since, on that day or later. Who moved away
    meanwhile, or a house found empty, is waited for no more.
    """

    household: str
    grid: str
    state: str
    tries: int
    follow_up_on: date | None
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
    """In one's own district, or one below it; workers by id for those who direct them.

    Workers and days are those of visits to the households of that district. A day is the one a
    visit is rewarded for: when it was made, within the days in which it may be sent in.
    """
    reached(VIEW, query.min_position)
    place = _place(id, query.district)
    _check(query)
    views = services().views
    position, whole = views.coverage(id, place)
    found = _parts(id, place, query)
    content = CoverageAnswer(
        campaign_id=id, by=query.by, on=query.on,
        items=[Covered(**_told(one, query.by)) for one in found["items"]],
        next=found["next"], position=min(position, found["position"]),
        **{**_told(whole, PLACES), "of": place},
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
    grid = _place(id, query.grid, "grid")
    if grid is None:
        raise NotFound
    found = services().views.households(id, grid, query.cursor, query.limit, query.due_by)
    return page({**found, "items": [_door(id, one) for one in found["items"]]})


def _place(campaign_id: UUID, district: str | None, field: str = "district") -> str | None:
    """The place that is asked for, which must be the asker's; raises what refuses it."""
    here, who = services(), actor()
    if here.ledger.campaigns.current(campaign_id).planned is None:
        raise UnknownCampaign
    place, tree = district or who.district, here.ledger.districts.current()
    tree.check(district, field)
    own = who.district in (None, place)
    if not own and (place is None or not access.within(who, path_of(campaign_id, place))):
        raise NotFound
    return place


def path_of(campaign_id: UUID, place: str) -> tuple[str, ...]:
    """The path of a place: in the campaign as its households were listed, else as of today."""
    _, counts = services().views.coverage(campaign_id, place)
    if counts.empty:
        return services().ledger.districts.current().path(place)
    return place, *counts.above


def _check(query: Asked) -> None:
    """Raises Forbidden where workers are not to be told of, InvalidInput for a day of places."""
    if query.by == WORKERS and not access.allowed(actor(), "coverage.workers"):
        raise Forbidden
    if query.on and query.by != WORKERS:
        raise InvalidInput([FieldError(
            "on", "only_by_worker", "只有按网格员统计（by=worker）时才能指定某一日。",
            "A day can be asked for together with by=worker only.",
        )])  # fmt: skip


def _parts(campaign_id: UUID, place: str | None, query: Asked) -> dict[str, Any]:
    """A page of the workers or days of a place, or of the places of a kind within it."""
    views = services().views
    if query.by == WORKERS:
        return views.coverage_workers(campaign_id, place, query.on, query.cursor, query.limit)
    if query.by == DAYS:
        return views.coverage_days(campaign_id, place, query.cursor, query.limit)
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


def _told(counts: Counts, by: By) -> dict[str, Any]:
    told = {name: value for name, value in msgspec.structs.asdict(counts).items()
            if name in Covered.__struct_fields__}  # fmt: skip
    if by in (WORKERS, DAYS):
        told |= dict.fromkeys(OF_PLACES)
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
        household=one.household, grid=one.grid, state=one.state, tries=one.tries,
        follow_up_on=one.follow_up_on, address=address,
    )  # fmt: skip
