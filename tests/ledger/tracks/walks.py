"""Named, seeded walks along a river that bends, laid out with the geodesic of WGS-84.

Noise is that of a phone: it drifts (an error of a minute ago is still half there) rather than
jumping afresh with every fix; ``white`` noise, which does jump, is there to be hard.
"""
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from msgspec.structs import replace
from pyproj import Geod

from ledger.tracks import Metrics, Rules, Track, judge, measure

GEOD = Geod(ellps="WGS84")
START = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
HOME = (122.10, 30.02)          # Zhoushan
DRIFT_SECONDS = 60.0

Points = np.ndarray[Any, np.dtype[np.float64]]


def straight_river(metres: float = 6000.0) -> tuple[tuple[tuple[float, float], ...], ...]:
    """A canal due north-east, in one line."""
    lon, lat, _ = GEOD.fwd(*HOME, 45.0, metres)
    return ((HOME, (lon, lat)),)


def river(metres: float = 6000.0) -> tuple[tuple[tuple[float, float], ...], ...]:
    """A river that bends left and right every few hundred metres, a vertex each 50 m."""
    points, bearing = [HOME], 30.0
    for step in range(int(metres / 50)):
        bearing = 30 + 50 * np.sin(step / 5)
        lon, lat, _ = GEOD.fwd(*points[-1], bearing, 50.0)
        points.append((lon, lat))
    return (tuple(points),)


RIVER = river()
CANAL = straight_river()


def along(line: tuple[tuple[float, float], ...], at: Points) -> Points:
    """The points so many metres down the line."""
    lon, lat = np.array(line).T
    azimuths, _, lengths = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    passed = np.concatenate(([0.0], np.cumsum(lengths)))
    leg = np.clip(np.searchsorted(passed, at, side="right") - 1, 0, len(lengths) - 1)
    x, y, _ = GEOD.fwd(lon[leg], lat[leg], azimuths[leg], at - passed[leg])
    return np.column_stack((x, y))


def moved(points: Points, east: Points, north: Points) -> Points:
    """The points so many metres to the east and north."""
    azimuth = np.degrees(np.arctan2(east, north))
    lon, lat, _ = GEOD.fwd(points[:, 0], points[:, 1], azimuth, np.hypot(east, north))
    return np.column_stack((lon, lat))


def drift(rng: np.random.Generator, seconds: Points, sigma: float) -> Points:
    """A smoothed first-order Gauss-Markov error in metres, as receivers show it."""
    error = np.empty(len(seconds))
    error[0] = rng.normal(0, sigma)
    for index, step in enumerate(np.diff(seconds), start=1):
        keep = np.exp(-step / DRIFT_SECONDS)
        error[index] = keep * error[index - 1] + rng.normal(0, sigma * np.sqrt(1 - keep**2))
    return error


def track(points: Points, seconds: Points, start: datetime = START, **fields: Any) -> Track:
    """A track through the points at so many seconds after ``start``, to the microsecond."""
    times = tuple(start + timedelta(microseconds=round(1e6 * float(one))) for one in seconds)
    return Track(tuple((float(x), float(y)) for x, y in points), times, **fields)


def clean(
    metres: float, seconds: float, every: float = 20.0, line: Any = CANAL[0], begin: float = 0.0,
    start: datetime = START, **fields: Any,
) -> Track:
    """Without any noise, at one pace, a fix ``every`` so many seconds and one at the end."""
    at = np.append(np.arange(0, seconds, every), seconds)
    return track(along(line, begin + at * (metres / seconds)), at, start, **fields)


