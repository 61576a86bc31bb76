"""The notary's files: what it publishes is what anybody computes from the entries alone."""

from __future__ import annotations

import os

import pytest

from ledger.transparency.errors import LogDamaged
from ledger.transparency.merkle import (
    ProofInvalid,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
)
from ledger.transparency.notary import STEPS, Notary
from ledger.transparency.notes import Note
from ledger.transparency.signing import Signer, new_key, verify
from ledger.transparency.tiles import tiles_at
from tests.ledger.transparency.notary_growing import Damage, Growing
from tests.ledger.transparency.notary_logs import (
    ORIGIN,
    Tree,
    files_of,
    published,
    row,
)

SIZES = (1, 2, 255, 256, 257, 300, 511, 512, 513, 8_703, 8_705, 17_000)
LARGE = 65_536


def test_its_files_are_those_of_a_naive_computation(tmp_path):
    """At every size each tile, bundle and root is what the entries alone give, and no file more."""
    growing = Growing(tmp_path, SIZES[-1])
    for size in SIZES:
        growing.sign(size)
        assert published(growing.folder) == (size, growing.tree.root(size))
        wanted = files_of(growing.entries, growing.tree, size)
        for name, content in wanted.items():
            assert (tmp_path / name).read_bytes() == content, (size, name)
        # Beside them are only the partial tiles of earlier sizes whose whole one is not there.
        others = growing.on_disk() - set(wanted)
        assert all(".p/" in name for name in others)
        assert not [one for one in others if (tmp_path / one.partition(".p/")[0]).exists()]


def test_a_log_of_three_levels(tmp_path):
    """Around 65,536 entries, where a third level begins, the files are right as well."""
    growing = Growing(tmp_path, LARGE + 700)
    growing.sign(LARGE - 1)
    # The root is now the third level's alone: a tile of the second is read back for itself.
    damage, growing.rows.count = Damage(tmp_path / "tile/1/000"), LARGE
    signer = Signer(ORIGIN, growing.pem)
    with pytest.raises(LogDamaged, match="tile/0/255: not what is above it"):
        Notary(growing.rows, growing.folder, signer, passed=damage.passed).step()
    for size in (LARGE, LARGE + 1, LARGE + 700):
        growing.sign(size)
        assert published(growing.folder) == (size, growing.tree.root(size))
    wanted = files_of(growing.entries, growing.tree, LARGE + 700)
    assert {"tile/2/000.p/1", "tile/1/001.p/2", "tile/1/000", "tile/0/258.p/188"} <= set(wanted)
    for name, content in wanted.items():
        assert (tmp_path / name).read_bytes() == content, name


def test_nothing_is_signed_of_an_empty_log(tmp_path):
    """Without an entry there is no checkpoint, and asking again changes nothing."""
    growing = Growing(tmp_path, 1)
    assert [growing.notary.step(), growing.notary.step()] == [0, 0]
    assert growing.folder.checkpoint() is None
    assert growing.passed == []


def test_the_steps_come_in_their_order(tmp_path):
    """A checkpoint passes each step once; with nothing new there is none."""
    growing = Growing(tmp_path, 300)
    growing.sign(300)
    assert growing.passed == list(STEPS)
    growing.notary.step()
    assert growing.passed == list(STEPS)


def test_all_is_on_the_disk_before_the_head_moves(tmp_path, monkeypatch):
    """Each file and each folder that got a name is synced before it, and the checkpoint at last."""
    synced, sync = set(), os.fsync

    def keep(descriptor):
        synced.add(os.fstat(descriptor).st_ino)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", keep)
    growing = Growing(tmp_path / "some" / "log", 700)
    missing = []

    def passed(step):
        if step in ("swapped", "published"):
            there = [growing.folder.path, *growing.folder.path.parents][:3]
            there += [one for one in growing.folder.path.rglob("*") if one.name != ".lock"]
            missing.extend(one for one in there if one.stat().st_ino not in synced)

    growing.notary = Notary(
        growing.rows, growing.folder, Signer(ORIGIN, growing.pem), passed=passed
    )
    growing.sign(300)
    growing.sign(700)
    assert missing == []


def test_every_checkpoint_ever_published_can_be_checked(tmp_path):
    """Each keeps its tiles, partial ones too, and each leads on to every later one."""
    growing = Growing(tmp_path, 9_000)
    for size in (*range(1, 40, 7), *range(200, 1_300, 97), 9_000):
        growing.sign(size)
    assert len(growing.published) > 18
    for old, old_root in growing.published:
        assert list(growing.faults(old)) == []
        for level, n, width in tiles_at(old):
            growing.folder.read(level, n, width)
        for size, root in growing.published:
            if size < old:
                continue
            tree = growing.folder.tree(size)
            check_consistency(consistency_proof(tree, old, size), old, size, old_root, root)
        index = old - 1
        leaf = growing.tree.leaves[index]
        check_inclusion(inclusion_proof(tree, index, size), index, size, leaf, root)


def test_the_signature_is_the_log_keys(tmp_path):
    """The checkpoint holds under the log's key, and under no other."""
    growing = Growing(tmp_path, 5)
    growing.sign(5)
    note = Note.parse(growing.folder.checkpoint())
    assert len(note.signed_by([Signer(ORIGIN, growing.pem).verifier], verify)) == 1
    assert note.signed_by([Signer(ORIGIN, new_key()).verifier], verify) == []


def test_a_proof_of_other_files_does_not_pass():
    """The check of this file can fail: a proof between other roots is refused."""
    tree = Tree([row(position).leaf_hash for position in range(1, 9)])
    with pytest.raises(ProofInvalid):
        check_consistency([tree.root(3)], 4, 8, tree.root(4), tree.root(8))
