"""What the notary refuses to sign: backups, heads, folders and keys that are not the log's."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.transparency.errors import (
    CheckpointAhead,
    HeadDamaged,
    HeadMoved,
    KeyDiffers,
    LogDamaged,
    LogForked,
    OtherLog,
)
from ledger.transparency.merkle import EMPTY_ROOT
from ledger.transparency.signing import KeyUnreadable, Signer, new_key
from ledger.transparency.tiles import LogFolder
from tests.ledger.transparency.notary_logs import GROWN, SIGNED, files_of, refused


def test_a_backup_put_back_behind_the_checkpoint(desk, env, open_ledger, tmp_path):
    """A database as it was before the last checkpoint is refused, and the newest one is not."""
    old = desk.store.select_log_head()
    kept = Path(tmp_path / "kept.db")
    if desk.kind == "sqlite":
        source, target = sqlite3.connect(env["SQLITE_DBNAME"]), sqlite3.connect(kept)
        with closing(source), closing(target):
            source.backup(target)
    desk.notary().step()
    desk.append(20)
    desk.notary().step()
    if desk.kind == "sqlite":
        desk.log.close()
        for end in ("-wal", "-shm"):
            Path(env["SQLITE_DBNAME"] + end).unlink(missing_ok=True)
        shutil.copy(kept, env["SQLITE_DBNAME"])
        desk.log = open_ledger()
        desk.store = desk.log.store
    else:
        desk.tamper("DELETE FROM events WHERE position > ?", GROWN)
        desk.tamper("UPDATE log_head SET size = ?, root = ?", old.size, old.root)
    detail = refused(desk, CheckpointAhead).detail
    assert detail == {"who": "checkpoint", "size": GROWN + 20, "head": SIGNED}
    desk.append(40)  # Catching up with other entries does not help.
    refused(desk, CheckpointAhead)


def test_a_backup_put_back_that_is_not_behind(desk):
    """Where no signature had left for what is lost, the notary goes on with what there is."""
    old = desk.store.select_log_head()

    class Killed(Exception):
        pass

    def passed(step):
        if step == "swapped":
            raise Killed

    with pytest.raises(Killed):
        desk.notary(passed=passed).step()
    assert desk.store.select_log_head().size == GROWN
    desk.tamper("DELETE FROM events WHERE position > ?", 302)
    desk.tamper("UPDATE log_head SET size = ?, root = ?", old.size, old.root)
    desk.append(4)
    assert desk.notary().step() == 306
    tree = desk.tree()
    assert desk.published() == (306, tree.root(306))
    for name, content in files_of(desk.entries(), tree, 306).items():
        assert (desk.folder.path / name).read_bytes() == content


@pytest.mark.parametrize("grown", [False, True])
@pytest.mark.parametrize("started", [False, True])
def test_a_head_somebody_wrote(desk, grown, started):
    """Whoever can write to the database cannot have a root of their own signed."""
    notary = desk.notary()
    notary.step()
    desk.append(10)
    size = desk.store.max_notification_id()
    desk.tamper("UPDATE log_head SET size = ?, root = ?", size, b"\x07" * 32)
    if grown:
        desk.append(1)
    refused(desk, LogForked, desk.notary() if started else notary)


def test_a_head_of_the_same_size_somebody_wrote(desk):
    """Another root for what was published is refused at once."""
    desk.tamper("UPDATE log_head SET root = ?", b"\x07" * 32)
    refused(desk, LogForked)
    desk.tamper("UPDATE log_head SET root = ?, size = 0", EMPTY_ROOT)
    refused(desk, CheckpointAhead)


def test_a_head_that_is_gone(desk):
    """Without the row that says how far was signed nothing is."""
    desk.tamper("DELETE FROM log_head")
    refused(desk, HeadDamaged)


def test_another_name_in_the_database(desk):
    """The name of the log is the key's, for good; a row that has another is refused."""
    desk.tamper("UPDATE log_head SET origin = 'log.example/other'")
    refused(desk, HeadDamaged)


def test_a_folder_of_another_log(desk):
    """A checkpoint of another log in the folder is not written over."""
    checkpoint = (desk.folder.path / "checkpoint").read_bytes()
    theirs = checkpoint.replace(b"log.example/water", b"log.example/other")
    (desk.folder.path / "checkpoint").write_bytes(theirs)
    assert refused(desk, OtherLog).detail["found"] == "log.example/other"


def test_another_key(desk):
    """A log is signed on with the key it was begun with, and no other."""
    refused(desk, KeyDiffers, desk.notary(pem=new_key()))


@pytest.mark.parametrize("content", [b"", b"no note", b"text\n\n\xe2\x80\x94 log.example/water "])
def test_a_checkpoint_that_cannot_be_read(desk, content):
    """What tells how far was signed is never guessed."""
    (desk.folder.path / "checkpoint").write_bytes(content)
    refused(desk, LogDamaged)


def test_a_checkpoint_with_a_broken_signature(desk):
    """A changed size under our name is no checkpoint of ours."""
    whole = (desk.folder.path / "checkpoint").read_bytes()
    (desk.folder.path / "checkpoint").write_bytes(whole.replace(b"\n300\n", b"\n200\n"))
    refused(desk, LogDamaged)


def test_an_older_checkpoint_put_back(desk):
    """An older checkpoint of ours in the folder is followed by the newest, with no other root."""
    old = (desk.folder.path / "checkpoint").read_bytes()
    notary = desk.notary()
    notary.step()
    (desk.folder.path / "checkpoint").write_bytes(old)
    for one in (notary, desk.notary()):
        (desk.folder.path / "checkpoint").write_bytes(old)
        assert one.step() == GROWN
        assert desk.published() == (GROWN, desk.tree().root(GROWN))


def test_a_witness_ahead_because_another_notary_was(desk, tmp_path):
    """A witness that saw another notary's larger tree is no reason to cry wolf."""
    def overtaken():
        desk.append(20)
        desk.notary(folder=LogFolder(tmp_path / "second")).step()

    for before, refusal in ((overtaken, HeadMoved), (lambda: None, CheckpointAhead)):
        with pytest.raises(refusal):
            desk.notary(cosigners=Ahead(before)).step()
    assert desk.published() == (SIGNED, desk.tree().root(SIGNED))


class Ahead:
    """A witness that has seen a larger tree, and what happens before it says so."""

    def __init__(self, before):
        self.before = before

    def collect(self, note, size, tree):
        self.before()
        raise CheckpointAhead(who="w", size=330, head=size)


def test_a_name_with_a_line_break_signs_nothing(desk):
    """A name chosen by who writes to the database cannot put lines into what is signed."""
    for name in ("log.example/water\n999", "", "a b", "a+b", "a\x00"):
        with pytest.raises(KeyUnreadable):
            Signer(name, desk.pem)