def honest(
    seed: int, metres: float = 1500.0, pace: float = 1.3, every: float = 5.0, sigma: float = 4.0,
    white: bool = False, accuracy: float | None = 6.0, line: Any = RIVER[0], begin: float = 200.0,
    start: datetime = START,
) -> Track:
    """A person's walk: the pace varies, the phone errs, the path keeps a little off the line."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(0, metres / pace, every)
    paces = np.clip(pace * (1 + 0.4 * drift(rng, seconds, 0.4)), 0.2, 2.4)
    at = begin + np.concatenate(([0.0], np.cumsum(paces[1:] * np.diff(seconds))))
    errors = [
        rng.normal(0, sigma, len(at)) if white else drift(rng, seconds, sigma) for _ in range(2)
    ]
    points = moved(along(line, at), errors[0] + 8.0, errors[1] - 5.0)
    noise = () if accuracy is None else tuple(
        float(a) for a in np.round(accuracy * rng.uniform(0.6, 1.6, len(at)), 1)
    )
    return track(points, seconds, start, accuracies=noise)


def standing(seed: int, minutes: int = 25, every: float = 5.0, sigma: float = 5.0,
             accuracy: float | None = None, white: bool = True) -> Track:
    """Somebody on a bench by the river."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(0, minutes * 60 + 1, every)
    errors = [
        rng.normal(0, sigma, len(seconds)) if white else drift(rng, seconds, sigma)
        for _ in range(2)
    ]
    points = moved(along(RIVER[0], np.full(len(seconds), 700.0)), *errors)
    noise = () if accuracy is None else (accuracy,) * len(seconds)
    return track(points, seconds, accuracies=noise)


def at_paces(legs: list[tuple[float, float]], every: float = 5.0, seed: int = 1,
             sigma: float = 3.0, line: Any = RIVER[0]) -> Track:
    """Legs of (seconds, m/s) one after the other, such as a walk, a ride, and a walk."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(0, sum(length for length, _ in legs) + 1e-9, every)
    ends = np.cumsum([length for length, _ in legs])
    leg = np.searchsorted(ends, seconds[1:] - 1e-9)
    paces = np.array([pace for _, pace in legs])[leg]
    at = np.concatenate(([0.0], np.cumsum(paces * np.diff(seconds))))
    points = moved(along(line, at), drift(rng, seconds, sigma), drift(rng, seconds, sigma))
    return track(points, seconds)


def shifted(original: Track, by: timedelta) -> Track:
    return replace(original, times=tuple(time and time + by for time in original.times))


def kept(original: Track, rows: list[int]) -> Track:
    """Only these fixes."""
    return replace(original, **{
        name: tuple(column[row] for row in rows)
        for name in ("coordinates", "times", "accuracies", "altitudes")
        if (column := getattr(original, name))
    })


def shaken(original: Track, seed: int, metres: float = 2.0) -> Track:
    """Every fix moved by up to so many metres east or west, and north or south."""
    rng = np.random.default_rng(seed)
    points = np.array(original.coordinates)
    shake = rng.uniform(-metres, metres, (2, len(points)))
    return replace(original, coordinates=tuple(map(tuple, moved(points, *shake).tolist())))


def interpolated(original: Track) -> Track:
    """A fix more in the middle of every step, in place and time."""
    points, times = original.coordinates, original.times
    coordinates, moments = [points[0]], [times[0]]
    for before, after, t, u in zip(points, points[1:], times, times[1:], strict=False):
        middle = ((before[0] + after[0]) / 2, (before[1] + after[1]) / 2)
        coordinates += [middle, after]
        moments += [t + (u - t) / 2, u]
    return Track(tuple(coordinates), tuple(moments))


def with_spike(original: Track, row: int, metres: float) -> Track:
    """One fix thrown so far to the east."""
    points = np.array(original.coordinates)
    points[row] = moved(points[row][np.newaxis], np.array([metres]), np.array([0.0]))[0]
    return replace(original, coordinates=tuple(map(tuple, points.tolist())))


def assessed(
    walked: Track, lines: Any = RIVER, earlier: Any = (), rules: Rules | None = None, **known: Any
) -> tuple[Metrics, str, tuple[str, ...]]:
    """Metrics, verdict and reasons."""
    metrics = measure(walked, lines, earlier, rules or Rules(), **known)
    judgement = judge(metrics, rules or Rules())
    return metrics, judgement.verdict, judgement.reasons
