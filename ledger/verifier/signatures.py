"""The checkpoint of a bundle (检查点): whose signatures it bears, and those of older ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ledger.audit.findings import Finding, found
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.ed25519 import verify
from ledger.transparency.notes import Note, NoteInvalid
from ledger.transparency.trust import TrustPolicy


class Older(NamedTuple):
    """A checkpoint that somebody kept: the name of its file, and the signed note."""

    name: str
    content: bytes


def head_of(content: bytes, trust: TrustPolicy) -> tuple[Checkpoint | None, list[Finding]]:
    """What the bundle's checkpoint says, None if nothing, and why it is not to be believed."""
    try:
        note = Note.parse(content)
        head = Checkpoint.parse(note.text)
    except NoteInvalid as error:
        return None, [found("CHECKPOINT", 0, str(error))]
    problems = [] if trust.logs else ["the trust policy names no log"]
    problems += trust.problems(note, verify)
    return head, [found("CHECKPOINT", head.size, problem) for problem in problems]


def beginning(
    older: Older, head: Checkpoint, trust: TrustPolicy
) -> Iterator[Checkpoint | Finding]:
    """The older checkpoint, if the log's key signed it, and why it is none of this log's before."""
    try:
        note = Note.parse(older.content)
        then = Checkpoint.parse(note.text)
        signed = note.signed_by([one.key for one in trust.logs], verify)
    except NoteInvalid as error:
        yield found("CHECKPOINT", 0, f"{older.name}: {error}")
        return
    if not signed:
        yield found("CHECKPOINT", then.size, f"{older.name}: no log of the trust policy signed it")
    if then.origin != head.origin:
        yield found("FORK", then.size, f"{older.name}: {then.origin} ≠ {head.origin}")
    elif then.size > head.size:
        yield found("FORK", head.size + 1, f"{older.name}: {then.size} > {head.size} entries")
    else:
        yield then
