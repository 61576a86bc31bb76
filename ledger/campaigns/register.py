"""Every campaign that was asked for, kept folded: each visit looks at its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from ledger.campaigns.campaign import Campaign


class Campaigns:
    """Campaigns by id, brought up to date on use; there are a few a year."""

    def __init__(self, events: Callable[..., Iterable[Any]]) -> None:
        self._events = events
        self._known: dict[UUID, Campaign] = {}

    def current(self, campaign_id: UUID) -> Campaign:
        """A campaign as it stands; an unknown one is empty, and is not kept."""
        known = self._known.get(campaign_id, Campaign())
        new = list(self._events(campaign_id, gt=known.version or None))
        if not new:
            return known
        after = known.with_entries(new)
        if after.planned is not None:
            # Two threads may fold the same facts; either result is right and grows on the next use.
            self._known[campaign_id] = after
        return after
