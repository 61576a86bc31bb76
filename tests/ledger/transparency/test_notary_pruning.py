"""What a published checkpoint needs stays there for everybody who reads the files as they lie."""

from __future__ import annotations

import os
import stat

import pytest

from ledger.transparency.errors import LogForked, QuorumMissing
from ledger.transparency.notary import Notary
from ledger.transparency.signing import Signer
from tests.ledger.transparency.notary_growing import Growing
from tests.ledger.transparency.notary_logs import (
    ORIGIN,
    Tree,
    files_of,
    other,
    published,
    row,
)

PUBLISHED, COMPLETE = 505, 600


class Nobody:
    """Witnesses of which none answers, or all do."""

    def __init__(self) -> None:
        self.answer = True

    def collect(self, note, size, tree):
        return []

    def enough(self, note):
        return self.answer

    def missing(self):
        return "nobody"


def lacking(growing: Growing, size: int) -> list[str]:
    """Files of a tree of this size that are not there under their own name, byte for byte."""
    wanted = files_of(growing.entries, growing.tree, size)
    paths = {name: growing.folder.path / name for name in wanted}
    return [
        name for name, path in paths.items()
        if not path.is_file() or path.read_bytes() != wanted[name]
    ]  # fmt: skip


def test_partial_tiles_of_what_is_published_outlast_what_is_not(tmp_path):
    """While the witnesses are away the published tree keeps its files, restarts or not."""
    growing, nobody = Growing(tmp_path, COMPLETE), Nobody()

    def another():
        signer = Signer(ORIGIN, growing.pem)
        return Notary(growing.rows, growing.folder, signer, cosigners=nobody)

    growing.notary = another()
    growing.sign(PUBLISHED)
    nobody.answer = False
    growing.rows.count = COMPLETE
    for notary in (growing.notary, another(), another()):
        with pytest.raises(QuorumMissing):
            notary.step()
        assert growing.rows.log_head.size in (PUBLISHED, COMPLETE)
        assert lacking(growing, PUBLISHED) == []
    assert growing.rows.log_head.size == COMPLETE
    nobody.answer = True
    assert another().step() == COMPLETE
    assert lacking(growing, COMPLETE) == []
    assert not (tmp_path / "tile/0/001.p").exists()


def test_what_was_written_and_never_signed_takes_no_tile_away(tmp_path):
    """A step that failed after it had completed a tile leaves the partial ones where they are."""
    growing = Growing(tmp_path, COMPLETE)
    growing.sign(300)

    class Away(Exception):
        pass

    def away(step):
        if step == "consistent":
            raise Away

    growing.notary = Notary(
        growing.rows, growing.folder, Signer(ORIGIN, growing.pem), passed=away
    )
    growing.rows.count = COMPLETE
    with pytest.raises(Away):
        growing.notary.step()
    growing.notary._passed = growing.passed.append
    growing.sign(PUBLISHED)  # What was behind it had never been signed, and is gone.
    assert published(growing.folder) == (PUBLISHED, growing.tree.root(PUBLISHED))
    assert lacking(growing, PUBLISHED) == []
    growing.sign(COMPLETE)
    assert not (tmp_path / "tile/0/001.p").exists()


def test_the_last_that_is_left_of_a_tile_is_kept(tmp_path):
    """A partial tile whose whole one somebody removed is evidence, and stays."""
    growing = Growing(tmp_path, COMPLETE)
    growing.sign(COMPLETE)
    whole = tmp_path / "tile/0/001"
    left = tmp_path / "tile/0/001.p/255"
    left.parent.mkdir()
    left.write_bytes(whole.read_bytes()[:-32])
    whole.unlink()
    assert growing.another().step() == COMPLETE
    assert left.exists()


@pytest.mark.parametrize("damaged", [False, True])
def test_rows_and_head_rewritten_take_no_published_file_away(tmp_path, damaged):
    """Head and rows made to fit each other are refused, and what was published stays to show it."""
    growing = Growing(tmp_path, 400)
    growing.sign(300)
    growing.rows.count = 400
    growing.rows.select_notifications = lambda start, limit, stop: [
        row(position) if position < 150 else other(position)
        for position in range(start, min(start + limit - 1, stop) + 1)
    ]
    forged = Tree([one.leaf_hash for one in growing.rows.select_notifications(1, 400, 400)])
    growing.rows.log_head = growing.rows.log_head._replace(size=400, root=forged.root(400))
    if damaged:
        (tmp_path / "tile/1/000.p/1").write_bytes(bytes(32))
    held = {name: (tmp_path / name).read_bytes() for name in growing.on_disk()}
    for notary in (growing.notary, growing.another()):
        for _ in range(2):
            with pytest.raises(LogForked):
                notary.step()
    assert {name: (tmp_path / name).read_bytes() for name in growing.on_disk()} == held


def test_who_may_read_the_folder_cannot_hold_the_notary_off(tmp_path):
    """The lock is its owner's alone, since whoever may open a file may lock it."""
    before = os.umask(0o022)
    try:
        Growing(tmp_path, 1).sign(1)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / ".lock").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "checkpoint").stat().st_mode) == 0o644
