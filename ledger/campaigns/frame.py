"""The frame (走访底册) of a campaign: one door (户) for every household that is to be visited.

A household is an opaque number that the city gives; its address is in the vault under the
household's own key.
"""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

import msgspec

from ledger import identity
from ledger.districts import CODE, Districts, malformed, unknown
from ledger.errors import FieldError
from ledger.facts import Entry, Fact, Sealed, stored_as

# ASCII, so that it is no name and no address, and nothing that is all digits and that long.
PATTERN = r"^(?!\d{11,}[xX]?$)[A-Za-z0-9][A-Za-z0-9._-]{0,39}$(?!\n)"
Household = Annotated[str, msgspec.Meta(pattern=PATTERN)]
HOUSEHOLD = re.compile(PATTERN)
# A mobile number, also as 138-0013-8000 or with 86 before it, or an identity number (GB 11643):
# by itself, or behind letters or short groups, or before one. A long random code never reads so.
PERSONAL = re.compile(
    r"(?:\w{1,6}[.-]+)*[^\W\d]*"
    r"(?:\d{17}[\dXx]|(?:00)?(?:86)?1[3-9]\d[._-]?\d{4}[._-]?\d{4})(?:[._-]\w{1,3})?\Z"
)


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


def misnumbered(household: str) -> FieldError | None:
    """What is wrong with a household's number, which stands in the log for good."""
    if PERSONAL.match(household):
        return personal("household")
    if not HOUSEHOLD.match(household):
        return FieldError(
            "household", "malformed_household", "户号应为不含个人信息的字母数字编号。",
            "A household is an opaque number of letters and digits.",
        )  # fmt: skip
    return None


def misplaced(grid: str, district: str | None, tree: Districts) -> FieldError | None:
    """What is wrong with a grid of a campaign of ``district``; without districts any code will do.

    Then a code that reads like a phone's number is taken for one.
    """
    if not CODE.match(grid):
        return malformed("grid")
    if not tree.by_code and PERSONAL.match(grid):
        return personal("grid")
    return elsewhere(grid, district, tree)


def elsewhere(grid: str, district: str | None, tree: Districts) -> FieldError | None:
    """Why a place is no grid of a campaign of ``district``; without districts every one is."""
    if not tree.by_code:
        return None
    if not tree.known(grid):
        return unknown("grid")
    if not tree.is_lowest(grid):
        return not_a_grid("grid")
    return None if district in (None, *tree.path(grid)) else outside("grid")


def personal(path: str) -> FieldError:
    """What to say of a number that looks like somebody's."""
    return FieldError(
        path, "personal_number", "像是手机号或身份证号，不得写入；请改用不含个人信息的编号。",
        "It looks like a mobile or identity number, which is never kept; use an opaque number.",
    )  # fmt: skip


def not_a_grid(path: str) -> FieldError:
    """What to say of a place that has districts below it."""
    return FieldError(path, "not_a_grid", "这不是最下一级的网格。",
                      "This is no grid: there are districts below it.")  # fmt: skip


def outside(path: str) -> FieldError:
    """What to say of a grid that is in another district than the campaign."""
    return FieldError(path, "outside_campaign", "这个网格不在活动的辖区内。",
                      "This grid is not in the campaign's district.")  # fmt: skip
