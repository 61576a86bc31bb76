"""The published log beside the rows: each fault is told once, by whose fault it is."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable

import pytest

from ledger.audit import rows_of
from ledger.audit.published import Published
from ledger.transparency.notes import Note
from ledger.transparency.signing import Signer, new_key
from ledger.transparency.tiles import LogFolder, tile_path
from ledger.transparency.trust import TrustPolicy
from ledger.verifier.signatures import Older
from tests.ledger.transparency.notary_logs import ORIGIN, Desk, files_of

OLD, SIGNED, GROWN = 300, 600, 610
LAST = tile_path(0, 2, SIGNED % 256)


@pytest.fixture
def desk(open_ledger, tmp_path) -> Desk:
    """A log of 600 signed entries and ten more; its first 300 were signed before."""
    desk = Desk(open_ledger(), tmp_path / "log")
    desk.folder.write("trust-policy", policy(desk.pem))
    desk.append(OLD)
    desk.notary().step()
    desk.old = Older("kept", desk.folder.checkpoint())
    desk.append(SIGNED - OLD)
    desk.notary().step()
    desk.append(GROWN - SIGNED)
    return desk


def policy(pem: bytes) -> bytes:
    return f"log {Signer(ORIGIN, pem).verifier}\nquorum none\n".encode()


def begun(desk: Desk, *older: Older, trust: bytes | None = None) -> Published:
    own = TrustPolicy.parse(trust) if trust else None
    head = desk.store.select_log_head()
    return Published(desk.folder, desk.folder.checkpoint(), head, own, older)


def run(checked: Published, desk: Desk) -> list[tuple[str, int]]:
    """Codes and positions of everything that is told."""
    for _ in checked.beside(rows_of(desk.log)):
        pass
    return [(one.code, one.position) for one in checked.findings]


def faults(desk: Desk, *older: Older, trust: bytes | None = None) -> list[tuple[str, int]]:
    return run(begun(desk, *older, trust=trust), desk)


def flip(desk: Desk, name: str, at: int) -> None:
    content = bytearray((desk.folder.path / name).read_bytes())
    content[at] ^= 1
    desk.folder.write(name, bytes(content))


def rewrite(desk: Desk, position: int) -> None:
    """Change a row and its leaf hash, as somebody with the database's password can."""
    desk.tamper("UPDATE events SET state = ? WHERE position = ?", b'{"n":7}', position)
    desk.rehash(position)


def forge_files(desk: Desk) -> None:
    """Make the tiles and entries anew from the rows, as somebody with the folder can."""
    for name, content in files_of(desk.entries()[:SIGNED], desk.tree(), SIGNED).items():
        desk.folder.write(name, content)


def resign(desk: Desk) -> None:
    """Move the head to the rows as they are, and sign them with the true key."""
    root = desk.tree().root(SIGNED)
    desk.tamper("UPDATE log_head SET root = ?", root)
    text = desk.folder.checkpoint().decode().split("\n\n")[0].split("\n")[:2]
    text = "\n".join([*text, base64.b64encode(root).decode(), ""])
    desk.folder.write("checkpoint", bytes(Note(text, (Signer(ORIGIN, desk.pem).sign(text),))))


def test_an_honest_log_is_told_nothing_of(desk):
    """Rows, files, head, signature and an older checkpoint agree; ten rows are not signed yet."""
    checked = begun(desk, desk.old, Older("same", desk.folder.checkpoint()))
    assert run(checked, desk) == []
    assert (checked.size, checked.unsigned) == (SIGNED, GROWN - SIGNED)


def test_a_log_that_goes_on_meanwhile_is_told_nothing_of(desk):
    """While the audit reads, a notary completes tiles and takes their partial ones away."""
    checked = begun(desk, desk.old)
    desk.append(300)
    desk.notary().step()
    assert not (desk.folder.path / LAST).exists()
    assert run(checked, desk) == []


