"""Whether a track is somebody's earlier track over again.

Two honest walks along one bank differ in two ways that a copy does not: no fix of one is a fix of
the other, and however their clocks are shifted the two walkers do not stay side by side.
"""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import shapely

from ledger.tracks.fixes import Fixes, read_fixes
from ledger.tracks.path import noise_metres
from ledger.tracks.plane import Floats, Ints, distances, points_of
from ledger.tracks.rules import Rules
from ledger.tracks.speed import Speeds
from ledger.tracks.track import Track

SAMPLES = 128
MIN_SAMPLES = 10
BESIDE_METRES = 30.0
SAME_METRES = 0.2  # two fixes are one: rounding of stored degrees, and no more
DEGREE = 10_000_000  # sketches keep 1e-7 degrees, about a centimetre
HEADER = struct.Struct("<BxHII")  # format, noise in cm, length in metres, duration in seconds
RAYLEIGH_MEDIAN = 1.1774
BY_CHANCE = 0.6  # of the distance that noise alone would keep two steady walkers apart


class Sketch(NamedTuple):
    """Every n-th fix of a track, enough to know it again."""

    noise: float  # metres
    length_m: int
    duration_s: int
    degrees: Floats
    seconds: Floats  # from the first fix


class Resemblance(NamedTuple):
    """``distance_dm``: median distance of the walkers at the same moment, -1 when none compare.

    ``share_permille``: the part of this track that consists of another's very fixes.
    """

    distance_dm: int = -1
    share_permille: int = 0


def sketch(track: Track, rules: Rules | None = None) -> bytes:
    """About 1.5 kB from which later tracks can be compared with this one; it is personal data."""
    fixes, _ = read_fixes(track, rules or Rules())
    rows = np.unique(np.linspace(0, max(len(fixes.metres) - 1, 0), SAMPLES).astype(np.int64))
    rows = rows[: len(fixes.metres)]
    seconds = _seconds(fixes)
    table = np.column_stack((fixes.degrees[rows] * DEGREE, seconds[rows] * 100))
    length = min(round(_length(fixes)), 2**32 - 1)
    duration = min(round(float(seconds[-1])), 2**32 - 1) if len(seconds) else 0
    body = np.clip(np.rint(table), -(2**31), 2**31 - 1).astype("<i4").tobytes()
    noise = min(round(100 * noise_metres(fixes.metres)), 2**16 - 1)
    return HEADER.pack(1, noise, length, duration) + body


def resemblance(
    fixes: Fixes, earlier: Iterable[bytes | str], speeds: Speeds, noise: float, rules: Rules
) -> Resemblance:
    """The closest of the ``earlier`` sketches (bytes, or base64 as a JSON store keeps them).

    A track laid out at one exact pace has no handwriting to be known by, so it is compared with
    none: every two drawn with the same ruler would be alike. Of a steady walker only the noise is
    personal, so it has to be the same noise.
    """
    if speeds.constant or len(fixes.metres) < MIN_SAMPLES:
        return Resemblance()
    sketches = [one for text in earlier if (one := _read(text)) and _overlaps(one, fixes)]
    if not sketches:
        return Resemblance()
    places = [fixes.plane.metres(one.degrees) for one in sketches]
    owner = np.repeat(np.arange(len(places)), [len(one) for one in places])
    tree = shapely.STRtree(points_of(fixes.metres))
    (sample, row), apart = tree.query_nearest(
        points_of(np.concatenate(places)),
        max_distance=BESIDE_METRES,
        return_distance=True,
        all_matches=False,
    )
    starts = np.cumsum([0] + [len(one) for one in places])
    nearest, largest = -1, 0
    for number, (one, place) in enumerate(zip(sketches, places, strict=True)):
        mine = owner[sample] == number
        if np.count_nonzero(mine) < MIN_SAMPLES:
            continue
        same = int(np.count_nonzero(apart[mine] <= SAME_METRES))
        share = 1000 * same * one.length_m // (len(place) * max(round(_length(fixes)), 1))
        largest = max(largest, min(share, 1000))
        distance = _side_by_side(fixes, one, place, sample[mine] - starts[number], row[mine], rules)
        by_noise = RAYLEIGH_MEDIAN * float(np.hypot(noise, one.noise))
        if distance < 0 or (speeds.steady and distance > 10 * BY_CHANCE * by_noise):
            continue
        nearest = distance if nearest < 0 else min(nearest, distance)
    return Resemblance(nearest, largest)


def _side_by_side(
    fixes: Fixes, one: Sketch, place: Floats, sample: Ints, row: Ints, rules: Rules
) -> int:
    """Median distance in decimetres at the best shift of the clocks; -1 if little overlaps."""
    seconds = _seconds(fixes)
    if not one.duration_s or not seconds[-1]:
        return -1
    shift = float(np.median(seconds[row] - one.seconds[sample]))
    at = one.seconds + shift
    both = (at >= seconds[0] - 1) & (at <= seconds[-1] + 1)
    shared = int(np.count_nonzero(both)) * one.duration_s
    needed = rules.replay_share_percent * len(place) * seconds[-1] / 100
    if np.count_nonzero(both) < MIN_SAMPLES or shared < needed:
        return -1
    walker = np.column_stack([np.interp(at[both], seconds, axis) for axis in fixes.metres.T])
    return round(10 * float(np.median(distances(walker, place[both]))))


def _read(text: bytes | str) -> Sketch | None:
    """A stored sketch; None for an empty one or one of a format that is no longer known."""
    data = b64decode(text) if isinstance(text, str) else text
    if len(data) <= HEADER.size or data[0] != 1:
        return None
    _, noise, length, duration = HEADER.unpack_from(data)
    table = np.frombuffer(data, dtype="<i4", offset=HEADER.size).reshape(-1, 3)
    return Sketch(noise / 100, length, duration, table[:, :2] / DEGREE, table[:, 2] / 100.0)


def _overlaps(one: Sketch, fixes: Fixes) -> bool:
    margin = 0.001  # some 100 m
    low, high = fixes.degrees.min(axis=0) - margin, fixes.degrees.max(axis=0) + margin
    return bool((one.degrees.max(axis=0) >= low).all() and (one.degrees.min(axis=0) <= high).all())


def _seconds(fixes: Fixes) -> Floats:
    if not len(fixes.micros):
        return np.zeros(len(fixes.metres))
    return np.asarray((fixes.micros - fixes.micros[0]) / 1e6)


def _length(fixes: Fixes) -> float:
    return float(distances(fixes.metres[:-1], fixes.metres[1:]).sum())
