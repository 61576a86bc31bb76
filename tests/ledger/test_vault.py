"""The vault: nothing personal in the log, nothing changed or moved unseen, one key per person."""

from __future__ import annotations

from uuid import uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.errors import CommitmentBroken, Erased, WrongVaultKey
from ledger.facts import Sealed
from ledger.store.rows import VaultRow
from ledger.vault import Vault, _binding, _digest
from tests.ledger.examples import NOW, a_reach, a_walk, contribute, someone
from tests.ledger.two_keys import opens_under_both

MARKER = "王小明-13800001234"


class Shelf:
    """A vault store in memory, whose rows a test can tamper with."""

    def __init__(self):
        self.keys, self.rows = {}, []

    def insert_key(self, subject, wrapped_key):
        return self.keys.setdefault(subject, wrapped_key)

    def select_key(self, subject):
        return self.keys.get(subject)

    def select_some_key(self):
        return next(iter(self.keys.items()), None)

    def select_vault(self, originator_id, field):
        return [
            row for row in self.rows if (row.originator_id, row.field) == (originator_id, field)
        ]

    def select_shelf(self, shelf, newest):
        return [row for row in reversed(self.rows) if row.shelf == shelf][:newest]


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def vault(shelf):
    return Vault(shelf, bytes(32))


def sealed(vault, store, value=MARKER, field="name", **options):
    originator, subject = uuid4(), uuid4()
    commitment, row = vault.seal(originator, subject, field, value, NOW, **options)
    store.rows.append(row)
    return originator, commitment


def tampered(shelf, **changes):
    shelf.rows[-1] = msgspec.structs.replace(shelf.rows[-1], **changes)


def test_what_is_sealed_is_opened_again(vault, shelf):
    """Text, numbers and nested values come back as they were."""
    for value in (MARKER, {"lon": 112.1, "list": [1, None, "绿"]}, "x" * 1_000_000):
        originator, commitment = sealed(vault, shelf, value)
        assert vault.open(originator, commitment) == value


@pytest.mark.parametrize("field", ["nmae", "", "Name", "alias_2"])
def test_nothing_is_sealed_under_a_field_without_a_name(vault, shelf, field):
    """What can be kept, and so held, is one list: who keeps something new must add it there."""
    with pytest.raises(ValueError, match=r"words\.FIELDS"):
        sealed(vault, shelf, field=field)
    assert shelf.keys == {}


def test_the_same_value_never_looks_the_same(vault, shelf):
    """Salts and nonces make two commitments to one phone number unlinkable."""
    first, second = (sealed(vault, shelf)[1] for _ in range(2))
    assert first.digest != second.digest
    assert shelf.rows[0].ciphertext != shelf.rows[1].ciphertext


def test_a_flipped_bit_is_noticed(vault, shelf):
    """Any change of the stored bytes is refused, never returned as data."""
    originator, commitment = sealed(vault, shelf)
    row = shelf.rows[-1]
    damages = []
    for name in ("nonce", "ciphertext"):
        data = bytearray(getattr(row, name))
        data[-1] ^= 1
        damages += [{name: bytes(data)}, {name: bytes(data[:3])}]
    for damage in damages:
        tampered(shelf, **damage)
        with pytest.raises(CommitmentBroken):
            vault.open(originator, commitment)
        shelf.rows[-1] = row


def test_a_row_moved_to_another_place_is_noticed(vault, shelf):
    """Another contribution, or another field of the same one, cannot borrow a row."""
    originator, commitment = sealed(vault, shelf)
    other = uuid4()
    row = shelf.rows[-1]
    tampered(shelf, originator_id=other)
    with pytest.raises(CommitmentBroken):
        vault.open(other, commitment)
    shelf.rows[-1] = msgspec.structs.replace(row, field="phone")
    with pytest.raises(CommitmentBroken):
        vault.open(originator, msgspec.structs.replace(commitment, field="phone"))


def test_a_second_plaintext_for_one_commitment_is_refused(vault, shelf):
    """Whoever holds the keys can encrypt something else, but the log committed to the first."""
    originator, commitment = sealed(vault, shelf)
    _, forged = vault.seal(originator, commitment.subject, "name", "别人", NOW)
    shelf.rows = [forged]
    with pytest.raises(CommitmentBroken):
        vault.open(originator, commitment)


