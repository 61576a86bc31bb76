"""Actors (参与者及其角色): whether whoever a fact names was registered and held the role then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from ledger import access
from ledger.audit.findings import Finding, found
from ledger.audit.spilled import Spilled
from ledger.contributions.base import Contribution, Recorded, ReviewRefused, Verified
from ledger.days import LATE_DAYS_MAX, day_of
from ledger.facts import Entry
from ledger.participants import Actor, ParticipantRegistered, RoleGranted, RoleRevoked, TokenIssued

# A request that was let in right before its role was taken away may still be recorded.
IN_FLIGHT = timedelta(minutes=1)


class Held(msgspec.Struct):
    """A role somebody was given: for which districts (None: the whole city), and until when."""

    districts: tuple[str | None, ...]
    ended: datetime | None = None

    def at(self, moment: datetime) -> bool:
        return self.ended is None or abs(moment - self.ended) <= IN_FLIGHT


class Actors:
    """Who was registered, and which roles they held, as the facts so far say."""

    def __init__(self) -> None:
        self.roles: Spilled[UUID, dict[str, Held]] = Spilled()
        self._unreadable: set[UUID] = set()

    def check(self, entry: Entry) -> Iterator[Finding]:
        """Take in what gives or takes a role; a token needs the role it is for."""
        fact, person = entry.fact, entry.originator_id
        if isinstance(fact, ParticipantRegistered):
            self.roles.setdefault(person, {})
        if isinstance(fact, ParticipantRegistered | RoleGranted):
            self._grant(person, fact.role, fact.district, entry.recorded_at)
        elif isinstance(fact, RoleRevoked):
            if held := self.roles.get(person, {}).get(fact.role):
                held.ended = entry.recorded_at
        elif isinstance(fact, TokenIssued):
            yield from self._holds(entry, fact.participant_id, fact.role, fact.district)

    def contributor(
        self, entry: Entry, fact: Recorded, contribution: Contribution
    ) -> Iterator[Finding]:
        """Somebody who may contribute this, for a day that was not over for too long."""
        yield from self._holds(entry, fact.participant_id, fact.role, fact.role_district)
        if fact.role not in contribution.contributors:
            yield found("ACTOR", entry.position, f"{contribution.kind} by {fact.role}")
        received = day_of(entry.recorded_at)
        if not 0 <= (received - fact.earned_on).days <= LATE_DAYS_MAX:
            yield found("REWARD_DAY", entry.position, f"{fact.earned_on}, received {received}")

    def reviewer(
        self, entry: Entry, fact: Verified | ReviewRefused, contribution: Contribution,
        districts: tuple[str, ...],
    ) -> Iterator[Finding]:
        """Somebody with a role that reviews this kind, in a district it was made in."""
        may = (
            access.reviews(Actor(fact.by, role, district), contribution.reviewers, districts)
            for role, held in self.roles.get(fact.by, {}).items() if held.at(entry.recorded_at)
            for district in held.districts
        )  # fmt: skip
        if fact.by not in self._unreadable and not any(may):
            yield found("ACTOR", entry.position, f"{contribution.kind} reviewed by {fact.by}")

    def holder(
        self, entry: Entry, person: UUID, roles: frozenset[str],
        districts: tuple[str, ...] | None = None,
    ) -> Iterator[Finding]:
        """Somebody who held one of the roles, at a place where one is given."""
        if person not in self._unreadable and not self.holds(entry, person, roles, districts):
            yield found("ACTOR", entry.position, f"{entry.fact.topic} by {person}")

    def holds(
        self, entry: Entry, person: UUID, roles: frozenset[str],
        districts: tuple[str, ...] | None = None,
    ) -> bool:
        """Whether somebody held one of the roles then, at a place where one is given."""
        return any(
            held.at(entry.recorded_at)
            and (districts is None or any(one in (None, *districts) for one in held.districts))
            for role, held in self.roles.get(person, {}).items() if role in roles
        )  # fmt: skip

    def lost(self, originator: UUID) -> None:
        """A fact of this originator could not be read: their roles are not known any more."""
        self._unreadable.add(originator)

    def _grant(self, person: UUID, role: str, district: str | None, moment: datetime) -> None:
        roles = self.roles.get(person)
        if roles is None:  # Nobody of this id was registered, so they hold nothing.
            return
        before = roles.get(role)
        earlier = before.districts if before and before.at(moment) else ()
        roles[role] = Held((*(one for one in earlier if one != district), district))

    def _holds(
        self, entry: Entry, person: UUID, role: str, district: str | None
    ) -> Iterator[Finding]:
        held = self.roles.get(person, {}).get(role)
        holds = held is not None and held.at(entry.recorded_at) and district in held.districts
        if not holds and person not in self._unreadable:
            where = f" in {district}" if district else ""
            yield found("ACTOR", entry.position, f"{person} as {role}{where}")
