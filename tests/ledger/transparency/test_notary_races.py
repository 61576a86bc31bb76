"""Several notaries at once: never two roots of one size over all signatures ever made."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from ledger.store.leaf import leaf_hash
from ledger.transparency.errors import (
    FolderBusy,
    HeadMoved,
    LogDamaged,
    LogForked,
    NotarisationRefused,
)
from ledger.transparency.tiles import LogFolder
from tests.ledger.transparency.notary_logs import Desk, files_of, published

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 40
SEED = 20260101


def signed_twice(signed) -> list[int]:
    """Sizes of which two roots were signed."""
    roots: dict[int, set[bytes]] = {}
    for size, root in signed:
        roots.setdefault(size, set()).add(root)
    return [size for size, found in roots.items() if len(found) > 1]


def assert_whole(desk: Desk, folders: list[LogFolder]) -> None:
    """Every signature is of the log's one tree, and each folder has what it published."""
    tree, entries = desk.tree(), desk.entries()
    assert all(tree.root(size) == root for size, root in desk.signed)
    for folder in folders:
        size, root = published(folder)
        assert root == tree.root(size)
        for name, content in files_of(entries, tree, size).items():
            assert (folder.path / name).read_bytes() == content, (folder.path.name, name)


@pytest.mark.parametrize("shared", [True, False], ids=["one folder", "two folders"])
def test_threads_at_once(desk, open_ledger, tmp_path, shared):
    """Notaries of two connections in one folder or in two, while the log grows: one tree."""
    folders = [desk.folder, desk.folder if shared else LogFolder(tmp_path / "second")]
    stop, faults, done = Event(), [], [0, 0]
    waits, amounts = random.Random(SEED), random.Random(SEED)

    def work(number: int) -> None:
        notary = desk.notary(log=open_ledger(), folder=folders[number])
        while not stop.is_set():
            try:
                notary.step()
                done[number] += 1
            except (HeadMoved, FolderBusy):
                pass
            except Exception as error:
                faults.append(repr(error))
                return
            time.sleep(waits.uniform(0, 0.004))

    workers = [Thread(target=work, args=(number,)) for number in (0, 1)]
    for one in workers:
        one.start()
    deadline = time.monotonic() + 30
    while len(desk.signed) < ROUNDS and time.monotonic() < deadline and not faults:
        desk.append(amounts.randint(1, 60))
        time.sleep(0.005)
    stop.set()
    for one in workers:
        one.join(30)
    assert faults == []
    assert max(done) > 0
    for folder in folders:
        desk.notary(folder=folder).step()
    assert signed_twice(desk.signed) == []
    assert len(desk.signed) >= ROUNDS
    assert_whole(desk, folders)


@pytest.mark.parametrize("shared", [True, False], ids=["one folder", "two folders"])
def test_processes_at_once(desk, env, tmp_path, shared):
    """Three processes at once, each with its own connections: one tree."""
    kind = desk.kind
    where = env["SQLITE_DBNAME"] if kind == "sqlite" else env["DATABASE_URL"]
    key, signed = tmp_path / "key.pem", tmp_path / "signed"
    key.write_bytes(desk.pem)
    signed.touch()
    folders = [desk.folder if shared else LogFolder(tmp_path / f"log-{n}") for n in range(3)]
    command = [sys.executable, "-m", "tests.ledger.transparency.notary_process", kind, where]
    processes = [
        subprocess.Popen([*command, folder.path, key, signed, "never", "1"], cwd=ROOT)
        for folder in folders
    ]  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while len(signed.read_text().splitlines()) < ROUNDS:
            assert time.monotonic() < deadline
            desk.append(7)
            time.sleep(0.005)
        assert [one.poll() for one in processes] == [None] * 3
    finally:
        for one in processes:
            one.kill()
            one.wait()
    for folder in folders:
        desk.notary(folder=folder).step()
    lines = [line.split() for line in signed.read_text().splitlines()]
    desk.signed += [(int(size), bytes.fromhex(root)) for size, root in lines]
    assert signed_twice(desk.signed) == []
    assert_whole(desk, folders)


