"""A small honest log with every kind of fact in it, and the hands of somebody who tampers."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from ledger.application import Ledger
from ledger.audit import (
    Disclosures,
    Fences,
    Finding,
    Orphans,
    Quotas,
    Snapshots,
    Unreadable,
    audit,
    rows_of,
    snapshots_of,
)
from ledger.contributions import REPORT
from ledger.districts import DistrictImported
from ledger.facts import Fact, catalogue
from ledger.log import Append
from ledger.store.leaf import leaf_hash
from ledger.store.mapper import RecordedFact
from ledger.wallet import OldWalletSnapshot, WalletSnapshot
from scripts import servers
from tests.dba import unprotect
from tests.ledger.audit.spenders import spend_in_every_way
from tests.ledger.campaigns import visit_in_every_way
from tests.ledger.conftest import KEY
from tests.ledger.erasing import erase_in_every_way
from tests.ledger.examples import (
    NOW,
    a_reach,
    a_report,
    a_visit,
    a_walk,
    an_offer,
    consent,
    contribute,
    redeem,
    rewarded,
    someone,
    verify,
)
from tests.ledger.trailing import walk_in_every_way

BESIDE_THE_LOG = {WalletSnapshot.topic, OldWalletSnapshot.topic}
COLUMNS = (
    "position", "originator_id", "originator_version", "topic", "state", "recorded_at",
    "leaf_hash",
)  # fmt: skip


class Table:
    """The events table, as somebody with the database's password has it."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env
        with self._connection() as connection:
            unprotect(connection)

    def read(self, position: int) -> SimpleNamespace:
        """A row, its columns as attributes."""
        rows = self.run(f"SELECT {', '.join(COLUMNS)} FROM events WHERE position = ?", position)
        return SimpleNamespace(**dict(zip(COLUMNS, rows[0], strict=True)))

    def change(self, at: int, /, *, rehash: bool = False, **columns: object) -> None:
        """Overwrite columns; with ``rehash`` the leaf hash is made to fit."""
        row = self.read(at)
        vars(row).update(columns)
        if rehash:
            columns["leaf_hash"] = row.leaf_hash = leaf_hash(row)
        names = ", ".join(f"{name} = ?" for name in columns)
        self.run(f"UPDATE events SET {names} WHERE position = ?", *columns.values(), at)

    def insert(self, **columns: object) -> None:
        """A forged row with a right hash."""
        row = SimpleNamespace(**columns)
        row.leaf_hash = leaf_hash(row)
        marks = ", ".join("?" * len(COLUMNS))
        self.run(f"INSERT INTO events VALUES ({marks})", *(getattr(row, n) for n in COLUMNS))

    def delete(self, position: int) -> None:
        self.run("DELETE FROM events WHERE position = ?", position)

    def first(self, topic: str) -> int:
        """The position of the first fact of a kind."""
        found = self.run("SELECT min(position) FROM events WHERE topic = ?", topic)[0][0]
        assert found, f"the example has no {topic}"
        return found

    def head(self) -> int:
        return self.run("SELECT max(position) FROM events")[0][0]

    def run(self, sql: str, *values: object) -> list[tuple]:
        with self._connection() as connection:
            if isinstance(connection, sqlite3.Connection):
                bound = [str(v) if isinstance(v, UUID) else v for v in values]
                return connection.execute(sql, bound).fetchall()
            cursor = connection.execute(sql.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection | psycopg.Connection]:
        if path := self._env.get("SQLITE_DBNAME"):
            connection = sqlite3.connect(path, isolation_level=None)
        else:
            connection = psycopg.connect(self._env["DATABASE_URL"], autocommit=True)
        try:
            yield connection
        finally:
            connection.close()


def lost(row: RecordedFact, whose: bool) -> SimpleNamespace | Unreadable:
    """A row nobody can read; whose it is can still be read, or not even that."""
    if not whose:
        return Unreadable(row.position, "x")
    columns = {name: getattr(row, name) for name in COLUMNS}
    return SimpleNamespace(**{**columns, "topic": "no.such-fact"})


@pytest.fixture
def table(env, town) -> Table:
    """The table of the town's log."""
    return Table(env)


