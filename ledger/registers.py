"""The registers (名册) everybody reads: policies, reaches, districts; written by operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from ledger import identity
from ledger.campaigns.campaign import Campaign, CampaignPlanned
from ledger.campaigns.frame import HouseholdListed
from ledger.campaigns.register import Campaigns
from ledger.coins import CoinsAwarded
from ledger.days import day_of
from ledger.districts import DistrictImported, Districts, fault
from ledger.errors import FieldError, InvalidInput, PolicyBackdated, PolicyConflict, UnknownDistrict
from ledger.facts import Fact
from ledger.log import Append, Register
from ledger.past import Past
from ledger.policy import PolicyBook, PolicyPublished
from ledger.rivers import ReachImported, RiverMap
from ledger.settlement import default_policy, parsed
from ledger.spending.catalogue import Catalogue
from ledger.trails.trails import Trails
from ledger.turns import Turns

IMPORTS_PER_COMMIT = 50

T = TypeVar("T")


class Registers(Past):
    """Reading and writing the three registers."""

    def __init__(self, env: Mapping[str, str], vault_key: bytes) -> None:
        super().__init__(env, vault_key)
        self.policies = Register(identity.POLICIES, PolicyBook(), self._news)
        self.rivers = Register(identity.RIVERS, RiverMap(), self._news)
        self.districts = Register(identity.DISTRICTS, Districts(), self._news)
        self.catalogue = Register(identity.CATALOGUE, Catalogue(), self._news)
        self.trails = Register(identity.TRAILS, Trails(), self._news)
        self.campaigns = Campaigns(self._news)
        # Always in this order: a wallet's turn first, then a shelf's.
        self.wallet_turns, self.shelf_turns = Turns(), Turns()

    def publish_policy(self, toml: str, by: UUID | None, now: datetime) -> PolicyPublished:
        """Publish a policy file; the same file again changes nothing.

        It may take effect in the past only before the first award it would touch: raises
        PolicyBackdated otherwise, PolicyConflict for a version with other content, InvalidPolicy.
        """
        policy = parsed(toml)
        fact = PolicyPublished(
            version=policy.version, effective_from=policy.effective_from, toml=toml, by=by
        )

        def command() -> PolicyPublished:
            head, book = self.head(), self.policies.current()
            if earlier := book.named(fact.version):
                if earlier.toml != toml:
                    raise PolicyConflict(version=fact.version)
                return earlier
            # Nothing is awarded for days to come, so only a past date needs a still log.
            touches_the_past = fact.effective_from <= day_of(now)
            if touches_the_past and self._awarded_since(fact.effective_from):
                raise PolicyBackdated(effective_from=fact.effective_from)
            self.append(
                [Append(identity.POLICIES, book.version, [fact])],
                now,
                head=head if touches_the_past else None,
            )
            return fact

        return self.attempt(command)

    def _awarded_since(self, day: date) -> bool:
        return any(
            isinstance(entry.fact, CoinsAwarded) and entry.fact.earned_on >= day
            for entry in self.entries(topics=[CoinsAwarded.topic])
        )

    def ensure_policy(self, now: datetime) -> None:
        """Publish the default policy where none was published yet."""
        if not self.policies.current().published:
            self.publish_policy(default_policy(), None, now)

    def import_reaches(self, reaches: Sequence[ReachImported], now: datetime) -> int:
        """Add or replace reaches; those already there unchanged are left out of the count.

        Raises InvalidInput, UnknownDistrict: nothing is imported then.
        """
        tree = self.districts.current()
        for reach in reaches:
            tree.check(reach.district)

        def save(batch: Sequence[ReachImported]) -> int:
            rivers = self.rivers.current()
            new: list[Fact] = [
                reach for reach in batch if rivers.reaches.get(reach.reach_id) != reach
            ]
            if new:
                self.append([Append(identity.RIVERS, rivers.version, new)], now)
            return len(new)

        return sum(self.attempt(partial(save, batch)) for batch in _batches(reaches))

    def import_districts(self, districts: Sequence[DistrictImported], now: datetime) -> int:
        """Add or replace districts, parents before or among them; returns how many are new.

        In one commit, for a part of them alone could be a tree that breaks its own rule. Raises
        InvalidInput, UnknownDistrict: nothing is imported then.
        """
        for one in districts:
            if problem := fault(one.code, one.name, one.kind):
                raise InvalidInput([problem])

        def save() -> int:
            tree, (fixed, unchanged) = self.districts.current(), self._fixed_kinds(districts)
            for code, problem in tree.misfits(districts, fixed).items():
                if problem.code != UnknownDistrict.code:
                    raise InvalidInput([problem])
                above = next(one.parent for one in districts if one.code == code)
                raise UnknownDistrict([problem], district=above)
            new: list[Fact] = [one for one in districts if tree.by_code.get(one.code) != one]
            if new:
                self.append(
                    [Append(identity.DISTRICTS, tree.version, new)], now, unchanged=unchanged
                )
            return len(new)

        return self.attempt(save)

    def misfits(self, districts: Sequence[DistrictImported]) -> dict[str, FieldError]:
        """What of an import does not fit into the tree as it stands, by code."""
        fixed, _ = self._fixed_kinds(districts)
        return self.districts.current().misfits(districts, fixed)

    def _fixed_kinds(
        self, districts: Sequence[DistrictImported]
    ) -> tuple[set[str], dict[UUID, int]]:
        """Districts that households of an open campaign are in, where any is to change its kind.

        With the campaigns that must not be opened meanwhile, as ``append`` takes them.
        """
        tree = self.districts.current()
        if not any(map(tree.changes_kind, districts)):
            return set(), {}
        planned = self.entries(topics=[CampaignPlanned.topic])
        known = {one.originator_id: self.campaigns.current(one.originator_id) for one in planned}
        grids = {
            entry.fact.grid for entry in self.entries(topics=[HouseholdListed.topic])
            if isinstance(entry.fact, HouseholdListed)
            and known.get(entry.fact.campaign_id, Campaign()).state == "open"
        }  # fmt: skip
        fixed = {code for grid in grids for code in tree.path(grid)}
        return fixed, {id: one.version for id, one in known.items() if one.state == "planned"}

    def _check_district(self, district: str | None) -> None:
        self.districts.current().check(district)


def _batches(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[at : at + IMPORTS_PER_COMMIT] for at in range(0, len(items), IMPORTS_PER_COMMIT)]
