"""Visits by household (各户走访): what an erasure of the household must name, as the facts say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from ledger.audit.spilled import Spilled
from ledger.contributions.base import ReviewRefused
from ledger.contributions.evidence import PhotosAdded
from ledger.contributions.visits import OfVisit, VisitRecorded
from ledger.erasure.erasures import Erasure
from ledger.facts import Entry, Fact, Sealed

Visits = dict[UUID, tuple[int, int]]
"""Each visit to where it was recorded, and where something of it was last committed to."""


class HouseholdVisits:
    """Every visit to a household in a campaign, so far."""

    def __init__(self) -> None:
        self._households: Spilled[UUID, str] = Spilled()  # by visit
        self._visits: Spilled[str, Visits] = Spilled()
        self._lost: set[UUID | None] = set()

    def check(self, entry: Entry) -> None:
        """Take in a visit, or what was said of one later."""
        fact, visit = entry.fact, entry.originator_id
        if isinstance(fact, VisitRecorded):
            if fact.household is not None:
                self._households[visit] = fact.household
                visits = self._visits.setdefault(fact.household, {})
                visits[visit] = entry.position, entry.position if fact.sealed else 0
        elif isinstance(fact, OfVisit | PhotosAdded | ReviewRefused) and _seals(fact):
            household = self._households.get(visit)
            if household is not None:
                visits = self._visits[household]
                visits[visit] = visits[visit][0], entry.position

    def lost(self, originator: UUID | None) -> None:
        """A row could not be read: it may have been a visit to any household, or said of one."""
        self._lost.add(originator)

    def are_kept(self, household: str | None, named: Mapping[UUID, int]) -> bool:
        """Whether more was kept of visits to a household than the fences that named them took."""
        if household and self._lost:
            return True
        visits = self._visits.get(household or "", {})
        return any(last > named.get(visit, 0) for visit, (_, last) in visits.items())

    def may_name(self, visits: Iterable[UUID], known: Erasure, before: int) -> bool:
        """Whether a fence may name these, as far as their rows could be read."""
        return None in self._lost or self.to_name(known, before).keys() >= set(visits) - self._lost

    def to_name(self, known: Erasure, before: int) -> Visits:
        """The visits that fences may name: those from before the first one, else a position."""
        household = known.requested.household if known.requested else None
        first = known.began if known.step == "fenced" else before
        visits = self._visits.get(household or "", {})
        return {visit: one for visit, one in visits.items() if one[0] < first}


def _seals(fact: Fact) -> bool:
    sealed: tuple[Sealed, ...] = getattr(fact, "sealed", ())
    return bool(sealed)
