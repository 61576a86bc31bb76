"""Trails (打卡线路): where one checks in, and who publishes, pauses, resumes and closes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routing import Cursor, Limit, Routes, answer, page
from api.schemas import body_sent
from api.shapes import Command, DistrictCode
from ledger import access
from ledger.participants import Actor
from ledger.trails.trails import Circle, Order, PauseReason, Point, Trail
from ledger.trails.wanted import NewTrail
from ledger.trails.waymarking import TrailReceipt
from projections import cursor as cursors
from projections.view import descending

LISTING = "trails"
ACTIONS = {"open": ["pause", "close"], "paused": ["resume", "close"], "closed": list[str]()}

routes = Routes("trails", __name__, description="Trails by the water, to check in along")


class Listing(msgspec.Struct):
    """A page of trails, newest first."""

    district: Annotated[DistrictCode | None, msgspec.Meta(
        description="Trails of this district and of those it lies in"
    )] = None  # fmt: skip
    open: Annotated[bool, msgspec.Meta(
        description="`true`: without the closed; `false`: the closed as well"
    )] = True  # fmt: skip
    cursor: Cursor = None
    limit: Limit = 20


class PauseTrail(msgspec.Struct):
    """Why nobody shall walk it for now."""

    reason: PauseReason


class PointAnswer(msgspec.Struct, kw_only=True):
    """A point; one checks in within ``place`` (WGS-84), or where ``code`` is true by its code."""

    id: str
    name: str
    place: Circle | None
    code: bool


class TrailAnswer(msgspec.Struct, kw_only=True):
    """A trail as it stands; the codes of its points are told to nobody."""

    id: UUID
    name: str
    state: str
    paused_for: str | None
    order: Order
    finish_at: int
    points: list[PointAnswer]
    district: str | None
    starts_on: date | None
    ends_on: date | None
    published_at: datetime
    allowed_actions: list[str]


class TrailRecorded(TrailAnswer, kw_only=True):
    """A trail right after a command; ``codes`` are those made at its publication, by point."""

    position: int
    codes: dict[str, str]


class TrailPage(msgspec.Struct):
    """A page of trails; they are looked up in a register, which has no position."""

    items: list[TrailAnswer]
    next: str | None


@routes.on("GET", "/v1/trails", "trails.read", query=Listing, answers=TrailPage,
           summary="Trails to check in along")  # fmt: skip
def list_trails(query: Listing) -> Response:
    """Trails, newest first; those that are paused say why."""
    here = services()
    after, _ = cursors.read(LISTING, query.cursor)
    districts = here.ledger.districts.current()
    districts.check(query.district)
    path = {None, *districts.path(query.district)} if query.district else set()
    found = [
        (place, trail)
        for number, trail in enumerate(here.ledger.trails.current().trails.values())
        if (place := descending(number)) > after
        and (trail.closed_at is None or not query.open)
        and (not path or trail.plan.district in path)
    ]
    found.reverse()
    shown = found[: query.limit]
    following = cursors.write(LISTING, (shown[-1][0], "")) if len(found) > query.limit else None
    items = [TrailAnswer(**_told(trail, actor())) for _, trail in shown]
    return page({"items": items, "next": following})


@routes.on("GET", "/v1/trails/<uuid:id>", "trails.read", answers=TrailAnswer,
           summary="One trail as it stands")  # fmt: skip
def get_trail(id: UUID) -> Response:
    """With its points, so that a phone can check in at them without signal; closed ones as well."""
    trail = services().ledger.trails.current().trail(id)
    return answer(TrailAnswer(**_told(trail, actor())))


@routes.on("POST", "/v1/trails", "trails.manage", body=NewTrail, answers=TrailRecorded,
           status=(201, 200), summary="Publish a trail")  # fmt: skip
def publish_trail(body: tuple[UUID, NewTrail]) -> Response:
    """The codes that were made are in this answer and in no other; print them as QR codes.

    A `code` that was sent is not told again, to nobody.
    """
    here = services()
    submission_id, wanted = body
    return _recorded(
        here.ledger.publish_trail(actor(), wanted, body_sent(), submission_id, here.clock())
    )


@routes.on("POST", "/v1/trails/<uuid:id>/pause", "trails.manage", body=PauseTrail,
           answers=TrailRecorded, status=(201, 200), summary="Pause a trail")  # fmt: skip
def pause_trail(id: UUID, body: tuple[UUID, PauseTrail]) -> Response:
    """For the weather, say: check-ins made from now on are rejected until it is resumed."""
    here = services()
    submission_id, why = body
    return _recorded(here.ledger.pause_trail(
        actor(), id, why.reason, body_sent(), submission_id, here.clock()
    ))  # fmt: skip


@routes.on("POST", "/v1/trails/<uuid:id>/resume", "trails.manage", body=Command,
           answers=TrailRecorded, status=(201, 200), summary="Resume a trail")  # fmt: skip
def resume_trail(id: UUID, body: tuple[UUID, Command]) -> Response:
    """One can check in again from now on."""
    here = services()
    return _recorded(here.ledger.resume_trail(actor(), id, body_sent(), body[0], here.clock()))


@routes.on("POST", "/v1/trails/<uuid:id>/close", "trails.manage", body=Command,
           answers=TrailRecorded, status=(201, 200), summary="Close a trail")  # fmt: skip
def close_trail(id: UUID, body: tuple[UUID, Command]) -> Response:
    """For good; what was checked in before may still be sent in by phones without signal."""
    here = services()
    return _recorded(here.ledger.close_trail(actor(), id, body_sent(), body[0], here.clock()))


def _recorded(receipt: TrailReceipt) -> Response:
    content = TrailRecorded(
        **_told(receipt.trail, actor()), position=receipt.position, codes=receipt.codes
    )
    return answer(content, 200 if receipt.replayed else 201, replayed=receipt.replayed)


def _told(trail: Trail, who: Actor) -> dict[str, Any]:
    plan = trail.plan
    manages = access.allowed(who, "trails.manage") and access.within(who, trail.districts)
    return {
        "id": trail.trail_id, "name": plan.name, "state": trail.state,
        "paused_for": trail.pause.reason if trail.pause else None, "order": plan.order,
        "finish_at": plan.finish_at, "points": [_point(one) for one in plan.points],
        "district": plan.district, "starts_on": plan.starts_on, "ends_on": plan.ends_on,
        "published_at": trail.published_at,
        "allowed_actions": ACTIONS[trail.state] if manages else [],
    }  # fmt: skip


def _point(point: Point) -> PointAnswer:
    return PointAnswer(
        id=point.id, name=point.name, place=point.circle, code=point.code_sha256 is not None
    )
