"""The contract of a store of views: generations of rows, written batch by batch.

A generation (代) is one copy of one view. It is ``building`` until it has caught up, then
``live``. Once another took its place it is ``old``, and its rows wait for being deleted; or
``retired``, while whoever compared the two still looks at it. Only the first two take batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from ledger.errors import LedgerError
from projections.view import Row, Source, View

BUILDING, LIVE, RETIRED, OLD = "building", "live", "retired", "old"
EMPTY_DIGEST = "0" * 64


class StoreDown(Exception):
    """The store does not answer; ask another one, and this one again later."""


class RowRefused(Exception):
    """The store answers but cannot keep, or be asked for, such a row: trying again is no use."""


class ViewNotReady(LedgerError):
    """There is no live generation that this version of the code can read; one is being built."""

    code = "view_not_ready"
    zh = "数据正在准备中，请稍后再试。"
    en = "This view is being built; try again in a moment."


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where a generation stands: the last position it folded, and what its rows come to.

    ``anchor`` is the leaf hash of that position, in hexadecimal: a generation made from another
    log, or from one that was restored since, is known by it. ``hollow`` says that rows which
    should be there are gone.
    """

    view: str
    version: int
    generation: int
    state: str
    position: int = 0
    anchor: str = ""
    digest: str = EMPTY_DIGEST
    rows: int = 0
    hollow: bool = False


class Change(msgspec.Struct, frozen=True):
    """One row as it was and as it is to be; None where there is none."""

    old: Row | None
    new: Row | None


class Batch(msgspec.Struct, frozen=True):
    """A step of one generation: applied whole, and only to exactly the head it was made from."""

    before: Head
    after: Head
    changes: Sequence[Change]


class Store(Source, Protocol):
    """Where rows are kept. Everything raises StoreDown when the store does not answer."""

    name: str

    def heads(self) -> list[Head]:
        """Every generation there is."""

    def begin(self, view: View) -> Head:
        """A new, empty generation to build; one that was built or compared before becomes old."""

    def rows(self, head: Head, keys: Sequence[str]) -> dict[str, Row]:
        """Those rows of a generation that exist."""

    def write(self, batches: Sequence[Batch]) -> list[bool]:
        """Apply each batch with its position, or do nothing where the head is another by now.

        May raise RowRefused; each batch can then be written by itself.
        """

    def swap(self, new: Head, old: Head | None) -> bool:
        """Make ``new`` live and the others old.

        Where ``old`` is given, it becomes retired; and nothing happens if it moved meanwhile.
        """

    def drop(self, head: Head) -> None:
        """Delete a generation that is old or retired, little by little."""

    def scan(self, head: Head) -> Iterator[Row]:
        """Every row of a generation."""

    def close(self) -> None:
        """Close every connection."""


class Leadership(Protocol):
    """A lock that at most one holder has, and that is free again once its process is gone."""

    def held(self) -> bool:
        """Whether it is ours, taking it when it is free."""

    def release(self) -> None:
        """Give it up."""


def named(row: Row) -> Row:
    """The row; raises RowRefused where a name holds a zero byte, which not every store can find."""
    if "\0" in row.key + row.bucket + row.sort:
        raise RowRefused(f"a zero byte in the name of a row of {row.bucket!r}")
    return row


def live(heads: Sequence[Head], name: str) -> Head | None:
    """The live generation of a view."""
    return next((one for one in heads if one.view == name and one.state == LIVE), None)


def building(heads: Sequence[Head], view: View) -> Head | None:
    """The generation of a view that is being built by this version of the code."""
    for one in heads:
        if one.view == view.name and one.state == BUILDING and one.version == view.version:
            return None if one.hollow else one
    return None
