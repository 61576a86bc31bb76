"""Household visit (走访): a grid worker goes door to door; paid once a reviewer confirms it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from ledger.campaigns.campaign import MATERIALS_MAX, TOPICS_MAX, Code
from ledger.campaigns.frame import door_id
from ledger.campaigns.questionnaire import Answer
from ledger.contributions.base import (
    Context,
    Contribution,
    State,
    Times,
)
from ledger.contributions.clocks import happened
from ledger.contributions.evidence import PHOTOS_MAX, Place, Sha256
from ledger.contributions.report import REPORT, TEXT_MAX, Category, ReportBody
from ledger.contributions.visiting import in_campaign
from ledger.contributions.visits import VisitRecorded
from ledger.days import LATE_DAYS_MAX, day_of, reward_day
from ledger.errors import FieldError, InvalidInput
from ledger.facts import Fact, Text
from ledger.participants import Participant
from ledger.policy import Granted, KindRules, Refused

POLICY = """
[visit]                 # as 临清 pays a welfare activity: 2 each, at most 6 a day
coins = 2
day_max = 6
paid_outcomes = ["met", "by_phone"]
confirmer_coins = 1     # a household rewarded before in this campaign: the first keeps the reward,
confirmers_max = 1      # and whoever else visited it too, so many of them, confirms it
withdraw_hours = 24     # how long after it was received a visit may be withdrawn
"""


Outcome = Literal["met", "nobody_home", "refused", "moved", "vacant", "by_phone"]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Said = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\S")]


class RaisedProblem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something wrong at the water that was raised on the visit; it becomes a report."""

    category: Category
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX, pattern=r"\S")]
    place: Place | None = None
    photos: Annotated[tuple[Sha256, ...], msgspec.Meta(max_length=PHOTOS_MAX)] = ()


class VisitBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``POST /v1/visits``: which household (an opaque number), and what came of it.

    ``visitors`` are others who came along; ``questions`` what the household asked, in words;
    ``sent_at`` is of this try, by the phone's clock, and another one when it is tried again.
    """

    household: Word
    outcome: Outcome
    campaign_id: UUID | None = None
    materials: Annotated[dict[Code, Count], msgspec.Meta(max_length=MATERIALS_MAX)] = {}
    topics: Annotated[tuple[Code, ...], msgspec.Meta(max_length=TOPICS_MAX)] = ()
    place: Place | None = None
    recorded_at: datetime | None = None
    sent_at: datetime | None = None
    visitors: Annotated[tuple[UUID, ...], msgspec.Meta(max_length=10)] = ()
    questions: Annotated[tuple[Said, ...], msgspec.Meta(max_length=20)] = ()
    answers: Annotated[dict[Word, Answer], msgspec.Meta(max_length=60)] = {}
    follow_up_on: date | None = None
    remark: Said | None = None
    problems: Annotated[tuple[RaisedProblem, ...], msgspec.Meta(max_length=5)] = ()
    photos: Annotated[tuple[Sha256, ...], msgspec.Meta(max_length=PHOTOS_MAX)] = ()


class VisitRules(KindRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[visit]`` table: coins for a visit, and the outcomes that are paid."""

    coins: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 2
    day_max: Annotated[int, msgspec.Meta(ge=0)] | None = 6
    paid_outcomes: tuple[Outcome, ...] = ("met", "by_phone")
    confirmer_coins: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    confirmers_max: Annotated[int, msgspec.Meta(ge=0, le=100)] = 1
    withdraw_hours: Annotated[int, msgspec.Meta(ge=0, le=24 * LATE_DAYS_MAX)] = 24


