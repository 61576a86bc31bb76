"""The contract of a view (视图): rows that are computed from facts and can always be again.

Every view is a set of rows. A row is fetched by its key, or paged within its bucket in the order
of (sort, key), or its rank in the bucket is asked. ``sort`` is text that orders as wanted, so
three stores need one contract and no number is ever rounded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Protocol, TypeAlias

import msgspec

from ledger.facts import Entry, Fact
from ledger.facts import catalogue as stored_facts

LARGEST = 10**18 - 1
DIGITS = 18

Place: TypeAlias = tuple[str, str]
"""Where a row stands in its bucket: its (sort, key)."""

START: Place = ("", "")


class Row(msgspec.Struct, frozen=True):
    """One row; ``data`` is JSON. A row in no list has the empty bucket."""

    key: str
    data: bytes
    bucket: str = ""
    sort: str = ""

    @property
    def place(self) -> Place:
        return self.sort, self.key


Rows: TypeAlias = dict[str, Row | None]


class View(ABC):
    """A name, a version (raised when rows would come out differently), and a pure fold."""

    name: ClassVar[str]
    version: ClassVar[int]
    facts: ClassVar[tuple[type[Fact], ...]]
    """What it folds; a base class stands for every fact below it."""

    @abstractmethod
    def touches(self, entry: Entry) -> Iterable[str]:
        """The keys of the rows that folding the entry reads."""

    def also_touches(self, rows: Rows, entry: Entry) -> Iterable[str]:
        """The keys of what else it reads, where the rows it touches are needed to tell."""
        return ()

    @abstractmethod
    def fold(self, rows: Rows, entry: Entry) -> None:
        """Put the rows that change into ``rows``, None for one that goes."""


class Source(Protocol):
    """What a question may ask of a store; every answer begins with the view's position."""

    def fetch(self, view: View, key: str) -> tuple[int, bytes | None]:
        """The data of one row."""

    def page(
        self, view: View, bucket: str, after: Place, limit: int, *, backwards: bool = False
    ) -> tuple[int, list[Row]]:
        """The rows behind a place, or those before it from there backwards."""

    def rank(self, view: View, bucket: str, place: Place) -> tuple[int, int]:
        """How many rows of the bucket stand before a place."""


def topics(views: Iterable[View]) -> frozenset[str]:
    """The stored names of the facts that at least one of the views folds."""
    wanted = tuple(fact for view in views for fact in view.facts)
    return frozenset(name for name, fact in stored_facts().items() if issubclass(fact, wanted))


def ascending(number: int) -> str:
    """Text that sorts as a number from 0 to 10^18 - 1 does."""
    return f"{number:0{DIGITS}d}"


def descending(number: int) -> str:
    """Text that sorts the larger number first."""
    return f"{LARGEST - number:0{DIGITS}d}"
