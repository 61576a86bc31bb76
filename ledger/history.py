"""The history (历史) as auditors read it: each entry with its leaf hash and a sentence."""

from __future__ import annotations

import msgspec

from ledger import facts
from ledger.days import from_microseconds
from ledger.errors import LogCorrupt
from ledger.facts import Text
from ledger.store.mapper import RecordedFact, as_uuid


class HistoryEntry(msgspec.Struct, frozen=True):
    """One row of the log as it is exported; ``state`` is the stored JSON, byte for byte."""

    position: int
    originator_id: str
    originator_version: int
    topic: str
    recorded_at: str
    leaf_hash: str
    state: msgspec.Raw
    sentence: Text


_encoder = msgspec.json.Encoder()


def history_entry(row: RecordedFact) -> HistoryEntry:
    """The entry of a stored row; a damaged one is shown as well, its sentence saying so.

    ``recorded_at`` is RFC 3339 in UTC with microseconds, ``leaf_hash`` hexadecimal.
    """
    try:
        fact = facts.decode(row.topic, row.state)
        sentence = fact.sentence(as_uuid(row.originator_id))
    except LogCorrupt as error:
        sentence = Text(error.sentence_zh, error.sentence_en)
    moment = from_microseconds(row.recorded_at).isoformat(timespec="microseconds")
    return HistoryEntry(
        position=row.position,
        originator_id=str(row.originator_id),
        originator_version=row.originator_version,
        topic=row.topic,
        recorded_at=moment.replace("+00:00", "Z"),
        leaf_hash=row.leaf_hash.hex(),
        state=msgspec.Raw(_in_a_line(row.state)),
        sentence=sentence,
    )


def history_line(row: RecordedFact) -> bytes:
    """The entry as one line of NDJSON, newline included."""
    return _encoder.encode(history_entry(row)) + b"\n"


def _in_a_line(state: bytes) -> bytes:
    """The bytes as they are if they are JSON on one line, as the ledger writes; else as a text."""
    try:
        msgspec.json.decode(state)
        if b"\n" not in state and b"\r" not in state:
            return state
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    return _encoder.encode(state.decode(errors="backslashreplace"))
