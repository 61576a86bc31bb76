"""The tree of a bundle (默克尔树): recomputed from the leaves, and compared with its tiles.

Of the tree only its right edge is in memory, and the last tile of each level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ledger.audit.findings import Finding, found
from ledger.transparency.merkle import Frontier
from ledger.transparency.tiles import (
    CHECKPOINT,
    HASH_BYTES,
    HEIGHT,
    WIDTH,
    split_hashes,
    tile_path,
)
from ledger.verifier.folder import Folder, Unfit

Tell = Callable[[Finding], None]
Roots = Mapping[int, Sequence[tuple[str, bytes]]]
"""Size of the tree to the files of checkpoints of that size, and the roots they have."""


class Level:
    """The last tile of one level: its hashes, and below which of them a fault was found."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self.hashes: list[bytes] = []
        self.faulty: list[bool] = []


class Tree:
    """The tree of the leaves so far, held against every checkpoint of its size.

    A fault below is told once, not again on every level.
    """

    def __init__(self, folder: Folder, roots: Roots, tell: Tell) -> None:
        self._folder, self._roots, self._tell = folder, roots, tell
        self._levels = [Level()]
        self.size = 0
        self._check_roots()

    def add(self, leaf: bytes, *, faulty: bool) -> None:
        """Append the next leaf; ``faulty`` where it was found not to be its tile's."""
        self.size += 1
        self._append(0, leaf, faulty)
        if self.size in self._roots:
            self._check_roots()

    def root(self) -> bytes:
        """The root of the leaves so far."""
        # Each level's complete subtrees are those of the whole tree that are as large.
        hashes = [one for level in reversed(self._levels) for one in level.frontier.hashes]
        return Frontier(self.size, hashes).root()

    def end(self) -> None:
        """There are no more leaves: compare the last tile of every level."""
        for number, level in enumerate(self._levels):
            if number and level.hashes:
                self._compare(number, level)

    def _check_roots(self) -> None:
        right = self.root()
        for name, root in self._roots.get(self.size, ()):
            if root != right:
                code = "ROOT" if name == CHECKPOINT else "FORK"
                self._tell(found(code, self.size, f"{name}: {root.hex()} ≠ {right.hex()}"))

    def _append(self, number: int, entry: bytes, faulty: bool) -> None:
        if number == len(self._levels):
            self._levels.append(Level())
        level = self._levels[number]
        level.frontier.add(entry)
        if number:  # Leaves are compared by whoever reads the entries.
            level.hashes.append(entry)
        level.faulty.append(faulty)
        if len(level.faulty) == WIDTH:
            if number:
                self._compare(number, level)
            self._levels[number] = Level()
            self._append(number + 1, level.frontier.root(), any(level.faulty))

    def _compare(self, number: int, level: Level) -> None:
        span = 1 << HEIGHT * number  # leaves below one hash of this level
        tile = (self.size // span - len(level.hashes)) // WIDTH
        first = tile * WIDTH * span + 1
        name = tile_path(number, tile, len(level.hashes))
        try:
            stored = split_hashes(self._folder.read(name, WIDTH * HASH_BYTES))
            if len(stored) != len(level.hashes):
                raise Unfit(f"{name}: {len(stored)} hashes, not {len(level.hashes)}")
        except Unfit as problem:
            self._tell(found("BUNDLE", first, str(problem)))
            return
        for at, (theirs, ours) in enumerate(zip(stored, level.hashes, strict=True)):
            if theirs != ours and not level.faulty[at]:
                start = first + at * span
                level.faulty[at] = True
                self._tell(found("TILE", start, f"{name}: {start}–{start + span - 1}"))
