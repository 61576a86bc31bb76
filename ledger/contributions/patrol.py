"""Patrol (巡河): a walk along a reach, judged from its track, paid by its length."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import msgspec

from ledger.contributions.base import (
    Assessed,
    Context,
    Contribution,
    Recorded,
    State,
)
from ledger.contributions.evidence import PHOTOS_MAX, Sha256, reach_named
from ledger.days import FUTURE_ALLOWED, LATE_DAYS_MAX, corrected, reward_day
from ledger.errors import FieldError, FutureTime, InvalidInput
from ledger.facts import Fact, Text, stored_as
from ledger.participants import CONTRIBUTORS
from ledger.policy import Granted, KindRules, Refused
from ledger.rivers import ReachImported, RiverMap
from ledger.tracks.judge import judge
from ledger.tracks.metrics import Metrics
from ledger.tracks.reasons import REASONS
from ledger.tracks.rules import Rules

# Measuring needs geometry, judging what was measured does not: an auditor does only the latter.
if TYPE_CHECKING:
    from ledger.tracks import Track

POLICY = """
[patrol]                # 临清: at least 20 min and 500 m, then one more coin per full 100 m
min_minutes = 20
min_metres = 500
coins = 2
metres_per_extra_coin = 100
day_max = 10            # coins from patrols in a day
near_metres = 100       # a fix is near the river within this and its own accuracy
near_share_percent = 60 # of the fixes
late_days = 30          # how long a patrol may be sent in afterwards
"""

EARLIER_TRACKS_COMPARED = 200

class TrackBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fixes in order: [longitude, latitude], the time of each, and its accuracy in metres."""

    coordinates: tuple[tuple[float, float], ...]
    times: tuple[datetime | None, ...] | None = None
    accuracies: tuple[float, ...] | None = None


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the phone says of itself; kept in the vault but for its clock and the mock flag."""

    device_id: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    seq: Annotated[int, msgspec.Meta(ge=0)] | None = None
    recorded_at: datetime | None = None
    sent_at: datetime | None = None
    mocked: bool = False


class PatrolBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``POST /v1/patrols``: without ``reach_id`` the reach most of the fixes are near is taken."""

    crs: Literal["wgs84", "gcj02"]
    track: TrackBody
    reach_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    photos: Annotated[tuple[Sha256, ...], msgspec.Meta(max_length=PHOTOS_MAX)] = ()
    device: Device | None = None


