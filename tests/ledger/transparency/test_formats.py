"""C2SP formats: keys, notes, checkpoints, tile paths, trust policies, receipts."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.transparency import ed25519, signing
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import ProofInvalid, leaf_hash, node_hash
from ledger.transparency.notes import (
    LOG_KEY,
    WITNESS_KEY,
    Note,
    NoteInvalid,
    Signature,
    VerifierKey,
)
from ledger.transparency.receipts import LogProof
from ledger.transparency.signing import KeyUnreadable, Signer, new_key
from ledger.transparency.tiles import parse_tile_path, tile_path, tiles_at
from ledger.transparency.trust import PolicyInvalid, TrustPolicy

VERIFIERS = (signing.verify, ed25519.verify)


def test_public_verifier_keys(shared_data):
    """Public keys are read and written back; mangled ones are refused, each byte of them."""
    told = json.loads((shared_data / "vectors" / "vkeys.json").read_text())
    for text in told["valid"]:
        assert str(VerifierKey.parse(text)) == text
    first = told["valid"][0]
    parts = {first[i:j] for i in range(len(first)) for j in range(i, len(first) + 1)} - {first}
    raised = {first[:i] + chr(ord(first[i]) + 1) + first[i + 1 :] for i in range(len(first))}
    for text in {*told["invalid"], *parts, *raised}:
        with pytest.raises(NoteInvalid):
            VerifierKey.parse(text)


@pytest.mark.parametrize("verify", VERIFIERS)
def test_the_public_signed_note(shared_data, verify):
    """A note signed by others is believed; with any byte changed it is not."""
    told = json.loads((shared_data / "vectors" / "vkeys.json").read_text())
    key, note = VerifierKey.parse(told["valid"][0]), told["sign"]["want"].encode()
    parsed = Note.parse(note)
    assert (parsed.text, bytes(parsed)) == (told["sign"]["text"], note)
    assert [one.key for one in parsed.signed_by([key], verify)] == [key]
    other = Note(parsed.text.replace("answer", "Answer"), parsed.signatures)
    with pytest.raises(NoteInvalid, match="does not hold"):
        other.signed_by([key], verify)
    assert other.signed_by([], verify) == []


def test_our_signature_is_byte_for_byte_the_public_one(shared_data):
    """With the published test key we sign as everybody else does."""
    told = json.loads((shared_data / "vectors" / "vkeys.json").read_text())["sign"]
    seed = b64decode(told["skey"].split("+", 4)[4])[1:]
    pem = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    signer = Signer("PeterNeumann", pem)
    assert bytes(Note(told["text"], (signer.sign(told["text"]),))).decode() == told["want"]


def test_public_checkpoint_bodies(shared_data):
    """Public checkpoint bodies are accepted and refused as they must be, and written back."""
    cases = json.loads((shared_data / "vectors" / "checkpoint_body_parse.json").read_text())
    for case in cases["cases"]:
        if case["ok"]:
            assert str(Checkpoint.parse(case["text"])) == case["text"], case["desc"]
        else:
            with pytest.raises(NoteInvalid):
                Checkpoint.parse(case["text"])


@pytest.mark.parametrize("text", ["L\n01\nYQ==\n", "L\n+1\nYQ==\n", "L\n١\nYQ==\n", "L\n1\nYR==\n",
                                  "L\n9223372036854775808\nYQ==\n", "L\n1\n\n"])  # fmt: skip
def test_other_spellings_of_a_checkpoint_are_refused(text):
    """A size or a root has one spelling, so that two texts never say the same."""
    with pytest.raises(NoteInvalid):
        Checkpoint.parse(text)


def test_public_tile_paths(shared_data):
    """Paths of tiles and bundles are those of the specification, and no other is read."""
    told = json.loads((shared_data / "vectors" / "tile_paths.json").read_text())
    for case in told["tessera_tiles"]:
        width = case["p"] or 256
        assert tile_path(case["level"], case["index"], width) == case["path"]
        assert parse_tile_path(case["path"]) == (case["level"], case["index"], width)
    for case in told["tessera_entries"]["cases"]:
        n = case["seq"] // 256
        width = min(256, case["log_size"] - n * 256)
        assert tile_path("entries", n, width) == case["path"]
        assert parse_tile_path(case["path"]) == ("entries", n, width)
    for case in told["go_sumdb"]["cases"]:
        # The Go checksum database writes the height first and calls its entries "data".
        _, height, level, *groups = case["path"].split("/")
        ours = "/".join(["tile", {"data": "entries"}.get(level, level), *groups])
        if case["tile"] is None:
            assert parse_tile_path(ours) is None, case
        else:
            _, wanted, n, width = case["tile"]
            found = parse_tile_path(ours)
            full = width == 1 << int(height)
            level = "entries" if wanted < 0 else wanted
            assert found == (level, n, 256 if full else width), case


@pytest.mark.parametrize("path", [
    "tile/0/x000/001", "tile/00/001", "tile/64/001", "tile/0/1", "tile/0/001.p/0", "tile/-1/001",
    "tile/0/001.p/256", "tile/0/001.p/01", "tile/0/001.p/", "tile/0/../001", "tile/0/001/", "tile",
    "tile/0/x001/x002", "tile/0/001\n",
])  # fmt: skip
def test_no_other_spelling_is_a_tile(path):
    """A tile has one name."""
    assert parse_tile_path(path) is None


def test_the_tiles_of_a_tree():
    """A tree of 70,000 has the tiles that the specification counts."""
    found = list(tiles_at(70_000))
    full = [(level, width) for level, _, width in found]
    assert (full.count((0, 256)), full.count((1, 256))) == (273, 1)
    assert [one for one in full if one[1] < 256] == [(0, 112), (1, 17), (2, 1)]
    assert list(tiles_at(256)) == [(0, 0, 256), (1, 0, 1)]
    assert list(tiles_at(0)) == []


LINE = "— a AAAAAAA=\n".encode()


@pytest.mark.parametrize("note", [
    b"", b"text\n", b"text\n\n", b"text\n\n" + LINE[:-1], b"te\x00xt\n\n" + LINE,
    b"\xff\n\n" + LINE, b"text\n\n" + LINE.replace("—".encode(), b"-"),
    b"text\n\n" + LINE.replace(b"AAA=", b""), b"text\n\n" + LINE.replace(b"a", b"a+b"),
    b"text\n\n" + LINE.replace(b"A=", b"B="), b"text\n\n" + LINE * 101,
])  # fmt: skip
def test_what_is_no_note(note):
    """Bytes that are no signed note are refused with a reason, whatever they are."""
    with pytest.raises(NoteInvalid):
        Note.parse(note)


def test_hundred_signatures_are_read():
    """Strangers' signatures, up to a bound, are passed over and kept."""
    note = b"text\n\n" + LINE * 100
    assert bytes(Note.parse(note)) == note
    assert Note.parse(note).signed_by([Signer("a", new_key()).verifier], ed25519.verify) == []


