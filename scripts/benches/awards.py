"""Durable awards per second: our log against the stock recorders of the eventsourcing library.

One award is one event of a wallet of its own, saved by itself and on the disk when the call
returns. Both sides get the same fields, threads and processes, each in a new database of the same
folder or server.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from scripts.benches.databases import postgres_databases
from scripts.benches.processes import Worker, total
from scripts.benches.row import Samples, Skipped, alternate

SAVER = "scripts.benches.savers"


def on_sqlite(folder: Path, quick: bool) -> tuple[Samples, str]:
    """One process with 16 threads; WAL with synchronous=FULL on both sides."""
    databases = (f"{folder}/awards-ours.db", f"{folder}/awards-theirs.db")
    return _measured(1, databases, quick, "WAL, synchronous=FULL, one process of 16 threads")


def on_postgres(_: Path, quick: bool) -> tuple[Samples, str]:
    """Two processes with 16 threads each; fsync and synchronous_commit on."""
    if find_spec("psycopg_pool") is None:
        raise Skipped("psycopg_pool, which the stock library wants, is not installed")
    with postgres_databases(2) as databases:
        note = "fsync and synchronous_commit on, two processes of 16 threads"
        return _measured(2, databases, quick, note)


def _measured(
    processes: int, databases: Sequence[str], quick: bool, note: str
) -> tuple[Samples, str]:
    with ExitStack() as stack:
        # One after the other: the stock library fails where two make their tables at once.
        savers = [stack.enter_context(Worker(SAVER, *databases)) for _ in range(processes)]
        rounds, seconds = (5, 0.5) if quick else (9, 3)
        ours, theirs = (partial(total, savers, f"{side} {seconds}") for side in ("ours", "theirs"))
        return alternate(rounds, ours, theirs), note
