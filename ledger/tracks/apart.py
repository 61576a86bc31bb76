"""How far apart two places are, in metres along the WGS-84 ellipsoid."""

from __future__ import annotations

import numpy as np

from ledger.tracks.datum import wgs84_from_gcj02
from ledger.tracks.river import ELLIPSOID

LonLat = tuple[float, float]


def in_wgs84(place: LonLat, crs: str) -> LonLat:
    """A place of a ``crs``, wgs84 or gcj02, in degrees of WGS-84."""
    if crs != "gcj02":
        return place
    lon, lat = wgs84_from_gcj02(np.array([place], dtype=np.float64))[0]
    return float(lon), float(lat)


def metres_apart(one: LonLat, other: LonLat) -> float:
    """The length of the shortest way between two places of WGS-84."""
    return float(ELLIPSOID.inv(*one, *other)[2])