@pytest.fixture(scope="session")
def sqlite_town(tmp_path_factory) -> Path:
    """The file of a town's log, closed; to be copied, for building it takes a while."""
    path = tmp_path_factory.mktemp("town") / "gwc.db"
    build({"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(path)})
    return path


@pytest.fixture(scope="session")
def postgres_town(postgres_server) -> Iterator[str]:
    """The name of a database with a town's log, to which nobody is connected; to be copied."""
    with servers.fresh_database(postgres_server) as url:
        build({
            "PERSISTENCE_MODULE": "ledger.store.postgres", "DATABASE_URL": url,
            "ALLOW_UNSAFE_TEST_SERVER": "yes",
        })  # fmt: skip
        yield name_of(url)


@pytest.fixture
def town(request, env, open_ledger) -> Ledger:
    """A ledger in which each kind of fact stands at least once."""
    if path := env.get("SQLITE_DBNAME"):
        shutil.copy(request.getfixturevalue("sqlite_town"), path)
    else:
        town = request.getfixturevalue("postgres_town")
        name = name_of(env["DATABASE_URL"])
        server = request.getfixturevalue("postgres_server")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name}")
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {town}")
    ledger = open_ledger()
    ledger.store.assert_durable()  # Connected, so that triggers taken off later stay off.
    return ledger


def name_of(url: str) -> str:
    """Which database a URL is of."""
    return urlsplit(url).path.removeprefix("/")


def build(env: dict[str, str]) -> None:
    """Let all that goes on in a town happen in an empty store."""
    with closing(Ledger(env, KEY, KEY)) as ledger:
        ledger.ensure_policy(NOW)
        settled(ledger)


def settled(ledger):
    """The same ledger, with all that goes on in a town."""
    ledger.import_districts([DistrictImported(code="1", name="市", parent=None, kind="city")], NOW)
    ledger.import_reaches([a_reach("1")], NOW)
    citizen, worker = someone(ledger), someone(ledger, "grid_worker")
    dispatcher = someone(ledger, "dispatcher")
    consent(ledger, citizen.participant_id, True, "青鱼")
    consent(ledger, citizen.participant_id, False)
    token = ledger.issue_token("cleaner", NOW, participant=worker.participant_id)
    ledger.revoke_token(token.token, NOW)
    ledger.revoke_role(worker.participant_id, "cleaner", "moved", NOW)
    for number in range(3):
        day = NOW + timedelta(hours=3 * number)
        contribute(ledger, "patrol", citizen, a_walk(900 + 300 * number, 1500, day), day)
    contribute(ledger, "patrol", citizen, a_walk(200, 1500, NOW + timedelta(days=1)),
               NOW + timedelta(days=1))  # fmt: skip
    verify(ledger, contribute(ledger, "report", citizen, a_report()), dispatcher, tier=2)
    refused = contribute(ledger, "report", citizen, a_report("no"))
    ledger.review(REPORT, dispatcher, refused.id, UUID(int=7), NOW, tier=None, reason="no")
    verify(ledger, contribute(ledger, "visit", worker, a_visit()), dispatcher)
    contribute(ledger, "visit", worker, a_visit("H-0002"))  # waits
    walk_in_every_way(ledger)
    spend_in_every_way(ledger, dispatcher)
    visit_in_every_way(ledger, dispatcher, "1")
    erase_in_every_way(ledger)
    return ledger


@pytest.fixture
def findings(town):
    """Audits the town's log and what lies beside it."""

    def run() -> list[Finding]:
        beside = (
            Snapshots(snapshots_of(town)),
            Quotas(*reversed(town.store.select_quotas_at())),
            Disclosures(town.vault, town.store),
            Fences(town.store, town.vault),
            Orphans(),
        )
        return list(audit(rows_of(town), *beside))

    return run


@pytest.fixture
def topics() -> list[str]:
    """Every stored name that can be in the log."""
    return [name for name in catalogue() if name not in BESIDE_THE_LOG]


@pytest.fixture
def long_ago() -> date:
    return date(2021, 1, 1)


@pytest.fixture
def forge(town) -> Callable[..., int]:
    """Appends facts past every decision, as somebody with the database's password would."""

    def append(*pairs: tuple[UUID, Fact], moment=NOW) -> int:
        versions: dict[UUID, int] = {}
        writes = []
        for originator, fact in pairs:
            stored = town.store.select_events(originator, desc=True, limit=1)
            before = stored[0].originator_version if stored else 0
            version = versions.setdefault(originator, before)
            writes.append(Append(originator, version, [fact]))
            versions[originator] += 1
        return town.append(writes, moment)[0].position

    return append


@pytest.fixture
def buyer(town):
    """Somebody with 30 coins; a merchant's offer of tea for 10; an issued redemption of one."""
    person, merchant = rewarded(town, 30), someone(town, "merchant")
    offer = an_offer(town, merchant, stock=2, per_person_month=2)
    return person, merchant, offer, redeem(town, person, offer)
