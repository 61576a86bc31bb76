"""Issuing receipts (出具回执): from the published files alone, so without the database as well."""

from __future__ import annotations

from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import inclusion_proof
from ledger.transparency.notes import Note
from ledger.transparency.receipts import LogProof
from ledger.transparency.tiles import WIDTH, LogFolder


def receipt(folder: LogFolder, position: int) -> LogProof | None:
    """The entry at a position with its proof in the newest checkpoint, checked before it leaves.

    None where nothing that was signed reaches so far. Raises TileDamaged, NoteInvalid or
    ProofInvalid where the files are not as they must be.
    """
    content, leaf = folder.checkpoint(), position - 1
    if content is None:
        return None
    size = Checkpoint.parse(Note.parse(content).text).size
    if not 0 <= leaf < size:
        return None
    entry = next(folder.entries(leaf, min(size, (leaf // WIDTH + 1) * WIDTH)))
    proof = inclusion_proof(folder.tree(size), leaf, size)
    issued = LogProof(leaf, tuple(proof), content, entry)
    issued.check(entry)
    return issued
