"""History entries: the stored bytes unchanged, and all that is needed to check them."""

from __future__ import annotations

import json

import pytest

from ledger.history import history_line
from ledger.store.leaf import leaf_hash


def test_an_entry_embeds_the_stored_bytes_unchanged(ledger):
    """The state in a line is the very bytes that were hashed, and the hash follows from it."""
    (row,) = ledger.rows()
    line = history_line(row)
    assert b'"state":' + row.state + b"," in line
    assert line.endswith(b"\n")
    entry = json.loads(line)
    assert leaf_hash(entry).hex() == entry["leaf_hash"] == row.leaf_hash.hex()
    assert entry["recorded_at"] == "2026-05-20T04:00:00.000000Z"


@pytest.mark.parametrize("state", [b"{}", b"{", b"\xff", b"{\n}", b'{"version":\r""}'])
def test_a_state_nobody_can_read_is_shown_for_what_it_is(ledger, state):
    """A damaged state still gives a line of JSON, and its sentence says what is wrong."""
    (row,) = ledger.rows()
    object.__setattr__(row, "state", state)
    assert history_line(row).splitlines(keepends=True) == [history_line(row)]
    entry = json.loads(history_line(row))
    assert "policy.published" in entry["sentence"]["en"]
    assert entry["leaf_hash"] != leaf_hash(row).hex()
