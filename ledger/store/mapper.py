"""Between an entry of the ledger and a row of the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    Cipher,
    Compressor,
    Mapper,
    Notification,
    StoredEvent,
    Transcoder,
)

from ledger import facts
from ledger.days import from_microseconds, microseconds


@dataclass(frozen=True)
class StoredFact(StoredEvent):
    """A row to be inserted: everything but its position and its leaf hash."""

    recorded_at: int
    """Microseconds since 1970 UTC."""


@dataclass(frozen=True)
class RecordedFact(Notification):
    """A row of the log; ``id``, the library's word for it, is the position."""

    recorded_at: int
    leaf_hash: bytes

    @property
    def position(self) -> int:
        """The place in the log, counted from 1 without a gap."""
        return self.id


class FactMapper(Mapper[UUID]):
    """Maps ``facts.Entry`` to StoredFact, and StoredFact or RecordedFact back.

    The state is hashed exactly as stored and must stay readable to auditors, so the library's
    compressor and cipher are refused.
    """

    def __init__(
        self,
        transcoder: Transcoder,
        compressor: Compressor | None = None,
        cipher: Cipher | None = None,
    ) -> None:
        if compressor is not None or cipher is not None:
            raise ValueError("facts are stored as they are: no compressor, no cipher")
        super().__init__(transcoder)

    def to_stored_event(self, domain_event: Any) -> StoredFact:
        """The row of an entry; its position is assigned when it is committed."""
        entry: facts.Entry = domain_event
        return StoredFact(
            originator_id=entry.originator_id,
            originator_version=entry.originator_version,
            topic=entry.fact.topic,
            state=facts.encode(entry.fact),
            recorded_at=microseconds(entry.recorded_at),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The entry of a row; raises UnknownFact or CorruptFact for a state it cannot read."""
        assert isinstance(stored_event, StoredFact | RecordedFact)
        return facts.Entry(
            originator_id=as_uuid(stored_event.originator_id),
            originator_version=stored_event.originator_version,
            recorded_at=from_microseconds(stored_event.recorded_at),
            fact=facts.decode(stored_event.topic, stored_event.state),
            position=stored_event.id if isinstance(stored_event, RecordedFact) else 0,
        )


def as_uuid(value: UUID | str) -> UUID:
    """An originator as it comes from PostgreSQL or, as text, from SQLite."""
    return value if isinstance(value, UUID) else UUID(value)
