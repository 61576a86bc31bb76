"""Reading a log that may be damaged: a row nobody can read is reported, the rest is read.

The snapshots beside it are read here as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eventsourcing.persistence import PersistenceError

from ledger.audit.findings import Unreadable
from ledger.log import PAGE, Log
from ledger.store.mapper import RecordedFact

SNAPSHOTS = "SELECT originator_id, originator_version, topic, state FROM snapshots"
IN_ORDER = f"ORDER BY originator_id, originator_version LIMIT {PAGE}"


def rows_of(log: Log, after: int = 0) -> Iterator[RecordedFact | Unreadable]:
    """Every row in order of position, page by page; raises what an unreachable store raises."""
    while True:
        try:
            rows = log.rows(after)
        except (ValueError, PersistenceError):
            rows = None
        if rows is not None:
            yield from rows
            if not rows:
                return
            after = rows[-1].position
            continue
        # Somewhere on this page is a row the driver trips over: one by one up to the page's end.
        head = log.head()
        for position in range(after, min(after + PAGE, head)):
            one = _one(log, position)
            if one is not None:
                yield one
        after = min(after + PAGE, head)
        if after == head:
            return


def _one(log: Log, after: int) -> RecordedFact | Unreadable | None:
    try:
        rows = log.store.select_notifications(after + 1, 1, after + 1)
    except (ValueError, PersistenceError) as error:
        log.head()
        return Unreadable(after + 1, " ".join(str(error).split()))
    return rows[0] if rows else None


def snapshots_of(log: Log) -> Iterator[tuple[Any, int, str, bytes]]:
    """Every stored snapshot as (originator, version, topic, state), page by page."""
    last: list[Any] = []
    while True:
        behind = "WHERE (originator_id, originator_version) > (?, ?) " if last else ""
        rows = log.store.rows((f"{SNAPSHOTS} {behind}{IN_ORDER}", last))
        if not rows:
            return
        yield from rows
        last = list(rows[-1][:2])
