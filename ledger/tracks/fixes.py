"""The fixes of a track that are fit for use: dated, in order, accurate, and not stray."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ledger.days import microseconds
from ledger.tracks.datum import wgs84_from_gcj02
from ledger.tracks.plane import Flags, Floats, Ints, Metres, Plane, distances
from ledger.tracks.rules import Rules
from ledger.tracks.track import Track

WINDOW = 7  # fixes whose median tells where the middle one should be; outvotes 3 stray ones
STRAY_METRES = 50.0
STRAY_STEPS = 5.0  # and this many of the steps usual around it


class Fixes(NamedTuple):
    """Rows of the used fixes. ``micros`` is empty when the track is not dated."""

    plane: Plane
    degrees: Floats  # WGS-84
    metres: Metres
    micros: Ints
    accuracy: Floats | None


class Clock(NamedTuple):
    """What is known of the times before anything is left out."""

    dated: bool  # enough fixes have a time for the track to have a course in time
    timed: int
    commonest: int  # fixes that share one time
    first: int
    median_step: int  # microseconds between neighbouring distinct times


def read_fixes(track: Track, rules: Rules) -> tuple[Fixes, Clock]:
    """The used fixes and the clock they were dated by. Never fails, whatever is in the track."""
    degrees = np.array(track.coordinates, dtype=np.float64).reshape(-1, 2)
    if track.crs == "gcj02":
        degrees = wgs84_from_gcj02(degrees)
    accuracy = _column(track.accuracies, len(degrees))
    order, micros, clock = _dated(track, rules)
    degrees = degrees[order]
    plane = Plane(degrees)
    metres = plane.metres(degrees)
    fit: Flags = np.asarray(np.isfinite(metres).all(axis=1))
    if accuracy is not None:
        accuracy = accuracy[order]
        fit &= accuracy <= rules.accuracy_max_metres
    fit[fit] = ~stray(metres[fit])
    return Fixes(
        plane,
        degrees[fit],
        metres[fit],
        micros[fit] if len(micros) else micros,
        None if accuracy is None else np.maximum(accuracy[fit], 0.0),
    ), clock


def stray(metres: Metres) -> Flags:
    """Fixes far from the median of their neighbours (Hampel's rule), at the ends as well.

    A turn or a steady leap moves the median along and is kept; a spike of up to three fixes is
    not. What counts as far grows with the steps around, so that a car keeps its corners.
    """
    count = len(metres)
    window = min(WINDOW, count - 1 + count % 2)
    if window < 5:
        return np.zeros(count, dtype=np.bool_)
    medians = np.median(sliding_window_view(metres, window, axis=0), axis=2)
    steps = distances(metres[:-1], metres[1:])
    usual = np.median(sliding_window_view(steps, window - 1), axis=1)
    nearest = np.clip(np.arange(count) - window // 2, 0, len(medians) - 1)
    limit = np.maximum(STRAY_METRES, STRAY_STEPS * usual[nearest])
    return distances(medians[nearest], metres) > limit


def _column(values: tuple[float, ...], count: int) -> Floats | None:
    return np.array(values, dtype=np.float64) if count and len(values) == count else None


def _dated(track: Track, rules: Rules) -> tuple[Ints, Ints, Clock]:
    """Rows to use in order of time, one per instant, with their times; all when hardly dated."""
    count = len(track.coordinates)
    times = track.times if len(track.times) == count else ()
    rows = np.array([row for row, time in enumerate(times) if time is not None], dtype=np.int64)
    micros = np.array([microseconds(t) for t in times if t is not None], dtype=np.int64)
    distinct, firsts, counts = np.unique(micros, return_index=True, return_counts=True)
    clock = Clock(
        dated=len(rows) > 1 and len(rows) * 100 >= rules.min_timed_share_percent * count,
        timed=len(rows),
        commonest=int(counts.max(initial=0)),
        first=int(distinct[0]) if len(distinct) else 0,
        median_step=int(np.median(np.diff(distinct))) if len(distinct) > 1 else 0,
    )
    if not clock.dated:
        return np.arange(count), np.empty(0, dtype=np.int64), clock
    return rows[firsts], distinct, clock
