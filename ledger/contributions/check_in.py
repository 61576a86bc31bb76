"""Check-in (美丽河湖运动打卡): somebody is at a point of a trail; points pay, the finish more.

A machine judges at once: near enough or with the right code, while the trail was open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from ledger import identity
from ledger.contributions.base import Assessed, Context, Contribution, Recorded, State, Times
from ledger.contributions.clocks import happened
from ledger.contributions.evidence import Place
from ledger.days import LATE_DAYS_MAX, clamped, corrected, reward_day
from ledger.errors import FieldError, InvalidInput
from ledger.facts import Fact, Text, stored_as
from ledger.participants import CONTRIBUTORS
from ledger.policy import Granted, KindRules, Refused
from ledger.trails.card import BEFORE, STAMPS_A_DAY, Card, Stamp
from ledger.trails.errors import UnknownPoint, UnknownTrail
from ledger.trails.proof import measured, measured_against, refuse_no_way
from ledger.trails.reasons import REASONS
from ledger.trails.trails import Trails

POLICY = """
[check_in]              # ours: a coin for a point, and more once for whoever finishes a trail
coins = 1
finish_coins = 10
day_max = 15            # coins from check-ins in a day, that of a finish among them
accuracy_max_metres = 50  # a fix less accurate than this proves nothing
late_days = 30          # how long a check-in may be sent in afterwards
seconds_apart = 0       # at least so long between two points of a trail; 0: not looked at
"""

class CheckInBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``POST /v1/check-ins``: at which point, shown by a fix or by the text of its QR code."""

    trail_id: UUID
    point_id: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    place: Place | None = None
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    recorded_at: datetime | None = None
    sent_at: datetime | None = None


