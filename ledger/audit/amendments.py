"""Amendments again (重新核对更正): edits and withdrawals of visits could have been made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from ledger import access
from ledger.audit.actors import Actors
from ledger.audit.books import Books
from ledger.audit.findings import Finding, found
from ledger.contributions.base import OPEN_STATES, Amended, ReviewRefused, State, Withdrawn
from ledger.contributions.visit import VisitRules
from ledger.contributions.visits import OfVisit, VisitAnnulled, VisitEdited, VisitRecorded
from ledger.facts import Entry
from ledger.settlement import policy_for

EDITORS = access.RIGHTS["visits.edit"]


class Amendments:
    """Held against the contribution as it stands; one that was settled is not known any more."""

    def __init__(self, books: Books, actors: Actors) -> None:
        self._books, self._actors = books, actors
        self._annulled: Entry | None = None
        self.refusing: UUID | None = None

    def annulled(self, entry: Entry, fact: VisitAnnulled, state: State) -> Iterator[Finding]:
        """A visit is annulled while it waits, right before its refusal."""
        self._annulled = entry
        if state.state not in OPEN_STATES or _another(fact, state.recorded):
            yield found("VISIT", entry.position, f"annulled: {state.state}")

    def next(self, entry: Entry) -> Iterator[Finding]:
        """An annulled visit is refused by the very next entry, and no other is refused."""
        before, self._annulled = self._annulled, None
        refused = isinstance(entry.fact, ReviewRefused)
        if before is not None and not (refused and entry.originator_id == before.originator_id):
            yield found("VISIT", before.position, "annulled, and not refused")
        self.refusing = before.originator_id if before is not None and refused else None

    def lost(self) -> None:
        """A row could not be read: it may have been the refusal that was due."""
        self._annulled = None

    def refused(self, entry: Entry, recorded: object) -> Iterator[Finding]:
        """A visit of a campaign is not refused without being annulled."""
        counted = isinstance(recorded, VisitRecorded) and recorded.household is not None
        if counted and self.refusing != entry.originator_id:
            yield found("VISIT", entry.position, "refused, and not annulled")

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
        if fact.by != recorded.participant_id:  # type: ignore[attr-defined]
            yield found("VISIT", entry.position, "withdrawn by somebody else")
        policy = policy_for(self._books.book, recorded.earned_on)
        rules = policy.kinds.get("visit") if policy else None
        hours = rules.withdraw_hours if isinstance(rules, VisitRules) else 0
        assert state.received_at is not None
        if entry.recorded_at > state.received_at + timedelta(hours=hours):
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
