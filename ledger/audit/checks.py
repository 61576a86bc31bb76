"""The audit: one pass over the rows of the log, from the first to the last.

Memory: a version per originator, the wallets, and the contributions that still wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from ledger import facts
from ledger.audit.findings import Finding, found
from ledger.audit.reading import Unreadable
from ledger.audit.settling import Settling
from ledger.days import from_microseconds
from ledger.errors import CorruptFact, UnknownFact
from ledger.facts import Entry
from ledger.store.leaf import leaf_hash
from ledger.store.mapper import RecordedFact


def audit(rows: Iterable[RecordedFact | Unreadable]) -> Iterator[Finding]:
    """Every fault of the log, in order of position; none for an honest one.

    Checked: positions gapless from 1, leaf hashes, versions unbroken, names known, states
    readable and canonical, and everything Settling recomputes.
    """
    positions, versions, settling = Positions(), Versions(), Settling()
    for row in rows:
        if isinstance(row, Unreadable):
            yield found("UNREADABLE", row.position, row.problem)
            positions.last = row.position
            settling.lost()
            continue
        yield from positions.check(row)
        yield from check_leaf(row)
        yield from versions.check(row)
        entry = None
        for result in read(row):
            if isinstance(result, Finding):
                yield result
            else:
                entry = result
        if entry is None:
            settling.lost()
        else:
            yield from settling.check(entry)
    yield from settling.end()


class Positions:
    """The log counts from 1 without a gap."""

    def __init__(self) -> None:
        self.last = 0

    def check(self, row: RecordedFact) -> Iterator[Finding]:
        expected, self.last = self.last + 1, row.position
        if row.position != expected:
            yield found("POSITION", min(expected, row.position), f"{expected} → {row.position}")


class Versions:
    """Each originator counts its facts from 1 without a gap."""

    def __init__(self) -> None:
        self.latest: dict[UUID, int] = {}

    def check(self, row: RecordedFact) -> Iterator[Finding]:
        originator = UUID(str(row.originator_id))
        expected = self.latest.get(originator, 0) + 1
        self.latest[originator] = row.originator_version
        if row.originator_version != expected:
            seen = f"{originator} {expected} → {row.originator_version}"
            yield found("VERSION", row.position, seen)


def check_leaf(row: RecordedFact) -> Iterator[Finding]:
    """The stored hash is that of all columns of the row."""
    try:
        right = leaf_hash(row)
    except Exception as error:  # noqa: BLE001 - whatever a damaged column makes of it
        yield found("LEAF_HASH", row.position, str(error))
        return
    if row.leaf_hash != right:
        yield found("LEAF_HASH", row.position, f"{row.leaf_hash.hex()} ≠ {right.hex()}")


def read(row: RecordedFact) -> Iterator[Finding | Entry]:
    """The entry of a row, and what is wrong with its bytes."""
    try:
        fact = facts.decode(row.topic, row.state)
        moment = from_microseconds(row.recorded_at)
    except UnknownFact:
        yield found("UNKNOWN_FACT", row.position, repr(row.topic))
        return
    except (CorruptFact, OverflowError) as error:
        yield found("CORRUPT_FACT", row.position, str(error))
        return
    if facts.encode(fact) != row.state:
        yield found("NOT_CANONICAL", row.position, row.topic)
    yield Entry(
        UUID(str(row.originator_id)), row.originator_version, moment, fact, row.position
    )
