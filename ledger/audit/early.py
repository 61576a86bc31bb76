"""Early endings (提前注销): coins written off, and holds ended, before their last day was over.

Whoever runs ``gwc expire`` names the day. One still to come is no fault of the log, for it says so
itself; but somebody should hear of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger.audit.findings import Finding
from ledger.coins import CoinsExpired
from ledger.days import day_of
from ledger.facts import Entry
from ledger.spending.redemptions import RedemptionLapsed


class Early:
    """Counts them; finds nothing."""

    def __init__(self) -> None:
        self.coins = self.holds = 0

    def check(self, entry: Entry) -> Iterator[Finding]:
        """Count what ended by this entry although its last day was not over."""
        fact, day = entry.fact, day_of(entry.recorded_at)
        if isinstance(fact, CoinsExpired):
            self.coins += sum(part.amount for part in fact.parts if part.expires_on >= day)
        elif isinstance(fact, RedemptionLapsed):
            self.holds += fact.deadline >= day
        return iter(())

    def lost(self, originator: UUID | None) -> None:
        """What cannot be read is not counted."""

    def end(self) -> Iterator[Finding]:
        """Nothing is held back."""
        return iter(())
