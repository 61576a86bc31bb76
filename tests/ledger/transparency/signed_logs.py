"""Logs in memory, signed with true keys: as long as wanted, and rewritten from any entry on."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import Frontier, Subtree, consistency_proof, leaf_hash
from ledger.transparency.notes import LOG_KEY, WITNESS_KEY, Note
from ledger.transparency.signing import Signer, new_key

ORIGIN = "city.example/log"


class SignedLog:
    """The first ``size`` entries of a log, those from ``fork`` on other than everybody else's."""

    def __init__(
        self, size: int = 300, fork: int | None = None, signer: Signer | None = None,
        origin: str = ORIGIN,
    ) -> None:  # fmt: skip
        self.signer = signer or Signer(origin, new_key(), LOG_KEY)
        self.origin = origin
        kept = size if fork is None else fork
        self._leaves = [
            leaf_hash(b"%d%s" % (index, b"" if index < kept else b" rewritten"))
            for index in range(size)
        ]

    def rewritten(self, fork: int) -> SignedLog:
        """The same log under the same key with other entries from ``fork`` on."""
        return SignedLog(len(self._leaves), fork, self.signer, self.origin)

    def root(self, size: int) -> bytes:
        return _root(self._leaves[:size])

    def tree(self) -> Subtree:
        return lambda level, index: _root(self._leaves[index << level : (index + 1) << level])

    def proof(self, old: int, size: int) -> list[bytes]:
        return consistency_proof(self.tree(), old, size)

    def note(self, size: int, root: bytes | None = None) -> Note:
        text = str(Checkpoint(self.origin, size, self.root(size) if root is None else root))
        return Note(text, (self.signer.sign(text),))

    def request(
        self, old: int, size: int, proof: Sequence[bytes] | None = None, note: Note | None = None
    ) -> bytes:
        """What is sent to a witness to lead it from ``old`` to ``size``."""
        proof = self.proof(old, size) if proof is None else proof
        lines = [f"old {old}", *(b64encode(one).decode() for one in proof), "", ""]
        return "\n".join(lines).encode() + bytes(note or self.note(size))


def a_witness_signer(name: str = "audit.example/w1") -> Signer:
    return Signer(name, new_key(), WITNESS_KEY)


def _root(leaves: Sequence[bytes]) -> bytes:
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    return frontier.root()
