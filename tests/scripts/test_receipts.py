"""``gwc receipt`` and the published log in ``gwc audit``, as an operator and a holder have them."""

from __future__ import annotations

import json
import re

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
    (line,) = city("audit", "--checkpoint", "kept", status=1).splitlines()
    assert line.startswith("FORK position=1 ")
    city.run("audit", "--checkpoint", "nowhere", status=2)
