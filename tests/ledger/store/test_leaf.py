from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from uuid import UUID

import pytest

from ledger.store import entry_bytes, leaf_hash
from ledger.store.errors import EntryTooLarge
from ledger.store.leaf import parse_entry

ORIGINATOR = UUID("0b8b2f3e-8a4e-4f5e-9b7e-0f2f7c9f2b8e")
ROW = {
    "position": 7,
    "originator_id": ORIGINATOR,
    "originator_version": 2,
    "topic": "wallet.coins-awarded",
    "recorded_at": 1_767_225_600_000_001,
    "state": '{"coins":10,"name":"绿水"}'.encode(),
}


def by_hand() -> bytes:
    name, topic, state = str(ORIGINATOR).encode(), ROW["topic"].encode(), ROW["state"]
    return (
        b"greenwater/leaf/v1\n" + struct.pack(">Q", 7)
        + struct.pack(">H", 36) + name + struct.pack(">Q", 2)
        + struct.pack(">H", len(topic)) + topic + struct.pack(">q", 1_767_225_600_000_001)
        + struct.pack(">I", len(state)) + state
    )  # fmt: skip


def test_entry_bytes_are_those_of_the_format():
    """The entry is header, position, originator, version, topic, time, state, length-prefixed."""
    assert entry_bytes(ROW) == by_hand()
    assert leaf_hash(ROW) == hashlib.sha256(b"\x00" + by_hand()).digest()


@pytest.mark.parametrize("change", [
    {"originator_id": str(ORIGINATOR)},
    {"recorded_at": datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)},
    {"recorded_at": datetime(2026, 1, 1, 8, 0, 0, 1, tzinfo=timezone(timedelta(hours=8)))},
    {"recorded_at": "2026-01-01T00:00:00.000001Z"},
    {"state": ROW["state"].decode()},
    {"state": {"coins": 10, "name": "绿水"}},
])
def test_an_auditor_may_feed_a_history_entry(change):
    """Times as datetime or RFC 3339 and state as text or JSON give the hash of the stored row."""
    assert leaf_hash(ROW | change) == leaf_hash(ROW)
    assert leaf_hash(SimpleNamespace(**ROW | change)) == leaf_hash(ROW)


@pytest.mark.parametrize(("column", "value"), [
    ("position", 8), ("originator_id", UUID(int=1)), ("originator_version", 3),
    ("topic", "wallet.coins-spent"), ("recorded_at", 0), ("state", b"{}"),
])
def test_every_column_counts(column, value):
    """Changing any column of a row changes its leaf hash."""
    assert leaf_hash(ROW | {column: value}) != leaf_hash(ROW)


def test_an_entry_fits_into_a_bundle():
    """65,535 bytes are accepted and one more is refused."""
    room = 65_535 - len(entry_bytes(ROW | {"state": b""}))
    assert len(entry_bytes(ROW | {"state": b"x" * room})) == 65_535
    with pytest.raises(EntryTooLarge):
        entry_bytes(ROW | {"state": b"x" * (room + 1)})


def test_a_time_without_a_zone_has_no_place():
    """A naive datetime is refused instead of being taken for UTC."""
    with pytest.raises(ValueError, match="zone"):
        leaf_hash(ROW | {"recorded_at": datetime(2026, 1, 1)})


def test_an_entry_gives_its_row_back():
    """What an auditor finds in a bundle is the row, column by column; damaged bytes are refused."""
    entry = entry_bytes(ROW)
    row = parse_entry(entry)
    assert row == (7, str(ORIGINATOR), 2, ROW["topic"], ROW["recorded_at"], ROW["state"])
    assert leaf_hash(row) == leaf_hash(ROW)
    for wrong in [entry[:cut] for cut in range(len(entry))] + [entry + b"x", b"x" + entry[1:]]:
        with pytest.raises(ValueError, match="not an entry"):
            parse_entry(wrong)
