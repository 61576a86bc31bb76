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
from ledger.tracks.plane import Floats, Ints, Metres, distances, points_of
from ledger.tracks.rules import Rules
from ledger.tracks.speed import Speeds
from ledger.tracks.track import Track

SAMPLES = 128
COMPARED = 64  # of them, in the surroundings of the new track
MIN_SAMPLES = 5
MARGIN = 0.0005  # degrees, some 50 m
BESIDE_METRES = 30.0
SAME_METRES = 0.15  # two fixes are one: a copy may be moved by a millionth of a degree
DRAWN_METRES = 0.3  # less noise than any receiver has: laid out with a ruler
DEGREE = 10_000_000  # sketches keep 1e-7 degrees, about a centimetre
HEADER = struct.Struct("<BxHII")  # format, noise in cm, length in metres, duration in seconds
RAYLEIGH_MEDIAN = 1.1774
BY_CHANCE = 0.5  # of the distance that noise alone would keep two steady walkers apart


class Sketch(NamedTuple):
    """Every n-th fix of a track, enough to know it again.

    ``length_m`` and ``duration_s`` are what each of the fixes here stands for.
    """

    noise: float  # metres
    length_m: float
    duration_s: float
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

    A track laid out with a ruler at one exact pace has no handwriting to be known by, so it is
    compared with none: every two drawn with the same ruler would be alike. Of a steady walker only
    the noise is personal, so it has to be the same noise.
    """
    drawn = speeds.constant and noise < DRAWN_METRES
    if drawn or len(fixes.metres) < MIN_SAMPLES:
        return Resemblance()
    sketches = [one for text in earlier if (one := _beside(_read(text), fixes)) is not None]
    if not sketches:
        return Resemblance()
    starts = np.cumsum([0] + [len(one.seconds) for one in sketches])
    places = fixes.plane.metres(np.concatenate([one.degrees for one in sketches]))
    (sample, row), apart = shapely.STRtree(points_of(fixes.metres)).query_nearest(
        points_of(places), max_distance=BESIDE_METRES, return_distance=True, all_matches=False
    )
    ends = np.searchsorted(sample, starts)  # the pairs come in the order of the samples
    length = max(_length(fixes), 1.0)
    nearest, largest = -1, 0
    for number, one in enumerate(sketches):
        mine = slice(ends[number], ends[number + 1])
        if len(apart[mine]) < MIN_SAMPLES:
            continue
        same = int(np.count_nonzero(apart[mine] <= SAME_METRES))
        largest = max(largest, min(1000, int(1000 * same * one.length_m / length)))
        place, own = places[starts[number] : starts[number + 1]], sample[mine] - starts[number]
        distance = _side_by_side(fixes, one, place, own, row[mine], rules)
        by_noise = RAYLEIGH_MEDIAN * float(np.hypot(noise, one.noise))
        if distance < 0 or (speeds.steady and distance > 10 * BY_CHANCE * by_noise):
            continue
        nearest = distance if nearest < 0 else min(nearest, distance)
    return Resemblance(nearest, largest)


def _side_by_side(
    fixes: Fixes, one: Sketch, place: Metres, sample: Ints, row: Ints, rules: Rules
) -> int:
    """Median distance in decimetres at the best shift of the clocks; -1 if little overlaps."""
    seconds = _seconds(fixes)
    if not one.duration_s or not seconds[-1]:
        return -1
    at = one.seconds + float(np.median(seconds[row] - one.seconds[sample]))
    both = (at >= seconds[0] - 1) & (at <= seconds[-1] + 1)
    count = int(np.count_nonzero(both))
    shared = count * one.duration_s
    if count < MIN_SAMPLES or 100 * shared < rules.replay_share_percent * seconds[-1]:
        return -1
    east, north = (np.interp(at[both], seconds, axis) for axis in fixes.metres.T)
    gaps = np.hypot(east - place[both, 0], north - place[both, 1])
    return round(10 * float(np.partition(gaps, count // 2)[count // 2]))


def _read(text: bytes | str) -> Sketch | None:
    """A stored sketch; None for an empty one or one of a format that is no longer known."""
    data = b64decode(text) if isinstance(text, str) else text
    if len(data) <= HEADER.size or data[0] != 1:
        return None
    _, noise, length, duration = HEADER.unpack_from(data)
    table = np.frombuffer(data, dtype="<i4", offset=HEADER.size).reshape(-1, 3)
    count = len(table)
    return Sketch(
        noise / 100, length / count, duration / count, table[:, :2] / DEGREE, table[:, 2] / 100.0
    )


def _beside(one: Sketch | None, fixes: Fixes) -> Sketch | None:
    """The part of a sketch in the surroundings of the fixes, thinned to what is compared."""
    if one is None:
        return None
    low, high = fixes.degrees.min(axis=0) - MARGIN, fixes.degrees.max(axis=0) + MARGIN
    rows = np.flatnonzero(((one.degrees >= low) & (one.degrees <= high)).all(axis=1))
    if len(rows) < MIN_SAMPLES:
        return None
    step = -(-len(rows) // COMPARED)
    rows = rows[::step]
    return Sketch(
        one.noise, one.length_m * step, one.duration_s * step, one.degrees[rows], one.seconds[rows]
    )


def _seconds(fixes: Fixes) -> Floats:
    if not len(fixes.micros):
        return np.zeros(len(fixes.metres))
    return np.asarray((fixes.micros - fixes.micros[0]) / 1e6)


def _length(fixes: Fixes) -> float:
    return float(distances(fixes.metres[:-1], fixes.metres[1:]).sum())
