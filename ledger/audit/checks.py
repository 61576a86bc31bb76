"""The audit: one pass over the rows of the log, from the first to the last.

Memory does not grow with the log: what there is of each originator, award or household is Spilled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol
from uuid import UUID

from ledger import facts
from ledger.audit.findings import Finding, Unreadable, found
from ledger.audit.settling import Settling
from ledger.audit.spilled import Spilled, SpillFailed
from ledger.days import day_of, from_microseconds
from ledger.errors import CorruptFact, UnknownFact
from ledger.facts import Entry
from ledger.store.leaf import leaf_hash


class Row(Protocol):
    """A row of the log, from a store or from a bundle."""

    @property
    def position(self) -> int: ...
    @property
    def originator_id(self) -> UUID | str: ...
    @property
    def originator_version(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def state(self) -> bytes: ...
    @property
    def recorded_at(self) -> int: ...
    @property
    def leaf_hash(self) -> bytes: ...


class Check(Protocol):
    """Something the entries of a log are shown to, one by one."""

    def check(self, entry: Entry) -> Iterator[Finding]:
        """What is wrong with the next entry."""

    def lost(self, originator: UUID | None) -> None:
        """The next row could not be read; None where not even its originator could."""

    def end(self) -> Iterator[Finding]:
        """What is missing, now that the log has ended."""


def audit(
    rows: Iterable[Row | Unreadable], *beside: Check, settling: Settling | None = None
) -> Iterator[Finding]:
    """Every fault of the log, in order of position; none for an honest one.

    Checked: positions gapless from 1, leaf hashes, versions unbroken, names known, states
    readable and canonical, everything Settling recomputes, and what is checked ``beside`` it
    (Snapshots, Disclosures). Who looks at what was recomputed brings a ``settling`` of their own.
    Raises SpillFailed, and what the ``rows`` raise.
    """
    positions, versions = Positions(), Versions()
    checks: tuple[Check, ...] = (settling or Settling(), *beside)
    for row in rows:
        originator = None if isinstance(row, Unreadable) else _originator(row)
        if isinstance(row, Unreadable) or originator is None:
            problem = row.problem if isinstance(row, Unreadable) else f"{row.originator_id!r:.80}"
            yield found("UNREADABLE", row.position, problem)
            positions.last = row.position
            for each in checks:
                each.lost(None)
            continue
        yield from positions.check(row)
        yield from check_leaf(row)
        yield from versions.check(row, originator)
        entry = None
        for result in read(row, originator):
            if isinstance(result, Finding):
                yield result
            else:
                entry = result
        for each in checks:
            if entry is None:
                each.lost(originator)
            else:
                yield from _shown(each, entry)
    for each in checks:
        yield from each.end()


def _originator(row: Row) -> UUID | None:
    """The id in the row; None where it is none: a column of text may hold anything.

    An id in other letters than the ledger's would be the same one here, and another one there.
    """
    if isinstance(row.originator_id, UUID):
        return row.originator_id
    try:
        found = UUID(row.originator_id)
    except (ValueError, TypeError, AttributeError):
        return None
    return found if str(found) == row.originator_id else None


def _shown(check: Check, entry: Entry) -> Iterator[Finding]:
    """What a check says of an entry; one it trips over is a finding, and nothing is hidden."""
    try:
        yield from check.check(entry)
    except SpillFailed:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a forged fact makes of a rule
        yield found("OUT_OF_PLACE", entry.position, f"{entry.fact.topic}: {error!r}")


class Positions:
    """The log counts from 1 without a gap."""

    def __init__(self) -> None:
        self.last = 0

    def check(self, row: Row) -> Iterator[Finding]:
        expected, self.last = self.last + 1, row.position
        if row.position != expected:
            yield found("POSITION", min(expected, row.position), f"{expected} → {row.position}")


class Versions:
    """Each originator counts its facts from 1 without a gap."""

    def __init__(self) -> None:
        self.latest: Spilled[UUID, int] = Spilled()

    def check(self, row: Row, originator: UUID) -> Iterator[Finding]:
        expected = self.latest.get(originator, 0) + 1
        self.latest[originator] = row.originator_version
        if row.originator_version != expected:
            seen = f"{originator} {expected} → {row.originator_version}"
            yield found("VERSION", row.position, seen)


def check_leaf(row: Row) -> Iterator[Finding]:
    """The stored hash is that of all columns of the row."""
    try:
        right = leaf_hash(row)
    except Exception as error:  # noqa: BLE001 - whatever a damaged column makes of it
        yield found("LEAF_HASH", row.position, str(error))
        return
    if row.leaf_hash != right:
        yield found("LEAF_HASH", row.position, f"{row.leaf_hash.hex()} ≠ {right.hex()}")


def read(row: Row, originator: UUID) -> Iterator[Finding | Entry]:
    """The entry of a row, and what is wrong with its bytes."""
    try:
        fact = facts.decode(row.topic, row.state)
        moment = from_microseconds(row.recorded_at)
        day_of(moment)  # At the very ends of the calendar a moment has no day in Shanghai.
    except UnknownFact:
        yield found("UNKNOWN_FACT", row.position, repr(row.topic))
        return
    except (CorruptFact, OverflowError) as error:
        yield found("CORRUPT_FACT", row.position, str(error))
        return
    if not _written_here(row.state, facts.encode(fact)):
        yield found("NOT_CANONICAL", row.position, row.topic)
    yield Entry(originator, row.originator_version, moment, fact, row.position)


def _written_here(state: bytes, canonical: bytes) -> bool:
    """Whether the bytes are as the ledger writes them, or wrote them before fields were added.

    A field is added at the end with a default, so what was stored before is the same without its
    last members. ``state`` was read as JSON: cut right before a comma it ends between members.
    """
    if state in (canonical, b"{}"):
        return True
    members = state[:-1]
    return state.endswith(b"}") and canonical.startswith(members + b",")
