"""A database restored from before an erasure learns of it from the log that was published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.erasure.published import PublishedUnreadable, published_size, unheld
from ledger.store.leaf import entry_bytes
from ledger.transparency.tiles import CHECKPOINT, WIDTH, LogFolder, bundle, tile_path
from tests.ledger.erasing import erase, registered
from tests.ledger.examples import a_report, contribute, someone


@pytest.fixture
def folder(tmp_path: Path) -> LogFolder:
    return LogFolder(tmp_path / "tlog" / "one")


def publish(ledger, folder: LogFolder, size: int | None = None) -> int:
    """Publish the log as it is, signatures and hashes left out: nobody here asks for them."""
    entries = [entry_bytes(row) for row in ledger.rows(0, size or ledger.head())]
    for n in range(-(-len(entries) // WIDTH)):
        part = entries[n * WIDTH : (n + 1) * WIDTH]
        folder.write(tile_path("entries", n, len(part)), bundle(part))
    folder.write(CHECKPOINT, f"a log\n{len(entries)}\nroot\n".encode())
    return len(entries)


class Restored:
    """The log as it was when it had so many rows; rows recorded since the restore come behind."""

    def __init__(self, ledger, until: int, *, since: int = 0) -> None:
        self._ledger, self._until, self._since = ledger, until, since

    def head(self) -> int:
        return self._until + self._since

    def rows(self, after: int = 0, limit: int = 1):
        if after >= self._until:  # Another fact stands there now: that of the first row will do.
            return [replace(self._ledger.rows(0, 1)[0], id=after + 1)]
        return self._ledger.rows(after, min(limit, self._until - after))


def test_what_is_behind_its_end_is_read(ledger, folder):
    """The tail alone: positions, names and bytes of what the restored log lacks."""
    person = registered(ledger).participant_id
    before = ledger.head()
    erase(ledger, person)
    size = publish(ledger, folder)
    assert published_size(folder) == size == ledger.head()
    rows = list(unheld(Restored(ledger, before), [folder]))
    assert [row.position for row in rows] == list(range(before + 1, size + 1))
    assert [row.topic for row in rows] == [row.topic for row in ledger.rows(before)]


def test_an_honest_log_is_not_read_again(ledger, folder):
    """Where it holds all that was published, and more, there is nothing to read."""
    publish(ledger, folder)
    contribute(ledger, "report", someone(ledger), a_report())
    assert list(unheld(ledger, [folder])) == []


def test_a_log_that_went_on_differently_is_read_as_a_whole(ledger, folder):
    """Once other facts stand where the published ones stood, everything published counts."""
    person, before = registered(ledger).participant_id, ledger.head()
    erase(ledger, person)
    size = publish(ledger, folder)
    rows = list(unheld(Restored(ledger, before, since=size - before + 3), [folder]))
    assert [row.position for row in rows] == list(range(1, size + 1))


def test_another_log_says_nothing(ledger, folder, tmp_path):
    """A folder that begins with another entry is of another database, or there is none at all."""
    erase(ledger, registered(ledger).participant_id)
    folder.write(tile_path("entries", 0, 1), bundle([b"something else"]))
    folder.write(CHECKPOINT, b"a log\n1\nroot\n")
    assert list(unheld(Restored(ledger, 1), [folder])) == []
    assert list(unheld(ledger, [LogFolder(tmp_path / "nothing")])) == []


def test_a_tail_that_cannot_be_read_stops_the_start(ledger, folder):
    """Nobody is served from a restored database while it is not known who was erased since."""
    before = ledger.head()
    erase(ledger, registered(ledger).participant_id)
    size = publish(ledger, folder)
    path = folder.path / tile_path("entries", 0, size)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(PublishedUnreadable):
        list(unheld(Restored(ledger, before), [folder]))


def test_a_restored_database_forgets_again(ledger, folder, open_ledger):
    """Facts, fences and all put back to before: the published log sets the fence again."""
    person = registered(ledger).participant_id
    kept, key = ledger.store.select_of_subject(person), ledger.store.select_stored_key(person)
    before = ledger.head()
    erase(ledger, person)
    publish(ledger, folder)
    tail = list(unheld(Restored(ledger, before), [folder]))
    store = ledger.store
    store.write([("DELETE FROM vault_fences", [[]]), ("INSERT INTO vault_keys VALUES (?, ?)",
                                                      [[store.key(person), key]])])  # fmt: skip
    rows = [[store.key(row.originator_id), row.field, store.key(person), row.shelf,
             row.fingerprint, row.stored_at, row.nonce, row.ciphertext, row.position]
            for row in kept]  # fmt: skip
    store.write([("INSERT INTO vault VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)])
    without_facts = open_ledger()
    without_facts.erasures = dict  # as in a log that ends before them
    assert without_facts.forget_again() == []
    assert without_facts.forget_again(tail) == [person]
    assert store.select_of_subject(person) == []
    assert store.is_fenced(person)