class PatrolRules(Rules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[patrol]`` table: thresholds of the assessment, then what a valid patrol earns."""

    coins: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 2
    metres_per_extra_coin: Annotated[int, msgspec.Meta(ge=1)] = 100
    day_max: Annotated[int, msgspec.Meta(ge=0)] | None = 10


@stored_as(
    "patrol.recorded",
    zh="{participant_id}（{role}）提交 {earned_on} 的巡河 {originator}",
    en="{participant_id} ({role}) sent in the patrol {originator} of {earned_on}",
)
class PatrolRecorded(Recorded, frozen=True):
    """A patrol was sent in; its track, as declared, is in the vault."""

    reach_id: UUID | None = None
    crs: str = "wgs84"
    photos: tuple[str, ...] = ()
    mapped: bool = True  # whether any river was known at all


@stored_as(
    "patrol.assessed",
    zh="巡河 {originator} 判定为{verdict}，全程 {metrics.length_m} 米、{metrics.duration_s} "
    "秒{reasons}",
    en="The patrol {originator} was judged {verdict}, {metrics.length_m} m long in "
    "{metrics.duration_s} s{reasons}",
)
class PatrolAssessed(Assessed, frozen=True):
    """The verdict, and the measurements it follows from."""

    metrics: Metrics


def record(body: PatrolBody, context: Context, body_digest: str) -> Sequence[Fact]:
    """Measure and judge a patrol; shape problems raise InvalidInput before anything is kept."""
    from ledger.tracks import measure, nearest_reach, sketch

    track = _track(body)
    _refuse_bad_shape(track, body.device, context.now)
    reach = _reach(body, track, context.rivers)
    recorded = _recorded(body, track, reach, context, body_digest)
    rules = _applied(context.rules(recorded.earned_on))
    # By where it is, not by what was declared: a copy under another reach meets its original.
    where = nearest_reach(track, tuple(context.rivers.reaches.values()))
    shelf = f"track/{where.reach_id if where else None}"
    metrics = measure(
        track,
        reach.lines if reach else None,
        context.shelf(shelf, EARLIER_TRACKS_COMPARED),
        rules,
        copied=context.copied,
    )
    verdict, reasons = verdict_of(recorded, metrics, rules, context.now)
    # A rejected track is no earlier track: it neither blocks the same walk sent in properly, nor
    # pushes others off the shelf.
    kept = verdict != "rejected"
    sealed = (
        context.seal("track", msgspec.to_builtins(body.track)),
        context.seal(
            "sketch", sketch(track), shelf=shelf if kept else None,
            unique=track.identity() if kept else None,
        ),
        *([context.seal("device", msgspec.to_builtins(body.device))] if body.device else []),
    )
    return [
        msgspec.structs.replace(recorded, sealed=sealed),
        PatrolAssessed(
            policy_version=context.policy_version(recorded.earned_on),
            verdict=verdict,
            reasons=reasons,
            metrics=metrics,
        ),
    ]


def _recorded(
    body: PatrolBody,
    track: Track,
    reach: ReachImported | None,
    context: Context,
    body_digest: str,
) -> PatrolRecorded:
    began, ended = track.began, track.ended
    sent = context.times.sent_at or (body.device.sent_at if body.device else None)
    claimed = corrected(ended, sent, context.now) if ended else context.now
    return PatrolRecorded(
        participant_id=context.actor.participant_id,
        role=context.actor.role,
        role_district=context.actor.district,
        districts=context.districts.path((reach and reach.district) or context.actor.district),
        earned_on=reward_day(claimed, context.now, LATE_DAYS_MAX),
        body_digest=body_digest,
        began_at=began,
        ended_at=ended,
        sent_at=sent,
        reach_id=reach.reach_id if reach else None,
        crs=body.crs,
        photos=body.photos,
        mapped=bool(context.rivers.reaches),
    )


def _applied(rules: KindRules | None) -> PatrolRules:
    """The policy's rules; the defaults on a day without a policy, which pays nothing anyway."""
    return rules if isinstance(rules, PatrolRules) else PatrolRules()


def verdict(
    recorded: Recorded, assessed: PatrolAssessed, rules: KindRules | None, received: datetime
) -> tuple[str, tuple[str, ...]]:
    """What the machine should have said, from stored facts alone."""
    return verdict_of(recorded, assessed.metrics, _applied(rules), received)


def verdict_of(
    recorded: Recorded, metrics: Metrics, rules: Rules, received: datetime
) -> tuple[str, tuple[str, ...]]:
    """The verdict from what the log holds: the measurements, and how late it was sent in."""
    mapped = isinstance(recorded, PatrolRecorded) and recorded.mapped
    if not mapped:  # Where no river is known, how near it was is a reviewer's question.
        rules = msgspec.structs.replace(rules, near_share_percent=0, min_coverage_percent=0)
    judgement = judge(metrics, rules)
    if _too_late(recorded, metrics, rules, received):
        return "rejected", (*judgement.reasons, "too_old")
    if not mapped and judgement.verdict == "valid":
        return "review", ("no_river_map",)
    return judgement.verdict, judgement.reasons


def _too_late(recorded: Recorded, metrics: Metrics, rules: Rules, received: datetime) -> bool:
    if recorded.ended_at is None or metrics.clock_off:
        return False
    claimed = corrected(recorded.ended_at, recorded.sent_at, received)
    return claimed < received - timedelta(days=rules.late_days)


def reward(state: State, rules: PatrolRules) -> Granted | Refused:
    """Two coins, and one more per further full 100 m on foot; the day's limit is the wallet's."""
    assessed = state.assessed
    assert isinstance(assessed, PatrolAssessed)
    if state.state not in ("valid", "verified"):
        return Refused("patrol.assessment", assessed.reasons)
    further = max(assessed.metrics.walked_m - rules.min_metres, 0)
    return Granted(rules.coins + further // rules.metres_per_extra_coin, "patrol.length")


def _track(body: PatrolBody) -> Track:
    from ledger.tracks import Track

    return Track(
        coordinates=body.track.coordinates,
        times=body.track.times or (),
        accuracies=body.track.accuracies or (),
        crs=body.crs,
        mocked=body.device.mocked if body.device else False,
    )


def _refuse_bad_shape(track: Track, device: Device | None, now: datetime) -> None:
    problems = track.check(now)
    clocks = (("sent_at", device.sent_at), ("recorded_at", device.recorded_at)) if device else ()
    problems += [
        FieldError(f"device.{name}", FutureTime.code, FutureTime.zh, FutureTime.en)
        for name, time in clocks
        if time is not None and time > now + FUTURE_ALLOWED
    ]
    if any(one.code == "future_time" for one in problems):
        raise FutureTime(problems)
    if problems:
        raise InvalidInput(problems)


def _reach(body: PatrolBody, track: Track, rivers: RiverMap) -> ReachImported | None:
    if body.reach_id is not None:
        return reach_named(body.reach_id, rivers)
    from ledger.tracks import nearest_reach

    return nearest_reach(track, tuple(rivers.reaches.values()))


PATROL = Contribution(
    kind="patrol",
    path="patrols",
    name=Text(zh="巡河", en="patrol"),
    body=PatrolBody,
    recorded=PatrolRecorded,
    rules=PatrolRules,
    policy=POLICY,
    contributors=CONTRIBUTORS,
    reviewers=frozenset({"dispatcher", "reward_officer"}),
    record=record,
    reward=reward,
    verdict=verdict,
    headline=("reach_id", "began_at", "ended_at"),
    reasons=REASONS
    | {
        "no_river_map": Text(
            zh="本市尚未导入河道图，无法判断是否沿河，等待人工审核。",
            en="No river map was imported yet, so a person will check whether it was by the river.",
        )
    },
)
