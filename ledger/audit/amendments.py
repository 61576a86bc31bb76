"""Amendments again (重新核对更正): edits and withdrawals of visits could have been made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ledger.audit.actors import Actors
from ledger.audit.books import Books
from ledger.audit.findings import Finding, found
from ledger.contributions.base import OPEN_STATES, Amended, State, Withdrawn
from ledger.contributions.visit import VisitRules
from ledger.contributions.visits import OfVisit, VisitEdited, VisitRecorded
from ledger.facts import Entry
from ledger.settlement import policy_for

EDITORS = frozenset({"grid_worker", "dispatcher"})


class Amendments:
    """Held against the contribution as it stands; one that was settled is not known any more."""

    def __init__(self, books: Books, actors: Actors) -> None:
        self._books, self._actors = books, actors

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
        names = OfVisit.__struct_fields__
        if any(getattr(fact, name) != getattr(recorded, name) for name in names):
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
