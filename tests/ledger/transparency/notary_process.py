"""A process that notarises a log and kills itself at a step.

    python -m tests.ledger.transparency.notary_process KIND WHERE FOLDER KEY SIGNED POINT TIMES
        [MUTANT]

POINT is one of POINTS, TIMES how often it is passed before SIGKILL; with POINT ``never`` it goes
on until SIGTERM. Every signed size and root is in the file SIGNED before anybody has the signature.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from eventsourcing.persistence import PersistenceError

from ledger.transparency import tiles
from ledger.transparency.errors import FolderBusy, HeadMoved
from ledger.transparency.notary import STEPS, Notary
from ledger.transparency.tiles import LogFolder
from tests.ledger.store.databases import Database
from tests.ledger.transparency.notary_logs import KeepingSigner, parsed

# Besides the steps: in the middle of a file, before it has its name, before its folder is synced.
WRITING = ("half a file", "draft", "renamed")
POINTS = (*STEPS, *WRITING)
READ_ONCE = 400


class RecorderLog:
    """As much of a log as a notary asks of it."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def head(self) -> int:
        # Small batches, so that there are many steps to be killed at.
        signed = self.store.select_log_head().size
        return min(self.store.max_notification_id(), signed + READ_ONCE)


class Killer:
    """Ends the process the ``times``-th time it comes by a point."""

    def __init__(self, point: str, times: int) -> None:
        self.point, self.left = point, times

    def passed(self, point: str) -> None:
        if point == self.point:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch_writing(self) -> None:
        """Come by the points of WRITING as well."""
        replace, sync = Path.replace, tiles._sync

        def replaced(draft: Path, target: Path) -> Path:
            if self.point == WRITING[0]:
                os.truncate(draft, draft.stat().st_size // 2)
            self.passed(WRITING[0])
            self.passed(WRITING[1])
            return replace(draft, target)

        def synced(folder: Path) -> None:
            self.passed(WRITING[2])
            sync(folder)

        Path.replace, tiles._sync = replaced, synced  # type: ignore[method-assign, assignment]


class LateSwap:
    """The mutant that moves the head only after the signature has left."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._owed: tuple[Any, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def swap_log_head(self, *swap: Any) -> bool:
        self._owed = swap
        return True

    def select_log_head(self) -> Any:
        if self._owed:
            time.sleep(0.05)
            self._store.swap_log_head(*self._owed)
        return self._store.select_log_head()


def notarise(notary: Notary) -> None:
    """Step while our parent is there; what passes by itself is waited for, refusals end it."""
    parent = os.getppid()
    while os.getppid() == parent:
        try:
            notary.step()
            time.sleep(0.002)
        except (HeadMoved, FolderBusy, PersistenceError):
            time.sleep(0.02)


def main(
    kind: str, where: str, folder: str, key: str, signed: str, point: str, times: str,
    mutant: str = "",
) -> None:  # fmt: skip
    recorder: Any = Database(kind, where).recorder()
    log = RecorderLog(LateSwap(recorder) if mutant else recorder)
    kept = os.open(signed, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def keep(text: str) -> None:
        size, root = parsed(text)
        os.write(kept, f"{size} {root.hex()}\n".encode())

    killer = Killer(point, int(times))
    killer.watch_writing()
    signer = KeepingSigner(Path(key).read_bytes(), keep)
    notarise(Notary(log, LogFolder(Path(folder)), signer, passed=killer.passed))  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])
