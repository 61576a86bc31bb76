"""Pages: of one list of a view, or of several that are read as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from projections import cursor as cursors
from projections.view import START, Place, Row, Source, View

CITY = "*"
AFTER_ALL_KEYS = "~"


def places(districts: Sequence[str] | None) -> list[str]:
    """The places whose lists are asked for: these districts, or for None the whole city."""
    return sorted(set((CITY,) if districts is None else districts))


def queued_in(districts: Sequence[str]) -> set[str]:
    """The places in whose lists something in these districts waits."""
    return {*districts, CITY}


def paged(
    store: Source,
    view: View,
    buckets: Sequence[str],
    cursor: str | None,
    limit: int,
    *,
    begin: Place = START,
) -> dict[str, Any]:
    """``{items, next, position}``: what stands behind the cursor in any of the buckets, once.

    One item has the same sort in every bucket. Nothing before ``begin`` is shown. Raises BadCursor.
    """
    listing = f"{view.name}/{','.join(buckets)}"
    sort, key = cursors.read(listing, cursor)
    # Whatever has this sort, under any key, was shown.
    after = max(begin, (sort and sort + AFTER_ALL_KEYS, key))
    found: dict[str, Row] = {}
    positions: list[int] = []
    for bucket in buckets:
        position, rows = store.page(view, bucket, after, limit + 1)
        positions.append(position)
        found.update((row.sort, row) for row in rows)
    shown, following = cursors.cut(listing, [found[one] for one in sorted(found)], limit)
    items = [msgspec.json.decode(row.data) for row in shown]
    return {"items": items, "next": following, "position": min(positions, default=0)}
