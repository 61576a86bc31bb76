"""``gwc receipt`` and the published log in ``gwc audit``, as an operator and a holder have them."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import leaf_hash
from ledger.transparency.notes import Note
from ledger.transparency.receipts import LogProof
from ledger.transparency.signing import Signer, new_key
from tests.scripts.test_audit import change


@pytest.fixture
def signed(city):
    """``gwc`` on a small city whose log is signed; its folder is ``signed.log``."""
    city("notary", "--once")
    (city.log,) = (city.folder / "gwc.db.tlog").iterdir()
    city.key = (city.log / "trust-policy").read_text().split()[1]
    return city


@pytest.fixture
def receipt(signed):
    """A file with the receipt of the first award."""
    change(signed, "DELETE FROM views")  # No view is asked.
    signed("receipt", "make", 300, "--log", signed.log, "--out", "300.tlog-proof")
    return signed.folder / "300.tlog-proof"


def test_a_receipt_is_checked_without_the_service(signed, receipt, tmp_path):
    """From the file and the key alone, in both languages, once the database is gone."""
    (signed.folder / "gwc.db").unlink()
    for words in (("--key", signed.key), ("--trust-policy", signed.log / "trust-policy")):
        said = signed("receipt", "check", receipt, *words, "--lang", "en")
        assert said.startswith("The receipt holds: entry 300 of gwc.local/")
        assert len(said.splitlines()) == 2
    assert signed("receipt", "check", receipt, "--key", signed.key).startswith("回执有效")
    signed("receipt", "make", 300, "--log", signed.log, "--out", "again.tlog-proof")
    assert (signed.folder / "again.tlog-proof").read_bytes() == receipt.read_bytes()
    assert not (signed.folder / "gwc.db").exists()


def test_a_receipt_with_one_letter_changed_does_not_hold(signed, receipt):
    """Whichever line it is in: the entry, the index, a hash, the head or the signature."""
    lines = receipt.read_text().split("\n")
    for number, line in enumerate(lines):
        if not line or line == "c2sp.org/tlog-proof@v1":
            continue
        at = len(line) // 2 if line[:6] != "index " else 8
        wrong = line[:at] + ("8" if line[at] == "7" else "7") + line[at + 1 :]
        receipt.write_text("\n".join([*lines[:number], wrong, *lines[number + 1 :]]))
        ran = signed.run("receipt", "check", receipt, "--key", signed.key, status=1)
        assert ran.stderr.startswith("receipt_invalid: "), line
        assert ran.stdout == ""


def test_a_receipt_is_only_as_good_as_its_key(signed, receipt, another_key):
    """Another's key is refused, and so is a check without any: status 1, status 2."""
    ran = signed.run("receipt", "check", receipt, "--key", another_key, status=1)
    assert "no log of the trust policy signed it" in ran.stderr
    own = ("--key", signed.key, "--trust-policy", signed.log / "trust-policy")
    for words in ((), own):
        ran = signed.run("receipt", "check", receipt, *words, status=2)
        assert ran.stderr.startswith("whose_key: ")
    signed.run("receipt", "check", receipt, "--key", "x", status=2)
    (signed.folder / "p").write_text("quorum none\n")
    assert "no log line" in signed.run(
        "receipt", "check", receipt, "--trust-policy", "p", "--lang", "en", status=2
    ).stderr


@pytest.fixture
def another_key(signed) -> str:
    """The key of somebody else under the name of this log."""
    return str(Signer(signed.key.partition("+")[0], new_key()).verifier)


def test_an_entry_stands_where_it_says(signed, receipt):
    """An entry of position 300, signed as the first of a tree, is refused as none of this log."""
    pem = (signed.folder / "gwc.db.log-key").read_bytes()
    signer = Signer(signed.key.partition("+")[0], pem)
    entry = LogProof.parse(receipt.read_bytes()).extra
    text = str(Checkpoint(signer.verifier.name, 1, leaf_hash(entry)))
    note = bytes(Note(text, (signer.sign(text),)))
    receipt.write_bytes(bytes(LogProof(0, (), note, entry)))
    ran = signed.run("receipt", "check", receipt, "--key", signed.key, status=1)
    assert "position 300 is not leaf 0" in ran.stderr


def test_a_receipt_of_another_position_is_not_made(signed):
    """What the checkpoint does not reach has none, and a damaged file is named."""
    words = ("--log", signed.log, "--out", "-")
    assert "not_yet_signed" in signed.run("receipt", "make", 10**9, *words, status=1).stderr
    (signed.log / "tile/0/000").write_bytes(b"")
    assert "log_damaged: " in signed.run("receipt", "make", 3, *words, status=1).stderr
    assert not (signed.folder / "-").exists()


