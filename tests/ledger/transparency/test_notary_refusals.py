"""What the notary refuses to sign: rows that somebody with the database's password changed."""

from __future__ import annotations

import sqlite3
from uuid import uuid4

import pytest

from ledger.audit import audit
from ledger.audit.reading import rows_of
from ledger.store.errors import as_persistence_error
from ledger.transparency.comparing import compared_rows
from ledger.transparency.errors import (
    EntryDiffers,
    EntryMissing,
    LogDamaged,
    LogForked,
    LogShorter,
)
from ledger.transparency.tiles import LogFolder
from tests.ledger.transparency.notary_logs import GROWN, SIGNED, refused

COLUMNS = {
    "originator_id": str(uuid4()), "originator_version": 2, "topic": "wallet.coins-spent",
    "state": b'{"n":1}', "recorded_at": 1, "leaf_hash": bytes(32),
}  # fmt: skip


@pytest.mark.parametrize("column", sorted(COLUMNS))
def test_a_row_changed_before_it_is_signed(desk, column):
    """A changed column of a new row, whichever, is refused with the row's position."""
    cast = "CAST(? AS uuid)" if column == "originator_id" and desk.kind != "sqlite" else "?"
    desk.tamper(f"UPDATE events SET {column} = {cast} WHERE position = 305", COLUMNS[column])
    assert refused(desk, EntryDiffers).detail == {"position": 305}


def test_a_row_nobody_can_read(desk):
    """A value the driver itself trips over is refused with its position as well."""
    if desk.kind != "sqlite":
        desk.tamper("UPDATE events SET originator_version = -1 WHERE position = 305")
    else:
        desk.tamper("UPDATE events SET originator_id = 'nobody' WHERE position = 305")
    assert refused(desk, EntryDiffers).detail == {"position": 305}


def test_a_row_too_large_for_an_entry(desk):
    """A row that no entry can hold is told as any other that was changed."""
    desk.tamper("UPDATE events SET state = ? WHERE position = 305", b"1" * 70_000)
    assert refused(desk, EntryDiffers).detail == {"position": 305}


@pytest.mark.parametrize("step", ["read", "compared", "written", "consistent", "swapped", "signed"])
def test_a_row_changed_while_it_is_signed(desk, step):
    """What is signed is what was compared; the audit finds the row that was changed since."""
    wanted = desk.tree().root(GROWN)

    def passed(name):
        if name == step:
            desk.tamper("UPDATE events SET state = ? WHERE position = 305", b'{"n":1}')

    assert desk.notary(passed=passed).step() == GROWN
    assert desk.published() == (GROWN, wanted)
    desk.append(5)
    assert desk.notary().step() == GROWN + 5
    assert 305 in [one.position for one in audit(rows_of(desk.log)) if one.code == "LEAF_HASH"]


def test_a_row_changed_after_it_was_signed(desk):
    """The notary reads only what is new and goes on from what it signed; the audit finds it."""
    desk.tamper("UPDATE events SET state = ? WHERE position = 7", b'{"n":1}')
    assert desk.notary().step() == GROWN
    assert 7 in [one.position for one in audit(rows_of(desk.log)) if one.code == "LEAF_HASH"]


def test_a_row_and_its_hash_changed_before(desk):
    """With its hash made anew before it was signed a row is signed: sense is the audit's."""
    desk.tamper("UPDATE events SET state = ? WHERE position = 305", b'{"n":1}')
    desk.rehash(305)
    assert desk.notary().step() == GROWN
    assert desk.published() == (GROWN, desk.tree().root(GROWN))


def test_a_row_and_its_hash_changed_after(desk):
    """The published log keeps the row it had; the table has another root, and never gets signed."""
    before = desk.tree()
    desk.tamper("UPDATE events SET state = ? WHERE position = 7", b'{"n":1}')
    desk.rehash(7)
    assert desk.notary().step() == GROWN
    assert desk.published() == (GROWN, before.root(GROWN)) != (GROWN, desk.tree().root(GROWN))
    # Nor can the files be made again from a table that was changed, or those there be lost by it.
    held = [one for one in desk.folder.path.rglob("*") if one.is_file()]
    content = {one: one.read_bytes() for one in held}
    elsewhere = desk.notary(folder=LogFolder(desk.folder.path.with_name("elsewhere")))
    refused(desk, LogForked, elsewhere)
    (desk.folder.path / "tile/1/000.p/1").write_bytes(bytes(32))
    content.pop(desk.folder.path / "tile/1/000.p/1")
    refused(desk, LogForked)
    assert all(one.read_bytes() == was for one, was in content.items())


def test_a_tail_that_was_deleted(desk):
    """Fewer entries than were signed: refused, with both numbers."""
    desk.tamper("DELETE FROM events WHERE position > 290")
    assert refused(desk, LogShorter).detail == {"signed": SIGNED, "log": 290}


def test_the_last_entries_replaced_by_forged_ones(desk):
    """A tail cut off and written anew, hashes and all, is found as soon as the log grows again."""
    notary = desk.notary()
    assert notary.step() == GROWN
    desk.tamper("DELETE FROM events WHERE position > 305")
    desk.append(25)
    for one in (notary, desk.notary()):
        with pytest.raises(LogDamaged, match="entry 310 is not the one"):
            one.step()
        refused(desk, LogForked, one)


def test_an_entry_deleted_in_the_middle(desk):
    """A hole behind what was signed is refused, naming the entry that is missing."""
    desk.tamper("DELETE FROM events WHERE position = 304")
    assert refused(desk, EntryMissing).detail == {"position": 304}


def test_the_last_entry_of_a_batch_that_is_missing(desk):
    """A batch that ends too early is told as missing its next entry, and not taken for whole."""
    with pytest.raises(EntryMissing) as found:
        compared_rows(desk.log, 300, GROWN + 1)
    assert found.value.detail == {"position": GROWN + 1}


def test_the_row_before_a_hole_that_nobody_can_read(desk):
    """Read one by one, the first row with a fault is the one that is told."""
    desk.tamper("DELETE FROM events WHERE position = 307")
    desk.tamper("UPDATE events SET leaf_hash = ? WHERE position = 303", bytes(32))
    assert refused(desk, EntryDiffers).detail == {"position": 303}


def test_a_database_that_is_away_is_no_refusal(desk, monkeypatch):
    """When the rows cannot be asked for, no row is accused."""
    problem = as_persistence_error(sqlite3.OperationalError("gone"))

    def away(*_, **__):
        raise problem

    notary = desk.notary()
    monkeypatch.setattr(desk.store, "select_notifications", away)
    heads = iter([GROWN])
    monkeypatch.setattr(desk.log, "head", lambda: next(heads, None) or away())
    with pytest.raises(type(problem), match="gone"):
        notary.step()
