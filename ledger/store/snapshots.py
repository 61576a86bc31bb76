"""Snapshots (快照): a folded state, so that long sequences need not be read from the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import AggregateRecorder, StoredEvent

from ledger.store import schema
from ledger.store.mapper import StoredFact, as_uuid
from ledger.store.recorder import LogRecorder


class SnapshotRecorder(AggregateRecorder):
    """The library's snapshot store: of every originator only the newest snapshot is kept."""

    def __init__(self, log: LogRecorder[Any]) -> None:
        self._log = log

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> None:
        """Stores snapshots, in place of older ones of the same originators."""
        rows = [
            (self._log.key(each.originator_id), each.originator_version, each.topic, each.state,
             getattr(each, "recorded_at", 0))
            for each in stored_events
        ]  # fmt: skip
        older = [(row[0], row[0]) for row in rows]
        self._log.write([(schema.INSERT_SNAPSHOT, rows), (schema.DELETE_OLDER_SNAPSHOTS, older)])

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredFact]:
        """The snapshot of one originator, if its version is within the bounds."""
        key = self._log.key(originator_id)
        rows = self._log.rows(schema.select_sequence("snapshots", key, gt, lte, desc, limit))
        return [StoredFact(as_uuid(row[0]), *row[1:]) for row in rows]
