"""Which campaigns concern a worker, and the households (户) of the worker's place as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from uuid import UUID

from api.openrosa.sheets import plain
from api.services import Services
from ledger import access
from ledger.campaigns.campaign import Campaign
from ledger.campaigns.errors import CampaignNotOpen, CampaignOver, UnknownCampaign
from ledger.errors import Erased
from ledger.participants import Actor
from projections.coverage_rows import Counts
from projections.paging import CITY

HOUSEHOLDS_MAX = 3000
"""A phone is not given more of them than this to choose from; their numbers are typed instead."""

PAGE = 100


def open_campaigns(here: Services, who: Actor) -> Iterator[tuple[UUID, Campaign]]:
    """Every open campaign at the worker's place, newest first."""
    cursor: str | None = None
    while True:
        found = here.views.campaigns(cursor, PAGE)
        for item in found["items"]:
            campaign_id = UUID(item["id"])
            campaign = here.ledger.campaigns.current(campaign_id)
            if campaign.state == "open" and _concerns(here, who, campaign):
                yield campaign_id, campaign
        cursor = found["next"]
        if cursor is None:
            return


def open_campaign(here: Services, who: Actor, campaign_id: UUID) -> Campaign:
    """One of them; raises UnknownCampaign, CampaignNotOpen, CampaignOver."""
    campaign = here.ledger.campaigns.current(campaign_id)
    if campaign.planned is None or not _concerns(here, who, campaign):
        raise UnknownCampaign
    if campaign.state != "open":
        raise CampaignOver if campaign.closed_at else CampaignNotOpen
    return campaign


def _concerns(here: Services, who: Actor, campaign: Campaign) -> bool:
    """Whether a campaign is held where the worker is: above, below or at the same place."""
    assert campaign.planned is not None
    held = campaign.planned.districts
    above = here.ledger.districts.current().path(who.district)
    return not held or held[0] in above or access.within(who, held)


def are_listed(here: Services, who: Actor, campaign_id: UUID) -> bool:
    """Whether the worker chooses from a list: there is one, and a phone can hold it."""
    _, counts = here.views.coverage(campaign_id, who.district)
    return 0 < counts.frame <= HOUSEHOLDS_MAX


def as_csv(here: Services, who: Actor, campaign_id: UUID) -> bytes:
    """The households of the worker's place, by number; with the address where there is one."""
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\n").writerow
    write(("name", "label"))
    for household in _households(here, who, campaign_id):
        try:
            address = here.ledger.address_of(campaign_id, household)
        except Erased:
            address = None
        write((household, plain(" ".join(f"{household} {address or ''}".split()))))
    return text.getvalue().encode()


def _households(here: Services, who: Actor, campaign_id: UUID) -> Iterator[str]:
    for grid in _places(here, who, campaign_id):
        cursor: str | None = None
        while True:
            found = here.views.households(campaign_id, grid, cursor, PAGE)
            yield from (one.household for one in found["items"])
            cursor = found["next"]
            if cursor is None:
                break


def _places(here: Services, who: Actor, campaign_id: UUID) -> Iterator[str]:
    """The worker's place and those below it; only a grid has households of its own."""

    def mine(one: Counts) -> bool:
        return one.of != CITY and access.within(who, (one.of, *one.above))

    cursor: str | None = None
    while True:
        found = here.views.coverage_places(campaign_id, mine, "of a worker", cursor, PAGE)
        yield from (one.of for one in found["items"])
        cursor = found["next"]
        if cursor is None:
            return
