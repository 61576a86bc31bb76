"""Trails again (重新核对打卡线路): each step could be taken; check-ins say what the trail said."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger import access, identity
from ledger.audit.actors import Actors
from ledger.audit.findings import Finding, found
from ledger.audit.market import Market
from ledger.contributions.check_in import CheckInRecorded, moment_of
from ledger.days import LATE_DAYS_MAX, clamped, reward_day
from ledger.facts import Entry
from ledger.trails.proof import measured_against
from ledger.trails.trails import TrailChanged, TrailPublished, Trails


class AuditedTrails:
    """The register of trails, as the facts so far say."""

    def __init__(self, actors: Actors, market: Market) -> None:
        self._actors, self._market = actors, market
        self._trails = Trails()
        self._lost = False

    def check(self, entry: Entry) -> Iterator[Finding]:
        """What is wrong with a fact about a trail or with a check-in; nothing for other facts."""
        if self._lost:
            return
        if isinstance(entry.fact, TrailChanged):
            yield from self._changed(entry, entry.fact)
        elif isinstance(entry.fact, CheckInRecorded):
            yield from self._checked_in(entry, entry.fact)

    def lost(self, originator: UUID | None) -> None:
        """A row could not be read: if it was of a trail, nothing can be said any more."""
        self._lost |= originator in (None, identity.TRAILS)

    def _changed(self, entry: Entry, fact: TrailChanged) -> Iterator[Finding]:
        before = self._trails.trails.get(fact.trail_id)
        if isinstance(fact, TrailPublished):
            districts = fact.districts
            known = self._market.places(fact.plan.district)
            fits = before is None and known in (None, districts)
        else:
            districts = before.districts if before else ()
            fits = before is not None and before.takes(fact)
        at_once = fact.at == entry.recorded_at and entry.originator_id == identity.TRAILS
        if not (fits and at_once):
            yield found("TRAIL", entry.position, f"{fact.topic} {fact.trail_id}")
            return
        yield from self._actors.holder(entry, fact.by, access.RIGHTS["trails.manage"], districts)
        self._trails = self._trails.with_facts([fact])

    def _checked_in(self, entry: Entry, fact: CheckInRecorded) -> Iterator[Finding]:
        trail = self._trails.trails.get(fact.trail_id)
        known = trail.point(fact.point_id) if trail else None
        if trail is None or known is None:
            yield found("TRAIL", entry.position, f"{fact.topic} {fact.trail_id} {fact.point_id}")
            return
        moment = moment_of(fact, entry.recorded_at)
        right = measured_against(trail, known[0]) | {
            "standing": trail.standing(moment),
            "earned_on": reward_day(moment, entry.recorded_at, LATE_DAYS_MAX),
            "districts": trail.districts or fact.districts,
            "made_at": fact.made_at and clamped(moment, entry.recorded_at, LATE_DAYS_MAX),
        }
        wrong = sorted(name for name, value in right.items() if getattr(fact, name) != value)
        if wrong:
            yield found("TRAIL", entry.position, f"{fact.topic} {fact.trail_id}: {wrong}")