def test_one_ciphertext_under_two_keys_is_one_text_to_the_log(vault, shelf, monkeypatch):
    """AES-GCM opens a made-up row under either of two keys; the commitment knows only one text."""
    monkeypatch.setattr("ledger.vault.zlib.decompress", bytes)  # Else it could hardly be made up.
    originator, subject, nonce = uuid4(), uuid4(), bytes(12)
    keys = [vault._unwrap(subject, vault._new_key(subject)) for _ in range(2)]
    binding = _binding(originator, "name", subject)
    text = b"what the log committed to, 48 bytes of it, so so"
    row = opens_under_both(*keys, nonce, binding, text)
    told, other = (AESGCM(key).decrypt(nonce, row, binding) for key in keys)
    assert (told.startswith(text), other.startswith(text)) == (True, False)
    shelf.rows.append(VaultRow(originator, "name", subject, None, None, 0, nonce, row))
    commitment = Sealed(field="name", subject=subject, digest=_digest(told))
    shelf.keys[subject] = nonce + vault._master.encrypt(nonce, keys[1], subject.bytes)
    with pytest.raises(CommitmentBroken):
        vault.open(originator, commitment)
    shelf.keys[subject] = nonce + vault._master.encrypt(nonce, keys[0], subject.bytes)
    with pytest.raises(ValueError):  # Past the digest: made up as it is, it is no JSON.
        vault.open(originator, commitment)


def test_without_its_key_a_value_is_erased(vault, shelf):
    """Destroying one person's key erases that person and nobody else."""
    first, second = sealed(vault, shelf), sealed(vault, shelf)
    del shelf.keys[first[1].subject]
    with pytest.raises(Erased):
        vault.open(*first)
    assert vault.open(*second) == MARKER


def test_two_makers_of_one_key_agree(shelf):
    """Of two processes that meet a new person at once, both end up with the stored key."""
    one, two = Vault(shelf, bytes(32)), Vault(shelf, bytes(32))
    subject = uuid4()
    assert one.fingerprint(subject, b"x") == two.fingerprint(subject, b"x")
    assert one.fingerprint(subject, b"x") != one.fingerprint(uuid4(), b"x")


def test_a_shelf_leaves_out_the_erased(vault, shelf):
    """Neighbouring rows are listed newest first, without those whose key is gone."""
    kept = [sealed(vault, shelf, n, "sketch", shelf="reach") for n in range(3)]
    del shelf.keys[kept[1][1].subject]
    assert vault.on_shelf("reach", 10)[0] == [2, 0]
    tampered(shelf, ciphertext=b"noise" * 9)
    assert vault.on_shelf("reach", 10)[0] == [0]


def test_a_wrong_master_key_opens_nothing(vault, shelf):
    """Another server's key is refused, not answered with noise; a short one at once."""
    originator, commitment = sealed(vault, shelf)
    with pytest.raises(CommitmentBroken):
        Vault(shelf, bytes(31) + b"x").open(originator, commitment)
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(shelf, b"short")


def test_another_database_s_key_is_noticed_before_anything_is_sealed(vault, shelf):
    """An empty vault takes any key; a filled one only its own."""
    Vault(shelf, bytes(31) + b"x").check_key()
    sealed(vault, shelf)
    vault.check_key()
    with pytest.raises(WrongVaultKey):
        Vault(shelf, bytes(31) + b"x").check_key()


def test_no_personal_data_reaches_the_log(ledger):
    """A name, a phone, a text and a track are in the vault only, on either database."""
    ledger.import_reaches([a_reach()], NOW)
    citizen = someone(ledger)
    contribute(ledger, "report", citizen, {"category": "litter", "text": MARKER})
    contribute(ledger, "patrol", citizen, a_walk(700, 1500, NOW))
    registrar = someone(ledger, "registrar")
    ledger.register(
        registrar, uuid4(), "citizen", NOW, request={}, personal={"name": MARKER, "alias": MARKER}
    )
    track = str(a_walk(700, 1500, NOW)["track"]["coordinates"][3][0])[:10].encode()
    stored = b"".join(row.state for row in ledger.rows())
    assert MARKER.encode() not in stored
    assert track not in stored
