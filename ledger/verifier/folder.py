"""A bundle's folder (审计包): files by their names in it, and nothing but them.

Whoever made it may want the verifier to read another file, to wait for ever, or to fill the
memory: links, which may also go round in circles, pipes and files that are too long are refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

SHOWN, BALANCES, BOARDS = "shown.json", "balances.csv", "boards.ndjson"
POLICIES = "policies"
NOTE_BYTES_MAX = 1_000_000
LINE_BYTES_MAX = 10_000


class Unfit(Exception):
    """A file of the bundle is missing or cannot be used; the message names it and says why."""


class Missing(Unfit):
    """There is no such file, or none that can be opened: of such names there may be any number."""


class Folder:
    """The files of one bundle."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()

    def read(self, name: str, limit: int) -> bytes:
        """All of a file of at most ``limit`` bytes; raises Unfit."""
        with self._open(name) as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise Unfit(f"{name}: more than {limit} bytes")
        return content

    def lines(self, name: str) -> Iterator[str]:
        """The lines of a text file, without their newlines; raises Unfit."""
        with self._open(name) as file:
            while line := file.readline(LINE_BYTES_MAX + 1):
                if not line.endswith(b"\n"):
                    raise Unfit(f"{name}: a line without an end, or of over {LINE_BYTES_MAX} bytes")
                try:
                    yield line[:-1].decode()
                except UnicodeDecodeError:
                    raise Unfit(f"{name}: not UTF-8") from None

    def names(self, folder: str) -> list[str]:
        """What lies in a folder of the bundle, in order; nothing where there is none."""
        try:
            return sorted(path.name for path in self._within(folder).iterdir())
        except (OSError, Unfit):
            return []

    def _open(self, name: str) -> BinaryIO:
        try:
            # Opening a pipe would wait for its other end.
            descriptor = os.open(self._within(name), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError:
            raise Missing(f"{name}: missing") from None
        except (OSError, ValueError) as error:
            raise Missing(f"{name}: {error}") from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Unfit(f"{name}: no file")
        return os.fdopen(descriptor, "rb")

    def _within(self, name: str) -> Path:
        path = self._path / name
        if path.resolve() != path:
            raise Missing(f"{name}: a link, or out of the bundle")
        return path
