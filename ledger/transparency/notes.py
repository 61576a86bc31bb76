"""Signed notes (签名文本) as c2sp.org/signed-note has them: a text, and who signed it.

Keys are Ed25519: of a log (type 0x01, over the text), or of a witness (见证人, type 0x04, over the
text and a time: c2sp.org/tlog-cosignature). Standard library only.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import NamedTuple

SIGNATURES_MAX = 100
LOG_KEY, WITNESS_KEY = 0x01, 0x04
PUBLIC_BYTES, SIGNATURE_BYTES, TIME_BYTES, KEY_ID_BYTES = 32, 64, 8, 4
DASH = "— "

Verify = Callable[[bytes, bytes, bytes], bool]
"""Public key, message and signature to whether it holds."""


class NoteInvalid(Exception):
    """A note, a key or a signature is not as it must be; the message says why."""


class VerifierKey(NamedTuple):
    """A public key with the name it signs under."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || newline || type || public key)."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return sha256(named).digest()[:KEY_ID_BYTES]

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """From ``name+hash+base64(type || key)``; raises NoteInvalid."""
        name, _, rest = text.partition("+")
        _, _, encoded = rest.partition("+")
        material = strict_base64(encoded)
        if not material or material[0] not in (LOG_KEY, WITNESS_KEY):
            raise NoteInvalid("the key is of no known type")
        key = cls(name, material[0], material[1:])
        if not name_is_good(name) or len(key.public) != PUBLIC_BYTES or str(key) != text:
            raise NoteInvalid("the key is not name+hash+key, or its hash is not its own")
        return key

    def __str__(self) -> str:
        material = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"


class Signature(NamedTuple):
    """A signature line: the name, the key's id, and what stands behind it."""

    name: str
    key_id: bytes
    content: bytes

    def __str__(self) -> str:
        """The line, newline included."""
        return f"{DASH}{self.name} {base64.b64encode(self.key_id + self.content).decode()}\n"

    @classmethod
    def parse(cls, line: str) -> Signature:
        """From a line without its newline; raises NoteInvalid."""
        name, _, encoded = line.removeprefix(DASH).partition(" ")
        content = strict_base64(encoded)
        if not line.startswith(DASH) or not name_is_good(name) or len(content) <= KEY_ID_BYTES:
            raise NoteInvalid("a signature line is not “— name base64”")
        return cls(name, content[:KEY_ID_BYTES], content[KEY_ID_BYTES:])


class Signed(NamedTuple):
    """A signature that was verified: by which key and, of a witness, when (seconds since 1970)."""

    key: VerifierKey
    time: int | None


class Note(NamedTuple):
    """A text that ends with a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Raises NoteInvalid unless these bytes are a note with a signature."""
        try:
            whole = data.decode()
        except UnicodeDecodeError:
            raise NoteInvalid("the note is not UTF-8") from None
        if any(letter < " " and letter != "\n" for letter in whole):
            raise NoteInvalid("the note has control characters")
        text, blank, lines = whole.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise NoteInvalid("the note has no signature lines behind an empty line")
        found = lines[:-1].split("\n")
        if len(found) > SIGNATURES_MAX:
            raise NoteInvalid(f"the note has more than {SIGNATURES_MAX} signatures")
        return cls(text + "\n", tuple(map(Signature.parse, found)))

    def __bytes__(self) -> bytes:
        return (self.text + "\n" + "".join(map(str, self.signatures))).encode()

    def signed_by(self, keys: Iterable[VerifierKey], verify: Verify) -> list[Signed]:
        """Who of these keys signed, each once; unknown signatures are passed over.

        Raises NoteInvalid if a signature under a known name and id does not hold.
        """
        known = {(key.name, key.key_id): key for key in keys}
        found: dict[VerifierKey, Signed] = {}
        for one in self.signatures:
            key = known.get((one.name, one.key_id))
            if key is None or key in found:
                continue
            signed = _verified(key, self.text, one.content, verify)
            if signed is None:
                raise NoteInvalid(f"the signature of {one.name} does not hold")
            found[key] = signed
        return list(found.values())


def cosigned_message(text: str, time: int) -> bytes:
    """What a witness signs: c2sp.org/tlog-cosignature, version 1."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _verified(key: VerifierKey, text: str, content: bytes, verify: Verify) -> Signed | None:
    if key.kind == LOG_KEY:
        return Signed(key, None) if verify(key.public, text.encode(), content) else None
    if len(content) != TIME_BYTES + SIGNATURE_BYTES:
        return None
    time = int.from_bytes(content[:TIME_BYTES], "big")
    message, signature = cosigned_message(text, time), content[TIME_BYTES:]
    return Signed(key, time) if verify(key.public, message, signature) else None


def name_is_good(name: str) -> bool:
    """Whether a key may have this name: not empty, no space, no plus, nothing that hides."""
    return bool(name) and "+" not in name and not any(
        letter.isspace() or letter < " " for letter in name
    )


def strict_base64(text: str) -> bytes:
    """The bytes of the one right spelling (RFC 4648 section 4); raises NoteInvalid."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found or base64.b64encode(found).decode() != text:
        raise NoteInvalid("not base64, or not in its one right spelling")
    return found
