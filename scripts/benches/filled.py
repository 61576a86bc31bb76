"""Logs filled quickly for measuring on: whole batches of facts straight into the recorder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

from ledger.coins import CoinsAwarded
from ledger.days import day_of, end_of_following_year
from ledger.facts import Entry
from ledger.identity import wallet_id
from ledger.log import Log

NOW = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)
DISTRICTS = ("341822001", "341822", "3418", "34")
BATCH = 5_000


def people(count: int, seed: int = 0) -> list[UUID]:
    """Participants who exist in no other way; the same ones for the same seed."""
    random = Random(seed)  # noqa: S311 - nothing here is secret
    return [UUID(int=random.getrandbits(128), version=4) for _ in range(count)]


def a_patrol(person: UUID, cause: UUID, ended: datetime) -> CoinsAwarded:
    """What a patrol of 25 minutes earned."""
    day = day_of(ended)
    return CoinsAwarded(
        participant_id=person, amount=2, cause=cause, kind="patrol", rule="patrol.length",
        policy_version="2026-01", earned_on=day, expires_on=end_of_following_year(day),
        role="citizen", districts=DISTRICTS, began_at=ended - timedelta(minutes=25),
        ended_at=ended,
    )  # fmt: skip


def a_report(person: UUID, cause: UUID, reported: datetime) -> CoinsAwarded:
    """What a report that was found true earned."""
    day = day_of(reported)
    return CoinsAwarded(
        participant_id=person, amount=10, cause=cause, kind="report", rule="report.tier-1",
        policy_version="2026-01", earned_on=day, expires_on=end_of_following_year(day),
        role="citizen", districts=DISTRICTS,
    )  # fmt: skip


def awards(participants: Sequence[UUID], each: int) -> Iterator[Entry]:
    """``each`` awards of everybody: a patrol and a report a day, the last of them today."""
    wallets = [wallet_id(person) for person in participants]
    for number in range(each):
        moment = NOW - timedelta(days=(each - 1 - number) // 2)
        kind = a_report if number % 2 else a_patrol
        for person, wallet in zip(participants, wallets, strict=True):
            yield Entry(wallet, number + 1, moment, kind(person, uuid4(), moment))


def fill(log: Log, entries: Iterable[Entry]) -> None:
    """Append the entries, which must come in the order of their versions."""
    rows = map(log.mapper.to_stored_event, entries)
    while batch := list(islice(rows, BATCH)):
        log.store.insert_events(batch)


def sqlite_log(path: Path) -> Log:
    """A log in an SQLite file, without a ledger's keys."""
    env = {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(path)}
    return Log(env, bytes(32))
