"""Credits (计入): what counts for something shared stands right behind its award.

What is revoked stands behind the coins that were taken back, and counts no more."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger.audit.findings import Finding, found
from ledger.audit.spilled import Spilled
from ledger.contributions.credits import Credited, CreditRevoked, counted, credit_of
from ledger.facts import Entry


class Credits:
    """What was credited at everything shared, as the facts so far say."""

    def __init__(self) -> None:
        self._found: Spilled[UUID, tuple[Credited, ...]] = Spilled()
        self._places: Spilled[UUID, UUID] = Spilled()  # by cause
        self._due: tuple[Entry, UUID, Credited | CreditRevoked] | None = None
        self._lost = False

    def at(self, shared: UUID | None) -> tuple[Credited, ...]:
        """What was credited at something shared, in order."""
        return self._found.get(shared, ()) if shared else ()

    def of(self, cause: UUID) -> tuple[UUID, Credited] | None:
        """Where a contribution counts, and as what; None where it does not."""
        place = self._places.get(cause)
        credited = credit_of(self.at(place), cause)
        return (place, credited) if place and credited else None

    def expect(
        self, decided: Entry, shared: UUID | None, credited: Credited | CreditRevoked | None
    ) -> None:
        """The entry behind the money fact must be this credit, or that it was revoked."""
        self._due = (decided, shared, credited) if shared and credited else None

    def check(self, entry: Entry) -> Iterator[Finding]:
        """An entry that is no money fact: a credit if one is due, and else none."""
        due, self._due = self._due, None
        lost, self._lost = self._lost, False
        fact = entry.fact
        if due is not None:
            decided, shared, credited = due
            self._keep(shared, credited)
            if fact != credited or entry.originator_id != shared:
                yield found("CREDIT", decided.position, f"{credited.cause} {credited.mark} ✗")
        elif isinstance(fact, Credited | CreditRevoked):
            self._keep(entry.originator_id, fact)
            if not lost:
                decision = "award" if isinstance(fact, Credited) else "reversal"
                yield found("CREDIT", entry.position, f"{fact.cause} {fact.mark}: no {decision}")

    def lost(self) -> None:
        """A row could not be read: it may have been the one that is due."""
        if self._due is not None:
            self._keep(self._due[1], self._due[2])
        self._due, self._lost = None, True

    def end(self) -> Iterator[Finding]:
        """The log ends: no credit may be missing."""
        if self._due is not None:
            decided, _, credited = self._due
            yield found("CREDIT", decided.position, f"{credited.cause} {credited.mark} ✗")

    def _keep(self, shared: UUID, fact: Credited | CreditRevoked) -> None:
        self._found[shared] = counted(self.at(shared), fact)
        if isinstance(fact, Credited):
            self._places.setdefault(fact.cause, shared)
