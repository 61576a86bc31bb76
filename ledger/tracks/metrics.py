"""What is measured of a patrol, in whole numbers: all that a verdict may depend on."""

from __future__ import annotations

import msgspec


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """Stored with every assessment, so that an auditor can judge again without the track.

    Units are in the names (mm_s: mm/s, dm: 0.1 m). Flags are 0 or 1. New fields go to the end,
    with a default; ``version`` tells by which edition of the measurement they were found.
    """

    version: int = 1
    points: int = 0
    used_points: int = 0
    timed_points: int = 0
    duration_s: int = 0  # whole seconds of all segments, silences left out
    length_m: int = 0  # of all segments, by the filtered path, to the nearest metre
    speed_p50_mm_s: int = 0
    speed_p90_mm_s: int = 0
    speed_p99_mm_s: int = 0
    speed_max_mm_s: int = 0
    fast_run_s: int = 0
    fast_share_permille: int = 0
    fast_length_m: int = 0
    gaps: int = 0
    jumps: int = 0
    noise_dm: int = 0
    near_permille: int = 0
    near_length_m: int = 0
    coverage_permille: int = 0
    replay_distance_dm: int = -1
    replay_share_permille: int = 0
    mocked: int = 0
    no_times: int = 0
    clock_off: int = 0
    identical_times: int = 0
    too_perfect: int = 0
    stationary: int = 0

    @property
    def walked_m(self) -> int:
        """The length without the parts that were ridden."""
        return max(self.length_m - self.fast_length_m, 0)