def forged(desk: Desk) -> None:
    """Change the newest row, hash and all, so that another tree of its size can be made."""
    position = desk.store.max_notification_id()
    desk.tamper("UPDATE events SET state = ? WHERE position = ?", b'{"n":1}', position)
    desk.rehash(position)


@pytest.mark.parametrize("step", ["compared", "written", "read back", "consistent"])
@pytest.mark.parametrize("shared", [True, False], ids=["one folder", "two folders"])
def test_of_two_trees_of_one_size_one_is_signed(desk, tmp_path, step, shared):
    """A row is changed, and signed by another notary, while one is at it: the slower one loses."""
    folder = desk.folder if shared else LogFolder(tmp_path / "second")
    others = []

    def passed(name: str) -> None:
        if name == step:
            forged(desk)
            try:
                others.append(desk.notary(folder=folder).step())
            except FolderBusy:
                others.append(FolderBusy)

    slow = desk.notary(passed=passed)
    if shared:
        assert slow.step() == 310
        assert others == [FolderBusy]
    else:
        with pytest.raises(HeadMoved):
            slow.step()
        assert others == [310]
    assert signed_twice(desk.signed) == []
    assert 310 in dict(desk.signed)
    # The slower one's own files are those of a tree that nobody signed: they are made anew.
    if not shared:
        assert desk.notary().step() == 310
        assert_whole(desk, [folder])
        assert desk.published() == published(folder)


@pytest.mark.parametrize("step", ["swapped", "signed", "cosigned"])
def test_another_tree_after_the_swap_is_not_signed(desk, tmp_path, step):
    """Once the head was moved, no notary signs another tree of that size, and none goes on."""
    others = []

    def passed(name: str) -> None:
        if name == step:
            forged(desk)
            notary = desk.notary(folder=LogFolder(tmp_path / "second"))
            with pytest.raises(LogForked):
                notary.step()
            others.append(notary)

    assert desk.notary(passed=passed).step() == 310
    assert signed_twice(desk.signed) == []
    desk.append(1)
    with pytest.raises(NotarisationRefused):
        others[0].step()
    with pytest.raises(LogDamaged):  # The last entry that was signed is no longer there.
        desk.notary().step()


def test_the_mutant_that_swaps_blindly_is_caught(desk, tmp_path, monkeypatch):
    """The check above can fail: where the head is moved without comparing, two roots are signed."""
    def blindly(old, size, root):
        desk.store.write([("UPDATE log_head SET size = ?, root = ?", [[size, root]])])
        return True

    monkeypatch.setattr(desk.store, "swap_log_head", blindly)

    def passed(name: str) -> None:
        if name == "consistent":
            forged(desk)
            desk.notary(folder=LogFolder(tmp_path / "second")).step()

    desk.notary(passed=passed).step()
    assert signed_twice(desk.signed) == [310]


def test_a_second_notary_in_a_folder_waits(desk):
    """Only one writes into a folder at a time; the other is told so and signs nothing."""
    found = []

    def passed(name: str) -> None:
        if name == "written":
            with pytest.raises(FolderBusy):
                desk.notary().step()
            found.append(name)

    assert desk.notary(passed=passed).step() == 310
    assert found == ["written"]
    assert desk.notary().step() == 310


def test_a_notary_that_stood_by_catches_up(desk, tmp_path):
    """A folder that was left behind is filled from the rows, and gets no more than it lacks."""
    second = LogFolder(tmp_path / "second")
    standby, first = desk.notary(folder=second), desk.notary()
    assert standby.step() == first.step() == 310
    desk.append(600)
    assert first.step() == 910
    whole = (second.path / "tile/0/000").stat().st_ino
    assert standby.step() == 910
    desk.append(5)
    assert standby.step() == 915
    assert (second.path / "tile/0/000").stat().st_ino == whole
    assert_whole(desk, [second])
    assert leaf_hash(desk.rows()[0]) == desk.tree().root(1)
