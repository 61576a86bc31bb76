"""Tiles (瓦片): the published log as static files, c2sp.org/tlog-tiles.

``checkpoint`` is the signed head; ``tile/<level>/<n>`` holds 256 hashes, ``tile/entries/<n>`` 256
entries; the last of each is partial, ``.p/<width>``. Whatever was published never changes.
Standard library only.
"""

from __future__ import annotations

import os
import re
import secrets
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ledger.transparency.merkle import Subtree, node_hash

WIDTH, HEIGHT, HASH_BYTES = 256, 8, 32
CHECKPOINT = "checkpoint"
SHOWN = ".shown"  # What the witnesses were shown last, published or not; the notary's own.
TRUST_POLICY = "trust-policy"
TILES_CACHED = 64
DRAFT = ".draft-"
ENTRIES = "entries"

# Levels from 0 to 63, groups of three digits, widths from 1 to 255; no other spelling of any.
TILE_PATH = re.compile(
    r"tile/(?P<level>entries|[1-5]?[0-9]|6[0-3])/(?P<n>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
)
_length = struct.Struct(">H")


class TileDamaged(Exception):
    """A file of the published log is missing or is not as it must be; the message names it."""


def tile_path(level: int | str, n: int, width: int = WIDTH) -> str:
    """Where the ``n``-th tile of a level (or of ``entries``) is, below the log's address."""
    digits = f"{n:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    name = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{name}" + (f".p/{width}" if width < WIDTH else "")


def parse_tile_path(path: str) -> tuple[int | str, int, int] | None:
    """The level (or ``entries``), number and width a path names; None if it is no tile's."""
    found = TILE_PATH.fullmatch(path)
    if found is None:
        return None
    level, n = found["level"], int(found["n"].replace("x", "").replace("/", ""))
    width = int(found["width"] or WIDTH)
    if tile_path(level, n, width) != path:  # such as leading groups of zeros
        return None
    return level if level == ENTRIES else int(level), n, width


def width_at(level: int, n: int, size: int) -> int:
    """How many hashes the ``n``-th tile of a level has in a tree of this size; 0 without it."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - n * WIDTH))


def tiles_at(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, number and width of every tile of a tree, leaves first."""
    level = 0
    while count := size >> HEIGHT * level:
        for n in range(-(-count // WIDTH)):
            yield level, n, min(WIDTH, count - n * WIDTH)
        level += 1


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entries as a bundle: each behind its length in two bytes."""
    return b"".join(_length.pack(len(entry)) + entry for entry in entries)


def unbundle(content: bytes, name: str = "") -> Iterator[bytes]:
    """The entries of a bundle; raises TileDamaged where it does not end between two."""
    at = 0
    while at < len(content):
        start = at + _length.size
        end = start + int.from_bytes(content[at:start], "big")
        if start > len(content) or end > len(content):
            raise TileDamaged(f"{name}: an entry is cut off")
        yield content[start:end]
        at = end


def split_hashes(content: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]


class LogFolder:
    """The files of one published log."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def checkpoint(self, name: str = CHECKPOINT) -> bytes | None:
        """The published checkpoint, a signed note; None before the first."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def read(self, level: int | str, n: int, width: int) -> bytes:
        """The first ``width`` hashes or entries of a tile, from its own file or a wider one.

        Raises TileDamaged.
        """
        names = [tile_path(level, n, width)]
        names += [tile_path(level, n)] if width < WIDTH else []
        for name in names:
            try:
                return self._cut(name, (self.path / name).read_bytes(), level, width)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise TileDamaged(f"{name}: {error.strerror}") from None
        raise TileDamaged(f"{names[0]}: missing")

    @staticmethod
    def _cut(name: str, content: bytes, level: int | str, width: int) -> bytes:
        if level == ENTRIES:
            entries = list(unbundle(content, name))
            if len(entries) < width:
                raise TileDamaged(f"{name}: {len(entries)} entries, not {width}")
            return content if len(entries) == width else bundle(entries[:width])
        if len(content) < width * HASH_BYTES or len(content) % HASH_BYTES:
            raise TileDamaged(f"{name}: {len(content)} bytes, not {width * HASH_BYTES}")
        return content[: width * HASH_BYTES]

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """The entries with index ``start`` to ``stop`` (exclusive), of a log of ``stop`` or more.

        Raises TileDamaged.
        """
        for n in range(start // WIDTH, -(-stop // WIDTH)):
            width = min(WIDTH, stop - n * WIDTH)
            found = unbundle(self.read(ENTRIES, n, width), tile_path(ENTRIES, n, width))
            for index, entry in enumerate(found, n * WIDTH):
                if index >= start:
                    yield entry

    def last_leaf(self, size: int) -> bytes:
        """The hash of the last of ``size`` leaves; raises TileDamaged."""
        n = (size - 1) // WIDTH
        return self.read(0, n, width_at(0, n, size))[-HASH_BYTES:]

    def tree(self, size: int) -> Subtree:
        """Hashes of the complete subtrees of the tree of the first ``size`` leaves."""

        @lru_cache(maxsize=TILES_CACHED)
        def tile(level: int, n: int) -> bytes:
            return self.read(level, n, width_at(level, n, size))

        def subtree(level: int, index: int) -> bytes:
            row, below = divmod(level, HEIGHT)
            first = index << below
            content, at = tile(row, first // WIDTH), first % WIDTH
            hashes = split_hashes(content)[at : at + (1 << below)]
            while len(hashes) > 1:
                hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
            return hashes[0]

        return subtree

    def write(self, name: str, content: bytes) -> None:
        """Write one file, as ``write_all`` does."""
        self.write_all({name: content})

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Write files durably; each gets its name only when it is complete on the disk.

        A name is there only when its folder is on the disk as well; each folder is synced once.
        """
        touched = set() if self.path.is_dir() else _made(self.path)
        for name, content in files.items():
            target = self.path / name
            touched |= _made(target.parent)
            draft = self.path / f"{DRAFT}{secrets.token_hex(8)}"
            try:
                with open(draft, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)  # A full disk is not filled with what did not fit.
        for folder in touched:
            _sync(folder)


def _made(folder: Path) -> set[Path]:
    """The folder, and those in which it had to be made."""
    touched, parent = {folder}, folder
    while not parent.is_dir():
        parent = parent.parent
        touched.add(parent)
    folder.mkdir(parents=True, exist_ok=True)
    return touched


def _sync(folder: Path) -> None:
    """A new name is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
