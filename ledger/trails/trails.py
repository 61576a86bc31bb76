"""Trails (打卡线路): points by the water to check in at; one register that everybody reads.

When a trail was paused and closed is said by its facts, not by when they were recorded alone, so
that a check-in sent in later is judged by how the trail stood at its own moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from ledger.commands import Signed
from ledger.days import day_of
from ledger.errors import NotFound
from ledger.facts import Fact, stored_as

Order = Literal["any", "given"]
PauseReason = Literal["weather", "high_water", "works", "other"]
Standing = Literal["open", "paused", "closed", "outside_period"]

Radius = Annotated[int, msgspec.Meta(ge=5, le=1000)]


class Circle(msgspec.Struct, frozen=True):
    """Within so many metres around a place in degrees of WGS-84."""

    lon: float
    lat: float
    radius_m: Radius


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Where one checks in (打卡点): within its circle, or with its QR code, a secret.

    Only the SHA-256 of the code is known here.
    """

    id: str
    name: str
    circle: Circle | None = None
    code_sha256: str | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a trail says of itself: finished at ``finish_at`` different points, in ``order``."""

    name: str
    points: tuple[Point, ...]
    finish_at: int
    order: Order = "any"
    district: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None


class TrailChanged(Signed, frozen=True):
    """Base of the facts about a trail, each from its moment ``at`` on."""

    trail_id: UUID
    at: datetime


@stored_as(
    "trail.published",
    zh="{by} 发布打卡线路 {trail_id}“{plan.name}”，打满 {plan.finish_at} 个点算走完",
    en="{by} published the trail {trail_id}, “{plan.name}”, finished at {plan.finish_at} points",
)
class TrailPublished(TrailChanged, frozen=True):
    """A trail with its points, and the path of its district, lowest first."""

    plan: Plan
    districts: tuple[str, ...]


@stored_as(
    "trail.paused",
    zh="{by} 暂停打卡线路 {trail_id}，原因：{reason}",
    en="{by} paused the trail {trail_id} because of {reason}",
)
class TrailPaused(TrailChanged, frozen=True):
    """Nobody shall walk it for now."""

    reason: str


@stored_as(
    "trail.resumed",
    zh="{by} 恢复打卡线路 {trail_id}",
    en="{by} opened the trail {trail_id} again",
)
class TrailResumed(TrailChanged, frozen=True):
    """It can be walked again."""


@stored_as(
    "trail.closed",
    zh="{by} 关闭打卡线路 {trail_id}，不再开放",
    en="{by} closed the trail {trail_id} for good",
)
class TrailClosed(TrailChanged, frozen=True):
    """What was checked in before may still come from phones that had no signal."""


class Pause(msgspec.Struct, frozen=True):
    """From when to when (None: still) a trail was paused, and why."""

    since: datetime
    reason: str
    until: datetime | None = None


class Trail(msgspec.Struct, frozen=True):
    """A trail as it stands."""

    trail_id: UUID
    plan: Plan
    districts: tuple[str, ...]
    published_at: datetime
    pauses: tuple[Pause, ...] = ()
    closed_at: datetime | None = None

    @property
    def pause(self) -> Pause | None:
        """The pause that goes on; None where there is none."""
        last = self.pauses[-1] if self.pauses else None
        return last if last and last.until is None and self.closed_at is None else None

    @property
    def state(self) -> str:
        """As its facts left it: open, paused or closed."""
        return "closed" if self.closed_at else "paused" if self.pause else "open"

    def standing(self, moment: datetime) -> Standing:
        """How it stood at a moment; a pause and the closing count from their very moment on."""
        if self.closed_at is not None and moment >= self.closed_at:
            return "closed"
        day, plan = day_of(moment), self.plan
        early = moment < self.published_at or (plan.starts_on is not None and day < plan.starts_on)
        if early or (plan.ends_on is not None and day > plan.ends_on):
            return "outside_period"
        paused = any(
            one.since <= moment and (one.until is None or moment < one.until)
            for one in self.pauses
        )
        return "paused" if paused else "open"

    def point(self, point_id: str) -> tuple[int, Point] | None:
        """Which of its points this is, from 0, and the point; None for none of them."""
        return next(
            ((index, one) for index, one in enumerate(self.plan.points) if one.id == point_id),
            None,
        )

    def after(self, fact: TrailChanged) -> Trail:
        """The trail after one more fact about it."""
        if isinstance(fact, TrailPaused):
            pauses = (*self.pauses, Pause(fact.at, fact.reason))
            return msgspec.structs.replace(self, pauses=pauses)
        if isinstance(fact, TrailResumed):
            over = msgspec.structs.replace(self.pauses[-1], until=fact.at)
            return msgspec.structs.replace(self, pauses=(*self.pauses[:-1], over))
        if isinstance(fact, TrailClosed):
            return msgspec.structs.replace(self, closed_at=fact.at)
        return self

    def takes(self, fact: TrailChanged) -> bool:
        """Whether this can happen to it as it stands."""
        if isinstance(fact, TrailPaused):
            return self.state == "open"
        if isinstance(fact, TrailResumed):
            return self.state == "paused"
        return isinstance(fact, TrailClosed) and self.state != "closed"


class Trails(msgspec.Struct):
    """Every trail by id, and the commands that made them so: digest of the body, and version."""

    version: int = 0
    trails: dict[UUID, Trail] = {}
    commands: dict[UUID, tuple[str, int]] = {}

    def with_facts(self, facts: Sequence[Fact]) -> Trails:
        trails, commands = dict(self.trails), dict(self.commands)
        for version, fact in enumerate(facts, self.version + 1):
            if not isinstance(fact, TrailChanged):
                continue
            known = trails.get(fact.trail_id)
            if isinstance(fact, TrailPublished) and known is None:
                trails[fact.trail_id] = Trail(fact.trail_id, fact.plan, fact.districts, fact.at)
            elif known is not None and known.takes(fact):
                trails[fact.trail_id] = known.after(fact)
            commands[fact.command_id] = (fact.body_digest, version)
        return Trails(self.version + len(facts), trails, commands)

    def trail(self, trail_id: UUID) -> Trail:
        """The trail with this id; raises NotFound."""
        found = self.trails.get(trail_id)
        if found is None:
            raise NotFound
        return found
