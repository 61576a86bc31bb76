"""What a city may set about judging a patrol (巡河); whole numbers only, units in the names."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ledger.days import LATE_DAYS_MAX
from ledger.policy import KindRules

Natural = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class Rules(KindRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Thresholds of the assessment. 20 minutes and 500 metres are those of 临清 碧水积分."""

    min_minutes: Natural = 20
    min_metres: Natural = 500
    near_metres: Natural = 100  # a fix is near the river within this plus its own accuracy
    near_share_percent: Percent = 60
    min_coverage_percent: Percent = 0
    accuracy_max_metres: Natural = 50  # worse fixes are not used
    walk_p90_mm_s: Natural = 2500
    fast_mm_s: Natural = 4000
    fast_run_max_seconds: Natural = 60
    gap_split_seconds: Natural = 300  # a longer silence is not counted as patrolling
    late_days: Annotated[int, msgspec.Meta(ge=0, le=LATE_DAYS_MAX)] = LATE_DAYS_MAX
    min_timed_share_percent: Percent = 20  # of the fixes must carry a time
    min_fixes: Natural = 8  # fewer can be no more than looked at by a person
    max_jumps: Natural = 2  # leaps faster than any vehicle, single stray fixes aside
    # An earlier track, shifted in time, stays within this median distance of a near copy.
    replay_dm: Natural = 30
    replay_share_percent: Percent = 30  # of the track that must be alike before it is compared
    exact_share_percent: Percent = 20  # of the track made of another one's very fixes: a copy
