"""The vault (保险库): personal data outside the log, under one key per subject.

A fact carries only a salted commitment, SHA-256 over the disclosure string as RFC 9901 makes it:
base64url(JSON [salt, field, value]). The disclosure is kept encrypted (AES-256-GCM); its
associated data names the originator, the field and the subject, so a row cannot be moved to
another place unseen, while the log position is free. Destroying a subject's key erases them and
leaves every fact and every proof valid; a subject behind a fence never gets a key again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.days import microseconds
from ledger.erasure.errors import SubjectErased
from ledger.errors import CommitmentBroken, Erased, WrongVaultKey
from ledger.facts import Sealed
from ledger.store.errors import SubjectFenced
from ledger.store.fences import plain
from ledger.store.rows import VaultRow
from ledger.words import FIELDS

KEY_BYTES = 32
NONCE_BYTES = 12
SALT_BYTES = 32
ENVELOPE = frozenset({"submission_id", "sent_at"})
"""Fields of a body that are no content: what it was sent under, and when."""


class VaultStore(Protocol):
    """What the vault asks of the recorder."""

    def insert_key(self, subject: UUID, wrapped_key: bytes) -> bytes: ...
    def insert_keys(self, keys: Sequence[tuple[UUID, bytes]]) -> None: ...
    def select_key(self, subject: UUID) -> bytes | None: ...
    def select_stored_key(self, subject: UUID) -> bytes | None: ...
    def select_some_key(self) -> tuple[UUID, bytes] | None: ...
    def select_vault(self, originator_id: UUID, field: str | None) -> list[VaultRow]: ...
    def select_shelf(self, shelf: str, newest: int) -> list[VaultRow]: ...
    def select_shelf_after(self, shelf: str, position: int, limit: int) -> list[VaultRow]: ...


class Vault:
    """Seals values for the rows of a command, and opens what the log committed to."""

    def __init__(self, store: VaultStore, master_key: bytes) -> None:
        if len(master_key) != KEY_BYTES:
            raise ValueError(f"the vault key must be {KEY_BYTES} bytes")
        self._store = store
        self._master_key = master_key
        self._master = AESGCM(master_key)

    def check_key(self) -> None:
        """Raises WrongVaultKey unless the master key opens what is stored already."""
        found = self._store.select_some_key()
        if found:
            try:
                self._unwrap(*found)
            except CommitmentBroken:
                raise WrongVaultKey from None

    def fingerprint(self, subject: UUID, content: bytes) -> str:
        """A keyed digest of ``content`` that means nothing once the subject is erased."""
        return hmac.digest(self._key(subject), b"fingerprint" + content, "sha256").hex()

    def seal(
        self, originator_id: UUID, subject: UUID, field: str, value: Any, now: datetime, *,
        shelf: str | None = None, unique: bytes | None = None,
    ) -> tuple[Sealed, VaultRow]:  # fmt: skip
        """The commitment for the fact and the row for the vault.

        ``shelf`` groups rows that are looked at together (the tracks of one reach); ``unique`` is
        content the store will accept only once (it keeps a keyed digest of it). Raises
        SubjectErased, and ValueError for a field that no legal hold could name.
        """
        if plain(field) not in FIELDS:
            raise ValueError(f"{field!r} is not among words.FIELDS")
        salt = urlsafe_b64encode(secrets.token_bytes(SALT_BYTES)).rstrip(b"=").decode()
        disclosure = urlsafe_b64encode(msgspec.json.encode([salt, field, value])).rstrip(b"=")
        nonce, ciphertext = self._encrypted(
            originator_id, field, subject, self._key(subject), disclosure
        )
        row = VaultRow(
            originator_id=originator_id,
            field=field,
            subject=subject,
            shelf=shelf,
            fingerprint=unique and hmac.digest(self._master_key, unique, "sha256"),
            stored_at=microseconds(now),
            nonce=nonce,
            ciphertext=ciphertext,
        )
        return Sealed(field=field, subject=subject, digest=_digest(disclosure)), row

    def seal_words(
        self, originator_id: UUID, subject: UUID, field: str, value: Any, now: datetime
    ) -> tuple[tuple[Sealed, ...], list[VaultRow]]:
        """As ``seal``, of what others say to somebody; of one who was erased nothing is kept."""
        try:
            sealed, row = self.seal(originator_id, subject, field, value, now)
        except SubjectErased:
            return (), []
        return (sealed,), [row]

    def open(self, originator_id: UUID, sealed: Sealed) -> Any:
        """The value committed to by ``sealed``; raises Erased or CommitmentBroken."""
        return self._checked(originator_id, sealed, self._store.select_key)

    def check(self, originator_id: UUID, sealed: Sealed) -> Any:
        """As ``open``, be it with a key behind a fence."""
        try:
            return self._checked(originator_id, sealed, self._store.select_stored_key)
        except CommitmentBroken:  # A hold may have exchanged the key behind the row: look again.
            return self._checked(originator_id, sealed, self._store.select_stored_key)

    def _checked(
        self, originator_id: UUID, sealed: Sealed, key_of: Callable[[UUID], bytes | None]
    ) -> Any:
        for row in self._store.select_vault(originator_id, sealed.field):
            if row.subject == sealed.subject:
                return self._proven(row, key_of(row.subject), sealed)
        raise Erased

    def _proven(self, row: VaultRow, wrapped: bytes | None, sealed: Sealed) -> Any:
        disclosure = self._decrypted(row, wrapped)
        if not hmac.compare_digest(_digest(disclosure), sealed.digest):
            raise CommitmentBroken(field=sealed.field)
        return _value(disclosure)

    def prints(self, subject: UUID, wrapped: bytes) -> tuple[str, ...]:
        """SHA-256 of a key as it is stored and, where it opens, of the key itself."""
        found = [wrapped]
        with suppress(CommitmentBroken):
            found.append(self._unwrap(subject, wrapped))
        return tuple(hashlib.sha256(one).hexdigest() for one in found)

    def under_new_key(
        self, subject: UUID, wrapped: bytes, rows: Sequence[VaultRow]
    ) -> tuple[bytes, list[VaultRow]]:
        """A new key for a subject, and the rows as they are under it; damaged ones are left out.

        The disclosures stay the same, so every commitment still holds.
        """
        new = self._new_key(subject)
        resealed = []
        for row in rows:
            with suppress(CommitmentBroken):
                nonce, ciphertext = self._encrypted(
                    row.originator_id, row.field, subject, self._unwrap(subject, new),
                    self._decrypted(row, wrapped),
                )  # fmt: skip
                resealed.append(msgspec.structs.replace(row, nonce=nonce, ciphertext=ciphertext))
        return new, resealed

    def opened(self, originator_id: UUID, sealed: Sealed | None) -> Any:
        """The value committed to; None without a commitment, and once it was erased."""
        return self.opener(originator_id)(sealed) if sealed else None

    def opener(self, originator_id: UUID) -> Callable[[Sealed], Any]:
        """As ``opened``, of whose many values the store is asked but once."""
        found = self._store.select_vault(originator_id, None)
        rows = {(one.field, one.subject): one for one in found}
        keys = {one: self._store.select_key(one) for one in {row.subject for row in found}}

        def opened(sealed: Sealed) -> Any:
            row = rows.get((sealed.field, sealed.subject))
            with suppress(Erased):
                return self._proven(row, keys[row.subject], sealed) if row else None
            return None

        return opened

    def on_shelf(self, shelf: str, newest: int) -> tuple[list[Any], int]:
        """The values of the newest rows of a shelf, and the position of the very newest (0: none).

        Erased ones are left out, and damaged ones as well: they must not stop other people's
        commands, and the audit finds them.
        """
        rows = self._store.select_shelf(shelf, newest)
        found = []
        for row in rows:
            with suppress(Erased, CommitmentBroken):
                found.append(_value(self._disclosure(row)))
        return found, rows[0].position if rows else 0

    def shelf_after(
        self, shelf: str, position: int, limit: int
    ) -> tuple[list[tuple[VaultRow, Any]], int, bool]:
        """The rows of a shelf behind a position with their values, how far, and if that is all.

        ``limit`` must be more than one commit puts on the shelf. Erased and damaged ones are left
        out, as in ``on_shelf``.
        """
        rows = self._store.select_shelf_after(shelf, position, limit)
        last = len(rows) < limit
        if not last:  # The rows of the last position may go on behind the page.
            rows = [row for row in rows if row.position < rows[-1].position]
        found, keys = [], dict[UUID, bytes | None]()
        for row in rows:
            if row.subject not in keys:  # Many rows of a shelf are of one subject.
                keys[row.subject] = self._store.select_key(row.subject)
            with suppress(Erased, CommitmentBroken):
                found.append((row, _value(self._decrypted(row, keys[row.subject]))))
        return found, rows[-1].position if rows else position, last

    def _disclosure(self, row: VaultRow) -> bytes:
        return self._decrypted(row, self._store.select_key(row.subject))

    @staticmethod
    def _encrypted(
        originator_id: UUID, field: str, subject: UUID, key: bytes, disclosure: bytes
    ) -> tuple[bytes, bytes]:
        nonce, binding = secrets.token_bytes(NONCE_BYTES), _binding(originator_id, field, subject)
        return nonce, AESGCM(key).encrypt(nonce, zlib.compress(disclosure, 1), binding)

    def _decrypted(self, row: VaultRow, wrapped: bytes | None) -> bytes:
        if wrapped is None:
            raise Erased
        binding = _binding(row.originator_id, row.field, row.subject)
        try:
            return zlib.decompress(
                AESGCM(self._unwrap(row.subject, wrapped)).decrypt(
                    row.nonce, row.ciphertext, binding
                )
            )
        except (InvalidTag, zlib.error, ValueError):  # the last for a nonce of a wrong length
            raise CommitmentBroken(field=row.field) from None

    def make_keys(self, subjects: Sequence[UUID]) -> None:
        """Make the keys of many subjects in one transaction; those that have one keep it.

        Those who were erased get none.
        """
        if subjects:
            self._store.insert_keys([(one, self._new_key(one)) for one in subjects])

    def _new_key(self, subject: UUID) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        key = secrets.token_bytes(KEY_BYTES)
        return nonce + self._master.encrypt(nonce, key, subject.bytes)

    def _key(self, subject: UUID) -> bytes:
        """The subject's key, made on first use; of two makers at once the store keeps one.

        Raises SubjectErased.
        """
        wrapped = self._store.select_key(subject)
        if wrapped is None:
            try:
                wrapped = self._store.insert_key(subject, self._new_key(subject))
            except SubjectFenced:
                raise SubjectErased from None
        return self._unwrap(subject, wrapped)

    def _unwrap(self, subject: UUID, wrapped: bytes) -> bytes:
        nonce, sealed = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return self._master.decrypt(nonce, sealed, subject.bytes)
        except (InvalidTag, ValueError):
            raise CommitmentBroken(field="key") from None


def content_of(request: Mapping[str, Any], envelope: frozenset[str] = ENVELOPE) -> bytes:
    """A body as sent, whatever the order of its keys; when it was sent is another with each try."""
    content = {key: value for key, value in request.items() if key not in envelope}
    if isinstance(device := content.get("device"), Mapping):
        content["device"] = {key: value for key, value in device.items() if key not in envelope}
    return msgspec.json.encode(content, order="sorted")


def _binding(originator_id: UUID, field: str, subject: UUID) -> bytes:
    return b"greenwater/vault/v1|%s|%s|%s" % (
        str(originator_id).encode(), field.encode(), str(subject).encode()
    )  # fmt: skip


def _digest(disclosure: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(disclosure).digest()).rstrip(b"=").decode()


def _value(disclosure: bytes) -> Any:
    padded = disclosure + b"=" * (-len(disclosure) % 4)
    return msgspec.json.decode(urlsafe_b64decode(padded))[2]
