"""Report (问题报送): somebody says what is wrong at the water; paid once found to be true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from ledger.contributions.base import (
    Context,
    Contribution,
    Recorded,
    State,
    Times,
    Verified,
)
from ledger.contributions.clocks import happened
from ledger.contributions.evidence import PHOTOS_MAX, Place, Sha256, reach_named
from ledger.days import LATE_DAYS_MAX, reward_day
from ledger.facts import Fact, Text, stored_as
from ledger.participants import CONTRIBUTORS
from ledger.policy import Granted, KindRules

POLICY = """
[report]                # 10 when found true (临清), times the tier (福州: general, serious, grave)
coins = 10
tiers = [1, 3, 5]
"""

TEXT_MAX = 2000

Category = Literal[
    "litter",
    "floating_debris",
    "direct_sewage",
    "dry_weather_discharge",
    "black_odorous",
    "oil",
    "dead_animals",
    "encroachment",
    "bank_damage",
    "illegal_fishing",
    "sand_mining",
    "signboard",
    "other",
]


class ReportBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``POST /v1/reports``: what is wrong, where, and how it shows."""

    category: Category
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX, pattern=r"\S")]
    place: Place | None = None
    reach_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    photos: Annotated[tuple[Sha256, ...], msgspec.Meta(max_length=PHOTOS_MAX)] = ()


Factor = Annotated[int, msgspec.Meta(ge=0, le=100)]


class ReportRules(KindRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[report]`` table: coins for tier 1, and the factor of each tier."""

    coins: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 10
    tiers: tuple[Factor, Factor, Factor] = (1, 3, 5)


@stored_as(
    "report.recorded",
    zh="{participant_id}（{role}）报送问题 {originator}：{category}",
    en="{participant_id} ({role}) reported {category} ({originator})",
)
class ReportRecorded(Recorded, frozen=True):
    """A report was sent in; its words and exact place are in the vault."""

    category: str = "other"
    reach_id: UUID | None = None
    photos: tuple[str, ...] = ()


def record(body: ReportBody, context: Context, body_digest: str) -> Sequence[Fact]:
    """Keep a report for a reviewer to decide."""
    reach = reach_named(body.reach_id, context.rivers)
    times, moment = happened(Times(), context)
    sealed = [context.seal("text", body.text)]
    if body.place:
        sealed.append(context.seal("place", msgspec.to_builtins(body.place)))
    return [
        ReportRecorded(
            participant_id=context.actor.participant_id,
            role=context.actor.role,
            role_district=context.actor.district,
            districts=context.districts.path(
                (reach and reach.district) or context.actor.district
            ),
            earned_on=reward_day(moment, context.now, LATE_DAYS_MAX),
            sent_at=times.sent_at,
            body_digest=body_digest,
            sealed=tuple(sealed),
            category=body.category,
            reach_id=reach.reach_id if reach else None,
            photos=body.photos,
        )
    ]


def reward(state: State, rules: ReportRules) -> Granted:
    """The tier's multiple of the base, once a reviewer found the report to be true."""
    assert isinstance(state.decided, Verified)
    tier = state.decided.tier
    return Granted(rules.coins * rules.tiers[tier - 1], f"report.tier-{tier}")


REPORT = Contribution(
    kind="report",
    path="reports",
    name=Text(zh="问题报送", en="report"),
    body=ReportBody,
    recorded=ReportRecorded,
    rules=ReportRules,
    policy=POLICY,
    contributors=CONTRIBUTORS,
    reviewers=frozenset({"dispatcher", "handler"}),
    record=record,
    reward=reward,
    headline=("category", "reach_id"),
)
