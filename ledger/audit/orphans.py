"""Orphaned holds (悬置的冻结): coins set aside for what should have ended days before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from ledger.audit.findings import Finding, found
from ledger.audit.spilled import Spilled
from ledger.days import day_of
from ledger.facts import Entry
from ledger.spending.redemptions import STATES, Redemption

GRACE = timedelta(days=7)
"""The service ends what is overdue every ten minutes; that long it may have stood still."""


class Orphans:
    """Redemptions that hold coins long after their last day, as of the last day of the log.

    That a hold without its redemption, or the other way round, cannot stand is for ``books.py``.
    """

    def __init__(self) -> None:
        self._held: Spilled[UUID, tuple[int, Redemption]] = Spilled()
        self._today: date | None = None

    def check(self, entry: Entry) -> Iterator[Finding]:
        """Take in a step of a redemption."""
        self._today = day_of(entry.recorded_at)
        if type(entry.fact) in STATES:
            nothing = entry.position, Redemption()
            first, known = self._held.pop(entry.originator_id, nothing)
            known.apply(entry)
            if known.deadline is not None:
                self._held[entry.originator_id] = first, known
        return iter(())

    def lost(self, originator: UUID | None) -> None:
        """The row may have been the end of a hold."""
        if originator is None:
            self._held = Spilled()
        else:
            self._held.pop(originator, None)

    def end(self) -> Iterator[Finding]:
        """What is overdue for longer than that."""
        for key, (position, known) in self._held.items():
            if self._today is not None and known.overdue(self._today - GRACE):
                seen = f"{UUID(bytes=key)}: its last day was {known.deadline}"
                seen = f"{UUID(bytes=key)}: its last day was {known.deadline}"
                yield found("HOLD", position, seen)
