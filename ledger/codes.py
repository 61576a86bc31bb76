"""Codes (码) that people read out and type: in groups, and known however they were typed.

Only the SHA-256 of a code is stored, so neither the log nor a backup gives it away.
"""

from __future__ import annotations

import hashlib

CODE_BYTES = 10  # 80 bits: nobody finds one from its SHA-256 by trying
GROUP = 4
# As people read them out or type them.
READ_AS = str.maketrans("OIL", "011", "- ")


def grouped(letters: str) -> str:
    """A code as it is shown, as in 7Q3M-XK2P-9D0V-TB4H."""
    return "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))


def plain(code: str) -> str:
    """What is left of a code that was typed: case, spaces, dashes, O for 0, I or L for 1."""
    return code.upper().translate(READ_AS)


def digest_of(code: str) -> str:
    """The SHA-256 of a code, however it was typed."""
    return hashlib.sha256(plain(code).encode()).hexdigest()
