"""The processes of a morning: the server that is killed and started again, and the phones."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import Request, urlopen

from scripts.servers import end_with_us, family
from tests.conftest import ROOT


class Server:
    """Web server and follower under one parent, which can all be killed and started again."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GWC_")}
        self._log, self._environ = log, {
            **kept, **environ, "GWC_BIND": f"127.0.0.1:{self.port}", "GWC_WORKERS": "2",
        }  # fmt: skip

    def start(self) -> None:
        command = [sys.executable, "-m", "scripts.gwc", "serve"]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environ, stdout=log, stderr=log,
                preexec_fn=end_with_us(signal.SIGTERM),  # noqa: PLW1509
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError(f"no server:\n{self._log.read_text()}")

    def kill(self) -> None:
        """SIGKILL to all of it, the children first."""
        for pid in reversed(family(self._process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def get(self, path: str, token: str) -> dict:
        asked = Request(f"http://127.0.0.1:{self.port}{path}")
        asked.add_header("Authorization", f"Bearer {token}")
        with urlopen(asked, timeout=60) as response:
            return json.load(response)


class Pocket:
    """A process that is a number of phones."""

    def __init__(self, port: int, seed: int, paths: list[Path], seconds: float) -> None:
        self._command = [
            sys.executable, "-m", "tests.campaigns.phones", str(port), str(seconds), str(seed),
            *map(str, paths),
        ]  # fmt: skip
        self._seconds = seconds
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=ROOT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def ended(self) -> int:
        return self._process.wait(self._seconds)