@pytest.mark.parametrize("verify", VERIFIERS)
def test_ed25519_says_no(verify):
    """Changed messages, keys, signatures, lengths and scalars beyond the order are refused."""
    signer = Signer("log", new_key())
    public, good = signer.verifier.public, signer.sign("text").content
    assert verify(public, b"text", good)
    scalar = int.from_bytes(good[32:], "little") + ed25519.ORDER
    beyond = good[:32] + scalar.to_bytes(32, "little")
    for key, message, signature in (
        (public, b"texT", good), (public, b"text", good[:-1]), (public[:-1], b"text", good),
        (Signer("log", new_key()).verifier.public, b"text", good), (public, b"text", beyond),
        (b"\xff" * 32, b"text", good), (public, b"text", bytes(64)),
        (public, b"text", good[32:] + good[:32]),
    ):  # fmt: skip
        assert not verify(key, message, signature)


def test_both_verifiers_agree():
    """The plain verifier says of any flipped bit what the library says."""
    signer = Signer("log", new_key())
    public, good = signer.verifier.public, signer.sign("text").content
    for bit in range(0, 512, 7):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not ed25519.verify(public, b"text", bytes(flipped))
        assert not signing.verify(public, b"text", bytes(flipped))


@pytest.mark.parametrize("pem", [b"", b"no key", new_key()[:60], new_key()[::-1]],
                         ids=["empty", "other", "cut off", "reversed"])  # fmt: skip
def test_what_is_no_key(pem):
    """A file that holds no key is refused with a reason."""
    with pytest.raises(KeyUnreadable):
        Signer("log", pem)


LOG = Signer("city.example/log", new_key())
WITNESSES = [Signer(f"w{number}.example", new_key(), WITNESS_KEY) for number in range(4)]
LINES = [f"log {LOG.verifier}",
         *(f"witness w{n} {one.verifier}" for n, one in enumerate(WITNESSES))]  # fmt: skip


def policy(*more: str) -> bytes:
    return "\n".join([*LINES, *more]).encode()


def checkpoint(*cosigners: int, text: str = "city.example/log\n1\n" + "A" * 43 + "=\n") -> Note:
    cosigned = [WITNESSES[number].cosign(text, 1_700_000_000) for number in cosigners]
    return Note(text, (LOG.sign(text), *cosigned))


