"""The frame (走访底册) of a campaign: one door (户) for every household that is to be visited.

A household is an opaque number that the city gives; its address is in the vault under the
household's own key.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

from ledger import identity
from ledger.facts import Entry, Fact, Sealed, stored_as

# ASCII, so that it is no name and no address, and not a phone's or an identity card's digits.
Household = Annotated[
    str, msgspec.Meta(pattern=r"^(?!\d{11,}[xX]?$)[A-Za-z0-9][A-Za-z0-9._-]{0,39}$(?!\n)")
]


@stored_as(
    "campaign.household-listed",
    zh="住户 {household}（网格 {grid}）列入走访活动 {campaign_id} 的底册",
    en="The household {household} (grid {grid}) is in the frame of the campaign {campaign_id}",
)
class HouseholdListed(Fact, frozen=True):
    """A household is in the frame of a campaign; ``districts`` is its grid's path, lowest first."""

    campaign_id: UUID
    household: str
    grid: str
    districts: tuple[str, ...]
    sealed: tuple[Sealed, ...] = ()


class Door(msgspec.Struct):
    """A household in a campaign; visits that count are credited at its originator."""

    version: int = 0
    listed: HouseholdListed | None = None

    def apply(self, entry: Entry) -> None:
        self.version = entry.originator_version
        if isinstance(entry.fact, HouseholdListed):
            self.listed = entry.fact


def door_id(campaign_id: UUID, household: str) -> UUID:
    """The originator of a household in a campaign."""
    return identity.derived("door", campaign_id, household)


def household_subject(household: str) -> UUID:
    """Whose key a household's address is under: the same in every campaign."""
    return identity.derived("household", household)
