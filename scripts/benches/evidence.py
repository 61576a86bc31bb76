"""What evidence costs: durable awards with leaf hash and triggers, and without.

As a module this is a process that saves awards with 16 threads: ``python -m
scripts.benches.evidence SIDE DATABASE`` answers each line ``SECONDS`` with the awards saved per
second. Only such a process can go without: the service has no setting that switches evidence off.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ledger.identity import wallet_id
from ledger.log import Append, Log
from ledger.store import append
from ledger.store.immutable import POSTGRES_TRIGGER, SQLITE_TRIGGERS
from scripts.benches.databases import postgres_databases
from scripts.benches.filled import NOW
from scripts.benches.processes import Worker, total
from scripts.benches.row import Samples, alternate
from scripts.benches.savers import AWARD, THREADS, Save, environment, new_ids, saves_per_second

MODULE = "scripts.benches.evidence"
WITHOUT, WITH, WITH_VAULT = "without", "with", "with-vault"
NO_HASH = bytes(32)
# A walk of a hundred fixes, about as long as a sealed track is.
SEALED = [[120.0 + 0.0001 * number, 30.0, 1_767_225_600 + number] for number in range(100)]
Measured = tuple[Samples, str]


def on_sqlite(folder: Path, quick: bool) -> Measured:
    """The leaf hash and three triggers, against neither."""
    return _measured(WITH, _files(folder, WITH), quick)


def with_vault_on_sqlite(folder: Path, quick: bool) -> Measured:
    """The same with a row sealed for the vault, against none of it."""
    return _measured(WITH_VAULT, _files(folder, WITH_VAULT), quick)


def on_postgres(_: Path, quick: bool) -> Measured:
    """The leaf hash, and a trigger that no INSERT fires, against neither."""
    with postgres_databases(2) as databases:
        return _measured(WITH, databases, quick)


def with_vault_on_postgres(_: Path, quick: bool) -> Measured:
    """The same with a row sealed for the vault, against none of it."""
    with postgres_databases(2) as databases:
        return _measured(WITH_VAULT, databases, quick)


def _files(folder: Path, side: str) -> list[str]:
    return [f"{folder}/evidence-{side}-{name}.db" for name in ("ours", "theirs")]


def _measured(ours: str, databases: Sequence[str], quick: bool) -> Measured:
    rounds, seconds = (5, 0.15) if quick else (31, 0.4)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(Worker(MODULE, side, database))
            for side, database in zip((ours, WITHOUT), databases, strict=True)
        ]
        sides = [partial(total, [worker], str(seconds)) for worker in workers]
        what = "leaf hash, triggers" + (", a sealed vault row" if ours == WITH_VAULT else "")
        return alternate(rounds, *sides), f"{what}; {THREADS} threads"


def open_saver(database: str, side: str) -> Save:
    """A function that saves one award durably, with as much evidence as ``side`` says.

    WITHOUT holds for the whole process from then on.
    """
    if side == WITHOUT:
        _hash_nothing()
    log = Log(environment(database), bytes(32))
    log.store.assert_durable()
    if side == WITHOUT:
        _take_triggers_off(database)
    ids = new_ids()
    subject = next(ids)
    log.vault.make_keys([subject])

    def save() -> None:
        person, cause = next(ids), next(ids)
        rows = []
        if side == WITH_VAULT:
            rows.append(log.vault.seal(cause, subject, "track", SEALED, NOW)[1])
        awarded = replace(AWARD, participant_id=person, cause=cause)
        log.append([Append(wallet_id(person), 0, [awarded])], NOW, vault_rows=rows)

    return save


def _hash_nothing() -> None:
    """No entry bytes are made, and none hashed; the column must hold 32 bytes all the same."""
    setattr(append, "entry_tail", lambda *_: b"")  # noqa: B010
    setattr(append, "tail_hash", lambda *_: NO_HASH)  # noqa: B010


def _take_triggers_off(database: str) -> None:
    connection: Any
    if "://" in database:
        from ledger.store.postgres import WRITE_SECONDS_MAX, connect

        with connect(database, WRITE_SECONDS_MAX) as connection:
            connection.execute(f"DROP TRIGGER {POSTGRES_TRIGGER} ON events")
        return
    import sqlite3

    with closing(sqlite3.connect(database)) as connection:
        for name in SQLITE_TRIGGERS:
            connection.execute(f"DROP TRIGGER {name}")


def main(side: str, database: str) -> None:
    """Answer each number of seconds on stdin with the awards saved per second."""
    save = open_saver(database, side)
    print("ready", flush=True)
    for line in sys.stdin:
        print(saves_per_second(save, float(line)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
