"""The notary's folder: lost, damaged or somebody else's, it is never built upon unseen."""

from __future__ import annotations

import os
import shutil

import pytest

from ledger.transparency.errors import LogDamaged, LogForked
from ledger.transparency.notary import Notary
from ledger.transparency.signing import Signer
from ledger.transparency.tiles import LogFolder, tile_path
from tests.ledger.transparency.notary_growing import Damage, Growing
from tests.ledger.transparency.notary_logs import ORIGIN, Rows, files_of, other, published


def test_a_lost_folder_is_made_anew(tmp_path):
    """Without any of its files the log is published again, with the same root."""
    growing = Growing(tmp_path, 9_000)
    growing.sign(8_900)
    before = {name: (tmp_path / name).read_bytes() for name in growing.on_disk()}
    shutil.rmtree(tmp_path)
    growing.notary = growing.another()
    growing.sign(8_900)
    assert {name: (tmp_path / name).read_bytes() for name in growing.on_disk()} == before
    growing.sign(9_000)
    assert list(growing.faults(9_000)) == []


def test_a_folder_lost_under_a_running_notary(tmp_path):
    """The notary that had written them says that files are missing, and makes them anew."""
    growing = Growing(tmp_path, 400)
    growing.sign(300)
    checkpoint = growing.folder.checkpoint()
    shutil.rmtree(tmp_path / "tile")
    growing.rows.count = 400
    with pytest.raises(LogDamaged, match="missing"):
        growing.notary.step()
    assert growing.folder.checkpoint() == checkpoint
    growing.sign(400)
    assert list(growing.faults(400)) == []


DAMAGED = ("tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/1")


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("damage", [
    lambda content: content[:50] + bytes([content[50 % len(content)] ^ 1]) + content[51:]
    if len(content) > 50 else bytes([content[0] ^ 1]) + content[1:],
    lambda content: content[:-1], lambda _: b"",
], ids=["flipped", "cut", "empty"])  # fmt: skip
@pytest.mark.parametrize("again", [False, True], ids=["running", "started"])
def test_a_damaged_file_is_never_built_upon(tmp_path, name, damage, again):
    """Whatever the right edge has wrong is found before it is signed, and made anew."""
    growing = Growing(tmp_path, 600)
    growing.sign(300)
    checkpoint = growing.folder.checkpoint()
    (tmp_path / name).write_bytes(damage((tmp_path / name).read_bytes()))
    growing.rows.count = 600
    if again:
        growing.notary = growing.another()
    else:
        with pytest.raises(LogDamaged):
            growing.notary.step()
        assert growing.folder.checkpoint() == checkpoint
        assert growing.rows.log_head.size == 300
    growing.sign(600)
    assert list(growing.faults(600)) == []


def test_a_file_damaged_while_it_is_written(tmp_path):
    """What is read back is what will be signed: a bit lost on the way to the disk is found."""
    growing = Growing(tmp_path, 700)
    names = [*files_of(growing.entries, growing.tree, 700)]
    for number, name in enumerate(names):
        growing.rows, growing.folder = Rows(700), LogFolder(tmp_path / str(number))
        damage = Damage(growing.folder.path / name)
        notary = Notary(
            growing.rows, growing.folder, Signer(ORIGIN, growing.pem), passed=damage.passed
        )
        with pytest.raises(LogDamaged):
            notary.step()
        assert growing.rows.log_head.size == 0
        assert growing.folder.checkpoint() is None
        assert notary.step() == 700
        assert list(growing.faults(700)) == []


def test_a_file_damaged_while_it_is_made_anew(tmp_path, monkeypatch):
    """What is made anew is read back as well before it is published."""
    growing = Growing(tmp_path, 300)
    growing.sign(300)
    shutil.rmtree(tmp_path / "tile")
    (tmp_path / "checkpoint").unlink()
    write_all = LogFolder.write_all

    def badly(folder, files):
        write_all(folder, {name: content[:-1] + b"?" for name, content in files.items()})

    monkeypatch.setattr(LogFolder, "write_all", badly)
    growing.notary = growing.another()
    with pytest.raises(LogDamaged):
        growing.notary.step()
    assert growing.folder.checkpoint() is None
    monkeypatch.undo()
    growing.sign(300)
    assert list(growing.faults(300)) == []


def test_a_damaged_tile_in_the_middle_is_no_fork(tmp_path):
    """A flipped tile that a consistency proof needs is made anew, and not taken for a fork."""
    growing = Growing(tmp_path, 1_500)
    growing.sign(600)
    growing.sign(700)
    name = tile_path(0, 2, 188)
    (tmp_path / name).write_bytes(bytes(188 * 32))
    (tmp_path / "tile/1/000.p/2").write_bytes(bytes(64))
    growing.rows.count = 1_500
    with pytest.raises(LogDamaged):
        growing.notary.step()
    growing.sign(1_500)
    assert list(growing.faults(1_500)) == []


def test_a_fork_beside_the_log_is_one(tmp_path):
    """A checkpoint of ours whose entries are not the log's stops the notary for good."""
    growing, forked = Growing(tmp_path / "one", 400), Growing(tmp_path / "two", 300)
    forked.pem = growing.pem
    forked.rows.select_notifications = lambda start, limit, stop: [
        other(position) for position in range(start, min(start + limit - 1, stop) + 1)
    ]
    forked.notary = forked.another()
    forked.sign(300)
    growing.sign(350)
    shutil.copy(tmp_path / "two/checkpoint", tmp_path / "one/checkpoint")
    checkpoint = growing.folder.checkpoint()
    for size in (350, 400):
        growing.rows.count = size
        growing.notary = growing.another()
        with pytest.raises(LogDamaged, match="behind checkpoint 300"):
            growing.notary.step()
        for _ in range(2):
            with pytest.raises(LogForked):
                growing.notary.step()
    assert growing.folder.checkpoint() == checkpoint
    assert growing.rows.log_head.size == 350


def test_a_fork_of_the_same_size(tmp_path):
    """A checkpoint of ours of the very size of the log, with another root, is one as well."""
    growing, forked = Growing(tmp_path / "one", 300), Growing(tmp_path / "two", 300)
    forked.pem = growing.pem
    forked.rows.select_notifications = lambda start, limit, stop: [
        other(position) for position in range(start, min(start + limit - 1, stop) + 1)
    ]
    forked.notary = forked.another()
    forked.sign(300)
    growing.sign(300)
    shutil.copy(tmp_path / "two/checkpoint", tmp_path / "one/checkpoint")
    for notary in (growing.notary, growing.another()):
        with pytest.raises(LogForked):
            notary.step()


def test_a_disk_that_fails_at_any_moment(tmp_path, monkeypatch):
    """A file has its name only when it is whole: whichever write fails, nothing half is left."""
    sync, failed = os.fsync, 0
    for number in range(16):
        growing = Growing(tmp_path / str(number), 300)
        growing.sign(250)
        left = [number]

        def fails(descriptor, left=left):
            if not left[0]:
                raise OSError(28, "No space left on device")
            left[0] -= 1
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", fails)
        growing.rows.count = 300
        try:
            growing.notary.step()
        except OSError:
            failed += 1
        monkeypatch.undo()
        assert published(growing.folder)[0] in (250, growing.rows.log_head.size)
        whole = files_of(growing.entries, growing.tree, 300)
        for name in growing.on_disk() & set(whole):
            assert (growing.folder.path / name).read_bytes() == whole[name]
        assert not list(growing.folder.path.glob(".draft-*"))
        growing.sign(300)
        assert list(growing.faults(300)) == []
    assert 8 < failed < 16
