"""The notary (公证程序): follows the log, publishes it as tiles, and signs how far it goes.

It runs outside the web workers and alone holds the key. Each step is a function of the stored
rows, so it can be killed anywhere and begun again; ``STEPS`` names them in their order. Two rules
cannot be broken: a row whose hash is not its leaf hash is never signed, and the head is moved in
the database before a signature leaves, so that two notaries never sign two trees of one size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from ledger.log import Log
from ledger.store.log_head import LogHead
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.comparing import compared_rows
from ledger.transparency.errors import (
    CheckpointAhead,
    HeadDamaged,
    HeadMoved,
    KeyDiffers,
    LogDamaged,
    LogForked,
    LogShorter,
    OtherLog,
    QuorumMissing,
)
from ledger.transparency.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofInvalid,
    Subtree,
    check_consistency,
    consistency_proof,
    frontier_at,
)
from ledger.transparency.notes import Note, NoteInvalid, Signature
from ledger.transparency.signing import Signer, verify
from ledger.transparency.tiles import CHECKPOINT, SHOWN, LogFolder, TileDamaged
from ledger.transparency.writing import TileWriter, alone, check_written

BATCH = 8_192
STEPS = (
    "read", "compared", "written", "read back", "consistent", "swapped", "signed", "cosigned",
    "published",
)  # fmt: skip
Passed = Callable[[str], None]


class Cosigners(Protocol):
    """The witnesses a checkpoint is shown to before it is published."""

    def collect(self, note: Note, size: int, tree: Subtree) -> Sequence[Signature]:
        """Their cosignatures; raises CheckpointAhead if one has seen a larger tree of this log."""

    def enough(self, note: Note) -> bool:
        """Whether the note, as it is now, may be published."""

    def missing(self) -> str:
        """Who did not cosign the last time, and why."""


class Notary:
    """Publishes one log into one folder.

    ``passed`` is told of every step that was taken, for tests that kill it there.
    """

    def __init__(
        self,
        log: Log,
        folder: LogFolder,
        signer: Signer,
        cosigners: Cosigners | None = None,
        passed: Passed = lambda _: None,
    ) -> None:
        self._log, self._store, self._folder = log, log.store, folder
        self._signer, self._cosigners, self._passed = signer, cosigners, passed
        self._writer = TileWriter(folder)
        self._frontier: Frontier | None = None
        self._doubted = False  # Whether a file was found damaged, so that all are made anew.
        self._shown = cosigners is None  # Whether the witnesses know how far it was signed.

    def step(self) -> int:
        """Publish what is new, a batch at most; the size of the published tree.

        Raises NotarisationRefused (of ``ledger.transparency.errors``) with what is wrong; then
        nothing is signed, and trying again later is safe. HeadMoved and FolderBusy mean that
        another notary is at work, QuorumMissing that too few witnesses cosigned what is signed.
        """
        with alone(self._folder):
            try:
                return self._step()
            except TileDamaged as error:
                self._doubted = True
                raise LogDamaged(problem=str(error)) from None

    def _step(self) -> int:
        noted = {name: self._noted(name) for name in (CHECKPOINT, SHOWN)}
        # Behind the checkpoint: the head moves first, so what is read later is not behind it.
        head = self._head()
        for name, one in noted.items():
            _check_not_behind(name, one, head)
        published = noted[CHECKPOINT].size
        # What was shown to a witness and never published binds as much.
        signed = max(noted.values(), key=lambda one: one.size)
        last: int = self._log.head()
        if last < head.size:
            raise LogShorter(signed=head.size, log=last)
        self._frontier = self._frontier_of(head, signed, published)
        if not self._shown:
            published = self._show(head, signed)
        if last > head.size:
            head = self._extended(head, signed, min(last, head.size + BATCH))
        elif published < head.size:
            self._check_leads_on(signed, head.size, head.root)
        if published < head.size:
            self._publish(head)
        return head.size

    def _show(self, head: LogHead, signed: Checkpoint) -> int:
        """Have the head as it is witnessed before it moves on; how much is published then.

        It was signed before, so nothing new is; of an older backup the witnesses say so now.
        """
        self._check_leads_on(signed, head.size, head.root)
        if head.size:
            self._publish(head)
        else:
            self._witnessed(head)
        self._shown = True
        return head.size

    def _head(self) -> LogHead:
        head: LogHead | None = self._store.select_log_head()
        if head is None:
            raise HeadDamaged(problem="no row")
        if head.origin != self._signer.verifier.name:
            raise HeadDamaged(problem=f"origin {head.origin!r}")
        return head

    def _noted(self, name: str) -> Checkpoint:
        """A checkpoint in the folder, which must be of this log and by our key; before there is
        one, that of the empty tree.
        """
        content = self._folder.checkpoint(name)
        if content is None:
            return Checkpoint(self._signer.verifier.name, 0, EMPTY_ROOT)
        try:
            note = Note.parse(content)
            found = Checkpoint.parse(note.text)
            ours = note.signed_by([self._signer.verifier], verify)
        except NoteInvalid as error:
            raise LogDamaged(problem=f"{name}: {error}") from None
        if found.origin != self._signer.verifier.name:
            raise OtherLog(found=found.origin, origin=self._signer.verifier.name)
        if not ours:
            raise KeyDiffers
        return found

    def _extended(self, head: LogHead, signed: Checkpoint, size: int) -> LogHead:
        """The head behind ``size`` entries, durably swapped in; their tiles are on the disk."""
        assert self._frontier is not None
        frontier, again = Frontier(head.size, self._frontier.hashes), min(head.size, 1)
        entries, leaves = compared_rows(
            self._log, head.size - again, size, read=lambda: self._passed("read")
        )
        # The last that was signed is read once more: a tail that was replaced is found at once.
        if again and leaves[0] != self._folder.last_leaf(head.size):
            raise TileDamaged(f"entry {head.size} is not the one that was published")
        self._passed("compared")
        self._grow(frontier, entries[again:], leaves[again:])
        self._passed("written")
        check_written(self._folder, head.size, size, frontier.root())
        self._passed("read back")
        self._check_leads_on(signed, size, frontier.root())
        self._passed("consistent")
        if not self._store.swap_log_head(head, size, frontier.root()):
            raise HeadMoved
        self._passed("swapped")
        self._frontier = frontier
        return head._replace(size=size, root=frontier.root())

    def _grow(
        self, frontier: Frontier, entries: list[bytes], leaves: list[bytes], *, write: bool = True
    ) -> None:
        start = frontier.size
        for leaf in leaves:
            frontier.add(leaf)
        if write:
            self._writer.extend(start, entries, leaves)

    def _frontier_of(self, head: LogHead, signed: Checkpoint, published: int) -> Frontier:
        """The right edge of the signed tree, whose files are all there.

        They lack something if they were lost or damaged, or if another notary, with another
        folder, went further: what they lack is made anew from the rows.
        """
        known = self._frontier
        if not self._doubted:
            if known is not None and (known.size, known.root()) == (head.size, head.root):
                return known
            self._writer.tidy(head.size, published)
            if (found := self._in_files(head.size, head.root)) is not None:
                return found
            if signed.size and (found := self._in_files(signed.size, signed.root)) is not None:
                return self._from_rows(found, head, signed)
        found = self._from_rows(Frontier(), head, signed)
        self._doubted = False
        return found

    def _in_files(self, size: int, root: bytes) -> Frontier | None:
        """The right edge as the files have it, if it has this root and can be extended."""
        with suppress(TileDamaged):
            found = frontier_at(self._folder.tree(size), size)
            check_written(self._folder, max(size - 1, 0), size, root)
            return found
        return None

    def _from_rows(self, known: Frontier, head: LogHead, signed: Checkpoint) -> Frontier:
        """Write the files behind ``known`` from the rows, which must give the signed roots.

        They are read twice: what was published is not overwritten with other entries.
        """
        for write in (False, True):
            frontier = Frontier(known.size, known.hashes)
            while frontier.size < head.size:
                end = signed.size if frontier.size < signed.size else head.size
                stop = min(frontier.size + BATCH, end)
                self._grow(frontier, *compared_rows(self._log, frontier.size, stop), write=write)
                if frontier.size == signed.size and frontier.root() != signed.root:
                    raise LogForked(size=signed.size)
            if frontier.root() != head.root:
                raise LogForked(size=head.size)
        check_written(self._folder, known.size, head.size, head.root)
        return frontier

    def _check_leads_on(self, signed: Checkpoint, size: int, root: bytes) -> None:
        """The tree only adds to the one that was signed before."""
        if not signed.size:
            return
        proof = consistency_proof(self._folder.tree(size), signed.size, size)
        try:
            check_consistency(proof, signed.size, size, signed.root, root)
        except ProofInvalid as error:
            raise TileDamaged(f"behind {CHECKPOINT} {signed.size}: {error}") from None

    def _publish(self, head: LogHead) -> None:
        """Sign the head, have it witnessed and publish it; raises QuorumMissing."""
        note = self._witnessed(head)
        self._folder.write(CHECKPOINT, bytes(note))
        self._passed("published")
        self._writer.prune(head.size)

    def _witnessed(self, head: LogHead) -> Note:
        """The head, signed and cosigned; raises QuorumMissing."""
        text = str(Checkpoint(head.origin, head.size, head.root))
        note = Note(text, (self._signer.sign(text),))
        self._passed("signed")
        if self._cosigners is not None:
            self._folder.write(SHOWN, bytes(note))
            note = Note(text, (*note.signatures, *self._cosigned(self._cosigners, note, head)))
            if not self._cosigners.enough(note):
                raise QuorumMissing(who=self._cosigners.missing())
        self._passed("cosigned")
        return note

    def _cosigned(self, cosigners: Cosigners, note: Note, head: LogHead) -> Sequence[Signature]:
        try:
            return cosigners.collect(note, head.size, self._folder.tree(head.size))
        except CheckpointAhead:
            self._shown = False
            if self._store.select_log_head() != head:  # Another notary's, shown meanwhile.
                raise HeadMoved from None
            raise


def _check_not_behind(name: str, signed: Checkpoint, head: LogHead) -> None:
    if signed.size > head.size:
        raise CheckpointAhead(who=name, size=signed.size, head=head.size)
    if signed.size == head.size and signed.root != head.root:
        raise LogForked(size=signed.size)
