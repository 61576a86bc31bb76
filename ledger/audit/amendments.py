"""Amendments again (重新核对更正): edits and withdrawals of visits could have been made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from ledger import access
from ledger.audit.actors import Actors
from ledger.audit.books import Books
from ledger.audit.findings import Finding, found
from ledger.campaigns.frame import door_id
from ledger.coins import CoinsAwarded
from ledger.contributions.base import OPEN_STATES, Amended, ReviewRefused, State, Withdrawn
from ledger.contributions.visit import VISIT, VisitRules
from ledger.contributions.visits import (
    OfVisit,
    VisitAnnulled,
    VisitEdited,
    VisitRecorded,
    VisitWithdrawn,
    withdrawn_at,
)
from ledger.facts import Entry
from ledger.reversals import ReversalConfirmed
from ledger.settlement import policy_for

EDITORS = access.RIGHTS["visits.edit"]


class Amendments:
    """Held against the contribution as it stands; one that was settled is not known any more."""

    def __init__(self, books: Books, actors: Actors) -> None:
        self._books, self._actors = books, actors
        self._annulled: tuple[Entry, str] | None = None  # and what is wrong with its refusal
        self._annulled_before: Entry | None = None  # right before a reversal is confirmed
        self._lost = self._lost_before = False
        self.refusing: UUID | None = None

    def annulled(self, entry: Entry, fact: VisitAnnulled, state: State) -> None:
        """A visit is annulled right before its refusal, or once its award is taken back."""
        wrong = state.state not in OPEN_STATES or _another(fact, state.recorded)
        self._annulled = entry, f"annulled: {state.state}" if wrong else ""

    def next(self, entry: Entry) -> Iterator[Finding]:
        """What must stand right behind an annulment: the refusal, or a reversal that revokes."""
        pending, self._annulled = self._annulled, None
        self._annulled_before, self.refusing = None, None
        self._lost_before, self._lost = self._lost, False
        if pending is None:
            return
        before, problem = pending
        refused = isinstance(entry.fact, ReviewRefused)
        if isinstance(entry.fact, ReversalConfirmed) and entry.fact.revokes:
            self._annulled_before = before
        elif refused and entry.originator_id == before.originator_id:
            self.refusing = before.originator_id
            if problem:
                yield found("VISIT", before.position, problem)
        else:
            yield found("VISIT", before.position, "annulled, and not refused")

    def lost(self) -> None:
        """A row could not be read: it may have been an annulment, or what was due behind one."""
        self._annulled, self._lost = None, True

    def end(self) -> Iterator[Finding]:
        """The log ends: whatever was annulled has been refused."""
        if self._annulled is not None:
            yield found("VISIT", self._annulled[0].position, "annulled, and not refused")

    def refused(self, entry: Entry, recorded: object) -> Iterator[Finding]:
        """A visit of a campaign is not refused without being annulled."""
        counted = isinstance(recorded, VisitRecorded) and recorded.household is not None
        if counted and self.refusing != entry.originator_id and not self._lost_before:
            yield found("VISIT", entry.position, "refused, and not annulled")

    def invented(self, entry: Entry, award: CoinsAwarded, place: UUID | None) -> Iterator[Finding]:
        """An award is taken back for a visit that never was: of a campaign, it is annulled.

        ``place`` is the door it counted at.
        """
        if self._annulled_before is None:
            if award.kind == VISIT.kind and place is not None and not self._lost_before:
                yield found("VISIT", entry.position, "taken back as invented, and not annulled")
            return
        fact = self._annulled_before.fact
        assert isinstance(fact, VisitAnnulled)
        door = fact.campaign_id and fact.household and door_id(fact.campaign_id, fact.household)
        if (self._annulled_before.originator_id, door) != (award.cause, place) or any(
            getattr(fact, name) != getattr(award, name)
            for name in ("participant_id", "earned_on", "districts")
        ):  # fmt: skip
            position = self._annulled_before.position
            yield found("VISIT", position, "annulled, and another is taken back")

    def check(self, entry: Entry, state: State) -> Iterator[Finding]:
        """What is wrong with an edit or a withdrawal of a contribution in this state."""
        fact, recorded = entry.fact, state.recorded
        if isinstance(fact, VisitEdited) and (problem := _problem(entry, fact, state)):
            yield found("VISIT", entry.position, problem)
        over = state.state in ("unknown", "withdrawn")
        if over or (isinstance(fact, Withdrawn) and state.state not in OPEN_STATES):
            yield found("OUT_OF_PLACE", entry.position, f"{fact.topic}: {state.state}")
            return
        if recorded is None:  # It was settled, and is not known any more.
            return
        if not isinstance(recorded, VisitRecorded) or not isinstance(fact, OfVisit):
            yield found("OUT_OF_PLACE", entry.position, fact.topic)
            return
        if _another(fact, recorded):
            yield found("VISIT", entry.position, "it says another visit than it stands at")
        yield from self._by(entry, recorded, state)

    def _by(self, entry: Entry, recorded: VisitRecorded, state: State) -> Iterator[Finding]:
        fact = entry.fact
        if isinstance(fact, Amended):
            by = fact.hand
            if by not in (recorded.participant_id, *recorded.visitors):
                yield from self._actors.holder(entry, by, EDITORS, recorded.districts)
            return
        assert isinstance(fact, VisitWithdrawn)
        if fact.by != recorded.participant_id:
            yield found("VISIT", entry.position, "withdrawn by somebody else")
        policy = policy_for(self._books.book, recorded.earned_on)
        rules = policy.kinds.get("visit") if policy else None
        hours = rules.withdraw_hours if isinstance(rules, VisitRules) else 0
        assert state.received_at is not None
        moment = withdrawn_at(
            fact.claimed_at, fact.sent_at, entry.recorded_at, state.received_at
        )
        if moment > state.received_at + timedelta(hours=hours):
            yield found("VISIT", entry.position, f"withdrawn more than {hours} hours later")


def _another(fact: OfVisit, recorded: object) -> bool:
    """Whether what is said again of a visit is not what it says."""
    names = OfVisit.__struct_fields__
    return any(getattr(fact, name) != getattr(recorded, name, None) for name in names)


def _problem(entry: Entry, fact: VisitEdited, state: State) -> str:
    """What is wrong with an edit in itself; empty for one that could have been made."""
    told, versions = set(fact.fields), range(1, entry.originator_version)
    changed = {f"materials.{kind}" for kind in fact.changes.materials}
    changed |= {name for name in ("outcome", "topics", "follow_up_on")
                if getattr(fact.changes, name) is not None}  # fmt: skip
    if not set(fact.clashes) <= told or not changed <= told:
        return "it says what it does not name"
    if state.state not in OPEN_STATES and set(fact.clashes) != told:
        return "changes what was decided"
    if not {fact.base, *fact.chain} <= set(versions):
        return "built on versions that were not there"
    return ""
