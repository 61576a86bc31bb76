"""Children of a measurement and the memory they have needed so far."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.servers import end_with_us, family

POLL_SECONDS = 0.05
EARLY = 0.2


class Child:
    """``gwc words…`` with settings of its own; ended with the block."""

    def __init__(self, settings: Mapping[str, str], log: Path, *words: str) -> None:
        given = [f"{name}={value}" for name, value in settings.items()]
        command = ["env", "-u", "GWC_REDIS_URL", *given, sys.executable, "-P", "-m", "scripts.gwc",
                   *words]  # fmt: skip
        self._log, self._began = log, time.perf_counter()
        self._peaks: list[tuple[float, int]] = []
        with open(log, "ab") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=output,
                preexec_fn=end_with_us(signal.SIGTERM),  # noqa: PLW1509
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def look(self) -> None:
        """Note what the largest process of it has needed until now; raises when it has failed."""
        if self._process.poll():
            raise RuntimeError(f"it ended: {self._log.read_text(errors='replace')[-2_000:]}")
        if peak := max(map(_peak, family(self._process.pid)), default=0):
            self._peaks.append((time.perf_counter() - self._began, peak))

    def ended(self) -> float:
        """Wait for its end, and look on the way; the seconds it took."""
        while self._process.poll() is None:
            self.look()
            time.sleep(POLL_SECONDS)
        self.look()
        return time.perf_counter() - self._began

    def most(self) -> int:
        """The most memory the largest process of it has needed until now, in bytes."""
        self.look()
        return self._peaks[-1][1] if self._peaks else 0

    def told(self) -> str:
        """What it needed in the end, and how much more that is than at one fifth of the way."""
        if not self._peaks:
            return "unknown"
        last, most = self._peaks[-1]
        first = self._peaks[0][0]
        early = [peak for at, peak in self._peaks if at - first <= EARLY * (last - first)]
        return f"{most / 2**20:.0f} MB, {most / early[-1]:.2f} of that at one fifth"


def _peak(pid: int) -> int:
    """The most memory a process has had resident, in bytes; 0 where that is not told."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else 0
