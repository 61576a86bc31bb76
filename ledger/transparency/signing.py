"""Signing (签名): the private keys of a log and of a witness, Ed25519 in a PEM file."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.transparency.notes import (
    LOG_KEY,
    TIME_BYTES,
    WITNESS_KEY,
    Signature,
    VerifierKey,
    cosigned_message,
    name_is_good,
)


class KeyUnreadable(Exception):
    """What should be a private key is none."""


class Signer:
    """A private key and the name it signs under: as a log, or as a witness (``cosign``)."""

    def __init__(self, name: str, pem: bytes, kind: int = LOG_KEY) -> None:
        if not name_is_good(name):  # A line break in it would sign lines of somebody's choice.
            raise KeyUnreadable(f"{name!r} cannot be the name of a key")
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyUnreadable(f"not an unencrypted PEM private key: {error}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyUnreadable("the key is not of Ed25519")
        self._key = key
        public = key.public_key().public_bytes_raw()
        self.verifier = VerifierKey(name, kind, public)

    def sign(self, text: str) -> Signature:
        """The log's signature over the text of a note."""
        assert self.verifier.kind == LOG_KEY
        signed = self._key.sign(text.encode())
        return Signature(self.verifier.name, self.verifier.key_id, signed)

    def cosign(self, text: str, time: int) -> Signature:
        """A witness's signature over the text of a checkpoint at a time, seconds since 1970."""
        assert self.verifier.kind == WITNESS_KEY
        signed = self._key.sign(cosigned_message(text, time))
        content = time.to_bytes(TIME_BYTES, "big") + signed
        return Signature(self.verifier.name, self.verifier.key_id, content)


def new_key() -> bytes:
    """A new private key as PEM, as ``openssl genpkey -algorithm ed25519`` makes it."""
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature holds."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
