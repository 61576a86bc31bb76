"""Household visit (走访): a grid worker goes door to door; paid once a reviewer confirms it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from ledger.contributions.base import Context, Contribution, Recorded, State
from ledger.contributions.evidence import Place
from ledger.days import FUTURE_ALLOWED, LATE_DAYS_MAX, reward_day
from ledger.errors import FieldError, FutureTime
from ledger.facts import Fact, Text, stored_as
from ledger.policy import Granted, KindRules, Refused

POLICY = """
[visit]                 # as 临清 pays a welfare activity: 2 each, at most 6 a day
coins = 2
day_max = 6
paid_outcomes = ["met", "by_phone"]
"""


Outcome = Literal["met", "nobody_home", "refused", "moved", "vacant", "by_phone"]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class VisitBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``POST /v1/visits``: which household (an opaque number), and what came of it."""

    household: Word
    outcome: Outcome
    campaign_id: UUID | None = None
    materials: dict[Word, Count] = {}
    topics: Annotated[tuple[Word, ...], msgspec.Meta(max_length=20)] = ()
    place: Place | None = None
    recorded_at: datetime | None = None
    sent_at: datetime | None = None


class VisitRules(KindRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[visit]`` table: coins for a visit, and the outcomes that are paid."""

    coins: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 2
    day_max: Annotated[int, msgspec.Meta(ge=0)] | None = 6
    paid_outcomes: tuple[Outcome, ...] = ("met", "by_phone")


@stored_as("visit.recorded", zh="走访住户：{outcome}", en="A household was visited: {outcome}")
class VisitRecorded(Recorded, frozen=True):
    """A visit was logged; the household's number is sealed, its address is not even there."""

    outcome: str = "met"
    campaign_id: UUID | None = None
    materials: dict[str, int] = {}
    topics: tuple[str, ...] = ()


def record(body: VisitBody, context: Context, body_digest: str) -> Sequence[Fact]:
    """Keep a visit for a reviewer to confirm."""
    claimed = body.recorded_at or context.now
    ahead = [
        FieldError(name, FutureTime.code, FutureTime.zh, FutureTime.en)
        for name, time in (("recorded_at", claimed), ("sent_at", body.sent_at))
        if time is not None and time > context.now + FUTURE_ALLOWED
    ]
    if ahead:
        raise FutureTime(ahead)
    sealed = [context.seal("household", body.household)]
    if body.place:
        sealed.append(context.seal("place", msgspec.to_builtins(body.place)))
    return [
        VisitRecorded(
            participant_id=context.actor.participant_id,
            role=context.actor.role,
            role_district=context.actor.district,
            districts=context.districts.path(context.actor.district),
            earned_on=reward_day(claimed, context.now, LATE_DAYS_MAX),
            body_digest=body_digest,
            sealed=tuple(sealed),
            sent_at=body.sent_at,
            outcome=body.outcome,
            campaign_id=body.campaign_id,
            materials=body.materials,
            topics=body.topics,
        )
    ]


def reward(state: State, rules: VisitRules) -> Granted | Refused:
    """A flat number of coins for a confirmed visit with an outcome worth paying."""
    assert isinstance(state.recorded, VisitRecorded)
    if state.recorded.outcome not in rules.paid_outcomes:
        return Refused("visit.outcome", ("outcome_not_paid",))
    return Granted(rules.coins, "visit.confirmed")


VISIT = Contribution(
    kind="visit",
    path="visits",
    name=Text(zh="走访", en="visit"),
    body=VisitBody,
    recorded=VisitRecorded,
    rules=VisitRules,
    policy=POLICY,
    contributors=frozenset({"grid_worker"}),
    reviewers=frozenset({"dispatcher"}),
    record=record,
    reward=reward,
    reasons={
        "outcome_not_paid": Text(
            zh="按现行政策，这种走访结果不发放绿水币。",
            en="Under the policy in force a visit with this outcome earns no coins.",
        )
    },
)
