"""A ledger on every database, for the tests of what people do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.application import Ledger
from tests.ledger.examples import NOW

DATABASES = ("sqlite", "postgres")
KEY = bytes(range(32))


@pytest.fixture(params=DATABASES)
def env(request: pytest.FixtureRequest, tmp_path) -> dict[str, str]:
    """The settings of a fresh, empty store."""
    if request.param == "sqlite":
        path = str(tmp_path / "gwc.db")
        return {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": path}
    return {
        "PERSISTENCE_MODULE": "ledger.store.postgres",
        "DATABASE_URL": request.getfixturevalue("postgres_url"),
        "ALLOW_UNSAFE_TEST_SERVER": "yes",
    }


@pytest.fixture
def open_ledger(env) -> Iterator[Callable[[], Ledger]]:
    """Opens ledgers on the same store, each as another process would, and closes them all."""
    opened = []

    def open_one() -> Ledger:
        opened.append(Ledger(env, KEY, KEY))
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger) -> Ledger:
    """A ledger with the default policy and nothing else."""
    ledger = open_ledger()
    ledger.ensure_policy(NOW)
    return ledger


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parent.parent.parent
