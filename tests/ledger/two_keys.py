"""One ciphertext that AES-GCM opens under two keys: it commits to a key as little as to a text.

After Grubbs, Lu and Ristenpart, "Message franking via committing authenticated encryption" (2017):
all blocks but the last are free, and the last makes the two tags equal.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

POLYNOMIAL = 0xE1 << 120
BLOCK = 16


def opens_under_both(
    first: bytes, second: bytes, nonce: bytes, binding: bytes, text: bytes
) -> bytes:
    """A ciphertext with its tag that opens under both keys; under the first it begins as
    ``text``, whose length is a multiple of 16.
    """
    assert len(text) % BLOCK == 0
    free = AESGCM(first).encrypt(nonce, text, None)[:-BLOCK]
    lengths = (8 * len(binding)).to_bytes(8, "big") + (8 * (len(free) + BLOCK)).to_bytes(8, "big")
    padded = binding + bytes(-len(binding) % BLOCK)
    hashed = padded + free + bytes(BLOCK) + lengths  # the last block still to be found
    one, other = _number(_block(first, bytes(BLOCK))), _number(_block(second, bytes(BLOCK)))
    masks = [_number(_block(key, nonce + b"\0\0\0\1")) for key in (first, second)]
    apart = _ghash(one, hashed) ^ masks[0] ^ _ghash(other, hashed) ^ masks[1]
    factor = _times(one, one) ^ _times(other, other)
    last = _times(apart, _inverse(factor)).to_bytes(BLOCK, "big")
    tag = _ghash(one, padded + free + last + lengths) ^ masks[0]
    return free + last + tag.to_bytes(BLOCK, "big")


def _block(key: bytes, block: bytes) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return cipher.update(block)


def _number(block: bytes) -> int:
    return int.from_bytes(block, "big")


def _times(one: int, other: int) -> int:
    """In GF(2^128), as SP 800-38D has it: the highest bit is the lowest power."""
    product = 0
    for bit in range(127, -1, -1):
        if other >> bit & 1:
            product ^= one
        one = one >> 1 ^ (POLYNOMIAL if one & 1 else 0)
    return product


def _inverse(one: int) -> int:
    """one to the power of 2^128 - 2."""
    result, square = 1 << 127, one
    for _ in range(127):
        square = _times(square, square)
        result = _times(result, square)
    return result


def _ghash(key: int, content: bytes) -> int:
    total = 0
    for at in range(0, len(content), BLOCK):
        total = _times(total ^ _number(content[at : at + BLOCK]), key)
    return total
