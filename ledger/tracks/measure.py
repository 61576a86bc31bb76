"""Measure a patrol: pure, the same for the same track, whenever it is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np

from ledger.days import microseconds
from ledger.tracks.fixes import Clock, Fixes, read_fixes
from ledger.tracks.metrics import Metrics
from ledger.tracks.near import Line, nearness_of
from ledger.tracks.path import (
    SECOND,
    breaks,
    length_metres,
    noise_metres,
    real_moves,
    segments_of,
)
from ledger.tracks.plane import Ints, distances
from ledger.tracks.replay import Resemblance, resemblance
from ledger.tracks.rules import Rules
from ledger.tracks.speed import Speeds, speeds_of
from ledger.tracks.track import Track

EARLIEST = microseconds(datetime(2015, 1, 1, tzinfo=UTC))
FASTEST_CLOCK = 10_000  # microseconds; no phone has a hundred positions a second
STANDING_METRES = 60.0


def measure(
    track: Track,
    lines: Sequence[Line] | None,
    earlier: Iterable[bytes | str],
    rules: Rules,
    *,
    copied: bool = False,
) -> Metrics:
    """What there is to know of a patrol along ``lines`` (degrees, WGS-84; None: no river near).

    ``earlier`` are sketches of tracks along the same reach; ``copied`` says that the very same
    coordinates are known to have been sent in before. Never fails on a track of any content.
    """
    fixes, clock = read_fixes(track, rules)
    gaps, jumps = breaks(fixes, rules)
    segments = segments_of(gaps | jumps)[: len(fixes.metres)]
    noise = noise_metres(fixes.metres)
    dated = clock.dated and not _ticks_too_fast(clock)
    speeds = speeds_of(fixes, segments, noise, rules) if dated else Speeds()
    rows = real_moves(fixes, segments, noise)
    path, parts = fixes.metres[rows], segments[rows]
    near = nearness_of(fixes, path, parts, lines or (), rules.near_metres)
    alike = (
        Resemblance(0, 1000) if copied else resemblance(fixes, earlier, speeds, noise, rules)
    )
    length = round(length_metres(path, parts))
    return Metrics(
        points=len(track.coordinates),
        used_points=len(fixes.metres),
        timed_points=clock.timed,
        duration_s=_duration(fixes, segments) // SECOND,
        length_m=length,
        speed_p50_mm_s=speeds.p50,
        speed_p90_mm_s=speeds.p90,
        speed_p99_mm_s=speeds.p99,
        speed_max_mm_s=speeds.max,
        fast_run_s=speeds.fast_run_s,
        fast_share_permille=speeds.fast_share_permille,
        fast_length_m=min(speeds.fast_length_m, length),
        gaps=int(np.count_nonzero(gaps)),
        jumps=int(np.count_nonzero(jumps)),
        noise_dm=round(10 * noise),
        near_permille=near.share_permille,
        near_length_m=min(near.length_m, length),
        coverage_permille=near.coverage_permille,
        replay_distance_dm=alike.distance_dm,
        replay_share_permille=alike.share_permille,
        mocked=int(track.mocked),
        no_times=int(not clock.dated),
        clock_off=int(_clock_off(clock)),
        identical_times=int(clock.dated and 2 * clock.commonest > clock.timed),
        too_perfect=int(speeds.constant and _unvarying(track.accuracies)),
        stationary=int(_stationary(fixes)),
    )


def _duration(fixes: Fixes, segments: Ints) -> int:
    """Microseconds between the fixes of one segment, over all segments."""
    inside = segments[1:] == segments[:-1]
    return int(np.diff(fixes.micros)[inside].sum()) if len(fixes.micros) else 0


def _clock_off(clock: Clock) -> bool:
    return clock.timed > 0 and (clock.first < EARLIEST or _ticks_too_fast(clock))


def _ticks_too_fast(clock: Clock) -> bool:
    return 0 < clock.median_step < FASTEST_CLOCK


def _unvarying(values: tuple[float, ...]) -> bool:
    return len(set(values)) <= 1


def _stationary(fixes: Fixes) -> bool:
    """All but stray fixes within 60 m, though they add up to a distance: jitter, not a walk."""
    if len(fixes.metres) < 2:
        return False
    centre = np.median(fixes.metres, axis=0)
    away = np.quantile(np.hypot(*(fixes.metres - centre).T), 0.98)
    wandered = float(distances(fixes.metres[:-1], fixes.metres[1:]).sum())
    return bool(away <= STANDING_METRES and wandered >= 4 * STANDING_METRES)
