"""An award saved to our log, and the equivalent event saved by the stock eventsourcing library.

As a module this is a process that saves with 16 threads: ``python -m scripts.benches.savers OURS
THEIRS`` (two databases) answers each line ``ours|theirs SECONDS`` with the awards saved per second.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from threading import Thread
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.domain import DomainEvent
from msgspec.structs import replace
from psycopg.conninfo import conninfo_to_dict

from ledger.identity import wallet_id
from ledger.log import Append, Log
from scripts.benches.filled import DISTRICTS, NOW, a_patrol

Save = Callable[[], object]

THREADS = 16
AWARD = a_patrol(UUID(int=0), UUID(int=0), NOW)
BEGAN, EARNED, EXPIRES = AWARD.began_at, AWARD.earned_on, AWARD.expires_on
SYNCHRONOUS_FULL = 2


class StockAwarded(DomainEvent):
    """The same fields as the library stores them; dates as text, it has no transcoding for them."""

    participant_id: UUID
    amount: int
    cause: UUID
    kind: str
    rule: str
    policy_version: str
    earned_on: str
    expires_on: str
    role: str
    districts: list[str]
    reasons: list[str]
    began_at: datetime
    ended_at: datetime


def new_ids() -> Iterator[UUID]:
    """Ids from a random one on: the system's random numbers are not what is measured."""
    return map(_id, count(uuid4().int >> 1))


def _id(number: int) -> UUID:
    return UUID(int=number)


def open_saver(database: str, *, stock: bool) -> Save:
    """A function that saves one award durably, in the database (an SQLite file or a URL)."""
    return _stock(database) if stock else _ours(database)


def environment(database: str) -> dict[str, str]:
    """Our settings of the log in a database (an SQLite file or a URL)."""
    if "://" in database:
        return {"PERSISTENCE_MODULE": "ledger.store.postgres", "DATABASE_URL": database}
    return {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": database}


def _ours(database: str) -> Save:
    log = Log(environment(database), bytes(32))
    log.store.assert_durable()
    ids = new_ids()

    def save() -> None:
        person, cause = next(ids), next(ids)
        awarded = replace(AWARD, participant_id=person, cause=cause)
        log.append([Append(wallet_id(person), 0, [awarded])], NOW)

    return save


def _stock(database: str) -> Save:
    app: Application[UUID] = Application(
        _stock_postgres(database) if "://" in database else {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": database,
            "SQLITE_LOCK_TIMEOUT": "30",
        }
    )  # fmt: skip
    _assert_durable(app.recorder)

    # The dataclass is made by the library's metaclass, which type checkers do not see.
    event_class: Any = StockAwarded
    ids = new_ids()

    def save() -> None:
        person, cause = next(ids), next(ids)
        awarded = event_class(
            originator_id=wallet_id(person), originator_version=1, timestamp=NOW,
            participant_id=person, amount=2, cause=cause, kind="patrol",
            rule="patrol.length", policy_version="2026-01", earned_on=EARNED.isoformat(),
            expires_on=EXPIRES.isoformat(), role="citizen", districts=list(DISTRICTS), reasons=[],
            began_at=BEGAN, ended_at=NOW,
        )  # fmt: skip
        app.events.put([awarded])

    return save


def _stock_postgres(url: str) -> dict[str, str]:
    """The library's settings: a connection for every thread, no functions in the database."""
    asked = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": asked["dbname"],
        "POSTGRES_HOST": asked["host"],
        "POSTGRES_PORT": asked.get("port", "5432"),
        "POSTGRES_USER": asked["user"],
        "POSTGRES_PASSWORD": asked.get("password", ""),
        "POSTGRES_POOL_SIZE": "16",
        "POSTGRES_MAX_OVERFLOW": "0",
    }


def _assert_durable(recorder: Any) -> None:
    """Every connection the stock library opens commits to the disk, as ours do."""
    with recorder.datastore.transaction(commit=False) as cursor:
        if hasattr(recorder.datastore.pool, "is_journal_mode_wal"):
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone()[0] == SYNCHRONOUS_FULL
            return
        for setting in ("fsync", "synchronous_commit"):
            cursor.execute(f"SHOW {setting}")
            assert list(dict(cursor.fetchone()).values()) == ["on"], setting


def main(ours: str, theirs: str) -> None:
    """Answer each line ``side seconds`` on stdin with the awards saved per second."""
    sides = {"ours": open_saver(ours, stock=False), "theirs": open_saver(theirs, stock=True)}
    print("ready", flush=True)
    for line in sys.stdin:
        side, seconds = line.split()
        print(saves_per_second(sides[side], float(seconds)), flush=True)


def saves_per_second(save: Save, seconds: float) -> float:
    """How often 16 threads together call ``save`` in a second."""
    counts: list[int] = []
    began = perf_counter()

    def work() -> None:
        saved = 0
        while perf_counter() - began < seconds:
            save()
            saved += 1
        counts.append(saved)

    threads = [Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counts) == THREADS, "a thread failed"
    return sum(counts) / (perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
