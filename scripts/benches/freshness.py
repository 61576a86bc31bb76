"""How soon an append is in a published checkpoint, and how fast the notary catches up.

The notary is ``gwc notary`` in a process of its own. While others append as fast as they can,
somebody looks every few milliseconds at the head of the log and at the published checkpoint: an
entry waits from when it is seen in the log until it is seen in a checkpoint.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import ExitStack, closing
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter

from ledger.log import Log
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.signing import new_key
from ledger.transparency.tiles import CHECKPOINT
from scripts.benches.awards import SAVER
from scripts.benches.databases import postgres_databases
from scripts.benches.filled import awards, fill, people, sqlite_log
from scripts.benches.memory import Child
from scripts.benches.processes import Worker, total
from scripts.benches.row import Samples, alternate
from scripts.benches.savers import environment

BOUND_SECONDS = 2.0
LOOK_SECONDS = 0.002
START_SECONDS_MAX = 30.0
P50, P99 = 0.5, 0.99

Waits = list[tuple[float, int]]
"""Seconds, and how many entries waited that long."""


def on_sqlite(folder: Path, quick: bool) -> tuple[Samples, str]:
    """One process of 16 threads appends."""
    return _measured(folder, f"{folder}/freshness.db", 1, quick)


def on_postgres(folder: Path, quick: bool) -> tuple[Samples, str]:
    """Two processes of 16 threads append."""
    with postgres_databases(1) as (database,):
        return _measured(folder, database, 2, quick)


def _measured(folder: Path, database: str, processes: int, quick: bool) -> tuple[Samples, str]:
    rounds, seconds = (2, 1.0) if quick else (9, 5.0)
    samples, halves, rates = Samples([], []), [], []
    with ExitStack() as stack:
        log = stack.enter_context(closing(Log(environment(database), bytes(32))))
        log.store.assert_durable()
        stock = f"{folder}/freshness-stock.db"
        savers = [stack.enter_context(Worker(SAVER, database, stock)) for _ in range(processes)]
        notary = stack.enter_context(_notary(folder, database, "freshness", "notary"))
        total(savers, "ours 0.1")
        _followed(log, folder / "freshness", notary, 0.0)
        for _ in range(rounds):
            for saver in savers:
                saver.tell(f"ours {seconds}")
            waits = _followed(log, folder / "freshness", notary, seconds)
            rates.append(sum(saver.number() for saver in savers))
            samples.ours.append(_percentile(waits, P99))
            samples.theirs.append(BOUND_SECONDS)
            halves.append(_percentile(waits, P50))
    threads = "one process" if processes == 1 else "two processes"
    return samples, (
        f"p99 of all entries against the bound; p50 {median(halves):.2f} s at"
        f" {median(rates):,.0f} awards/s of {threads} of 16 threads"
    )


def _followed(log: Log, folder: Path, notary: Child, seconds: float) -> Waits:
    """Look for so long, and then until all is published; how long what was appended waited."""
    began, seen, published = perf_counter(), log.head(), _published(folder)
    waiting: deque[tuple[float, int]] = deque([(began, seen)] if seen > published else [])
    waits: Waits = []
    while waiting or perf_counter() - began < seconds:
        if perf_counter() - began > seconds + START_SECONDS_MAX:
            raise RuntimeError("the notary does not catch up")
        notary.look()
        size = _published(folder)
        while waiting and size > published:
            appeared, last = waiting[0]
            waits.append((perf_counter() - appeared, min(size, last) - published))
            published = min(size, last)
            if published == last:
                waiting.popleft()
        if (head := log.head()) > seen:
            waiting.append((perf_counter(), head))
            seen = head
        time.sleep(LOOK_SECONDS)
    return waits


def _published(folder: Path) -> int:
    """How far the published checkpoint goes."""
    for path in folder.glob(f"*/{CHECKPOINT}"):
        return Checkpoint.parse(path.read_text()).size
    return 0


def _percentile(waits: Waits, part: float) -> float:
    """The wait that this part of the entries do not exceed."""
    below, all_of_them = 0, sum(entries for _, entries in waits)
    for wait, entries in sorted(waits):
        below += entries
        if below >= part * all_of_them:
            return wait
    raise RuntimeError("nothing was appended")


def _notary(folder: Path, database: str, name: str, *words: str) -> Child:
    key = folder / "freshness.pem"
    if not key.exists():
        key.write_bytes(new_key())
    url = database if "://" in database else f"sqlite:///{database}"
    settings = {
        "GWC_DATABASE_URL": url, "GWC_LOG_KEY": str(key), "GWC_LOG_DIR": str(folder / name),
    }  # fmt: skip
    return Child(settings, folder / f"{name}.log", *words)


def catching_up(folder: Path, quick: bool) -> tuple[Samples, str]:
    """Entries a second of a notary that begins, from its first checkpoint on."""
    entries, rounds, seconds = (40_000, 2, 0.5) if quick else (200_000, 5, 3)
    database = folder / "catching-up.db"
    with closing(sqlite_log(database)) as log:
        fill(log, awards(people(entries // 10), 10))
    files = (f"{folder}/catching-up-ours.db", f"{folder}/catching-up-stock.db")
    with Worker(SAVER, *files) as saver:
        peaks: list[tuple[float, ...]] = []
        samples = alternate(
            rounds, partial(_signed, folder, database, entries, count(), peaks),
            partial(total, [saver], f"ours {seconds}"), warm=False,
        )  # fmt: skip
    first, last = (median(sizes) / 2**20 for sizes in zip(*peaks, strict=True))
    return samples, (
        f"{entries:,} entries against awards/s of 16 threads; the notary needed {first:.0f} MB"
        f" until its first checkpoint, {last:.0f} MB until its last"
    )


def _signed(
    folder: Path, database: Path, entries: int, numbers: count[int],
    peaks: list[tuple[float, ...]],
) -> float:  # fmt: skip
    """Entries a second of ``gwc notary --once`` with a folder that is empty."""
    name = f"catching-up-{next(numbers)}"
    with closing(sqlite_log(database)) as log:
        log.store.write([("DELETE FROM log_head", [()])])
    seen: list[tuple[int, float, int]] = []
    with _notary(folder, str(database), name, "notary", "--once") as child:
        while not seen or seen[-1][0] < entries:
            child.look()
            size = _published(folder / name)
            if size > (seen[-1][0] if seen else 0):
                seen.append((size, perf_counter(), child.most()))
            time.sleep(LOOK_SECONDS)
    (size, began, least), (last, ended, most) = seen[0], seen[-1]
    peaks.append((least, most))
    return (last - size) / (ended - began)
