"""A process that appends from several threads and notes every answer it gets.

    python -m tests.ledger.store.appender KIND WHERE THREADS CALLS ACKNOWLEDGED [MUTANT]

CALLS 0 means until killed.  Each line of the file ACKNOWLEDGED is an originator and a version.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from ledger.store.mapper import StoredFact
from ledger.store.recorder import LogRecorder
from tests.ledger.store.databases import Database, fact

MUTANT_DELAY_SECONDS = 0.05


class EarlyAnswer:
    """The mutant that answers before its commit."""

    def __init__(self, recorder: LogRecorder[Any]) -> None:
        self.recorder = recorder
        self.calls: queue.Queue[Sequence[StoredFact]] = queue.Queue(64)
        threading.Thread(target=self.run, daemon=True).start()

    def insert_events(self, facts: Sequence[StoredFact]) -> None:
        self.calls.put(facts)

    def run(self) -> None:
        while facts := self.calls.get():
            time.sleep(MUTANT_DELAY_SECONDS)
            self.recorder.insert_events(facts)


def append(recorder: Any, calls: int, acknowledged: int) -> None:
    """Calls of one or two facts: a sequence of this thread's own, and a new originator."""
    own, version = uuid4(), 0
    while calls == 0 or version < calls:
        version += 1
        facts = [fact(own, version)] + [fact()] * (version % 3 == 0)
        recorder.insert_events(facts)
        lines = [f"{each.originator_id} {each.originator_version}\n" for each in facts]
        os.write(acknowledged, "".join(lines).encode())


def main(kind: str, where: str, threads: str, calls: str, path: str, mutant: str = "") -> None:
    recorder: Any = Database(kind, where).recorder()
    appending = EarlyAnswer(recorder) if mutant else recorder
    acknowledged = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    workers = [
        threading.Thread(target=append, args=(appending, int(calls), acknowledged))
        for _ in range(int(threads))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    recorder.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
