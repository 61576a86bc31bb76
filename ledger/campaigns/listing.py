"""Listing households (编制走访底册): a campaign's frame, with addresses in the vault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec

from ledger.campaigns.campaign import frame_key
from ledger.campaigns.errors import FrameFrozen, UnknownCampaign
from ledger.campaigns.frame import Door, HouseholdListed, door_id, household_subject
from ledger.facts import Sealed
from ledger.log import Append
from ledger.store.rows import Quota
from ledger.tokens import Tokens

HOUSEHOLDS_PER_COMMIT = 500
ADDRESS = "address"


class NewHousehold(msgspec.Struct, frozen=True):
    """A household of the frame; its address goes into the vault."""

    household: str
    grid: str
    address: str | None = None


class Listing(Tokens):
    """Putting households into frames, and finding their addresses."""

    def list_households(
        self, campaign_id: UUID, households: Iterable[NewHousehold], now: datetime,
        told: Callable[[int], None] = lambda _: None,
    ) -> int:  # fmt: skip
        """Put households into the frame of a planned campaign; returns how many are new.

        Those already there are passed over, so an import that was cut short is run again. ``told``
        hears after each commit how many were read. Raises UnknownCampaign, FrameFrozen.
        """
        new, part = 0, list[NewHousehold]()
        for one in households:
            part.append(one)
            if len(part) == HOUSEHOLDS_PER_COMMIT:
                new += self.attempt(partial(self._list, campaign_id, part, now))
                told(len(part))
                part = []
        if part:
            new += self.attempt(partial(self._list, campaign_id, part, now))
            told(len(part))
        return new

    def _list(self, campaign_id: UUID, part: Sequence[NewHousehold], now: datetime) -> int:
        campaign = self.campaigns.current(campaign_id)
        if campaign.planned is None:
            raise UnknownCampaign
        if campaign.state != "planned":
            raise FrameFrozen
        doors = {door_id(campaign_id, one.household): one for one in part}
        known = self.store.select_versions(list(doors))
        tree = self.districts.current()
        writes, rows = [], []
        self.vault.make_keys([
            household_subject(one.household) for door, one in doors.items()
            if one.address and door not in known
        ])  # fmt: skip
        for door, one in doors.items():
            if door in known:
                continue
            sealed: tuple[Sealed, ...] = ()
            if one.address:  # Not kept of a household that was erased.
                subject = household_subject(one.household)
                sealed, kept = self.vault.seal_words(door, subject, ADDRESS, one.address, now)
                rows += kept
            writes.append(Append(door, 0, [HouseholdListed(
                campaign_id=campaign_id, household=one.household, grid=one.grid,
                districts=tree.path(one.grid), sealed=sealed,
            )]))  # fmt: skip
        if writes:
            self.append(
                writes, now, vault_rows=rows, unchanged={campaign_id: campaign.version},
                quotas=[Quota(frame_key(campaign_id), len(writes), None)],
            )  # fmt: skip
        return len(writes)

    def households_listed(self, campaign_id: UUID) -> int:
        """How many households its frame has, also while they are still being imported."""
        return int(self.store.select_used(frame_key(campaign_id)))

    def address_of(self, campaign_id: UUID, household: str) -> str | None:
        """A household's address from the vault; None where it has none. Raises Erased."""
        door = door_id(campaign_id, household)
        listed = self.fold(door, Door()).listed
        if listed is None or not listed.sealed:
            return None
        return str(self.vault.open(door, listed.sealed[0]))
