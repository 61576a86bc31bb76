"""The entries of a bundle (历史记录): each held against its leaf hash, and given as a row.

Leaf hashes are those of the tiles of level 0. Where an entry and its hash differ, the tree is gone
on with from the entry: if the root is right all the same, it is the tile that was changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ledger.audit.findings import Unreadable, found
from ledger.store.leaf import ENTRY_BYTES_MAX, entry_bytes, parse_entry
from ledger.transparency.merkle import leaf_hash
from ledger.transparency.tiles import (
    ENTRIES,
    HASH_BYTES,
    WIDTH,
    TileDamaged,
    split_hashes,
    tile_path,
    unbundle,
)
from ledger.verifier.folder import Folder, Missing, Unfit
from ledger.verifier.tree import Tell, Tree

BUNDLE_BYTES_MAX = WIDTH * (2 + ENTRY_BYTES_MAX)
# So many bundles in a row that cannot be opened: whatever the checkpoint says, there are no more.
MISSING_MAX = 8


class BundleRow(NamedTuple):
    """An entry as a row of the log."""

    position: int
    originator_id: str
    originator_version: int
    topic: str
    recorded_at: int
    state: bytes
    leaf_hash: bytes


class Entries:
    """The entries of a log of ``size``, put into the tree as they are read.

    ``whole`` says whether the tree could be made: not where both an entry and its hash are gone.
    """

    def __init__(self, folder: Folder, size: int, tree: Tree, tell: Tell) -> None:
        self._folder, self._size, self._tree, self._tell = folder, size, tree, tell
        self.whole = True

    def __iter__(self) -> Iterator[BundleRow | Unreadable]:
        missing = 0
        for number in range(-(-self._size // WIDTH)):
            width = min(WIDTH, self._size - number * WIDTH)
            hashes = self._hashes(number, width)
            try:
                bundle = self._bundle(number, width)
            except Unfit as problem:
                first, last = number * WIDTH + 1, number * WIDTH + width
                self._tell(found("BUNDLE", first, str(problem)))
                self._put(hashes)
                yield Unreadable(last, f"{first}–{last}")
                missing = missing + 1 if isinstance(problem, Missing) else 0
                if missing == MISSING_MAX:
                    self._tell(found("BUNDLE", last + 1, "nothing more is there"))
                    self.whole = False
                    return
                continue
            missing = 0
            for at, entry in enumerate(bundle):
                yield self._row(number * WIDTH + at + 1, entry, hashes[at] if hashes else None)

    def _row(self, position: int, entry: bytes, stored: bytes | None) -> BundleRow | Unreadable:
        leaf = leaf_hash(entry)
        differs = stored is not None and leaf != stored
        if differs:
            self._tell(found("LEAF_HASH", position, f"{leaf.hex()}"))
        if self.whole:
            self._tree.add(leaf, faulty=differs)
        try:
            row = parse_entry(entry)
        except ValueError as error:
            return Unreadable(position, str(error))
        if row.position != position:
            self._tell(found("POSITION", position, f"{position} → {row.position}"))
            row = row._replace(position=position)  # Gone on with from where it stands.
            leaf = leaf_hash(entry_bytes(row))
        return BundleRow(*row, leaf)

    def _put(self, hashes: list[bytes]) -> None:
        self.whole = self.whole and bool(hashes)
        for leaf in hashes if self.whole else ():
            self._tree.add(leaf, faulty=False)

    def _hashes(self, number: int, width: int) -> list[bytes]:
        """The leaf hashes of a tile; none where it cannot be used, which is told."""
        name = tile_path(0, number, width)
        try:
            content = self._folder.read(name, WIDTH * HASH_BYTES)
            if len(content) != width * HASH_BYTES:
                raise Unfit(f"{name}: {len(content)} bytes, not {width * HASH_BYTES}")
        except Unfit as problem:
            self._tell(found("BUNDLE", number * WIDTH + 1, str(problem)))
            return []
        return split_hashes(content)

    def _bundle(self, number: int, width: int) -> list[bytes]:
        name = tile_path(ENTRIES, number, width)
        content = self._folder.read(name, BUNDLE_BYTES_MAX)
        try:
            entries = list(unbundle(content, name))
        except TileDamaged as problem:
            raise Unfit(str(problem)) from None
        if len(entries) != width:
            raise Unfit(f"{name}: {len(entries)} entries, not {width}")
        return entries
