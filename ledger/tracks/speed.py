"""How fast somebody went, told so that jitter and a single bad fix cannot shout it down."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ledger.tracks.fixes import Fixes
from ledger.tracks.path import SECOND, roughness_metres
from ledger.tracks.plane import Flags, Floats, Ints, distances
from ledger.tracks.rules import Rules

WINDOW_SECONDS = 10
MINUTE_SECONDS = 60
NOISE_SECONDS_PER_METRE = 3  # the window that brings the noise in a speed below 0.5 m/s


class Speeds(NamedTuple):
    """Percentiles of time in mm/s, and the parts faster than the rules' ``fast_mm_s``."""

    p50: int = 0
    p90: int = 0
    p99: int = 0
    max: int = 0
    fast_run_s: int = 0
    fast_share_permille: int = 0
    fast_length_m: int = 0
    constant: bool = False  # every step at one pace: laid out, not walked
    steady: bool = False  # every minute at one pace, as far as the noise lets one see


def speeds_of(fixes: Fixes, segments: Ints, noise: float, rules: Rules) -> Speeds:
    """Speeds over windows of at least 10 s, longer where the fixes are noisy."""
    inside = segments[1:] == segments[:-1]
    micros = np.diff(fixes.micros)
    if not inside.any():
        return Speeds()
    seconds = max(WINDOW_SECONDS, NOISE_SECONDS_PER_METRE * noise)
    first, last = _windows(fixes.micros, segments, seconds)
    first, last = first[:-1][inside], last[:-1][inside]
    moved = distances(fixes.metres[first], fixes.metres[last])
    speed = moved * (1000 * SECOND) / (fixes.micros[last] - fixes.micros[first])
    slow = speed <= rules.fast_mm_s + 0.5
    # A step is fast when no window over it is slow, so a fast part never looks longer than it is.
    marks = np.zeros(len(fixes.micros), dtype=np.int64)
    np.add.at(marks, first[slow], 1)
    np.add.at(marks, last[slow], -1)
    fast = inside & (np.cumsum(marks)[:-1] == 0)
    step = distances(fixes.metres[:-1], fixes.metres[1:])
    total = int(micros[inside].sum())
    return Speeds(
        *_percentiles(speed, micros[inside]),
        fast_run_s=_longest_run(fast, micros) // SECOND,
        fast_share_permille=1000 * int(micros[fast].sum()) // total,
        fast_length_m=round(float(step[fast].sum())),
        constant=_constant(step[inside] * SECOND / micros[inside], micros[inside]),
        steady=_steady(fixes, segments, noise),
    )


def _windows(micros: Ints, segments: Ints, seconds: float) -> tuple[Ints, Ints]:
    """First and last row of the window of each step; at a segment's end the last full one."""
    length = round(seconds * SECOND)
    starts = np.searchsorted(segments, segments, side="left")
    ends = np.searchsorted(segments, segments, side="right") - 1
    rows = np.arange(len(micros))
    last = np.minimum(np.searchsorted(micros, micros + length), ends)
    back = np.searchsorted(micros, micros[last] - length, side="right") - 1
    full = micros[last] - micros >= length
    return np.where(full, rows, np.minimum(rows, np.maximum(back, starts))), last


def _percentiles(speed: Floats, weight: Ints) -> tuple[int, int, int, int]:
    order = np.argsort(speed, kind="stable")
    speed, passed = speed[order], np.cumsum(weight[order])
    at = np.searchsorted(passed, np.array([50, 90, 99]) * (passed[-1] / 100))
    p50, p90, p99 = (round(float(one)) for one in speed[np.minimum(at, len(speed) - 1)])
    return p50, p90, p99, round(float(speed[-1]))


def _longest_run(fast: Flags, micros: Ints) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], fast, [False]))))
    passed = np.concatenate(([0], np.cumsum(micros)))
    return int(np.max(passed[edges[1::2]] - passed[edges[::2]], initial=0))


def _constant(speed: Floats, micros: Ints) -> bool:
    """Nobody walks at one pace to the hundredth; 8 cm a step are what rounding may do."""
    usual = float(np.median(speed))
    slack = np.maximum(0.01 * usual, 0.08 * SECOND / micros)
    return bool(usual > 0 and np.median(np.abs(speed - usual) - slack) <= 0)


def _steady(fixes: Fixes, segments: Ints, noise: float) -> bool:
    first, last = _windows(fixes.micros, segments, MINUTE_SECONDS)
    whole = fixes.micros[last] - fixes.micros[first] >= MINUTE_SECONDS * SECOND
    first, last = first[whole], last[whole]
    if not len(first):
        return False
    moved = distances(fixes.metres[first], fixes.metres[last])
    speed = moved * SECOND / (fixes.micros[last] - fixes.micros[first])
    usual = float(np.median(speed))
    # Bends shorten the chord of a minute by a little; noise is at both of its ends.
    noise = max(noise, roughness_metres(fixes.metres))
    slack = float(np.hypot(0.04 * usual, 2.0 * noise / MINUTE_SECONDS))
    return bool(1.4826 * np.median(np.abs(speed - usual)) <= slack)
