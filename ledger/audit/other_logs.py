"""Other logs (另外的公开日志) in the folder of published logs than the one ``log_head`` names.

Who can write to the database can make it forget that it was ever signed, or name another log.
What was signed before binds it all the same: a log of this database must be a beginning of its
rows, and none but the one that is named may have its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ledger.audit.checks import Row
from ledger.audit.findings import Finding, Unreadable, found
from ledger.store.log_head import LogHead
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import Frontier, leaf_hash
from ledger.transparency.notes import Note, NoteInvalid, VerifierKey
from ledger.transparency.signing import verify
from ledger.transparency.tiles import CHECKPOINT, WIDTH, LogFolder, TileDamaged


class OtherLog(NamedTuple):
    """A log that was published: its folder, and what its checkpoint says."""

    name: str
    says: Checkpoint
    ours: bool
    """Whether a key known here signed it."""
    first: bytes | None
    """The leaf hash of its first entry; None where that cannot be read."""


def other_logs(folder: Path, keys: Sequence[VerifierKey]) -> list[OtherLog]:
    """Every log in the folder that was signed; ``keys`` are ours, whatever their name."""
    logs = []
    for path in sorted(folder.glob(f"*/{CHECKPOINT}")):
        with suppress(NoteInvalid, OSError):  # What says nothing contradicts nothing.
            logs.append(_read(path, keys))
    return [one for one in logs if one.says.size]


def _read(path: Path, keys: Sequence[VerifierKey]) -> OtherLog:
    note, log = Note.parse(path.read_bytes()), LogFolder(path.parent)
    says = Checkpoint.parse(note.text)
    ours, first = False, None
    with suppress(NoteInvalid):  # Its first entry may be ours all the same.
        ours = bool(note.signed_by([one._replace(name=says.origin) for one in keys], verify))
    with suppress(TileDamaged, StopIteration):
        first = leaf_hash(next(log.entries(0, min(says.size, WIDTH))))
    return OtherLog(path.parent.name, says, ours, first)


class OtherLogs:
    """Holds logs against the rows while these go by; ``findings`` are complete when they have.

    Not the log of the ``head``, which is to be read behind the ``logs``. A log is this database's
    if our key signed it, or if it begins with the same entry: whoever changed the database may
    have taken the key away, or have put another in its place.
    """

    def __init__(self, logs: Sequence[OtherLog], head: LogHead | None) -> None:
        self.findings: list[Finding] = []
        self._head = head
        self._logs = [one for one in logs if head is None or one.name != head.log_id]
        self._own = {one for one in self._logs if one.ours}
        self._given: set[OtherLog] = set()
        self._frontier, self._last = Frontier(), 0

    def beside(self, rows: Iterable[Row | Unreadable]) -> Iterator[Row | Unreadable]:
        """The same rows, unchanged."""
        for row in rows:
            if self._logs:
                self._see(row)
            yield row
        for one in sorted(self._own, key=lambda one: (one.says.size, one.name)):
            self._judge(one)

    def _see(self, row: Row | Unreadable) -> None:
        self._last = row.position
        if isinstance(row, Unreadable):
            return
        if row.position == 1:
            self._own |= {one for one in self._logs if one.first == row.leaf_hash}
        self._frontier.add(row.leaf_hash)  # Behind a gap it gives no root that was signed.
        for one in self._own:
            if one.says.size == self._frontier.size and one.says.root == self._frontier.root():
                self._given.add(one)

    def _judge(self, one: OtherLog) -> None:
        size, head = one.says.size, self._head
        told = f"{one.name}/{CHECKPOINT}: {one.says.origin} {size}"
        if head is None:
            self.findings.append(found("HEAD", size, f"{told}; log_head: -"))
        elif head.origin == one.says.origin:
            self.findings.append(found("HEAD", size, f"{told}; log_head: {head.log_id}"))
        if one not in self._given:
            self.findings.append(found("FORK", min(size, self._last + 1), told))
