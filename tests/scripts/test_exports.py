"""``gwc export``: the history as anybody can read and check it."""

from __future__ import annotations

import json

from ledger.store.leaf import leaf_hash


def test_every_entry_is_a_line_whose_hash_can_be_recomputed(city):
    """Positions count from 1, names are those agreed on, each leaf hash follows from its line."""
    city("export", "history", "--out", "h.ndjson")
    lines = (city.folder / "h.ndjson").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["position"] for entry in entries] == list(range(1, len(entries) + 1))
    for entry in entries:
        assert list(entry) == [
            "position", "originator_id", "originator_version", "topic", "recorded_at",
            "leaf_hash", "state", "sentence",
        ]  # fmt: skip
        assert leaf_hash(entry).hex() == entry["leaf_hash"]
        assert entry["sentence"]["zh"]
        assert entry["sentence"]["en"]
        assert entry["recorded_at"].endswith("Z")
        assert len(entry["recorded_at"]) == 27
    assert not list(city.folder.glob("*.partial"))
