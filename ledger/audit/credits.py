"""Credits (计入): what counts for something shared stands right behind its award."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger.audit.findings import Finding, found
from ledger.audit.spilled import Spilled
from ledger.contributions.base import Credited
from ledger.facts import Entry


class Credits:
    """What was credited at everything shared, as the facts so far say."""

    def __init__(self) -> None:
        self._found: Spilled[UUID, tuple[Credited, ...]] = Spilled()
        self._due: tuple[Entry, UUID, Credited] | None = None
        self._lost = False

    def at(self, shared: UUID | None) -> tuple[Credited, ...]:
        """What was credited at something shared, in order."""
        return self._found.get(shared, ()) if shared else ()

    def expect(self, decided: Entry, shared: UUID | None, credited: Credited | None) -> None:
        """The entry behind the money fact must be this credit."""
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
        elif isinstance(fact, Credited):
            self._keep(entry.originator_id, fact)
            if not lost:
                yield found("CREDIT", entry.position, f"{fact.cause} {fact.mark}: no award")

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

    def _keep(self, shared: UUID, credited: Credited) -> None:
        self._found[shared] = (*self.at(shared), credited)
