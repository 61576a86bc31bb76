"""What the service shows: added up here without its views, it comes to the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.audit.books import Books
from ledger.verifier.boards import Boards
from ledger.verifier.folder import Folder
from ledger.verifier.shown import Shown, _merged
from projections.reading import open_stores
from projections.runner import Follower
from projections.showing import write_shown
from tests.projections.history import History

KEY = bytes(range(32))


@pytest.mark.parametrize("seed", range(5))
def test_boards_of_random_histories_are_those_of_the_view(seed, tmp_path):
    """Awards, reversals and consents given and taken back, in any order, give the same lines."""
    path = tmp_path / "gwc.db"
    ledger = Ledger({"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(path)},
                    KEY, KEY)  # fmt: skip
    history = History(ledger, seed=seed)
    history.grow(150)
    stores = open_stores(f"sqlite:///{path}")
    follower = Follower(ledger, stores)
    follower.catch_up()
    position = write_shown(stores[0], history.now.date(), tmp_path)
    boards = Boards()
    for entry in ledger.entries():
        boards.add(entry)
    follower.close()
    ledger.close()
    assert position
    shown = (tmp_path / "boards.ndjson").read_text().splitlines()
    assert shown
    assert [line._asdict() for line in boards.lines()] == [json.loads(line) for line in shown]


@pytest.mark.parametrize(
    ("ours", "theirs", "differ"),
    [
        ("", "", ""), ("a1", "a1", ""), ("a1", "a2", "a"), ("a1 b1", "a1", "b"),
        ("b1", "a1 b1", "a"), ("", "a0", ""), ("a1 c1", "b1", "abc"), ("a1 b2 c3", "a1 b2 c4", "c"),
    ],
)  # fmt: skip
def test_lists_in_order_are_compared_line_by_line(ours, theirs, differ):
    """Whoever is missing on either side has nothing there."""

    def pairs(text: str):
        return iter([(one[0], (int(one[1]), 0)) for one in text.split()])

    found = [key for key, right, shown in _merged(pairs(ours), pairs(theirs)) if right != shown]
    assert "".join(found) == differ


def test_a_bundle_of_an_older_kind_is_no_bundle(tmp_path: Path):
    """Without the file that says what is shown nothing can be compared, and that is told."""
    assert [one.code for one in Shown(Folder(tmp_path), Books(), 0).end()] == ["BUNDLE"]