@pytest.mark.parametrize(("rule", "enough", "too_few"), [
    (["quorum none"], [()], []),
    (["quorum w1"], [(1,), (0, 1)], [(), (0, 2, 3)]),
    (["group g 2 w0 w1 w2", "quorum g"], [(0, 1), (0, 2), (0, 1, 2)], [(), (0,), (1, 3)]),
    (["group g any w0 w1", "quorum g"], [(0,), (1,)], [(), (2, 3)]),
    (["group g all w0 w1", "quorum g"], [(0, 1)], [(0,), (1, 2, 3)]),
    (["group a 1 w0 w1", "group b 1 w2", "group c all a b", "quorum c"], [(0, 2)], [(0, 1), (2,)]),
])  # fmt: skip
def test_k_of_n(rule, enough, too_few):
    """A checkpoint is believed with a quorum of its policy, and with less it is not."""
    parsed = TrustPolicy.parse(policy("# 信任", "", *rule))
    for verify in VERIFIERS:
        for cosigners in enough:
            assert list(parsed.problems(checkpoint(*cosigners), verify)) == []
        for cosigners in too_few:
            assert "quorum" in str(list(parsed.problems(checkpoint(*cosigners), verify)))


def test_who_signed_a_checkpoint():
    """Not signed by the log, by a log of another name, or with a broken cosignature: no."""
    parsed = TrustPolicy.parse(policy("quorum none"))
    whole = checkpoint(1)
    for note in (
        Note(whole.text, whole.signatures[1:]),
        checkpoint(text="other.example/log\n1\n" + "A" * 43 + "=\n"),
        Note(whole.text.replace("\n1\n", "\n2\n"), whole.signatures),
        Note(whole.text, (whole.signatures[0], WITNESSES[1].cosign(whole.text + "x", 5))),
        Note("no checkpoint\n", (LOG.sign("no checkpoint\n"),)),
    ):
        assert list(parsed.problems(note, signing.verify))
    # A time that was changed belongs to the signature as well.
    name, key_id, content = whole.signatures[1]
    later = Signature(name, key_id, bytes(8) + content[8:])
    assert list(parsed.problems(Note(whole.text, (whole.signatures[0], later)), signing.verify))


@pytest.mark.parametrize("lines", [
    [], ["quorum w9"], ["quorum none", "quorum none"], ["group none any w0", "quorum none"],
    ["group g 0 w0", "quorum g"], ["group g 3 w0 w1", "quorum g"], ["group g any", "quorum g"],
    ["group g any w0 w0", "quorum g"], ["quorum g", "group g any w0"], ["group w0 any w1"],
    ["group g any w0", "group h any w0", "quorum g"], ["group g 01 w0", "quorum g"],
    ["group g any none", "quorum g"], ["quorum"], ["quorum none w0"], ["log"], ["blog x"],
    ["log name+00000000+AAAA", "quorum none"], [LINES[0], "quorum none"], ["quorum none\r"],
    [LINES[1].replace("w0", "again"), "quorum none"],
    [f"log {WITNESSES[0].verifier}", "quorum none"],
    [f"witness w9 {VerifierKey('x', LOG_KEY, b'x' * 32)}", "quorum none"],
])  # fmt: skip
def test_policies_that_cannot_be_read(lines):
    """A policy with a mistake is refused as a whole, naming the line."""
    with pytest.raises(PolicyInvalid):
        TrustPolicy.parse(policy(*lines))


def test_a_receipt_proves_its_entry_and_no_other():
    """A receipt is read back byte for byte, holds for its entry, and for nothing else."""
    entries = [b"one", b"two", b"three"]
    one, two, three = map(leaf_hash, entries)
    root = node_hash(node_hash(one, two), three)
    text = str(Checkpoint("city.example/log", 3, root))
    note = bytes(Note(text, (LOG.sign(text),)))
    receipt = LogProof(1, (one, three), note, b"two")
    again = LogProof.parse(bytes(receipt))
    assert again == receipt
    again.check(b"two")
    for wrong in (receipt._replace(leaf=0), receipt._replace(leaf=3),
                  receipt._replace(proof=(one,)), receipt._replace(proof=(three, one)),
                  receipt._replace(proof=(one, three + b"x"))):  # fmt: skip
        with pytest.raises(ProofInvalid):
            wrong.check(b"two")
    with pytest.raises(ProofInvalid):
        receipt.check(b"owt")
    without = LogProof(1, (one, three), note)
    assert LogProof.parse(bytes(without)) == without


@pytest.mark.parametrize(("old", "new"), [
    (b"@v1", b"@v2"), (b"index 0", b"index 00"), (b"index 0", b"index -1"), (b"extra ", b"extra  "),
    (b"index 0\n", b""), (b"\n\ncity", b"\ncity"), (b"\n1\n", b"\nx\n"), (b"c2sp", b"\xffc2sp"),
])  # fmt: skip
def test_receipts_that_cannot_be_read(old, new):
    """A receipt with a mistake in its form is refused."""
    text = str(Checkpoint("city.example/log", 1, sha256(b"\x00one").digest()))
    receipt = bytes(LogProof(0, (), bytes(Note(text, (LOG.sign(text),))), b"one"))
    LogProof.parse(receipt).check(b"one")
    assert old in receipt
    with pytest.raises(NoteInvalid):
        LogProof.parse(receipt.replace(old, new))
