"""A witness (见证人): cosigns a log's checkpoint only if it adds to the one it cosigned before.

The protocol of c2sp.org/tlog-witness without its HTTP. Whoever holds a cosigned checkpoint knows
that the log showed the witness no other history; so a witness never cosigns two roots of one size,
and what it cosigned is on its disk before the cosignature leaves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ledger.transparency.checkpoints import SIZE_MAX, Checkpoint
from ledger.transparency.merkle import EMPTY_ROOT, ProofInvalid, check_consistency
from ledger.transparency.notes import Note, NoteInvalid, VerifierKey, strict_base64
from ledger.transparency.signing import Signer, verify
from ledger.transparency.witness_state import Tree, WitnessState

PROOF_HASHES_MAX = 63
TEXT, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"
OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
SIGNED, KEPT = "signed", "kept"


class Answer(NamedTuple):
    """What is answered to a request; ``contradicts`` if another history may have been shown."""

    status: int
    content_type: str
    body: bytes
    contradicts: bool = False


class Request(NamedTuple):
    """A checkpoint to be cosigned, with the proof that leads to it from the tree of ``old``."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    head: Checkpoint

    @classmethod
    def parse(cls, body: bytes) -> Request:
        """Raises NoteInvalid unless it is an old line, hashes, an empty line and a checkpoint."""
        top, blank, checkpoint = body.partition(b"\n\n")
        try:
            first, *hashes = top.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise NoteInvalid("the proof is not ASCII") from None
        found = OLD.fullmatch(first)
        if not blank or found is None or int(found[1]) > SIZE_MAX:
            raise NoteInvalid("the first line is not “old” and a size, or no empty line follows")
        if len(hashes) > PROOF_HASHES_MAX:
            raise NoteInvalid(f"more than {PROOF_HASHES_MAX} hashes")
        proof = tuple(map(strict_base64, hashes))
        note = Note.parse(checkpoint)
        head = Checkpoint.parse(note.text)
        if any(len(one) != len(EMPTY_ROOT) for one in (*proof, head.root)):
            raise NoteInvalid("a hash is not of 32 bytes")
        return cls(int(found[1]), proof, note, head)


class Witness:
    """Cosigns for the logs whose keys it was given; a log may have several keys of one name.

    ``passed`` is told what was done, for tests that stop it there.
    """

    def __init__(
        self,
        state: WitnessState,
        signer: Signer,
        logs: Iterable[VerifierKey],
        passed: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._state, self._signer, self._passed = state, signer, passed
        self._keys: dict[str, list[VerifierKey]] = {}
        for key in logs:
            self._keys.setdefault(key.name, []).append(key)

    def add_checkpoint(self, body: bytes, now: int) -> Answer:
        """The answer to ``POST …/add-checkpoint``; ``now`` in seconds since 1970.

        400 unreadable, 404 not a log of ours, 403 not signed by it, 409 with the size to prove
        from, 422 the proof does not lead there, 200 with the cosignature.
        """
        try:
            request = Request.parse(body)
        except NoteInvalid as error:
            return _refused(400, str(error))
        keys = self._keys.get(request.head.origin)
        if keys is None:
            return _refused(404, "the log is not one of those witnessed here")
        try:
            signed = request.note.signed_by(keys, verify)
        except NoteInvalid:
            signed = []
        if not signed:
            return _refused(403, "no key of the log signed the checkpoint")
        if request.old > request.head.size:
            return _refused(400, "the old size is beyond the checkpoint")
        self._passed(SIGNED)
        return self._grown(request) or self._cosigned(request.note, now)

    def _grown(self, request: Request) -> Answer | None:
        """None, and the tree is kept, if it adds to the one kept before; else the refusal."""
        origin, tree = request.head.origin, Tree(request.head.size, request.head.root)
        kept = self._state.cosigned(origin)
        if request.old != kept.size:
            return _conflict(kept.size)
        if not _adds_to(kept, tree, request.proof):
            return _refused(422, "the proof does not lead to this checkpoint", contradicts=True)
        if not self._state.move(origin, kept, tree):
            return _conflict(self._state.cosigned(origin).size)
        self._passed(KEPT)
        return None

    def _cosigned(self, note: Note, now: int) -> Answer:
        return Answer(200, TEXT, str(self._signer.cosign(note.text, now)).encode())


def _adds_to(kept: Tree, tree: Tree, proof: tuple[bytes, ...]) -> bool:
    """Whether the tree is shown to add to the one kept; to the empty one every tree adds."""
    if not kept.size:
        return not proof and (tree.size > 0 or tree.root == EMPTY_ROOT)
    try:
        check_consistency(proof, kept.size, tree.size, kept.root, tree.root)
    except ProofInvalid:
        return False
    return True


def _refused(status: int, why: str, *, contradicts: bool = False) -> Answer:
    return Answer(status, TEXT, f"{why}\n".encode(), contradicts)


def _conflict(size: int) -> Answer:
    return Answer(409, SIZE, b"%d\n" % size)
