"""Check-in (美丽河湖运动打卡): somebody is at a point of a trail; points pay, the finish more.

A machine judges at once: near enough or with the right code, while the trail was open.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Annotated, Any
from uuid import UUID

import msgspec

from ledger import identity
from ledger.contributions.base import Assessed, Context, Contribution, Recorded, State, Times
from ledger.contributions.clocks import happened
from ledger.contributions.evidence import Place
from ledger.days import LATE_DAYS_MAX, corrected, reward_day
from ledger.errors import FieldError, InvalidInput
from ledger.facts import Fact, Text, stored_as
from ledger.participants import CONTRIBUTORS
from ledger.policy import Granted, KindRules, Refused
from ledger.trails.codes import digest_of
from ledger.trails.errors import UnknownPoint, UnknownTrail
from ledger.trails.trails import Point, Trail

POLICY = """
[check_in]              # ours: a coin for a point, and more once for whoever finishes a trail
coins = 1
finish_coins = 10
day_max = 15            # coins from check-ins in a day, that of a finish among them
accuracy_max_metres = 50  # a fix less accurate than this proves nothing
late_days = 30          # how long a check-in may be sent in afterwards
"""

METRES_MAX = 50_000_000  # nothing on earth is further apart


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


@stored_as(
    "check_in.recorded",
    zh="{participant_id}（{role}）{by}在线路 {trail_id} 的打卡点 {point_id} 打卡（{originator}）",
    en="{participant_id} ({role}) checked in at the point {point_id} of the trail {trail_id}, "
    "known {by} ({originator})",
)
class CheckInRecorded(Recorded, frozen=True, kw_only=True):
    """A check-in, what was measured of it, and what it was measured against.

    ``by`` is place or code. ``standing`` is how the trail stood then; the last five are the
    trail's: its order, which of its points this is (from 0), how many there are, and how many
    finish it. The fix itself is in the vault, the code nowhere.
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


@stored_as(
    "check_in.assessed",
    zh="打卡 {originator} 判定为{verdict}{reasons}",
    en="The check-in {originator} was judged {verdict}{reasons}",
)
class CheckInAssessed(Assessed, frozen=True):
    """The verdict; the measurements it follows from are in what was recorded."""


def record(body: CheckInBody, context: Context, body_digest: str) -> Sequence[Fact]:
    """Measure and judge a check-in; raises UnknownTrail, UnknownPoint, InvalidInput."""
    trail = context.trails().trails.get(body.trail_id)
    if trail is None:
        raise UnknownTrail([_wrong("trail_id", UnknownTrail)])
    if (found := trail.point(body.point_id)) is None:
        raise UnknownPoint([_wrong("point_id", UnknownPoint)])
    index, point = found
    _refuse_no_way(body, point)
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
        **_measured(body, point),
        **measured_against(trail, index),
    )
    rules = context.rules(recorded.earned_on)
    judged, reasons = verdict(recorded, None, rules, context.now)
    version = context.policy_version(recorded.earned_on)
    return [recorded, CheckInAssessed(policy_version=version, verdict=judged, reasons=reasons)]


def _refuse_no_way(body: CheckInBody, point: Point) -> None:
    """Either a fix or a code, and one that the point knows."""
    if (body.place is None) == (body.code is None):
        raise InvalidInput([FieldError("place", "place_or_code", "请提供位置或打卡码之一。",
                                       "Send either a place or a code.")])  # fmt: skip
    if body.place is not None and point.circle is None:
        raise InvalidInput([FieldError("place", "code_only", "此打卡点须扫码打卡。",
                                       "This point takes its code alone; scan it.")])  # fmt: skip
    if body.code is not None and point.code_sha256 is None:
        raise InvalidInput([FieldError("code", "place_only", "此打卡点没有打卡码，请按位置打卡。",
                                       "This point has no code; send your place.")])  # fmt: skip


def _wrong(path: str, refusal: type[InvalidInput]) -> FieldError:
    return FieldError(path, refusal.code, refusal.zh, refusal.en)


