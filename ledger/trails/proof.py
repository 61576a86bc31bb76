"""Proof (到点证明) that somebody was at a point: a fix within reach of it, or its code.

Its measurements are what a check-in keeps; the fix itself is in the vault, the code nowhere.
"""

from __future__ import annotations

import hmac
from math import ceil
from typing import TYPE_CHECKING, Any

from ledger.codes import digest_of
from ledger.errors import FieldError, InvalidInput
from ledger.trails.trails import Point, Trail

if TYPE_CHECKING:
    from ledger.contributions.evidence import Place

METRES_MAX = 50_000_000  # nothing on earth is further apart


def refuse_no_way(place: Place | None, code: str | None, point: Point) -> None:
    """Raises InvalidInput unless it is either a fix or a code, and one that the point knows."""
    if (place is None) == (code is None):
        raise InvalidInput([FieldError("place", "place_or_code", "请提供位置或打卡码之一。",
                                       "Send either a place or a code.")])  # fmt: skip
    if place is not None and point.circle is None:
        raise InvalidInput([FieldError("place", "code_only", "此打卡点须扫码打卡。",
                                       "This point takes its code alone; scan it.")])  # fmt: skip
    if code is not None and point.code_sha256 is None:
        raise InvalidInput([FieldError("code", "place_only", "此打卡点没有打卡码，请按位置打卡。",
                                       "This point has no code; send your place.")])  # fmt: skip


def measured(place: Place | None, code: str | None, point: Point) -> dict[str, Any]:
    """Whole metres, rounded up; or whether the code is the point's."""
    unmeasured = {"distance_m": None, "accuracy_m": None, "code_fits": None}
    if place is None:
        assert code is not None
        assert point.code_sha256 is not None
        fits = hmac.compare_digest(digest_of(code), point.code_sha256)
        return {**unmeasured, "by": "code", "code_fits": fits}
    from ledger.tracks.apart import in_wgs84, metres_apart  # An auditor measures nothing.

    assert point.circle is not None
    here = in_wgs84((place.lon, place.lat), place.crs)
    metres = metres_apart(here, (point.circle.lon, point.circle.lat))
    accuracy = min(place.accuracy or 0.0, METRES_MAX)
    return {**unmeasured, "by": "place", "distance_m": ceil(metres), "accuracy_m": ceil(accuracy)}


def measured_against(trail: Trail, index: int) -> dict[str, Any]:
    """What a check-in copies of the trail, so that it can be judged again without it."""
    plan, point = trail.plan, trail.plan.points[index]
    return {
        "trail_id": trail.trail_id, "point_id": point.id,
        "radius_m": point.circle.radius_m if point.circle else None, "order": plan.order,
        "index": index, "points": len(plan.points), "finish_at": plan.finish_at,
    }  # fmt: skip
