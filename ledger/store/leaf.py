"""The bytes that stand for one row in the Merkle tree (默克尔树), and their hash.

The leaf covers every column, not only ``state``: were the originator left out, a row could be
moved to another wallet with every hash still right.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from ledger import days

ENTRY_HEADER = b"greenwater/leaf/v1\n"
ENTRY_BYTES_MAX = 65_535
LEAF_PREFIX = b"\x00" + ENTRY_HEADER

_u16, _u32, _u64, _i64 = (struct.Struct(code).pack for code in (">H", ">I", ">Q", ">q"))
_number_length, _time_length = struct.Struct(">QH"), struct.Struct(">qI")
_MISSING = object()


def entry_bytes(row: Mapping[str, Any] | object) -> bytes:
    """The entry of one recorded fact: header, then its columns, big-endian and length-prefixed.

    ``row`` has, as items or as attributes, position, originator_id, originator_version, topic,
    recorded_at (µs since 1970 UTC, an aware datetime, or RFC 3339 text) and state (the stored
    bytes, their text, or the JSON value they encode).  Raises EntryTooLarge above 65,535 bytes.
    """
    tail = entry_tail(
        str(_column(row, "originator_id")),
        _column(row, "originator_version"),
        _column(row, "topic"),
        _microseconds(_column(row, "recorded_at")),
        _state_bytes(_column(row, "state")),
    )
    return ENTRY_HEADER + _u64(_column(row, "position")) + tail


def leaf_hash(row: Mapping[str, Any] | object) -> bytes:
    """The 32 bytes SHA-256(0x00 || entry) of RFC 6962, section 2.1; ``row`` as above."""
    return sha256(b"\x00" + entry_bytes(row)).digest()


class EntryRow(NamedTuple):
    """A row of the log as its entry bytes carry it: all but the leaf hash, which is theirs."""

    position: int
    originator_id: str
    originator_version: int
    topic: str
    recorded_at: int
    state: bytes


def parse_entry(entry: bytes) -> EntryRow:
    """The row that ``entry_bytes`` was given; raises ValueError for bytes it never gives."""
    start = len(ENTRY_HEADER)
    try:
        position, length = _number_length.unpack_from(entry, start)
        name = start + _number_length.size
        version, kind_length = _number_length.unpack_from(entry, name + length)
        kind = name + length + _number_length.size
        recorded_at, state_length = _time_length.unpack_from(entry, kind + kind_length)
        state = kind + kind_length + _time_length.size
        row = EntryRow(
            position=position,
            originator_id=entry[name : name + length].decode(),
            originator_version=version,
            topic=entry[kind : kind + kind_length].decode(),
            recorded_at=recorded_at,
            state=entry[state:],
        )
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"not an entry of this log: {error}") from None
    # As each text has one encoding, and nothing is left over, the same bytes come of the row.
    if not entry.startswith(ENTRY_HEADER) or len(row.state) != state_length:
        raise ValueError("not an entry of this log: cut off, or more than one")
    return row


def entry_tail(
    originator_id: str, originator_version: int, topic: str, recorded_at: int, state: bytes
) -> bytes:
    """All of an entry that is known before its position is; EntryTooLarge if it cannot fit."""
    name, kind = originator_id.encode(), topic.encode()
    fixed = len(ENTRY_HEADER) + 8 + 2 + 8 + 2 + 8 + 4
    if fixed + len(name) + len(kind) + len(state) > ENTRY_BYTES_MAX:
        from ledger.store.errors import EntryTooLarge  # Reading an entry needs no store.

        raise EntryTooLarge(
            f"{topic[:80]} of {originator_id[:80]}: the entry would exceed {ENTRY_BYTES_MAX} bytes"
        )
    return b"".join((
        _u16(len(name)), name, _u64(originator_version),
        _u16(len(kind)), kind, _i64(recorded_at), _u32(len(state)), state,
    ))


def tail_hash(position: int, tail: bytes) -> bytes:
    """The leaf hash of the entry with this position and this tail, in about a microsecond."""
    return sha256(LEAF_PREFIX + _u64(position) + tail).digest()


def _microseconds(moment: int | str | datetime) -> int:
    if isinstance(moment, int):
        return moment
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {moment}")
    return days.microseconds(moment)


def _column(row: Any, name: str) -> Any:
    value = getattr(row, name, _MISSING)
    return row[name] if value is _MISSING else value


def _state_bytes(state: Any) -> bytes:
    if isinstance(state, str):
        return state.encode()
    if isinstance(state, bytes | bytearray | memoryview):
        return bytes(state)
    return json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode()