def _measured(body: CheckInBody, point: Point) -> dict[str, Any]:
    """Whole metres, rounded up; or whether the code is the point's."""
    unmeasured = {"distance_m": None, "accuracy_m": None, "code_fits": None}
    if body.place is None:
        assert body.code is not None
        assert point.code_sha256 is not None
        fits = hmac.compare_digest(digest_of(body.code), point.code_sha256)
        return {**unmeasured, "by": "code", "code_fits": fits}
    from ledger.tracks.apart import in_wgs84, metres_apart  # An auditor measures nothing.

    assert point.circle is not None
    here = in_wgs84((body.place.lon, body.place.lat), body.place.crs)
    metres = metres_apart(here, (point.circle.lon, point.circle.lat))
    accuracy = min(body.place.accuracy or 0.0, METRES_MAX)
    return {**unmeasured, "by": "place", "distance_m": ceil(metres), "accuracy_m": ceil(accuracy)}


def measured_against(trail: Trail, index: int) -> dict[str, Any]:
    """What a check-in copies of the trail, so that it can be judged again without it."""
    plan, point = trail.plan, trail.plan.points[index]
    return {
        "trail_id": trail.trail_id, "point_id": point.id,
        "radius_m": point.circle.radius_m if point.circle else None, "order": plan.order,
        "index": index, "points": len(plan.points), "finish_at": plan.finish_at,
    }  # fmt: skip


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
    """Coins for a point, once a day; and once, at the point that makes them enough, the finish.

    The stamp of that point says so, because whoever waited for a budget is settled again when
    later stamps are on the card.
    """
    here, assessed = state.recorded, state.assessed
    assert isinstance(here, CheckInRecorded)
    assert assessed is not None
    if state.state not in ("valid", "verified"):
        return Refused("check_in.assessment", assessed.reasons)
    stamps = [tuple(one.mark.split("/")) for one in state.credits]
    stamped = {point for _, point, _ in stamps}
    if (here.point_id, str(here.earned_on)) in {(point, day) for _, point, day in stamps}:
        return Refused("check_in.once", ("already_checked_in",))
    if here.order == "given" and here.index > len(stamped):
        return Refused("check_in.order", ("wrong_order",))
    finished = any(kind == "finish" for kind, _, _ in stamps)
    if finished or len(stamped | {here.point_id}) < here.finish_at:
        return Granted(
            rules.coins, "check_in.point", credit=_stamp("point", here), counts_unpaid=True
        )
    return Granted(
        rules.coins + rules.finish_coins, "check_in.finish", credit=_stamp("finish", here),
        counts_unpaid=True,
    )  # fmt: skip


def _stamp(kind: str, here: CheckInRecorded) -> str:
    return f"{kind}/{here.point_id}/{here.earned_on}"


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
    reasons={
        "out_of_reach": Text(
            zh="您的位置不在打卡点范围内；请走近后再打卡。",
            en="You are too far from the point; go nearer and check in again.",
        ),
        "inaccurate_fix": Text(
            zh="定位精度不足，无法确认位置；请到开阔处重新定位，或扫打卡码。",
            en="The fix is too inaccurate; wait for a better one in the open, or scan the code.",
        ),
        "wrong_code": Text(
            zh="打卡码不是这个打卡点的；请扫现场的打卡码。",
            en="The code is not that of this point; scan the one that is there.",
        ),
        "trail_paused": Text(
            zh="当时打卡线路因天气等原因暂停；恢复开放后再来打卡。",
            en="The trail was paused then, for the weather say; come again once it is resumed.",
        ),
        "trail_closed": Text(
            zh="当时打卡线路已经关闭；请选择其他线路。",
            en="The trail was closed for good by then; choose another.",
        ),
        "outside_period": Text(
            zh="不在打卡线路的开放日期内；请查看线路的起止日期。",
            en="It was not within the days of the trail; look up when it begins and ends.",
        ),
        "already_checked_in": Text(
            zh="当天您已在此打卡点打过卡，每点每天只奖励一次。",
            en="You were rewarded for this point that day already; it is paid once a day.",
        ),
        "wrong_order": Text(
            zh="这条线路须按顺序打卡；请先到前面的打卡点。",
            en="This trail is walked in its order; check in at the points before this one first.",
        ),
    },
)
