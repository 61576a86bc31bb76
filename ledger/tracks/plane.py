"""A flat map of the surroundings, so that metres can be reckoned as in school."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Proj
from shapely.geometry.base import BaseGeometry

Metres = NDArray[np.float64]  # shape (n, 2): east, north
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

REACH_METRES = 1_000_000.0  # the projection is only used this far from its centre


class Plane:
    """Transverse Mercator on the WGS-84 ellipsoid around the median of the points given.

    True in scale along its central meridian; 10 km away lengths are off by one millionth.
    """

    def __init__(self, degrees: Floats) -> None:
        degrees = degrees[_on_earth(degrees)]
        lon, lat = np.median(degrees, axis=0) if len(degrees) else (0.0, 0.0)
        self._project = Proj(
            proj="tmerc", lon_0=float(lon), lat_0=float(lat), k=1, ellps="WGS84"
        )

    def metres(self, degrees: Floats) -> Metres:
        """(longitude, latitude) in degrees as metres from the centre; NaN where too far away."""
        east, north = self._project(degrees[:, 0], degrees[:, 1])
        metres = np.column_stack((east, north))
        near = _on_earth(degrees) & (np.abs(metres) <= REACH_METRES).all(axis=1)
        metres[~near] = np.nan
        return metres


def _on_earth(degrees: Floats) -> Flags:
    """NaN and infinity are not."""
    return np.asarray((np.abs(degrees) <= (180.0, 90.0)).all(axis=1))


def distances(first: Metres, second: Metres) -> Floats:
    """Row by row, in metres."""
    return np.asarray(np.hypot(*(second - first).T), dtype=np.float64)


def points_of(metres: Metres) -> NDArray[np.object_]:
    """The rows as points of geometry."""
    return np.asarray(shapely.points(metres), dtype=np.object_)


def within(metres: Metres, radius: Floats | float, geometry: BaseGeometry) -> Flags:
    """Row by row: is this point no further than ``radius`` metres from the geometry?"""
    shapely.prepare(geometry)
    dwithin: Any = shapely.dwithin  # its published types know no array of radii
    return np.asarray(dwithin(geometry, points_of(metres), radius), dtype=np.bool_)
