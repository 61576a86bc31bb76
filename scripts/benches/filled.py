"""Logs filled quickly for measuring on: whole batches of facts straight into the recorder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

from ledger.days import day_of, end_of_following_year
from ledger.facts import Entry
from ledger.identity import wallet_id
from ledger.log import Log
from ledger.wallet import CoinsAwarded

NOW = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)
DISTRICTS = ("341822001", "341822", "3418", "34")
AMOUNTS = (2, 5, 10, 30)
BATCH = 5_000


def people(count: int, seed: int = 0) -> list[UUID]:
    """Participants who exist in no other way; the same ones for the same seed."""
    random = Random(seed)  # noqa: S311 - nothing here is secret
    return [UUID(int=random.getrandbits(128), version=4) for _ in range(count)]


def an_award(participant: UUID, amount: int, ended: datetime, expires_on: date) -> CoinsAwarded:
    """What a patrol of 25 minutes earned."""
    return CoinsAwarded(
        participant_id=participant, amount=amount, cause=uuid4(), kind="patrol",
        rule="patrol.distance", policy_version="2026-01", earned_on=day_of(ended),
        expires_on=expires_on, role="citizen", districts=DISTRICTS,
        began_at=ended - timedelta(minutes=25), ended_at=ended,
    )  # fmt: skip


def awards(participants: Sequence[UUID], each: int) -> Iterator[Entry]:
    """``each`` awards of everybody, two a day, the oldest first and the last of them today."""
    random = Random(each)  # noqa: S311
    wallets = [wallet_id(person) for person in participants]
    for number in range(each):
        ended = NOW - timedelta(days=(each - 1 - number) // 2, hours=number % 2)
        expires_on = end_of_following_year(day_of(ended))
        for person, wallet in zip(participants, wallets, strict=True):
            fact = an_award(person, random.choice(AMOUNTS), ended, expires_on)
            yield Entry(wallet, number + 1, ended, fact)


def fill(log: Log, entries: Iterable[Entry]) -> None:
    """Append the entries, which must come in the order of their versions."""
    rows = map(log.mapper.to_stored_event, entries)
    while batch := list(islice(rows, BATCH)):
        log.store.insert_events(batch)


def sqlite_log(path: Path) -> Log:
    """A log in an SQLite file, without a ledger's keys."""
    env = {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(path)}
    return Log(env, bytes(32))
