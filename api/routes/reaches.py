"""Reaches (河段): where to patrol; the list, and the line of one as GeoJSON."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from flask import Response

from api import answers
from api.auth import services
from api.routing import Cursor, Routes, answer, page
from ledger.errors import NotFound
from ledger.rivers import ReachImported
from projections import cursor as cursors

LISTING = "reaches"

routes = Routes("reaches", __name__, description="Stretches of the rivers")


class Listing(msgspec.Struct):
    """A page of reaches, all or those of a district."""

    district: Annotated[Annotated[str, msgspec.Meta(max_length=40)] | None,
                        msgspec.Meta(description="With all that lies in it")] = None  # fmt: skip
    cursor: Cursor = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500, description="Items at most")] = 100


@routes.on("GET", "/v1/reaches", "reaches.read", query=Listing, answers=answers.ReachPage,
           summary="The reaches, by id")  # fmt: skip
def list_reaches(query: Listing) -> Response:
    """Reaches in the order of their ids."""
    here = services()
    after, _ = cursors.read(LISTING, query.cursor)
    districts = here.ledger.districts.current()
    found = sorted(
        (str(reach.reach_id), reach)
        for reach in here.ledger.rivers.current().reaches.values()
        if query.district is None or query.district in districts.path(reach.district)
    )
    behind = [reach for key, reach in found if key > after][: query.limit + 1]
    shown = behind[: query.limit]
    more = len(behind) > query.limit
    following = cursors.write(LISTING, (str(shown[-1].reach_id), "")) if more else None
    return page({"items": [_reach(reach) for reach in shown], "next": following})


@routes.on("GET", "/v1/reaches/<uuid:id>", "reaches.read", answers=dict[str, Any],
           media=("application/geo+json",), summary="One reach as GeoJSON")  # fmt: skip
def get_reach(id: UUID) -> Response:
    """A GeoJSON Feature (RFC 7946), its line in WGS-84."""
    reach = services().ledger.rivers.current().reaches.get(id)
    if reach is None:
        raise NotFound
    response = answer({
        "type": "Feature",
        "id": str(id),
        "properties": msgspec.to_builtins(_reach(reach)),
        "geometry": {"type": "MultiLineString", "coordinates": reach.lines},
    })
    response.content_type = "application/geo+json"
    return response


def _reach(reach: ReachImported) -> answers.Reach:
    return answers.Reach(
        reach.reach_id, reach.name, reach.district, reach.official_code, reach.length_m
    )
