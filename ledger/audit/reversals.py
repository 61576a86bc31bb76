"""Reversals again (重新核对撤回): proposed by one, confirmed by another, once for each award.

What never happened counts no more: what it was credited as is revoked with its coins.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger import access
from ledger.audit.actors import Actors
from ledger.audit.amendments import Amendments
from ledger.audit.books import Books
from ledger.audit.credits import Credits
from ledger.audit.findings import Finding, found
from ledger.audit.spilled import Spilled, SpilledSet
from ledger.coins import CoinsAwarded
from ledger.contributions.credits import revoked
from ledger.days import day_of
from ledger.facts import Entry
from ledger.reversals import (
    INVENTED,
    Reversal,
    ReversalConfirmed,
    ReversalProposed,
    ReversalRejected,
    ReversalStep,
    taken_back,
)

RIGHTS = access.RIGHTS


class Reversals:
    """Which awards are being or were taken back, as the facts so far say."""

    def __init__(
        self, books: Books, actors: Actors, credits: Credits, amendments: Amendments
    ) -> None:
        self._books, self._actors = books, actors
        self._credits, self._amendments = credits, amendments
        self._revoking = False
        """Whether reversals of what never happened revoke, as they do since they tell it."""
        self._reversals: Spilled[UUID, Reversal] = Spilled()
        self._claimed: SpilledSet[UUID] = SpilledSet()  # causes whose reversal is open or confirmed

    def check(self, entry: Entry, fact: ReversalStep) -> Iterator[Finding]:
        """What is wrong with a step of a reversal."""
        reversal_id, today = entry.originator_id, day_of(entry.recorded_at)
        known = self._reversals.setdefault(reversal_id, Reversal())
        proposed = fact if isinstance(fact, ReversalProposed) else known.proposed
        award = self._award(proposed)
        proposes = isinstance(fact, ReversalProposed)
        possible = (
            proposed is not None and award is not None and proposed.lot == award[0]
            and proposed.districts == award[1].districts
            and (today <= award[1].expires_on or isinstance(fact, ReversalRejected))
        )  # fmt: skip
        fits = known.state == ("unknown" if proposes else "proposed")
        twice = isinstance(fact, ReversalProposed) and fact.cause in self._claimed
        if not possible or not fits or twice:
            yield found("REVERSAL", entry.position, f"{fact.topic} {reversal_id}")
            return
        assert proposed is not None
        assert award is not None
        right = RIGHTS["reversals.propose" if proposes else "reversals.decide"]
        yield from self._actors.holder(entry, fact.by, right, proposed.districts)
        if not proposes and fact.by in (proposed.by, proposed.participant_id):
            yield found("REVERSAL", entry.position, f"{fact.topic} by who proposed it or earned it")
        known.apply(entry)
        if proposes:
            self._claimed.add(proposed.cause)
        elif isinstance(fact, ReversalRejected):
            self._claimed.discard(proposed.cause)
        if isinstance(fact, ReversalConfirmed):
            wallet = self._books.wallet(proposed.participant_id)
            self._books.expect(entry, taken_back(reversal_id, proposed, award[1], wallet, today))
            yield from self._uncounted(entry, fact, proposed, award[1])

    def _uncounted(
        self, entry: Entry, fact: ReversalConfirmed, proposed: ReversalProposed,
        award: CoinsAwarded,
    ) -> Iterator[Finding]:  # fmt: skip
        """By the reason it is revoked or not: behind its coins its credit, a visit before them."""
        self._revoking |= fact.revokes
        if fact.revokes != (self._revoking and proposed.reason in INVENTED):
            yield found("REVERSAL", entry.position, f"revokes {fact.revokes}: {proposed.reason}")
            return
        if not fact.revokes:
            return
        place, credited = self._credits.of(proposed.cause) or (None, None)
        if credited is not None:
            self._credits.expect(entry, place, revoked(credited, entry.originator_id))
        yield from self._amendments.invented(entry, award, place)

    def _award(self, proposed: ReversalProposed | None) -> tuple[int, CoinsAwarded] | None:
        """The award that is to be taken back, and its lot."""
        granted = self._books.granted.get(proposed.cause) if proposed else None
        if proposed is None or granted is None:
            return None
        return granted.lot, CoinsAwarded(
            participant_id=proposed.participant_id, amount=granted.amount, cause=proposed.cause,
            kind=granted.kind, rule="", policy_version="", earned_on=granted.earned_on,
            expires_on=granted.expires_on, role=granted.role, districts=granted.districts,
        )  # fmt: skip
