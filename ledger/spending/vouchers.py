"""Vouchers (兑换券): codes that nobody can guess, made again from the server's key when needed.

80 bits in Crockford's base 32, which has no letters that look like digits. Only the SHA-256 is
stored, so neither the log nor a backup can be cashed in.
"""

from __future__ import annotations

import hmac
from uuid import UUID

from ledger.codes import CODE_BYTES, grouped

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def voucher_of(secret_key: bytes, redemption_id: UUID) -> str:
    """The code of a redemption, as in 7Q3M-XK2P-9D0V-TB4H."""
    mac = hmac.digest(secret_key, b"voucher/v1/" + redemption_id.bytes, "sha256")
    number = int.from_bytes(mac[:CODE_BYTES], "big")
    letters = [ALPHABET[number >> shift & 31] for shift in range(CODE_BYTES * 8 - 5, -1, -5)]
    return grouped("".join(letters))
