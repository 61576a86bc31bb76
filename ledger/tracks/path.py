"""From fixes to a path: where it breaks, how noisy it is, and which moves are real."""

from __future__ import annotations

from math import hypot

import numpy as np

from ledger.tracks.fixes import Fixes
from ledger.tracks.plane import Flags, Floats, Ints, Metres, distances
from ledger.tracks.rules import Rules

SECOND = 1_000_000
VEHICLE_M_S = 60.0  # faster than any vehicle on or along a river; the default of `tracelet`
LEAP_METRES = 100.0
STAY_METRES = 30.0
STAY_SECONDS = 300
NOISE_FIXES = 20
TURNING_BACK = 0.2  # mean cosine of the turns
ONE_AGAINST_TWO = 1.5**0.5
ALTERNATING = 0.58  # white noise alternates in 73 % of the pairs, a random walk in 67 %


def breaks(fixes: Fixes, rules: Rules) -> tuple[Flags, Flags]:
    """For each step between used fixes: is it a gap in time, is it an impossible leap?"""
    if not len(fixes.micros):
        none = np.zeros(max(len(fixes.metres) - 1, 0), dtype=np.bool_)
        return none, none
    micros = np.diff(fixes.micros)
    gaps = micros > rules.gap_split_seconds * SECOND
    step = distances(fixes.metres[:-1], fixes.metres[1:])
    leaps = ~gaps & (step > LEAP_METRES + VEHICLE_M_S * micros / SECOND)
    return gaps, leaps


def segments_of(broken: Flags) -> Ints:
    """The number of the segment each fix is in."""
    return np.concatenate(([0], np.cumsum(broken))).astype(np.int64)


def noise_metres(metres: Metres) -> float:
    """Standard deviation of the jitter from fix to fix; 0 for a path that does not jitter.

    A path of jitter turns back all the time. A lesser jitter puts each fix left and right by
    turns of the line between its neighbours. A bend of the river does neither.
    """
    if len(metres) < NOISE_FIXES:
        return 0.0
    before, after = metres[1:-1] - metres[:-2], metres[2:] - metres[1:-1]
    lengths = np.hypot(*before.T) * np.hypot(*after.T)
    area = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    if (before * after).sum() < TURNING_BACK * lengths.sum():
        # Median to standard deviation in two dimensions, of one fix against the middle of two.
        middles = np.hypot(*(after - before).T) / 2
        return float(np.median(middles) / (1.1774 * ONE_AGAINST_TWO))
    # Few fixes may alternate by chance, so of them more is asked.
    if np.mean(area[1:] * area[:-1] < 0) < max(ALTERNATING, 0.5 + len(area) ** -0.5):
        return 0.0
    return roughness_metres(metres)


def roughness_metres(metres: Metres) -> float:
    """What the jitter is at most: bends taken for jitter as well."""
    if len(metres) < 3:
        return 0.0
    before, after = metres[1:-1] - metres[:-2], metres[2:] - metres[1:-1]
    area = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
    chord = np.hypot(*(before + after).T)
    beside = area / np.where(chord > 0, chord, np.inf)
    # Median to standard deviation in one dimension.
    return float(1.4826 * np.median(beside) / ONE_AGAINST_TWO)


def real_moves(fixes: Fixes, segments: Ints, noise: float) -> Ints:
    """Rows of the fixes between which somebody moved; ends of segments always stay.

    Without times nothing is left out. A move shorter than the accuracies of both its ends is
    jitter (the accuracy rule of AWS Location); where they are not given, or flatter the phone,
    twice the noise found stands in.
    """
    rows = np.arange(len(fixes.metres))
    if not len(fixes.micros):
        return rows
    rows = rows[_not_standing(fixes, segments, max(STAY_METRES, 5.0 * noise))]
    given = 0.0 if fixes.accuracy is None else fixes.accuracy
    accuracy = np.maximum(given, np.full(len(fixes.metres), 2.0 * noise))
    return rows[_beyond_accuracy(fixes.metres[rows], accuracy[rows], segments[rows])]


def length_metres(metres: Metres, segments: Ints) -> float:
    """Length of the path, without the steps from one segment to the next."""
    steps = distances(metres[:-1], metres[1:])
    return float(steps[segments[1:] == segments[:-1]].sum())


def _not_standing(fixes: Fixes, segments: Ints, radius: float) -> Flags:
    """All but the inside of stay points: 5 minutes or more within ``radius`` metres."""
    east, north = fixes.metres[:, 0].tolist(), fixes.metres[:, 1].tolist()
    micros, segment = fixes.micros.tolist(), segments.tolist()
    moving = np.ones(len(east), dtype=np.bool_)
    start, count = 0, len(east)
    while start < count:
        end = start + 1
        while (
            end < count
            and segment[end] == segment[start]
            and hypot(east[end] - east[start], north[end] - north[start]) <= radius
        ):
            end += 1
        if micros[end - 1] - micros[start] >= STAY_SECONDS * SECOND:
            moving[start + 1 : end - 1] = False
        start = end
    return moving


def _beyond_accuracy(metres: Metres, accuracy: Floats, segments: Ints) -> Flags:
    east, north, radius = metres[:, 0].tolist(), metres[:, 1].tolist(), accuracy.tolist()
    first = np.concatenate(([True], segments[1:] != segments[:-1]))[: len(east)]
    last = np.concatenate((segments[1:] != segments[:-1], [True]))[: len(east)]
    kept, anchor = (first | last).tolist(), 0
    for row in range(len(east)):
        moved = hypot(east[row] - east[anchor], north[row] - north[anchor])
        if kept[row] or moved >= radius[row] + radius[anchor]:
            kept[row], anchor = True, row
    return np.array(kept, dtype=np.bool_)
