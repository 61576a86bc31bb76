"""Codes (打卡码) of points, shown as QR codes: secrets, of which only the SHA-256 is stored.

Those made here come from the server's key, so that publishing sent again is answered the same.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from uuid import UUID

from ledger.codes import CODE_BYTES, grouped


def code_of(secret_key: bytes, trail_id: UUID, point_id: str) -> str:
    """The code made for a point, as in MZXW-6YTB-OI5G-2LTD."""
    message = b"trail/v1/" + trail_id.bytes + point_id.encode()
    digest = hmac.digest(secret_key, message, "sha256")
    return grouped(b32encode(digest[:CODE_BYTES]).decode())
