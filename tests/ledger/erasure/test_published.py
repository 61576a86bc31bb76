"""A database restored from before an erasure learns of it from the log that was published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.erasure.erasures import ErasureFenced, erasure_id
from ledger.erasure.published import PublishedUnreadable, published_size, unheld
from ledger.facts import encode
from ledger.store.leaf import EntryRow, entry_bytes
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import EMPTY_ROOT, Frontier, leaf_hash
from ledger.transparency.notary import Notary
from ledger.transparency.notes import Note, VerifierKey
from ledger.transparency.signing import Signer, new_key
from ledger.transparency.tiles import CHECKPOINT, LogFolder, bundle, tile_path
from tests.ledger.erasing import erase, registered
from tests.ledger.examples import a_report, contribute, someone

ORIGIN, PEM = "log.example/one", new_key()
ANOTHER, ITS_PEM = "log.example/two", new_key()


@pytest.fixture
def folder(tmp_path: Path) -> LogFolder:
    return LogFolder(tmp_path / "tlog" / "one")


def keys(origin: str) -> list[VerifierKey]:
    return [Signer(origin, PEM).verifier, Signer(ANOTHER, ITS_PEM).verifier]


def publish(ledger, folder: LogFolder) -> int:
    """Publish the log as it is; its size."""
    ledger.store.begin_log("0" * 16, ORIGIN, EMPTY_ROOT)
    return Notary(ledger, folder, Signer(ORIGIN, PEM)).step()


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
    """The fences of the tail alone, with their positions: what the restored log lacks."""
    erase(ledger, registered(ledger).participant_id)
    person = registered(ledger).participant_id
    before = ledger.head()
    erase(ledger, person)
    assert publish(ledger, folder) == published_size(folder) == ledger.head()
    assert unheld(Restored(ledger, before), [folder], keys) == ledger.erasure(person).fences


def test_an_honest_log_is_not_read_again(ledger, folder):
    """Where it holds all that was published, and more, there is nothing to read, nor a key."""
    erase(ledger, registered(ledger).participant_id)
    publish(ledger, folder)
    contribute(ledger, "report", someone(ledger), a_report())
    assert unheld(ledger, [folder], lambda _: pytest.fail("a key was asked for")) == []


def test_a_log_that_grows_meanwhile_is_honest(ledger, folder):
    """What is recorded and published while another process starts is no tail it lacks."""
    publish(ledger, folder)

    class Growing(Restored):
        def head(self) -> int:
            contribute(ledger, "report", someone(ledger), a_report())
            publish(ledger, folder)
            return super().head()

    assert unheld(Growing(ledger, ledger.head()), [folder], lambda _: []) == []


def test_a_log_that_went_on_differently_is_read_as_a_whole(ledger, folder):
    """Once other facts stand where the published ones stood, every published fence counts."""
    people = [registered(ledger).participant_id for _ in range(2)]
    erase(ledger, people[0])
    before = ledger.head()
    erase(ledger, people[1])
    size = publish(ledger, folder)
    found = unheld(Restored(ledger, before, since=size - before + 3), [folder], keys)
    assert [fact.subject for _, fact in found] == people


def test_another_log_says_nothing(ledger, folder, tmp_path):
    """A folder that begins with another entry is of another database, or there is none at all."""
    erase(ledger, registered(ledger).participant_id)
    forge(folder, [b"something else"])
    assert unheld(Restored(ledger, 1), [folder], keys) == []
    assert unheld(ledger, [LogFolder(tmp_path / "nothing")], keys) == []


def test_a_size_of_thousands_of_digits_is_none(folder):
    """A number that Python refuses to read is a checkpoint that says nothing, and no fault."""
    folder.write(CHECKPOINT, b"gwc\n" + b"9" * 5_000)
    assert published_size(folder) == 0
    folder.write(CHECKPOINT, b"gwc\n" + b"9" * 5_000 + b"\nAAAA\n\n\xe2\x80\x94 gwc AAAAAAAA\n")
    assert published_size(folder) == 0


def test_a_tail_that_cannot_be_read_stops_the_start(ledger, folder):
    """Nobody is served from a restored database while it is not known who was erased since."""
    before = ledger.head()
    erase(ledger, registered(ledger).participant_id)
    size = publish(ledger, folder)
    path = folder.path / tile_path("entries", 0, size)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(PublishedUnreadable):
        unheld(Restored(ledger, before), [folder], keys)


def forge(
    folder: LogFolder, entries: list[bytes], pem: bytes = PEM, name: str = ORIGIN
) -> None:
    """A log of these entries, signed with a key under a name."""
    tree = Frontier()
    for entry in entries:
        tree.add(leaf_hash(entry))
    text = str(Checkpoint(ORIGIN, tree.size, tree.root()))
    folder.write(tile_path("entries", 0, len(entries)), bundle(entries))
    folder.write(tile_path(0, 0, len(entries)), b"".join(map(leaf_hash, entries)))
    folder.write(CHECKPOINT, bytes(Note(text, (Signer(name, pem).sign(text),))))


def entry_erasing(subject, position: int) -> bytes:
    """The entry of a fence that nobody set."""
    fact = ErasureFenced(subject=subject, prints=())
    return entry_bytes(
        EntryRow(position, str(erasure_id(subject)), 1, fact.topic, 1, encode(fact))
    )


def by_a_stranger(folder: LogFolder, entries: list[bytes]) -> None:
    """All of it right, but for whose key it is."""
    forge(folder, entries, new_key())


def by_another_log(folder: LogFolder, entries: list[bytes]) -> None:
    """By a key of the trust policy, which is that of another log."""
    forge(folder, entries, ITS_PEM, ANOTHER)


def under_another_tree(folder: LogFolder, entries: list[bytes]) -> None:
    """Our signature of as many entries, other entries beside it."""
    forge(folder, [*entries[:-1], b"honest"])
    folder.write(tile_path("entries", 0, len(entries)), bundle(entries))


def with_a_larger_size(folder: LogFolder, entries: list[bytes]) -> None:
    """A published checkpoint whose number alone was changed."""
    forge(folder, entries[:-1])
    content = folder.checkpoint() or b""
    was, now = b"\n%d\n" % (len(entries) - 1), b"\n%d\n" % len(entries)
    forge(folder, entries)
    folder.write(CHECKPOINT, content.replace(was, now))


@pytest.mark.parametrize(
    "attack", [by_a_stranger, by_another_log, under_another_tree, with_a_larger_size]
)
def test_who_writes_into_the_folder_erases_nobody(ledger, folder, attack: Callable[..., None]):
    """A fence that our key did not sign is not believed: behind the end of the log it stops the
    start, elsewhere it is passed over.
    """
    person = registered(ledger).participant_id
    rows = ledger.rows()
    attack(folder, [*map(entry_bytes, rows), entry_erasing(person, len(rows) + 1)])
    with pytest.raises(PublishedUnreadable):
        unheld(ledger, [folder], keys)
    longer = Restored(ledger, len(rows), since=5)
    assert unheld(longer, [folder], keys) == []
    forge(folder, [*map(entry_bytes, rows), entry_erasing(person, len(rows) + 1)])
    assert [fact.subject for _, fact in unheld(longer, [folder], keys)] == [person]


def test_a_restored_database_forgets_again(ledger, folder, open_ledger):
    """Facts, fences and all put back to before: the published log sets the fence again."""
    person = registered(ledger).participant_id
    kept, key = ledger.store.select_of_subject(person), ledger.store.select_stored_key(person)
    before = ledger.head()
    erase(ledger, person)
    publish(ledger, folder)
    tail = unheld(Restored(ledger, before), [folder], keys)
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
