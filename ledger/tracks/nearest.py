"""Which reach (河段) a track belongs to, when its walker did not say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, TypeVar

import numpy as np
import shapely

from ledger.tracks.datum import wgs84_from_gcj02
from ledger.tracks.near import Line
from ledger.tracks.plane import Floats, points_of
from ledger.tracks.track import Track

NEARBY_DEGREES = 0.05  # some 5 km: further away no reach is the one that was meant
SAMPLES = 64


class HasLines(Protocol):
    """Whatever has a centre line."""

    @property
    def lines(self) -> Sequence[Line]: ...


AnyReach = TypeVar("AnyReach", bound=HasLines)


def nearest_reach(track: Track, reaches: Sequence[AnyReach]) -> AnyReach | None:
    """The reach that most fixes of the track are nearest to; None when none is within some 5 km.

    The first of equals wins.
    """
    degrees = np.array(track.coordinates, dtype=np.float64).reshape(-1, 2)
    degrees = degrees[np.isfinite(degrees).all(axis=1)]
    if not len(degrees) or not reaches:
        return None
    if track.crs == "gcj02":
        degrees = wgs84_from_gcj02(degrees)
    rows = np.unique(np.linspace(0, len(degrees) - 1, SAMPLES).astype(np.int64))
    tree, scale = _index(tuple(_Same(reach) for reach in reaches))
    points = points_of(degrees[rows] * scale)
    _, found = tree.query_nearest(points, max_distance=NEARBY_DEGREES)
    return reaches[int(np.argmax(np.bincount(found)))] if len(found) else None


class _Same:
    """A reach compared by identity, so that an index can be kept for reaches already seen."""

    def __init__(self, reach: HasLines) -> None:
        self.reach = reach

    def __hash__(self) -> int:
        return id(self.reach)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.reach is other.reach


@lru_cache(maxsize=4)
def _index(reaches: tuple[_Same, ...]) -> tuple[shapely.STRtree, Floats]:
    """The lines in degrees of latitude, and what makes such degrees of (longitude, latitude)."""
    lines = [[np.array(line, dtype=np.float64) for line in one.reach.lines] for one in reaches]
    latitude = np.median([line[0, 1] for group in lines for line in group])
    scale = np.array([np.cos(np.radians(latitude)), 1.0])
    geometries = [shapely.MultiLineString([line * scale for line in group]) for group in lines]
    return shapely.STRtree(geometries), scale
