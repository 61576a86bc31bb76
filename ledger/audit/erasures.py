"""Erasures again (重新核对删除): each step could be taken, by whom it could, and none after it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from ledger import access
from ledger.audit.actors import Actors
from ledger.audit.findings import Finding, found
from ledger.audit.household_visits import HouseholdVisits
from ledger.audit.spilled import Spilled
from ledger.campaigns.frame import household_subject
from ledger.erasure.erasures import (
    BASES,
    GONE,
    HOLD_BASIS,
    AboutSubject,
    Erasure,
    ErasureApproved,
    ErasureCompleted,
    ErasureFenced,
    ErasureLimited,
    ErasureRefused,
    ErasureRequested,
    HoldLifted,
    HoldPlaced,
    SignedStep,
    erasure_id,
    is_office,
)
from ledger.facts import Entry, Sealed
from ledger.participants import ParticipantRegistered, RoleGranted, TokenIssued

RIGHTS = access.RIGHTS


class AuditedErasures:
    """Who was erased and who is under a hold, as the facts so far say."""

    def __init__(self, actors: Actors) -> None:
        self._actors = actors
        self._states: Spilled[UUID, Erasure] = Spilled()
        self._fenced: set[UUID] = set()
        self._unreadable: set[UUID] = set()
        self._names_all = False
        """Whether fences tell how far visits were looked for, and so must name every one."""
        self._visits = HouseholdVisits()

    def check(self, entry: Entry) -> Iterator[Finding]:
        """What is wrong with a step; and whatever is recorded of somebody behind their fence."""
        fact = entry.fact
        if isinstance(fact, AboutSubject):
            yield from self._stepped(entry, fact)
            return
        self._visits.check(entry)
        if not self._fenced:
            return
        sealed: tuple[Sealed, ...] = getattr(fact, "sealed", ())
        about = {one.subject for one in sealed}
        if isinstance(fact, ParticipantRegistered | RoleGranted):
            about.add(entry.originator_id)
        elif isinstance(fact, TokenIssued):
            about.add(fact.participant_id)
        for subject in about & self._fenced:
            yield found("ERASURE", entry.position, f"{fact.topic}: {subject} was erased before")

    def lost(self, originator: UUID | None) -> None:
        """A row could not be read: nothing can be said of the later steps of its originator."""
        if originator is not None:
            self._unreadable.add(originator)
        self._visits.lost(originator)

    def _stepped(self, entry: Entry, fact: AboutSubject) -> Iterator[Finding]:
        if entry.originator_id in self._unreadable:
            return
        known = self._states.setdefault(fact.subject, Erasure())
        problem = self._problem(known, entry, fact)
        if entry.originator_id != erasure_id(fact.subject):
            problem = "it stands at another's erasure"
        if problem:
            yield found("ERASURE", entry.position, f"{fact.topic} {fact.subject}: {problem}")
        else:
            yield from self._by(entry, fact)
        if problem and isinstance(fact, HoldLifted):  # Nothing is freed that nobody might free.
            return
        known.apply(entry)
        if isinstance(fact, ErasureFenced):
            self._fenced.add(fact.subject)

    def _problem(self, known: Erasure, entry: Entry, fact: AboutSubject) -> str:
        """Why a step could not follow; empty where it could."""
        if isinstance(fact, HoldPlaced | HoldLifted):
            return _wrong_hold(known, fact)
        if isinstance(fact, ErasureRequested):
            staff = any(map(is_office, self._actors.roles.get(fact.subject, ())))
            if fact.staff != staff or fact.basis not in BASES:
                return f"staff: {staff}, basis: {fact.basis}"
            if fact.household and household_subject(fact.household) != fact.subject:
                return f"it is not the household {fact.household}"
            kept = partial(self._visits.are_kept, fact.household, known.visits)
            return "" if known.may_ask(kept) else f"it is {known.state}"
        if isinstance(fact, ErasureApproved | ErasureRefused):
            asked = known.requested
            if asked is None or not known.waits_for_second:
                return f"it is {known.state}"
            same = fact.by in (None, asked.by, fact.subject)
            return "decided by who asked for it, or whose it is" if same else ""
        if isinstance(fact, ErasureFenced):
            if not known.may_name(fact.visits):
                return f"it is {known.state}" + ", without a second person" * known.waits_for_second
            if not self._visits.may_name(fact.visits, known, entry.position):
                return "not all are visits to the household"
            self._names_all |= fact.searched > 0
            return "" if fact.kept == known.kept else f"the holds keep {known.kept}"
        return self._wrong_end(known, fact)

    def _wrong_end(self, known: Erasure, fact: AboutSubject) -> str:
        """What is wrong with the last step: it ends what its fence began, and every role."""
        kept = known.fences[-1][1].kept if known.fences else ()
        if known.step != "fenced" or isinstance(fact, ErasureCompleted) is bool(kept):
            return f"it is {known.state}"
        if isinstance(fact, ErasureLimited) and fact.fields != kept:
            return f"the fence keeps {kept}"
        visits = self._visits.to_name(known, known.began)
        if self._names_all and any(known.visits.get(one, 0) < known.began for one in visits):
            return "not all visits from before the fence are behind it"
        held = self._actors.roles.get(fact.subject, {})
        return "roles are still held" if any(one.ended is None for one in held.values()) else ""

    def _by(self, entry: Entry, fact: AboutSubject) -> Iterator[Finding]:
        """Whoever took a step held a role for it; at the terminal nobody is named."""
        if not isinstance(fact, SignedStep) or fact.by is None:
            return
        if isinstance(fact, ErasureRequested):
            right = "erasures.ask"
            if fact.by == fact.subject and fact.by in self._actors.roles:
                return
        else:
            decides = isinstance(fact, ErasureApproved | ErasureRefused)
            right = "erasures.decide" if decides else "holds.manage"
        yield from self._actors.holder(entry, fact.by, RIGHTS[right])


def _wrong_hold(known: Erasure, fact: HoldPlaced | HoldLifted) -> str:
    if isinstance(fact, HoldPlaced):
        if [(one.field, one.subject) for one in fact.sealed] != [(HOLD_BASIS, fact.hold_id)]:
            return "no basis is committed to"
        if fact.hold_id in known.holds | known.lifted:
            return "the hold was placed before"
        if fact.by == fact.subject:
            return "placed by whose it is"
        return f"it is {known.state}" if known.step in GONE - {"limited"} else ""
    hold = known.holds.get(fact.hold_id)
    if hold is None:
        return "there is no such hold"
    same = fact.by is not None and fact.by in (hold.by, fact.subject)
    return "lifted by who placed it, or whose it is" if same else ""
