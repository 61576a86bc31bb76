"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import BinaryIO

OUT = (
    "写入的文件，已有的会被替换，- 为标准输出"
    " / the file to write, replaced if it is there; - is stdout"
)


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """The file, which appears under its name only when it is complete; ``-`` is stdout.

    One that is there is replaced. A device or a pipe is written to, and a link is followed.
    Raises OSError.
    """
    if str(path) == "-" or _is_stdout(path):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()  # A full disk is a failure of the command, told by it.
    elif _is_replaceable(path):
        with _replaced(path.resolve()) as file:
            yield file
    else:
        with open(path, "wb") as file:
            yield file


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """A name beside the path for what is to become it, which nobody else uses.

    What is left there, a file or a folder, is removed: at the end, or when SIGTERM ends us.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        # An exception instead could be lost, if it were raised while a library clears up.
        _remove(draft)
        signal.signal(number, before)
        signal.raise_signal(number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield draft
    finally:
        _remove(draft)
        signal.signal(signal.SIGTERM, before)


def _remove(draft: Path) -> None:
    if draft.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        draft.unlink(missing_ok=True)


@contextmanager
def _replaced(path: Path) -> Iterator[BinaryIO]:
    with drafted(path) as draft:
        with open(draft, "wb") as file:
            yield file
        draft.replace(path)


def _is_stdout(path: Path) -> bool:
    """Whether it is another name of it, such as /dev/stdout."""
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False


def _is_replaceable(path: Path) -> bool:
    """A regular file, or nothing yet; raises OSError for a link that leads in a circle."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return True
