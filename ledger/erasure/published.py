"""What the published log (公开日志) says and a database that was restored has forgotten.

Whoever can write into its folder must not thereby destroy anybody's key: it is believed as far as
the log's own key signed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Protocol

from ledger.erasure.erasures import ErasureFenced
from ledger.errors import LedgerError
from ledger.facts import decode
from ledger.store.leaf import parse_entry
from ledger.store.mapper import RecordedFact
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import Frontier, frontier_at, leaf_hash
from ledger.transparency.notes import Note, NoteInvalid, VerifierKey
from ledger.transparency.signing import verify
from ledger.transparency.tiles import LogFolder, TileDamaged

KeysOf = Callable[[str], Sequence[VerifierKey]]
"""The origin of a log to the keys that may have signed it."""
Fenced = tuple[int, ErasureFenced]
"""A fence with the position of its fact."""


class PublishedUnreadable(LedgerError):
    """It reaches further than this log and may hold erasures; nothing is served without them."""

    code = "published_log_unreadable"
    zh = "公开日志比数据库长，但无法读取或不可信（{problem}）；请先修复该文件夹，再启动。"
    en = (
        "The published log goes on behind this one and cannot be read or believed ({problem});"
        " mend it first."
    )


class Rows(Protocol):
    """What is asked of the log."""

    def head(self) -> int: ...
    def rows(self, after: int = 0, limit: int = ...) -> Sequence[RecordedFact]: ...


def unheld(log: Rows, folders: Iterable[LogFolder], keys_of: KeysOf) -> list[Fenced]:
    """Fences of this log as it was published that it does not hold, since it was restored.

    Those behind its end; or, where it went on differently since, all there are. Of folders that
    begin with another entry nothing. Raises PublishedUnreadable.
    """
    first, found = log.rows(0, 1), list[Fenced]()
    for folder in folders:
        # Before the head: what is published is in the log already, so an honest one has it all.
        size, head = published_size(folder), log.head()
        if not first or not size:
            continue
        try:
            if not _holds(folder, first[0], size):
                continue
            (last,) = log.rows(min(size, head) - 1, 1)
            start = head if _holds(folder, last, size) else 0
            if start < size:
                found += _fences(folder, start, keys_of)
        except (TileDamaged, NoteInvalid, ValueError) as error:
            if size > head:  # Else it has nothing new, and its damage is for the notary to tell.
                raise PublishedUnreadable(problem=str(error)) from error
    return found


def published_size(folder: LogFolder) -> int:
    """How many entries the published checkpoint covers; 0 without one that can be read."""
    with suppress(NoteInvalid):
        return Checkpoint.parse(Note.parse(folder.checkpoint() or b"").text).size
    return 0


def _fences(folder: LogFolder, start: int, keys_of: KeysOf) -> list[Fenced]:
    """The fences behind the first ``start`` entries; raises NoteInvalid or TileDamaged unless
    these are what was signed.
    """
    signed = _signed(folder, keys_of)
    frontier = frontier_at(folder.tree(signed.size), start) if start else Frontier()
    found = list(_fences_of(folder.entries(start, signed.size), frontier))
    if frontier.root() != signed.root:
        raise TileDamaged("its entries are not those that were signed")
    return found


def _signed(folder: LogFolder, keys_of: KeysOf) -> Checkpoint:
    note = Note.parse(folder.checkpoint() or b"")
    found = Checkpoint.parse(note.text)
    keys = [one for one in keys_of(found.origin) if one.name == found.origin]
    if not note.signed_by(keys, verify):
        raise NoteInvalid(
            "no key known here signed it: see GWC_LOG_KEY, or the log line of GWC_TRUST_POLICY"
        )
    return found


def _fences_of(entries: Iterable[bytes], frontier: Frontier) -> Iterator[Fenced]:
    for entry in entries:
        frontier.add(leaf_hash(entry))
        row = parse_entry(entry)
        if row.topic == ErasureFenced.topic:
            fact = decode(row.topic, row.state)
            assert isinstance(fact, ErasureFenced)
            yield row.position, fact


def _holds(folder: LogFolder, row: RecordedFact, size: int) -> bool:
    """Whether the folder of so many entries holds this very row; raises TileDamaged."""
    # Partial files are there for published sizes alone.
    entry = next(folder.entries(row.position - 1, size))
    return leaf_hash(entry) == row.leaf_hash
