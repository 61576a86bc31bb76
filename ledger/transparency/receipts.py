"""Receipts (回执): c2sp.org/tlog-proof, an entry with the proof that it is in the signed log.

One text file, to be kept and checked without us. The ``extra`` line carries the entry itself: the
proof binds it, since its hash is the leaf. Standard library only.
"""

from __future__ import annotations

import base64
import re
from typing import NamedTuple

from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import ProofInvalid, check_inclusion, leaf_hash
from ledger.transparency.notes import Note, NoteInvalid, strict_base64

HEADER = "c2sp.org/tlog-proof@v1"
HASHES_MAX = 63


class LogProof(NamedTuple):
    """Which leaf, counted from 0, its inclusion proof, and the checkpoint it leads to."""

    leaf: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def __bytes__(self) -> bytes:
        lines = [HEADER]
        lines += [f"extra {_base64(self.extra)}"] if self.extra else []
        lines += [f"index {self.leaf}", *map(_base64, self.proof), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, content: bytes) -> LogProof:
        """Raises NoteInvalid unless the content is a proof and a signed checkpoint."""
        head, blank, checkpoint = content.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            lines = []
        if not blank or lines[:1] != [HEADER]:
            raise NoteInvalid(f"the first line is not {HEADER}")
        extra = b""
        if lines[1:] and lines[1].startswith("extra "):
            extra = strict_base64(lines.pop(1).removeprefix("extra "))
        found = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[1] if lines[1:] else "")
        if found is None or len(lines) > 2 + HASHES_MAX:
            raise NoteInvalid("there is no index line, or too many hashes")
        proof = tuple(map(strict_base64, lines[2:]))
        Checkpoint.parse(Note.parse(checkpoint).text)
        return cls(int(found[1]), proof, checkpoint, extra)

    def check(self, entry: bytes) -> None:
        """Raises ProofInvalid unless the checkpoint's tree has this entry at this index.

        Whether the checkpoint is to be believed its signatures say: see TrustPolicy.problems.
        """
        head = Checkpoint.parse(Note.parse(self.checkpoint).text)
        if any(len(one) != len(head.root) for one in self.proof):
            raise ProofInvalid("a hash of the proof is of another length")
        check_inclusion(self.proof, self.leaf, head.size, leaf_hash(entry), head.root)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
