"""Searching the history (查历史): the entries somebody wants to see, page by page or as they come.

A page looks at a bounded number of positions, so that a search that finds nothing still answers
at once, and says how far it looked; asking on from there goes through the whole log.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from uuid import UUID

import msgspec
from eventsourcing.persistence import PersistenceError

from ledger.days import microseconds
from ledger.errors import FieldError, InvalidInput
from ledger.facts import catalogue
from ledger.past import Past
from ledger.store.errors import StoreClosed
from ledger.store.mapper import RecordedFact
from ledger.store.matching import Match

POSITIONS_MAX = 100_000
WINDOW = 10_000
PAGE = 1_000
RETRY_SECONDS = 0.5
# Entries stand in the order of their commits, which is that of their times but for hosts whose
# clocks differ: a time is looked for within a day (in microseconds) of where it should stand.
CLOCKS_APART_MAX = 24 * 3600 * 1_000_000
SNAPSHOTS = "wallet.snapshot-"


class Wanted(msgspec.Struct, frozen=True):
    """Which entries: every condition that is given must hold.

    ``topics`` are stored names as in ``topics_named``, ``since`` and ``until`` times of recording,
    both inclusive. ``participant`` means what is of or about a person (or an account): facts of
    their own originator and of their wallet, facts that name them in any field (what they did as
    ``by`` someone, gifts to them), and facts that name no participant but whose originator began
    with one of theirs: the verdict on their patrol, the approval of their redemption.
    """

    topics: tuple[str, ...] = ()
    originator: UUID | None = None
    participant: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None

    def match(self) -> Match:
        """The same, as the store is asked for it."""
        return Match(
            topics=self.topics, originator=self.originator, participant=self.participant,
            since=None if self.since is None else microseconds(self.since),
            until=None if self.until is None else microseconds(self.until),
        )  # fmt: skip


class Found(msgspec.Struct, frozen=True):
    """Rows in order; every position through ``reached`` was looked at."""

    rows: Sequence[RecordedFact]
    reached: int
    more: bool = False
    """Whether something behind ``reached`` is still to be looked at."""
    final: bool = False
    """Whether nothing that will ever be recorded can match: the time has passed."""
    trouble: PersistenceError | None = None
    """Why nothing could be read this time."""


def topics_named(texts: Sequence[str]) -> tuple[str, ...]:
    """The stored names that are meant: exact ones, and all that begin with ``wallet.``.

    Raises InvalidInput at ``topic`` for one that is no fact's.
    """
    import ledger.application  # noqa: F401  (all facts are registered by importing it)

    known = [name for name in catalogue() if not name.startswith(SNAPSHOTS)]
    found: list[str] = []
    for text in texts:
        prefix = text if text.endswith(".") else None
        named = [name for name in known if name == text or (prefix and name.startswith(prefix))]
        if not named:
            raise InvalidInput([_unknown(text, known)])
        found += named
    return tuple(dict.fromkeys(found))


def find(
    log: Past, wanted: Wanted, after: int, limit: int, positions_max: int = POSITIONS_MAX
) -> Found:
    """What is wanted behind a position: at most ``limit`` rows out of ``positions_max``."""
    head = log.head()
    first, last = _span(log, wanted, head)
    reached, match, rows = max(after, first), wanted.match(), list[RecordedFact]()
    # One originator's facts are looked up, not looked for.
    indexed = wanted.originator is not None
    stop = last if indexed else min(last, reached + positions_max)
    while reached < stop and len(rows) < limit:
        through = stop if indexed else min(reached + WINDOW, stop)
        rows += log.store.select_matching(match, reached, through, limit - len(rows))
        reached = rows[-1].position if len(rows) == limit else through
    return Found(rows, reached, reached < last, final=last < head and reached >= last)


def search(log: Past, wanted: Wanted, after: int) -> Iterator[Found]:
    """Everything that is wanted behind a position, up to the end of the log."""
    more = True
    while more:
        found = find(log, wanted, after, PAGE)
        yield found
        after, more = found.reached, found.more


def tail(log: Past, wanted: Wanted, after: int, wait_seconds: float) -> Iterator[Found]:
    """As ``search``, and then what comes, until nothing can come any more.

    After ``wait_seconds`` without anything it says so by an empty Found, so that whoever follows
    may stop; a database that is away is one with its ``trouble``, and is asked again. Raises
    StoreClosed.
    """
    while True:
        try:
            found = find(log, wanted, after, PAGE)
        except StoreClosed:
            raise
        except PersistenceError as trouble:
            yield Found((), after, trouble=trouble)
            time.sleep(RETRY_SECONDS)
            continue
        yield found
        after = found.reached
        if found.final:
            return
        if not found.more:
            _wait(log, after, wait_seconds)


def _wait(log: Past, after: int, seconds: float) -> None:
    try:
        log.store.wait_for_change(after, seconds)
    except StoreClosed:
        raise
    except PersistenceError:  # The next look at the log tells of it.
        time.sleep(RETRY_SECONDS)


def _span(log: Past, wanted: Wanted, head: int) -> tuple[int, int]:
    """Behind which position, and up to which, anything wanted by its time can stand."""
    first, last = 0, head
    if wanted.since is not None:
        first = log.position_at(microseconds(wanted.since) - CLOCKS_APART_MAX, head)
    if wanted.until is not None:
        last = log.position_at(microseconds(wanted.until) + CLOCKS_APART_MAX, head)
    return first, last


def _unknown(text: str, known: Sequence[str]) -> FieldError:
    prefixes = {name.partition(".")[0] + "." for name in known}
    near = get_close_matches(text, [*sorted(prefixes), *known], n=1, cutoff=0)[0]
    return FieldError(
        "topic", "unknown_topic",
        f"没有这个名称的事实，是否指 {near}？前缀须以点结尾（如 wallet.）。",
        f"No fact has this name; did you mean {near}? A prefix ends in a dot (wallet.).",
    )  # fmt: skip