def test_a_folder_without_a_log_is_named(signed):
    """A receipt is made in the folder of the log itself, not in the one that holds logs."""
    words = ("receipt", "make", 1, "--out", "-", "--lang", "en", "--log")
    for folder in (signed.folder, signed.log.parent):
        told = signed.run(*words, folder, status=1).stderr
        assert told.startswith(f"no_log: There is no checkpoint in {folder}; ")


def test_no_more_is_read_than_a_receipt_can_have(signed):
    """Of a file of 3 GB, whatever it is taken for, the size is told and memory is not filled."""
    with open(signed.folder / "huge", "wb") as file:
        file.truncate(3_000_000_000)
    signed.command = ["prlimit", f"--as={2_000_000_000}", *signed.command]
    for words in (
        ("receipt", "check", "huge", "--key", signed.key),
        ("receipt", "check", "huge", "--trust-policy", "huge"),
        ("audit", "--checkpoint", "huge"), ("audit", "--witness-policy", "huge"),
        ("witness", "--dir", "w", "--logs", "huge"),
    ):  # fmt: skip
        assert signed.run(*words, status=1).stderr.startswith("too_large: huge ")


def test_the_audit_checks_the_published_log(signed):
    """Honest: green, the older checkpoint too; a file, a row or the checkpoint changed: named."""
    kept = signed.folder / "kept"
    kept.write_bytes((signed.log / "checkpoint").read_bytes())
    own = signed.log / "trust-policy"
    words = ("audit", "--json", "--checkpoint", kept, "--witness-policy", own)
    assert signed(*words) == "[]\n"
    tile = signed.log / "tile/0/001"
    right = tile.read_bytes()
    tile.write_bytes(bytes([right[0] ^ 1]) + right[1:])
    assert re.match(r"TILE position=257 ", signed("audit", status=1))
    tile.write_bytes(right)
    change(signed, "UPDATE log_head SET root = zeroblob(32)")
    kept.write_bytes(kept.read_bytes().replace(b"\n", b"\n1", 1))
    found = json.loads(signed(*words, status=1))
    assert {one["code"] for one in found} == {"HEAD", "CHECKPOINT"}


def test_the_audit_says_what_is_not_signed(city):
    """No notary yet, or entries behind the checkpoint: told, and a fault for who kept one only."""
    change(city, "DELETE FROM log_head")
    shutil.rmtree(city.folder / "gwc.db.tlog")
    assert "no published log to check" in city.run("audit", "--lang", "en").stderr
    city("notary", "--once")
    (log,) = (city.folder / "gwc.db.tlog").iterdir()
    checkpoint = (log / "checkpoint").read_bytes()
    (city.folder / "kept").write_bytes(checkpoint)
    size = int(checkpoint.split(b"\n")[1])
    city("token", "issue", "--role", "citizen")
    city("rebuild", "--all")
    told = city.run("audit", "--lang", "en").stderr
    assert re.search(rf"checkpoint is of {size} entries; [1-9]\d* behind it are not", told)
    change(city, "DELETE FROM log_head")
    fork, head = city("audit", "--checkpoint", "kept", status=1).splitlines()
    assert fork.startswith("FORK position=1 ")
    assert head.startswith(f"HEAD position={size} ")
    city.run("audit", "--checkpoint", "nowhere", status=2)


def test_a_history_cut_off_is_found_beside_its_signed_log(city):
    """Though whoever cut it made the database forget that it was ever signed."""
    city("token", "issue", "--role", "citizen")
    city("notary", "--once")
    (log,) = (city.folder / "gwc.db.tlog").iterdir()
    size = int((log / "checkpoint").read_bytes().split(b"\n")[1])
    for table in ("events", "vault"):
        change(city, f"DELETE FROM {table} WHERE position >= {size}")
    for table in ("snapshots", "log_head"):
        change(city, f"DELETE FROM {table}")
    city("rebuild", "--all")
    ran = city.run("audit", "--lang", "en", status=1)
    assert [one.partition(" ")[0] for one in ran.stdout.splitlines()] == ["HEAD", "FORK"]
    assert f" position={size} " in ran.stdout
    assert "No notary" not in ran.stderr
    assert "The audit found 2 faults." in ran.stderr
    key = (city.folder / "gwc.db.log-key").read_bytes()
    (city.folder / "gwc.db.log-key").unlink()
    assert city("audit", status=1) == ran.stdout
    change(city, "UPDATE events SET leaf_hash = zeroblob(32) WHERE position = 1")
    assert "HEAD " not in city("audit", status=1)  # Of another entry, and of whose key?
    assert "HEAD " in city("audit", "--witness-policy", log / "trust-policy", status=1)
    assert not (city.folder / "gwc.db.log-key").exists()
    (city.folder / "gwc.db.log-key").write_bytes(key)
    assert "HEAD " in city("audit", status=1)
