"""Writing tiles (写瓦片): what new entries add to the files of the published log."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ledger.transparency.errors import FolderBusy
from ledger.transparency.merkle import frontier_at, leaf_hash, node_hash
from ledger.transparency.tiles import (
    DRAFT,
    ENTRIES,
    HEIGHT,
    WIDTH,
    LogFolder,
    TileDamaged,
    bundle,
    split_hashes,
    tile_path,
    unbundle,
    width_at,
)

LOCK = ".lock"
# Complete tiles whose partial ones a notary may have been killed before removing.
TIDIED = 64


@contextmanager
def alone(folder: LogFolder) -> Iterator[None]:
    """Nobody else writes into the folder meanwhile; raises FolderBusy if somebody does.

    The lock ends with its process, so a notary that was killed leaves none.
    """
    folder.write_all({})  # Makes the folder, durably.
    with open(folder.path / LOCK, "ab", opener=_for_its_owner) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderBusy from None
        yield


def _for_its_owner(path: str, flags: int) -> int:
    """Whoever may open the lock could take it and keep it."""
    return os.open(path, flags, 0o600)


class TileWriter:
    """Extends the files; what is written twice is the same bytes, so a cut off run is run again."""

    def __init__(self, folder: LogFolder) -> None:
        self._folder = folder
        self._completed: set[tuple[int, int]] = set()

    def extend(self, start: int, entries: Sequence[bytes], leaves: Sequence[bytes]) -> None:
        """Write the bundles and tiles that ``entries`` from index ``start`` on belong to.

        The files of the first ``start`` entries must be there; raises TileDamaged.
        """
        first, kept = start // WIDTH, start % WIDTH
        whole = [*unbundle(self._folder.read(ENTRIES, first, kept))] if kept else []
        whole += entries
        files = {}
        for n, at in enumerate(range(0, len(whole), WIDTH), first):
            part = whole[at : at + WIDTH]
            files[tile_path(ENTRIES, n, len(part))] = bundle(part)
        level, new = 0, list(leaves)
        while new:
            start, new = self._extend_level(files, level, start, new)
            level += 1
        self._folder.write_all(files)

    def _extend_level(
        self, files: dict[str, bytes], level: int, start: int, new: list[bytes]
    ) -> tuple[int, list[bytes]]:
        """Add a level's tiles to ``files``; what this adds to the level above, and where."""
        first, kept, full = start // WIDTH, start % WIDTH, []
        hashes = split_hashes(self._folder.read(level, first, kept)) if kept else []
        hashes += new
        for n, at in enumerate(range(0, len(hashes), WIDTH), first):
            part = hashes[at : at + WIDTH]
            files[tile_path(level, n, len(part))] = b"".join(part)
            if len(part) == WIDTH:
                full.append(_root(part))
                self._completed.add((level, n))
        return first, full

    def prune(self, published: int) -> None:
        """Remove the partial tiles of those that are complete in a published tree of this size.

        Others stay: of what was only written, a smaller tree may still be what is published.
        """
        done = {one for one in self._completed if width_at(*one, published) == WIDTH}
        for level, n in done:
            names = [tile_path(level, n)] + [tile_path(ENTRIES, n)] * (level == 0)
            for whole in (self._folder.path / name for name in names):
                if whole.exists():
                    shutil.rmtree(f"{whole}.p", ignore_errors=True)
        self._completed -= done

    def tidy(self, size: int, published: int) -> None:
        """Remove what a killed notary left: drafts, and partial tiles beside complete ones.

        What it completed up to ``size`` is pruned as soon as that is published.
        """
        for draft in self._folder.path.glob(f"{DRAFT}*"):
            draft.unlink(missing_ok=True)
        level = 0
        while complete := size >> HEIGHT * (level + 1):
            self._completed |= {(level, n) for n in range(max(0, complete - TIDIED), complete)}
            level += 1
        self.prune(published)


def check_written(folder: LogFolder, start: int, size: int, root: bytes) -> None:
    """Raises TileDamaged unless the files of the leaves from ``start`` on are those of one tree.

    Entries are compared with their hashes, tiles with those above, and the right edge with the
    root of ``size`` leaves.
    """
    for n in range(start // WIDTH, -(-size // WIDTH)):
        width = width_at(0, n, size)
        found = unbundle(folder.read(ENTRIES, n, width))
        if b"".join(map(leaf_hash, found)) != folder.read(0, n, width):
            raise TileDamaged(f"{tile_path(ENTRIES, n, width)}: not what its hashes say")
    level = 0
    while complete := size >> HEIGHT * (level + 1):
        for n in range(start >> HEIGHT * (level + 1), complete):
            above, at = divmod(n, WIDTH)
            row = folder.read(level + 1, above, width_at(level + 1, above, size))
            if _root(split_hashes(folder.read(level, n, WIDTH))) != split_hashes(row)[at]:
                raise TileDamaged(f"{tile_path(level, n)}: not what is above it")
        level += 1
    if frontier_at(folder.tree(size), size).root() != root:
        raise TileDamaged(f"the tiles of {size} entries have another root")


def _root(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]
