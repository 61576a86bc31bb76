"""GCJ-02 (火星坐标), the shifted coordinates of Chinese phone maps, to and from WGS-84.

The public approximation that all open converters share: a polynomial and sines in metres around
105°E 35°N, taken as degrees on the Krasovsky 1940 ellipsoid. Outside China nothing is shifted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Degrees = NDArray[np.float64]  # shape (n, 2): longitude, latitude

SEMI_MAJOR_METRES = 6_378_245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323
WEST, SOUTH, EAST, NORTH = 72.004, 0.8293, 137.8347, 55.8271  # where the shift applies
ITERATIONS = 10


def gcj02_from_wgs84(points: Degrees) -> Degrees:
    """Degrees of WGS-84 as degrees of GCJ-02."""
    return points + _shift(points)


def wgs84_from_gcj02(points: Degrees) -> Degrees:
    """The inverse, iterated until it is exact to far less than 1e-7 degrees (1 cm)."""
    inside = _inside(points)[:, np.newaxis]
    wgs84 = points
    for _ in range(ITERATIONS):
        # The shift hardly changes over its own length, so each round wins several digits.
        wgs84 = points - np.where(inside, _polynomial(wgs84), 0.0)
    return wgs84


def _shift(points: Degrees) -> Degrees:
    return np.where(_inside(points)[:, np.newaxis], _polynomial(points), 0.0)


def _inside(points: Degrees) -> NDArray[np.bool_]:
    lon, lat = points.T
    return np.asarray((lon >= WEST) & (lon <= EAST) & (lat >= SOUTH) & (lat <= NORTH))


def _polynomial(points: Degrees) -> Degrees:
    x, y, radians = points[:, 0] - 105.0, points[:, 1] - 35.0, np.radians(points[:, 1])
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east += _waves(x, (20, 6), (20, 2), (20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north += _waves(x, (20, 6), (20, 2))
    north += _waves(y, (20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30))
    flatness = 1 - ECCENTRICITY_SQUARED * np.sin(radians) ** 2
    meridian = SEMI_MAJOR_METRES * (1 - ECCENTRICITY_SQUARED) / flatness**1.5
    parallel = SEMI_MAJOR_METRES / np.sqrt(flatness) * np.cos(radians)
    # At the poles, outside the box in any case, the parallel has no length.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.column_stack((np.degrees(east / parallel), np.degrees(north / meridian)))


def _waves(along: NDArray[np.float64], *terms: tuple[float, float]) -> NDArray[np.float64]:
    waves = np.zeros_like(along)
    for amplitude, frequency in terms:
        waves += amplitude * np.sin(frequency * np.pi * along)
    return waves * 2.0 / 3.0
