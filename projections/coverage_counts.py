"""Where the counts (统计) of a campaign stand: of its places, and of who was there and when.

There is a row for every place, and at each place one for every worker who was there, for every
day, and for every worker on every day. Each list of them is a bucket, so that a question is one
page of one bucket, however many visits there were.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec

from projections.coverage_rows import Counts, Seen
from projections.paging import CITY
from projections.view import Row, Rows

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Counts).decode


def places_of(campaign: UUID | str) -> str:
    """The list of all places of a campaign; one of them, ``*``, is the whole of it."""
    return f"place/{campaign}"


def workers_of(campaign: UUID | str, place: str | None, day: str | None = None) -> str:
    """The list of the workers who were at a place, or were there on a day."""
    return f"worker/{campaign}/{place or CITY}" + (f"/{day}" if day else "")


def days_of(campaign: UUID | str, place: str | None) -> str:
    """The list of the days on which somebody was at a place."""
    return f"day/{campaign}/{place or CITY}"


def rows_of_visit(campaign: str, place: str, who: str, day: str) -> tuple[tuple[str, str], ...]:
    """The list and the name of each row that counts a visit at a place; in the order of moves."""
    return (
        (places_of(campaign), place),
        (workers_of(campaign, place), who),
        (days_of(campaign, place), day),
        (workers_of(campaign, place, day), who),
    )


def moves(
    before: Mapping[str, Seen], after: Mapping[str, Seen], who: str, day: str, revisit_due: int
) -> tuple[Counts, ...]:
    """What a visit moves: of its place, its worker, its day, and its worker on its day.

    ``before`` and ``after`` are all visits to its household; the household's being due
    (``revisit_due``) is its place's alone.
    """
    of_place, *others = (
        _move(
            [one for one in before.values() if counts(one)],
            [one for one in after.values() if counts(one)],
        )
        for counts in (
            lambda _: True,
            lambda one: one.by == who,
            lambda one: one.day == day,
            lambda one: one.by == who and one.day == day,
        )
    )  # fmt: skip
    of_place.revisit_due = revisit_due
    return of_place, *others


def _move(before: list[Seen], after: list[Seen]) -> Counts:
    move = Counts("")
    move.count(before, -1)
    move.count(after, 1)
    return move


def key_of(bucket: str, of: str) -> str:
    """The key of a row of counts."""
    return f"{bucket}/{of}"


def read(rows: Rows, bucket: str, of: str, above: tuple[str, ...] = ()) -> Counts:
    """The counts as they stand; ``above`` is told of a new row."""
    row = rows.get(key_of(bucket, of))
    return _decode(row.data) if row else Counts(of, above)


def write(rows: Rows, bucket: str, counts: Counts) -> None:
    """Put the counts in their place; there is no row of what comes to nothing."""
    key = key_of(bucket, counts.of)
    rows[key] = None if counts.empty else Row(key, _encode(counts), bucket, counts.of)