ROWS: dict[str, tuple[Callable[[Desk], object], list[tuple[str, int]]]] = {
    "a row rewritten": (lambda d: rewrite(d, 40), [("PUBLISHED", 40)]),
    "the last signed row": (lambda d: rewrite(d, SIGNED), [("PUBLISHED", SIGNED)]),
    "a row lost, another rewritten": (
        lambda d: (d.tamper("DELETE FROM events WHERE position = ?", 20), rewrite(d, 40)),
        [("PUBLISHED", 40)],
    ),
    "a row behind the checkpoint": (lambda d: rewrite(d, SIGNED + 1), []),
    "the tail cut off": (
        lambda d: d.tamper("DELETE FROM events WHERE position > ?", 590), [("PUBLISHED", 591)]
    ),
    "an entry changed": (lambda d: flip(d, "tile/entries/000", 200), [("TILE", 2)]),
    "a leaf's hash changed": (lambda d: flip(d, "tile/0/001", 3), [("TILE", 257)]),
    "a hash above changed": (lambda d: flip(d, "tile/1/000.p/2", 40), [("TILE", 257)]),
    "the last tile cut off": (
        lambda d: d.folder.write(LAST, b"x" * 32), [("BUNDLE", 513)]
    ),
    "a bundle lost": (
        lambda d: (d.folder.path / "tile/entries/001").unlink(), [("BUNDLE", 257)]
    ),
    "the policy lost": (
        lambda d: (d.folder.path / "trust-policy").unlink(),
        [("BUNDLE", 0), ("CHECKPOINT", SIGNED)],
    ),
    "a letter of the signature": (
        lambda d: d.folder.write("checkpoint", d.folder.checkpoint()[:-5] + b"AAA=\n"),
        [("CHECKPOINT", SIGNED)],
    ),
    "half a checkpoint": (
        lambda d: d.folder.write("checkpoint", d.folder.checkpoint()[:40]), [("CHECKPOINT", 0)]
    ),
    "a checkpoint lost": (lambda d: (d.folder.path / "checkpoint").unlink(), [("BUNDLE", 0)]),
    "the head's root": (
        lambda d: d.tamper("UPDATE log_head SET root = ?", bytes(32)), [("HEAD", SIGNED)]
    ),
    "the head set back": (
        lambda d: d.tamper(f"UPDATE log_head SET size = {OLD}, root = ?", d.tree().root(OLD)),
        [("HEAD", OLD + 1)],
    ),
    "the head renamed": (
        lambda d: d.tamper("UPDATE log_head SET origin = 'elsewhere'"), [("HEAD", 0)]
    ),
    "rows and files forged": (
        lambda d: (rewrite(d, 40), forge_files(d)), [("HEAD", SIGNED), ("ROOT", SIGNED)]
    ),
    "all of it forged, with the true key": (
        lambda d: (rewrite(d, 40), forge_files(d), resign(d)), []
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", ROWS)
def test_each_fault_is_told_once_and_where_it_is(fault, desk):
    """By code and position, whether it is a row, a file, the head or the signature."""
    change, expected = ROWS[fault]
    change(desk)
    assert faults(desk) == expected


def test_what_was_forged_is_shown_in_one_line_of_letters(desk):
    """A name with a line break and a command for the terminal neither ends a line nor obeys."""
    desk.tamper("UPDATE log_head SET origin = ?", "a b\n\x1b[2J\x9b2J")
    checked = begun(desk)
    assert run(checked, desk) == [("HEAD", 0)]
    (line,) = map(str, checked.findings)
    assert line.isprintable()
    assert line.endswith("≠ a b \\x1b[2J\\x9b2J")


def test_a_head_that_was_moved_and_not_published_is_no_fault(desk):
    """A notary killed between the two: the head is held against the rows that stand there."""
    desk.tamper(f"UPDATE log_head SET size = {GROWN}, root = ?", desk.tree().root(GROWN))
    assert faults(desk, desk.old) == []
    rewrite(desk, GROWN - 3)
    assert faults(desk, desk.old) == [("HEAD", GROWN)]
    rewrite(desk, 40)
    assert faults(desk, desk.old) == [("PUBLISHED", 40)]


def test_an_older_checkpoint_finds_what_the_true_key_hides(desk):
    """Forged from a row on and signed again, everything agrees but the checkpoint that was kept."""
    rewrite(desk, 40)
    forge_files(desk)
    resign(desk)
    assert faults(desk, desk.old) == [("FORK", OLD)]
    shutil.rmtree(desk.folder.path)
    kept = faults(desk, desk.old, trust=policy(desk.pem))
    assert kept == [("BUNDLE", 0), ("FORK", OLD)], "the rows alone show it, without the files"


def test_a_log_put_back_is_found_by_who_holds_more(desk):
    """A larger checkpoint than the published one is no beginning of this log."""
    newer = Older("newer", desk.folder.checkpoint())
    desk.folder.write("checkpoint", desk.old.content)
    desk.tamper("UPDATE log_head SET size = 300, root = ?", desk.tree().root(OLD))
    desk.tamper("DELETE FROM events WHERE position > ?", OLD)
    assert faults(desk) == []
    assert faults(desk, newer) == [("FORK", OLD + 1)]


def test_only_the_true_key_is_believed(desk):
    """Of the auditor's own policy, of the published one, and on the checkpoints that were kept."""
    other = new_key()
    assert faults(desk, trust=policy(other)) == [("CHECKPOINT", SIGNED)]
    text = Note.parse(desk.old.content).text
    strange = Older("kept", bytes(Note(text, (Signer(ORIGIN, other).sign(text),))))
    assert faults(desk, strange) == [("CHECKPOINT", OLD)]
    assert faults(desk, desk.old, trust=policy(desk.pem)) == []


def test_before_anything_is_signed_every_row_waits(open_ledger, tmp_path):
    """A log that was begun and has no checkpoint yet is no fault."""
    desk = Desk(open_ledger(), tmp_path / "log")
    desk.folder.write("trust-policy", policy(desk.pem))
    desk.append(3)
    checked = begun(desk)
    assert run(checked, desk) == []
    assert (checked.size, checked.unsigned) == (0, 3)


def test_a_folder_elsewhere_is_not_taken_for_the_log(desk, tmp_path):
    """With GWC_LOG_DIR set wrong there is no log to check, and that is told."""
    checked = Published(
        LogFolder(tmp_path / "nowhere"), None, desk.store.select_log_head(), None, ()
    )
    assert run(checked, desk) == [("BUNDLE", 0), ("BUNDLE", 0)]
