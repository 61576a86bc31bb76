"""What may be asked of coverage (走访覆盖率): counts of places, workers and days, and doors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from projections import cursor as cursors
from projections.coverage import COVERAGE
from projections.coverage_counts import days_of, key_of, places_of, workers_of
from projections.coverage_rows import Counts, Household
from projections.paging import CITY, paged
from projections.view import Row, Source

ROWS_AT_ONCE = 250

T = TypeVar("T")

_counts = msgspec.json.Decoder(Counts).decode


def counts(store: Source, campaign: UUID, place: str | None) -> tuple[int, Counts]:
    """How far the view had followed, and the counts of a place, or of the whole campaign."""
    position, data = store.fetch(COVERAGE, key_of(places_of(campaign), place or CITY))
    return position, _counts(data) if data else Counts(place or CITY)


def places(
    store: Source, campaign: UUID, wanted: Callable[[Counts], bool], asked: str,
    cursor: str | None, limit: int,
) -> dict[str, Any]:  # fmt: skip
    """``{items, next, position}``: the counts of those places that are wanted, by name.

    ``asked`` says in words which those are: a cursor is good for the same question only.
    """
    listing = f"{COVERAGE.name}/{campaign}/{asked}"
    return _among(store, places_of(campaign), listing, Counts, wanted, cursor, limit)


def _among(
    store: Source, bucket: str, listing: str, of: type[T], wanted: Callable[[T], bool],
    cursor: str | None, limit: int,
) -> dict[str, Any]:  # fmt: skip
    """Those rows of a list that are wanted."""
    after, found, position = cursors.read(listing, cursor), list[Row](), 0
    decode = msgspec.json.Decoder(of).decode
    while len(found) <= limit:
        position, rows = store.page(COVERAGE, bucket, after, ROWS_AT_ONCE)
        here = (row for row in rows if wanted(decode(row.data)))
        found += islice(here, limit + 1 - len(found))
        if len(rows) < ROWS_AT_ONCE:
            break
        after = rows[-1].place
    shown, following = cursors.cut(listing, found, limit)
    return {"items": [decode(row.data) for row in shown], "next": following,
            "position": position}  # fmt: skip


def workers(
    store: Source, campaign: UUID, place: str | None, on: date | None, cursor: str | None,
    limit: int,
) -> dict[str, Any]:  # fmt: skip
    """``{items, next, position}``: the counts of every worker at a place, of one day or of all."""
    day = on.isoformat() if on else None
    return _of_list(store, workers_of(campaign, place, day), cursor, limit)


def days(
    store: Source, campaign: UUID, place: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """``{items, next, position}``: the counts of every day on which somebody was at a place."""
    return _of_list(store, days_of(campaign, place), cursor, limit)


def _of_list(store: Source, bucket: str, cursor: str | None, limit: int) -> dict[str, Any]:
    found = paged(store, COVERAGE, [bucket], cursor, limit)
    return {**found, "items": [msgspec.convert(one, Counts) for one in found["items"]]}


def households(
    store: Source, campaign: UUID, grid: str, cursor: str | None, limit: int,
    due_by: date | None = None,
) -> dict[str, Any]:  # fmt: skip
    """``{items, next, position}``: the households of a grid, each with its state.

    With ``due_by`` only those to be visited again by that day.
    """
    bucket = f"household/{campaign}/{grid}"
    if due_by is None:
        found = paged(store, COVERAGE, [bucket], cursor, limit)
        return {**found, "items": [msgspec.convert(one, Household) for one in found["items"]]}
    listing = f"{COVERAGE.name}/{bucket}/{due_by}"
    return _among(
        store, bucket, listing, Household, lambda one: one.is_due(due_by), cursor, limit
    )
