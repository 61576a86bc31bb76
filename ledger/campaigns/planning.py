"""Planning campaigns (走访策划): plan, list households, allot stock, open, close, shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger import access, identity
from ledger.batch import refused
from ledger.campaigns.campaign import (
    Campaign,
    CampaignClosed,
    CampaignOpened,
    CampaignPlanned,
    Plan,
    ShowHeld,
    StockAllotted,
    frame_key,
    stock_limits,
)
from ledger.campaigns.errors import (
    AlreadyClosed,
    AlreadyOpen,
    CampaignDaysOver,
    CampaignElsewhere,
    EmptyFrame,
    StillPlanned,
    UnknownCampaign,
    UnknownMaterial,
    at,
)
from ledger.campaigns.frame import not_a_grid, outside
from ledger.campaigns.listing import Listing
from ledger.campaigns.questionnaire import faults
from ledger.commands import Decision, signature
from ledger.contributions.visiting import take_materials
from ledger.days import FUTURE_ALLOWED, backwards, day_of
from ledger.errors import FieldError, Forbidden, InvalidInput
from ledger.log import Append
from ledger.participants import Actor
from ledger.recording import Basis
from ledger.store.errors import QuotaExceeded
from ledger.store.rows import Quota


class CampaignReceipt(msgspec.Struct, frozen=True):
    """A campaign right after a command, and the position of its fact."""

    id: UUID
    campaign: Campaign
    position: int
    replayed: bool = False


class Show(msgspec.Struct, frozen=True, kw_only=True):
    """A show, a talk or an exhibition: when, where, how many came, what was handed out."""

    kind: str
    held_on: date
    headcount: int
    grid: str | None = None
    materials: dict[str, int] = {}


Decide = Callable[[Campaign, dict[str, Any]], Decision]


class Planning(Listing):
    """Commands on campaigns, by those of its place who have the right ``campaigns.manage``."""

    def plan_campaign(
        self, actor: Actor, plan: Plan, request: Any, submission_id: UUID, now: datetime
    ) -> CampaignReceipt:
        """Plan a campaign for the actor's district or one below it."""
        if plan.district is None:
            plan = msgspec.structs.replace(plan, district=actor.district)

        def decide(_: Campaign, signed: dict[str, Any]) -> Decision:
            self._check_district(plan.district)
            tree = self.districts.current()
            districts = tree.path(plan.district)
            if not access.within(actor, districts):
                raise Forbidden
            if problems := _problems(plan):
                raise InvalidInput(problems)
            fact = CampaignPlanned(plan=plan, districts=districts, **signed)
            return Decision([fact], unchanged={identity.DISTRICTS: tree.version})

        campaign_id = identity.derived("campaign", actor.participant_id, submission_id)
        return self._step(actor, "plan", campaign_id, request, submission_id, now, decide)

    def open_campaign(
        self, actor: Actor, campaign_id: UUID, request: Any, submission_id: UUID, now: datetime
    ) -> CampaignReceipt:
        """Open a campaign: its frame stands still from now on.

        Raises EmptyFrame, and CampaignDaysOver where its last day is gone: nobody means that.
        """

        def decide(campaign: Campaign, signed: dict[str, Any]) -> Decision:
            if campaign.state != "planned":
                raise AlreadyOpen
            if (last := campaign.plan.ends_on) is not None and last < day_of(now):
                raise CampaignDaysOver(ends_on=last)
            households = self.store.select_used(frame_key(campaign_id))
            if not households:
                raise EmptyFrame
            still = Quota(frame_key(campaign_id), 0, None, was=households)
            return Decision([CampaignOpened(households=households, **signed)], quotas=[still])

        return self._step(actor, "open", campaign_id, request, submission_id, now, decide)

    def close_campaign(
        self, actor: Actor, campaign_id: UUID, request: Any, submission_id: UUID, now: datetime
    ) -> CampaignReceipt:
        """Close a campaign: what is visited from now on does not count for it."""

        def decide(campaign: Campaign, signed: dict[str, Any]) -> Decision:
            _must_be_open(campaign)
            return Decision([CampaignClosed(**signed)])

        return self._step(actor, "close", campaign_id, request, submission_id, now, decide)

    def allot_stock(
        self, actor: Actor, campaign_id: UUID, grid: str, material: str, count: int, request: Any,
        submission_id: UUID, now: datetime,
    ) -> CampaignReceipt:  # fmt: skip
        """Say how many of a kind a grid has in all; raises UnknownMaterial."""
        self._check_district(grid)

        def decide(campaign: Campaign, signed: dict[str, Any]) -> Decision:
            if campaign.state == "closed":
                raise AlreadyClosed
            if material not in campaign.plan.materials:
                raise at("material", UnknownMaterial(material=material))
            path = self._grid_of(campaign, grid)
            if not self.districts.current().is_lowest(grid):
                raise InvalidInput([not_a_grid("grid")])
            still = self._allotted(campaign_id, campaign, grid, material, count)
            fact = StockAllotted(
                grid=grid, material=material, count=count, districts=path, **signed
            )  # fmt: skip
            return Decision([fact], quotas=[still])

        return self._step(actor, "allot", campaign_id, request, submission_id, now, decide)

    def _grid_of(self, campaign: Campaign, grid: str) -> tuple[str, ...]:
        """The path of a grid of the campaign's place; raises InvalidInput for one elsewhere."""
        path = self.districts.current().path(grid)
        if campaign.plan.district not in (None, *path):
            raise InvalidInput([outside("grid")])
        return path

    def _allotted(
        self, campaign_id: UUID, campaign: Campaign, grid: str, material: str, count: int
    ) -> Quota:
        """As many as the campaign has at most, and as were handed out, still, at least."""
        *_, own = stock_limits(campaign_id, campaign, grid, material)
        used, most = self.store.select_used(own), campaign.plan.materials[material]
        if not used <= count <= most:
            raise InvalidInput([FieldError(
                "count", "out_of_range", f"应在已发放的 {used} 与活动总量 {most} 之间。",
                f"From {used}, which were handed out, to {most}, which the campaign has.",
            )])  # fmt: skip
        return Quota(own, 0, None, was=used)

    def hold_show(
        self, actor: Actor, campaign_id: UUID, show: Show, request: Any, submission_id: UUID,
        now: datetime,
    ) -> CampaignReceipt:  # fmt: skip
        """Note a show (送戏下乡) or a talk of an open campaign, and what was handed out there."""

        def decide(campaign: Campaign, signed: dict[str, Any]) -> Decision:
            self._check_district(show.grid)
            districts = self.districts.current().path(show.grid or actor.district)
            if not access.within(actor, districts):
                raise Forbidden
            _must_be_open(campaign)
            if show.grid is not None:
                self._grid_of(campaign, show.grid)
            _check_day(campaign, show.held_on, now)
            basis = Basis(self.policies.current())
            take_materials(basis, campaign, campaign_id, show.grid, show.materials)
            return Decision(
                [ShowHeld(districts=districts, **msgspec.structs.asdict(show), **signed)],
                quotas=basis.quotas, refusals=basis.refusals,
            )  # fmt: skip

        return self._step(actor, "show", campaign_id, request, submission_id, now, decide)

    def reaches(self, actor: Actor, campaign: Campaign, *, part: bool) -> bool:
        """Whether a campaign is the actor's: all of it, or for a ``part`` their district of it."""
        if campaign.planned is None:
            return False
        if access.within(actor, campaign.planned.districts):
            return True
        above = self.districts.current().path(actor.district)
        return part and campaign.plan.district in (None, *above)

    def _step(
        self, actor: Actor, action: str, campaign_id: UUID, request: Any, submission_id: UUID,
        now: datetime, decide: Decide,
    ) -> CampaignReceipt:  # fmt: skip
        signed = signature(
            self.vault, actor.participant_id, f"{action}/{campaign_id}", submission_id, request
        )

        def command() -> CampaignReceipt:
            campaign = self.campaigns.current(campaign_id)
            if (position := signed.earlier(campaign.commands)) is not None:
                then = [one for one in self._of(campaign_id) if one.position <= position]
                told = Campaign().with_entries(then)
                return CampaignReceipt(campaign_id, told, position, replayed=True)
            if action != "plan" and not self.reaches(actor, campaign, part=action == "show"):
                raise CampaignElsewhere if campaign.planned else UnknownCampaign
            decided = decide(campaign, signed.fields)
            write = Append(campaign_id, campaign.version, decided.facts)
            try:
                (entry,) = self.append(
                    [write], now, unchanged=decided.unchanged, quotas=decided.quotas
                )
            except QuotaExceeded as exceeded:
                raise refused(decided.refusals, exceeded) from None
            return CampaignReceipt(campaign_id, campaign.with_entries([entry]), entry.position)

        return self.attempt(command)


def _problems(plan: Plan) -> list[FieldError]:
    """What is wrong with a plan in itself."""
    problems = faults(plan.questionnaire)
    if len(set(plan.topics)) < len(plan.topics):
        problems.append(FieldError("topics", "duplicate", "主题重复。",
                                   "A topic stands here twice."))  # fmt: skip
    return [*problems, *backwards(plan.starts_on, plan.ends_on)]


def _check_day(campaign: Campaign, day: date, now: datetime) -> None:
    """A show was held in the days of its campaign, and is not still to come; InvalidInput."""
    first = campaign.first_day
    if not first <= day <= day_of(now + FUTURE_ALLOWED):
        raise InvalidInput([FieldError(
            "held_on", "out_of_range", f"应在 {first} 至今天之间。", f"From {first} to today."
        )])  # fmt: skip


def _must_be_open(campaign: Campaign) -> None:
    if campaign.state == "planned":
        raise StillPlanned
    if campaign.state != "open":
        raise AlreadyClosed
