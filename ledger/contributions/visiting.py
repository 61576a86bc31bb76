"""What a visit is checked against: its campaign's frame, stock and questionnaire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import msgspec

from ledger import access
from ledger.campaigns.campaign import Campaign, stock_limits
from ledger.campaigns.errors import (
    CampaignNotOpen,
    CampaignOver,
    OtherGrid,
    StockExceeded,
    UnknownCampaign,
    UnknownHousehold,
    UnknownMaterial,
    at,
)
from ledger.campaigns.frame import Door, HouseholdListed, door_id
from ledger.campaigns.questionnaire import Answer, wrong_answers
from ledger.campaigns.survey import BALLOT, Ballot, survey_shelf, survey_subject
from ledger.contributions.base import Context
from ledger.errors import FieldError, InvalidInput, LedgerError
from ledger.facts import Sealed
from ledger.store.rows import Quota

if TYPE_CHECKING:
    from ledger.batch import Refusal
    from ledger.contributions.visit import VisitBody

TALKED = frozenset({"met", "by_phone"})


class AtDoor(msgspec.Struct, frozen=True):
    """The household of a campaign that was visited, and what was sealed of its answers."""

    listed: HouseholdListed
    sealed: tuple[Sealed, ...] = ()


def in_campaign(body: VisitBody, context: Context, moment: datetime) -> AtDoor | None:
    """Check a visit against its campaign and take what it handed out; None without a campaign.

    Raises UnknownCampaign, CampaignNotOpen, CampaignOver, UnknownHousehold, OtherGrid,
    UnknownMaterial, InvalidInput per field; StockExceeded when it is saved.
    """
    if body.campaign_id is None:
        if body.answers:
            raise InvalidInput([_nothing_asked("answers")])
        return None
    campaign: Campaign = context.register("campaigns", body.campaign_id)
    if campaign.planned is None:
        raise UnknownCampaign
    if not campaign.takes(moment):
        raise CampaignOver if campaign.closed_at else CampaignNotOpen
    listed = _listed(body, context)
    if problems := [*unknown_topics(body.topics, campaign), *wrong_talk(
        body.outcome, body.answers, campaign
    )]:  # fmt: skip
        raise InvalidInput(problems)
    take_materials(context, campaign, body.campaign_id, listed.grid, body.materials)
    if not body.answers:
        return AtDoor(listed)
    ballot = Ballot(
        places=listed.districts, household=listed.household, plus=msgspec.to_builtins(body.answers)
    )
    return AtDoor(listed, (context.seal(
        BALLOT, msgspec.to_builtins(ballot), subject=survey_subject(body.campaign_id),
        shelf=survey_shelf(body.campaign_id),
    ),))  # fmt: skip


def _listed(body: VisitBody, context: Context) -> HouseholdListed:
    assert body.campaign_id is not None
    door = context.originator(door_id(body.campaign_id, body.household), Door())
    if door.listed is None:
        raise at("household", UnknownHousehold(household=body.household))
    if not access.within(context.actor, door.listed.districts):
        raise at("household", OtherGrid(household=body.household, grid=door.listed.grid))
    return door.listed


def wrong_talk(
    outcome: str, answers: Mapping[str, Answer], campaign: Campaign
) -> list[FieldError]:
    """What is wrong with answers, given the outcome: nobody answers who was not met."""
    if outcome not in TALKED:
        return [_nothing_asked("answers")] if answers else []
    return wrong_answers(campaign.questions, answers) if answers else []


class Takes(Protocol):
    """Somewhere to put what is taken of what many share."""

    def take(self, key: str, amount: int, limit: int | None, refusal: Refusal) -> None: ...


def take_materials(
    basis: Takes, campaign: Campaign, campaign_id: UUID, grid: str | None,
    materials: Mapping[str, int],
) -> None:  # fmt: skip
    """Take what was handed out from the stocks it comes out of; raises UnknownMaterial."""
    for material, quota in handed_out(campaign, campaign_id, grid, materials):
        basis.take(quota.key, quota.amount, quota.limit, partial(too_few, material))


def handed_out(
    campaign: Campaign, campaign_id: UUID, grid: str | None, materials: Mapping[str, int]
) -> Iterator[tuple[str, Quota]]:
    """What comes out of which stocks, by material; a negative count gives back.

    Raises UnknownMaterial.
    """
    for material, count in materials.items():
        if campaign.plan.materials and material not in campaign.plan.materials:
            raise at(f"materials.{material}", UnknownMaterial(material=material))
        for key, limit in stock_limits(campaign_id, campaign, grid, material).items():
            yield material, Quota(key, count, limit)


def too_few(material: str, left: int) -> LedgerError:
    """What to say where a stock has fewer left than was handed out."""
    return at(f"materials.{material}", StockExceeded(material=material, left=left))


def unknown_topics(topics: tuple[str, ...], campaign: Campaign) -> list[FieldError]:
    known = campaign.plan.topics
    return [
        FieldError(f"topics[{number}]", "unknown_topic", "本次活动没有这个主题。",
                   "The campaign has no such topic.")
        for number, topic in enumerate(topics) if known and topic not in known
    ]  # fmt: skip


def _nothing_asked(path: str) -> FieldError:
    return FieldError(
        path, "nobody_answered", "没有见面或通话，或不属于任何活动，不应有问卷答案。",
        "There can be no answers without a campaign and a person who gave them.",
    )  # fmt: skip
