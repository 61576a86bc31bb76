"""Checkpoints (检查点) as c2sp.org/tlog-checkpoint has them: which log, how large, which root."""

from __future__ import annotations

import base64
from typing import NamedTuple

from ledger.transparency.notes import NoteInvalid, strict_base64

SIZE_MAX = 2**63 - 1


class Checkpoint(NamedTuple):
    """The head of a log: its first ``size`` entries have this Merkle root."""

    origin: str
    size: int
    root: bytes
    extensions: str = ""
    """What other logs put behind the three lines; ours puts nothing."""

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """From the text of a note; raises NoteInvalid.

        Roots of other lengths than 32 bytes are read as well, as other logs may have them; they
        match no tree of ours.
        """
        parts = text.split("\n", 3)
        if len(parts) < 4 or not parts[0]:
            raise NoteInvalid("a checkpoint is three lines: origin, size, root")
        origin, digits, root, extensions = parts
        canonical = digits.isascii() and digits.isdecimal() and (digits == "0" or digits[0] != "0")
        if not canonical or len(digits) > len(str(SIZE_MAX)) or int(digits) > SIZE_MAX:
            raise NoteInvalid("the size of the checkpoint is no number")
        return cls(origin, int(digits), strict_base64(root), extensions)

    def __str__(self) -> str:
        """The text that is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\n{self.extensions}"