class CheckInRules(KindRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[check_in]`` table: coins for a point and for the finish, and what a fix must be."""

    coins: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    finish_coins: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 10
    day_max: Annotated[int, msgspec.Meta(ge=0)] | None = 15
    accuracy_max_metres: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 50
    late_days: Annotated[int, msgspec.Meta(ge=0, le=LATE_DAYS_MAX)] = LATE_DAYS_MAX
    seconds_apart: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 0


@stored_as(
    "check_in.recorded",
    zh="{participant_id}（{role}）{by}在线路 {trail_id} 的打卡点 {point_id} 打卡（{originator}）",
    en="{participant_id} ({role}) checked in at the point {point_id} of the trail {trail_id}, "
    "known {by} ({originator})",
)
class CheckInRecorded(Recorded, frozen=True, kw_only=True):
    """A check-in, what was measured of it, and what it was measured against.

    ``by`` is place or code. ``standing`` is how the trail stood then; the radius and the next four
    are the trail's: its order, which of its points this is (from 0), how many there are, and how
    many finish it. ``made_at`` is the moment that its place in the order goes by, where that is
    not its arrival's. The fix itself is in the vault, the code nowhere.
    """

    trail_id: UUID
    point_id: str
    by: str
    standing: str
    distance_m: int | None
    accuracy_m: int | None
    code_fits: bool | None
    claimed_at: datetime | None
    radius_m: int | None
    order: str
    index: int
    points: int
    finish_at: int
    made_at: datetime | None = None


@stored_as(
    "check_in.assessed",
    zh="打卡 {originator} 判定为{verdict}{reasons}",
    en="The check-in {originator} was judged {verdict}{reasons}",
)
class CheckInAssessed(Assessed, frozen=True):
    """The verdict; the measurements it follows from are in what was recorded."""


def record(body: CheckInBody, context: Context, body_digest: str) -> Sequence[Fact]:
    """Measure and judge a check-in; raises UnknownTrail, UnknownPoint, InvalidInput."""
    trails: Trails = context.register("trails")
    trail = trails.trails.get(body.trail_id)
    if trail is None:
        raise UnknownTrail([_wrong("trail_id", UnknownTrail)])
    if (found := trail.point(body.point_id)) is None:
        raise UnknownPoint([_wrong("point_id", UnknownPoint)])
    index, point = found
    refuse_no_way(body.place, body.code, point)
    times, moment = happened(Times(body.recorded_at, body.sent_at), context)
    recorded = CheckInRecorded(
        participant_id=context.actor.participant_id,
        role=context.actor.role,
        role_district=context.actor.district,
        districts=trail.districts or context.districts.path(context.actor.district),
        earned_on=reward_day(moment, context.now, LATE_DAYS_MAX),
        body_digest=body_digest,
        sealed=(context.seal("place", msgspec.to_builtins(body.place)),) if body.place else (),
        sent_at=times.sent_at,
        standing=trail.standing(moment),
        claimed_at=times.recorded_at,
        made_at=clamped(moment, context.now, LATE_DAYS_MAX),
        **measured(body.place, body.code, point),
        **measured_against(trail, index),
    )
    rules = context.rules(recorded.earned_on)
    judged, reasons = verdict(recorded, None, rules, context.now)
    version = context.policy_version(recorded.earned_on)
    return [recorded, CheckInAssessed(policy_version=version, verdict=judged, reasons=reasons)]


def _wrong(path: str, refusal: type[InvalidInput]) -> FieldError:
    return FieldError(path, refusal.code, refusal.zh, refusal.en)


def moment_of(recorded: CheckInRecorded, received: datetime) -> datetime:
    """When it happened by our clock."""
    if recorded.claimed_at is None:
        return received
    return corrected(recorded.claimed_at, recorded.sent_at, received)


NOT_OPEN = {"paused": "trail_paused", "closed": "trail_closed"}


def verdict(
    recorded: CheckInRecorded, _: object, rules: KindRules | None, received: datetime
) -> tuple[str, tuple[str, ...]]:
    """Valid, or rejected for all of these reasons, the trail's own first."""
    applied = rules if isinstance(rules, CheckInRules) else CheckInRules()
    found = []
    if recorded.standing != "open":
        found.append(NOT_OPEN.get(recorded.standing, "outside_period"))
    if moment_of(recorded, received) < received - timedelta(days=applied.late_days):
        found.append("too_old")
    if recorded.by == "code":
        found += [] if recorded.code_fits else ["wrong_code"]
    else:
        assert recorded.distance_m is not None
        assert recorded.accuracy_m is not None
        assert recorded.radius_m is not None
        if recorded.accuracy_m > applied.accuracy_max_metres:
            found.append("inaccurate_fix")
        elif recorded.distance_m > recorded.radius_m + recorded.accuracy_m:
            found.append("out_of_reach")
    return ("rejected" if found else "valid"), tuple(found)


def shared(recorded: CheckInRecorded) -> UUID:
    """The person's card (打卡卡) for the trail, which every point is stamped on."""
    return identity.derived("card", recorded.participant_id, recorded.trail_id)


def reward(state: State, rules: CheckInRules) -> Granted | Refused:
    """Coins for a point, once a day; and once, at the stamp that makes them enough, the finish.

    In a given order a point that is new to the card earns where it brings the walk forward, and
    is stamped all the same. So coins and finish are those of the walk, however it arrives.
    """
    here, assessed = state.recorded, state.assessed
    assert isinstance(here, CheckInRecorded)
    assert assessed is not None
    if state.state not in ("valid", "verified"):
        return Refused("check_in.assessment", assessed.reasons)
    card, stamp = Card(one.mark for one in state.credits), _stamp(here)
    finished = card.finished or Card(one.mark for one in state.behind).finished
    if here.made_at and card.near(stamp, timedelta(seconds=rules.seconds_apart)):
        return Refused("check_in.pace", ("too_soon",))
    before, walked = card.walked(here.order), card.walked(here.order, stamp)
    today = [one for one in card.at(here.point_id) if one.day == stamp.day]
    paid = any(one.kind != "seen" for one in today)
    finishes = walked >= here.finish_at and not finished
    counts = here.order == "given" and (walked > before or len(today) < STAMPS_A_DAY)
    seen = stamp.mark if counts and here.made_at else ""
    if paid and not finishes:
        return Refused("check_in.once", ("already_checked_in",), credit=seen)
    if len(card.at(here.point_id)) == len(today) and _out_of_order(here, before, walked):
        return Refused("check_in.order", ("wrong_order",), credit=seen)
    rule = "check_in.finish" if finishes else "check_in.point"
    coins = (0 if paid else rules.coins) + (rules.finish_coins if finishes else 0)
    credit = stamp._replace(kind="finish" if finishes else "point").mark
    return Granted(coins, rule, credit=credit, counts_unpaid=True)


def _out_of_order(here: CheckInRecorded, before: int, walked: int) -> bool:
    """Whether it does not bring a walk in a given order forward.

    Check-ins that do not tell when they were made had to arrive in that order.
    """
    if here.order != "given":
        return False
    return walked <= before if here.made_at else here.index > before


def _stamp(here: CheckInRecorded) -> Stamp:
    """Its stamp, before it earned anything."""
    return Stamp(
        "seen", here.point_id, str(here.earned_on), here.index, here.made_at or BEFORE
    )


CHECK_IN = Contribution(
    kind="check_in",
    path="check-ins",
    name=Text(zh="打卡", en="check-in"),
    body=CheckInBody,
    recorded=CheckInRecorded,
    rules=CheckInRules,
    policy=POLICY,
    contributors=CONTRIBUTORS,
    reviewers=frozenset({"dispatcher", "reward_officer"}),
    record=record,
    reward=reward,
    verdict=verdict,
    shared=shared,
    headline=("trail_id", "point_id", "by", "claimed_at"),
    reasons=REASONS,
)
