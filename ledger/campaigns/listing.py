"""Listing households (编制走访底册): a campaign's frame, with addresses in the vault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import islice
from uuid import UUID

import msgspec

from ledger import identity
from ledger.campaigns.campaign import frame_key
from ledger.campaigns.errors import FrameFrozen, UnknownCampaign
from ledger.campaigns.frame import (
    Door,
    HouseholdListed,
    door_id,
    household_subject,
    misnumbered,
    misplaced,
)
from ledger.districts import Districts, has_controls
from ledger.errors import Erased, FieldError, InvalidInput
from ledger.facts import Sealed
from ledger.log import Append
from ledger.store.rows import Quota
from ledger.tokens import Tokens

HOUSEHOLDS_PER_COMMIT = 500
ADDRESS, ERASED = "address", "erased"
ADDRESS_MAX = 200


class NewHousehold(msgspec.Struct, frozen=True):
    """A household of the frame; its address goes into the vault."""

    household: str
    grid: str
    address: str | None = None


class ListedOtherwise(msgspec.Struct, frozen=True):
    """A household that is in the frame with another ``grid`` or ``address``, or ``erased``."""

    household: str
    field: str
    grid: str
    """The grid that it is listed in."""


CommitTold = Callable[[int, Sequence[ListedOtherwise]], None]


def fault(one: NewHousehold, district: str | None, tree: Districts) -> FieldError | None:
    """Why a household cannot be in the frame of a campaign of ``district``."""
    address = one.address or ""
    if len(address) > ADDRESS_MAX or has_controls(address):
        return FieldError("address", "malformed_address", f"地址应为一行，至多 {ADDRESS_MAX} 字。",
                          f"An address is a line of at most {ADDRESS_MAX} characters.")  # fmt: skip
    return misnumbered(one.household) or misplaced(one.grid, district, tree)


class Listing(Tokens):
    """Putting households into frames, and finding their addresses."""

    def list_households(
        self, campaign_id: UUID, households: Iterable[NewHousehold], now: datetime,
        told: CommitTold = lambda _read, _otherwise: None,
    ) -> int:  # fmt: skip
        """Put households into the frame of a planned campaign; returns how many are new.

        Those already there stay as they were listed, so an import that was cut short is run again.
        ``told`` hears after each commit how many were read, and which of them are there otherwise.
        Raises UnknownCampaign, FrameFrozen; InvalidInput where ``fault`` finds one, and for a
        household that stands twice in a commit.
        """
        new = 0
        for part in _parts(households):
            doors, without = self.attempt(partial(self._list, campaign_id, part, now))
            new += len(part) - len(doors)
            others = (one for door in doors for one in self._otherwise(*door))
            told(len(part), [*others, *without])
        return new

    def _list(
        self, campaign_id: UUID, part: Sequence[NewHousehold], now: datetime
    ) -> tuple[list[tuple[UUID, NewHousehold]], list[ListedOtherwise]]:
        """Lists what is new; the others, each with its door, and whose address was not kept."""
        campaign = self.campaigns.current(campaign_id)
        if campaign.planned is None:
            raise UnknownCampaign
        if campaign.state != "planned":
            raise FrameFrozen
        tree = self.districts.current()
        _check(part, campaign.plan.district, tree)
        doors = {door_id(campaign_id, one.household): one for one in part}
        known = self.store.select_versions(list(doors))
        writes, rows, without = [], [], []
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
                without += [] if sealed else [ListedOtherwise(one.household, ERASED, one.grid)]
            writes.append(Append(door, 0, [HouseholdListed(
                campaign_id=campaign_id, household=one.household, grid=one.grid,
                districts=tree.path(one.grid), sealed=sealed,
            )]))  # fmt: skip
        if writes:
            self.append(
                writes, now, vault_rows=rows,
                unchanged={campaign_id: campaign.version, identity.DISTRICTS: tree.version},
                quotas=[Quota(frame_key(campaign_id), len(writes), None)],
            )  # fmt: skip
        return [(door, one) for door, one in doors.items() if door in known], without

    def _otherwise(self, door: UUID, one: NewHousehold) -> Iterator[ListedOtherwise]:
        """How a household that was listed before stands there; one without an address says none."""
        listed = self.fold(door, Door()).listed
        if listed is None:
            return
        if listed.grid != one.grid:
            yield ListedOtherwise(one.household, "grid", listed.grid)
        if one.address and self.store.is_fenced(household_subject(one.household)):
            yield ListedOtherwise(one.household, ERASED, listed.grid)
            return
        with suppress(Erased):
            if one.address and self._address(door, listed) != one.address:
                yield ListedOtherwise(one.household, ADDRESS, listed.grid)

    def households_listed(self, campaign_id: UUID) -> int:
        """How many households its frame has, also while they are still being imported."""
        return int(self.store.select_used(frame_key(campaign_id)))

    def address_of(self, campaign_id: UUID, household: str) -> str | None:
        """A household's address from the vault; None where it has none. Raises Erased."""
        door = door_id(campaign_id, household)
        listed = self.fold(door, Door()).listed
        return self._address(door, listed) if listed else None

    def _address(self, door: UUID, listed: HouseholdListed) -> str | None:
        return str(self.vault.open(door, listed.sealed[0])) if listed.sealed else None


def _parts(households: Iterable[NewHousehold]) -> Iterator[list[NewHousehold]]:
    """So many at once as go into one commit."""
    waiting = iter(households)
    while part := list(islice(waiting, HOUSEHOLDS_PER_COMMIT)):
        yield part


def _check(part: Sequence[NewHousehold], district: str | None, tree: Districts) -> None:
    """Raises InvalidInput with what is wrong in a part, by its place there."""
    seen, problems = set[str](), list[FieldError]()
    for number, one in enumerate(part):
        problem = fault(one, district, tree)
        if problem is None and one.household in seen:
            problem = twice("household")
        if problem:
            path = f"households[{number}].{problem.path}"
            problems.append(msgspec.structs.replace(problem, path=path))
        seen.add(one.household)
    if problems:
        raise InvalidInput(problems)


def twice(path: str) -> FieldError:
    """What to say of a household that stands in a list a second time."""
    return FieldError(path, "duplicate", "户号重复。", "The household stands here twice.")
