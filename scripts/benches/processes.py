"""Processes that measure when told to: a line in, a number out."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Self

from scripts.servers import end_with_us


class Worker:
    """``python -m module arguments``, which prints a line when ready and one for each it gets."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, preexec_fn=end_with_us(signal.SIGTERM),  # noqa: PLW1509
        )  # fmt: skip
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def tell(self, line: str) -> None:
        """Start measuring."""
        pipe: IO[bytes] | None = self._process.stdin
        assert pipe is not None
        pipe.write(line.encode() + b"\n")
        pipe.flush()

    def number(self) -> float:
        """What was measured; raises RuntimeError when the process failed."""
        return float(self._answer())

    def _answer(self) -> bytes:
        assert self._process.stdout is not None
        if line := self._process.stdout.readline():
            return line
        raise RuntimeError(f"a measuring process ended with {self._process.wait()}")


def total(workers: Sequence[Worker], line: str) -> float:
    """The sum of what all of them measure at the same time."""
    for worker in workers:
        worker.tell(line)
    return sum(worker.number() for worker in workers)