def record(body: VisitBody, context: Context, body_digest: str) -> Sequence[Fact]:
    """Keep a visit for a reviewer to confirm; in a campaign its household must be in the frame."""
    times, moment = happened(Times(body.recorded_at, body.sent_at), context)
    if body.follow_up_on is not None:
        check_promise(body.follow_up_on, moment, moment)
    door = in_campaign(body, context, moment)
    sealed = [
        context.seal(field, value)
        for field, value in (
            ("household", None if door else body.household),
            ("place", body.place and msgspec.to_builtins(body.place)),
            ("questions", list(body.questions) or None),
            ("remark", body.remark),
        )
        if value is not None
    ]
    place = context.districts.path(context.actor.district)
    _check_visitors(body, context)
    return [
        VisitRecorded(
            participant_id=context.actor.participant_id,
            role=context.actor.role,
            role_district=context.actor.district,
            districts=door.listed.districts if door else place,
            earned_on=reward_day(moment, context.now, LATE_DAYS_MAX),
            body_digest=body_digest,
            sealed=(*sealed, *(door.sealed if door else ())),
            sent_at=times.sent_at,
            outcome=body.outcome,
            campaign_id=body.campaign_id,
            materials=body.materials,
            topics=body.topics,
            household=door.listed.household if door else None,
            grid=door.listed.grid if door else None,
            claimed_at=times.recorded_at,
            visitors=body.visitors,
            follow_up_on=body.follow_up_on,
            reports=context.raised,
            photos=body.photos,
        )
    ]


def check_promise(day: date, moment: datetime, promised: datetime) -> None:
    """A promise to come again is for a day from the visit on, within a year; InvalidInput."""
    if not day_of(moment) <= day <= day_of(promised) + timedelta(days=366):
        raise InvalidInput([FieldError(
            "follow_up_on", "out_of_range", "回访日期应在走访当天之后一年内。",
            "It should be a day from the visit on, within a year.",
        )])  # fmt: skip


def _check_visitors(body: VisitBody, context: Context) -> None:
    """Whoever came along must be registered; raises InvalidInput."""
    unknown = [
        FieldError(f"visitors[{number}]", "unknown_participant", "没有这个参与者。",
                   "There is no such participant.")
        for number, one in enumerate(body.visitors)
        if context.originator(one, Participant()).registered is None
    ]  # fmt: skip
    if unknown:
        raise InvalidInput(unknown)


def shared(recorded: VisitRecorded) -> UUID | None:
    """A household is rewarded once in a campaign; without a campaign nobody knows the household."""
    if recorded.campaign_id is None or recorded.household is None:
        return None
    return door_id(recorded.campaign_id, recorded.household)


def reward(state: State, rules: VisitRules) -> Granted | Refused:
    """A flat number of coins for a confirmed visit; the first of a household, then confirmers."""
    visit = state.recorded
    assert isinstance(visit, VisitRecorded)
    if visit.outcome not in rules.paid_outcomes:
        return Refused("visit.outcome", ("outcome_not_paid",))
    if any(one.participant_id == visit.participant_id for one in state.credits):
        return Refused("visit.once", ("household_rewarded_to_you",))
    # A first one that was taken back as invented leaves its confirmers, and its place free.
    if all(one.mark != "first" for one in (*state.credits, *state.behind)):
        return Granted(rules.coins, "visit.confirmed", credit="first")
    if sum(one.mark == "confirmer" for one in state.credits) >= rules.confirmers_max:
        return Refused("visit.confirmers", ("household_rewarded",))
    return Granted(
        rules.confirmer_coins, "visit.confirmer", reasons=("household_rewarded_before",),
        credit="confirmer",
    )  # fmt: skip


def raises(body: VisitBody) -> list[tuple[Contribution, ReportBody]]:
    """Every problem becomes a report, at the visit's place where it names none."""
    return [
        (REPORT, ReportBody(category=one.category, text=one.text, place=one.place or body.place,
                            photos=one.photos))
        for one in body.problems
    ]  # fmt: skip


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
    shared=shared,
    raises=raises,
    headline=("campaign_id", "household", "grid", "outcome", "claimed_at", "follow_up_on"),
    own_actions=("edit", "withdraw"),
    reasons={
        "outcome_not_paid": Text(
            zh="按现行政策，这种走访结果不发放绿水币。",
            en="Under the policy in force a visit with this outcome earns no coins.",
        ),
        "household_rewarded_before": Text(
            zh="本次活动中该户已有走访先获奖励，原奖励不变；您的走访按核实人计。",
            en="Another visit to this household was rewarded first; yours confirms it.",
        ),
        "household_rewarded": Text(
            zh="本次活动中该户的走访和核实都已奖励过。",
            en="Visiting this household in this campaign was rewarded and confirmed already.",
        ),
        "household_rewarded_to_you": Text(
            zh="本次活动中您已因该户获得奖励，同一户只奖励一次。",
            en="You were rewarded for this household in this campaign already; it is paid once.",
        ),
    },
)
