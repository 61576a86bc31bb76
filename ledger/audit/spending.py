"""Spending again (重新核对花费): every step of market, redemptions and reversals.

Each step must have been possible when it was taken; what it does to the coins is then due from the
books, right behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger.audit.actors import Actors
from ledger.audit.amendments import Amendments
from ledger.audit.books import Books
from ledger.audit.credits import Credits
from ledger.audit.findings import Finding
from ledger.audit.market import Market
from ledger.audit.redemptions import Redemptions
from ledger.audit.reversals import Reversals
from ledger.audit.trails import AuditedTrails
from ledger.facts import Entry
from ledger.reversals import ReversalStep
from ledger.spending.redemptions import STATES


class Spending:
    """Hands each step to whoever knows it; of an unreadable originator nothing more is said."""

    def __init__(
        self, books: Books, actors: Actors, credits: Credits, amendments: Amendments
    ) -> None:
        self.market = Market(books, actors)
        self._redemptions = Redemptions(books, actors, self.market)
        self._reversals = Reversals(books, actors, credits, amendments)
        self._trails = AuditedTrails(actors, self.market)
        self._unreadable: set[UUID] = set()

    def check(self, entry: Entry) -> Iterator[Finding]:
        """What is wrong with the next entry that is no money fact."""
        yield from self._redemptions.vouchers(entry)
        yield from self._trails.check(entry)
        if entry.originator_id in self._unreadable:
            return
        if type(entry.fact) in STATES:
            yield from self._redemptions.check(entry)
        elif isinstance(entry.fact, ReversalStep):
            yield from self._reversals.check(entry, entry.fact)
        else:
            yield from self.market.check(entry)

    def lost(self, originator: UUID | None) -> None:
        """A row could not be read: nothing can be said of the later ones of its originator."""
        if originator is not None:
            self._unreadable.add(originator)
        self._redemptions.lost()
        self._trails.lost(originator)
        self.market.lost(originator)

    def end(self) -> Iterator[Finding]:
        """The log ends: nothing may be missing."""
        return self._redemptions.end()
