"""The verdict on a patrol, from whole numbers alone: anybody can recompute it from the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from ledger.tracks.metrics import Metrics
from ledger.tracks.rules import Rules

Verdict = Literal["valid", "review", "rejected"]


class Judgement(msgspec.Struct, frozen=True):
    """``reasons`` are codes of ``REASONS``, the main one first; none when valid."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


def judge(metrics: Metrics, rules: Rules) -> Judgement:
    """Rejected for what is certain, for review what is only odd; every reason is given."""
    certain, odd = tuple(_certain(metrics, rules)), tuple(_odd(metrics, rules))
    if certain:
        # Bad reception is no offence; it only explains what else was found too little.
        poor = ("poor_signal",) if 2 * metrics.used_points < metrics.timed_points else ()
        return Judgement("rejected", certain + odd + poor)
    return Judgement("review", odd) if odd else Judgement("valid")


def _certain(metrics: Metrics, rules: Rules) -> Iterator[str]:
    if metrics.no_times:
        yield "no_times"
    if metrics.clock_off:
        yield "clock_off"
    if metrics.identical_times:
        yield "identical_times"
    if metrics.replay_share_permille >= 10 * rules.exact_share_percent:
        yield "replayed_track"
    if metrics.speed_p90_mm_s > rules.walk_p90_mm_s:
        yield "too_fast"
    if metrics.fast_run_s > rules.fast_run_max_seconds:
        yield "fast_part"
    if metrics.near_permille < 10 * rules.near_share_percent:
        yield "not_near_river"
    if metrics.stationary:
        yield "stationary"
    if metrics.walked_m < rules.min_metres:
        yield "too_short"
    # By a wrong clock no duration is to be had, and calling it too brief would mislead.
    dated = not (metrics.no_times or metrics.clock_off or metrics.identical_times)
    if dated and metrics.duration_s < 60 * rules.min_minutes:
        yield "too_brief"
    if metrics.coverage_permille < 10 * rules.min_coverage_percent:
        yield "low_coverage"


def _odd(metrics: Metrics, rules: Rules) -> Iterator[str]:
    copied = metrics.replay_share_permille >= 10 * rules.exact_share_percent
    if not copied and 0 <= metrics.replay_distance_dm <= rules.replay_dm:
        yield "similar_track"
    if metrics.used_points < rules.min_fixes:
        yield "too_few_fixes"
    if metrics.mocked:
        yield "mocked_location"
    # Alone it proves nothing: a drawn or smoothed track may be honest.
    if metrics.mocked and metrics.too_perfect:
        yield "too_perfect"
    if metrics.jumps > rules.max_jumps and not metrics.clock_off:
        yield "jumps"
