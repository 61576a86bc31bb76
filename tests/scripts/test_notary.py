"""``gwc notary`` and the notary of ``gwc serve``, as processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from ledger.transparency.signing import new_key
from scripts import servers
from tests.dba import unprotect
from tests.ledger.transparency.notary_logs import parsed
from tests.ledger.transparency.notary_scene import OwnPostgres
from tests.scripts.conftest import Gwc, on_postgres, on_sqlite
from tests.scripts.test_serve import children, serving, wait_until

CAUGHT_UP_SECONDS_MAX = 10
ANOTHER_KIND = generate_private_key(SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
HEAD = "SELECT coalesce(max(position), 0) FROM events"


@contextmanager
def notarising(gwc: Gwc) -> Iterator[subprocess.Popen]:
    """``gwc notary`` in the background; what it says is in notary.log."""
    with open(gwc.folder / "notary.log", "wb") as log:
        process = subprocess.Popen(
            [*gwc.command, "notary", "--lang", "en"], cwd=gwc.folder, env=gwc.env,
            stdout=log, stderr=log,
            preexec_fn=servers.end_with_us(signal.SIGKILL),  # noqa: PLW1509
        )  # fmt: skip
    try:
        wait_until(lambda: process.poll() is not None or "notarised" in said(gwc))
        yield process
    finally:
        process.kill()
        process.wait()


def said(gwc: Gwc, name: str = "notary.log") -> str:
    return (gwc.folder / name).read_text()


def size(gwc: Gwc, folder: str = "gwc.db.tlog") -> int:
    """How far the published checkpoint goes; 0 without one."""
    for path in (gwc.folder / folder).glob("*/checkpoint"):
        return parsed(path.read_text())[0]
    return 0


def sql(gwc: Gwc, statement: str) -> list:
    """Ask the database, or change it as who has its password."""
    url = gwc.env["GWC_DATABASE_URL"]
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            unprotect(connection)
            found = connection.execute(statement).fetchall()
            connection.commit()
            return found
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        unprotect(connection)
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def head(gwc: Gwc) -> int:
    return sql(gwc, HEAD)[0][0]


def issue(gwc: Gwc) -> int:
    """Append to the log; its last position then."""
    gwc("token", "issue", "--role", "auditor")
    return head(gwc)


@pytest.fixture(params=["sqlite", "postgres"])
def anywhere(request, tmp_path) -> Gwc:
    """``gwc`` with a key, on each database."""
    if request.param == "sqlite":
        return on_sqlite(tmp_path)
    (tmp_path / "key.pem").write_bytes(new_key())
    return on_postgres(
        tmp_path, request.getfixturevalue("postgres_url"),
        GWC_LOG_KEY=str(tmp_path / "key.pem"), GWC_LOG_DIR=str(tmp_path / "gwc.db.tlog"),
    )  # fmt: skip


def test_the_key_is_made_beside_the_file(gwc):
    """On SQLite the key is made on first use, for its owner's eyes alone, and stays the same."""
    issue(gwc)
    gwc("notary", "--once")
    key = gwc.folder / "gwc.db.log-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert size(gwc) == head(gwc) > 0
    before = key.read_bytes()
    assert b"PRIVATE KEY" in before
    last = issue(gwc)
    gwc("notary", "--once")
    assert (key.read_bytes(), size(gwc)) == (before, last)


def test_without_a_key_on_postgres(postgres_url, tmp_path):
    """There gwc notary ends with 2 and names the setting; gwc serve says so and goes on."""
    gwc = on_postgres(tmp_path, postgres_url)
    for words in (("notary",), ("notary", "--once")):
        assert "GWC_LOG_KEY" in gwc.run(*words, status=2).stderr
    with serving(gwc) as server:
        assert "GWC_LOG_KEY" in said(gwc, "serve.log")
        assert not any("notary" in words for words in children(server.pid).values())
    assert server.returncode == 0


@pytest.mark.parametrize(
    "content", [None, b"", b"no key", ANOTHER_KIND], ids=["missing", "empty", "other", "elliptic"]
)
def test_a_key_file_that_is_none(gwc, content):
    """What is no Ed25519 key, or is missing, ends it, and serve, with 2, naming the setting."""
    issue(gwc)
    gwc.env["GWC_LOG_KEY"] = str(gwc.folder / "key.pem")
    if content is not None:
        (gwc.folder / "key.pem").write_bytes(content)
    for command in (("notary", "--once"), ("serve",)):
        assert "GWC_LOG_KEY" in gwc.run(*command, status=2).stderr
    assert size(gwc) == 0


def test_serve_catches_up(city):
    """With the server up, an append is in a published checkpoint within ten seconds."""
    with serving(city):
        began = time.monotonic()
        last = issue(city)
        wait_until(lambda: size(city) >= last)
        assert time.monotonic() - began < CAUGHT_UP_SECONDS_MAX


def test_a_killed_notary_is_started_again(city):
    """Killing it brings another one, which goes on from where the first one was."""
    with serving(city) as server:

        def notary() -> int | None:
            return next((n for n, words in children(server.pid).items() if "notary" in words), None)

        wait_until(lambda: size(city) == head(city))
        first = notary()
        assert first is not None
        os.kill(first, signal.SIGKILL)
        last = issue(city)
        wait_until(lambda: notary() not in (None, first))
        wait_until(lambda: size(city) >= last)
        assert "The notary ended" in said(city, "serve.log") or "公证" in said(city, "serve.log")
    assert server.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly(anywhere, number):
    """Told to stop it ends with 0 in a moment, having said what it does and no more."""
    last = issue(anywhere)
    with notarising(anywhere) as process:
        wait_until(lambda: size(anywhere) == last)
        process.send_signal(number)
        assert process.wait(5) == 0
    assert said(anywhere) == "The log is being notarised.\n"


def test_a_refusal_is_told_once(anywhere):
    """What it refuses is one line, however often it tries; put right, it goes on by itself."""
    issue(anywhere)
    with notarising(anywhere) as process:
        wait_until(lambda: size(anywhere) == head(anywhere))
        last = issue(anywhere)
        wait_until(lambda: size(anywhere) == last)
        sql(anywhere, "UPDATE log_head SET size = size - 1")
        wait_until(lambda: "checkpoint_ahead" in said(anywhere))
        time.sleep(3)
        assert said(anywhere).count("checkpoint_ahead") == 1
        sql(anywhere, "UPDATE log_head SET size = size + 1")
        last = issue(anywhere)
        wait_until(lambda: size(anywhere) == last)
        assert process.poll() is None


def test_once_ends_with_what_it_refuses(anywhere):
    """With --once a refusal is status 1 and its sentence; in either language."""
    last = issue(anywhere)
    anywhere("notary", "--once")
    assert size(anywhere) == last
    sql(anywhere, f"DELETE FROM events WHERE position = {last}")
    for lang, words in (("en", "were deleted"), ("zh", "有记录被删除")):
        told = anywhere.run("notary", "--once", "--lang", lang, status=1).stderr
        assert told.startswith("log_shorter: ")
        assert words in told


def test_the_name_is_fixed_at_the_start(anywhere):
    """GWC_LOG_ORIGIN names the log when it is begun, and is refused if it is another later."""
    issue(anywhere)
    anywhere.env["GWC_LOG_ORIGIN"] = "log.city.example/water"
    anywhere("notary", "--once")
    checkpoint = next((anywhere.folder / "gwc.db.tlog").glob("*/checkpoint"))
    assert checkpoint.read_text().startswith("log.city.example/water\n")
    del anywhere.env["GWC_LOG_ORIGIN"]
    anywhere("notary", "--once")
    anywhere.env["GWC_LOG_ORIGIN"] = "log.city.example/other"
    told = anywhere.run("notary", "--once", "--lang", "en", status=1).stderr
    assert told.startswith("origin_differs: ")
    assert "log.city.example/water" in told
    anywhere.env["GWC_LOG_ORIGIN"] = "https://log.city.example/"
    assert "GWC_LOG_ORIGIN" in anywhere.run("notary", "--once", status=2).stderr


@pytest.mark.parametrize("change", [
    "UPDATE log_head SET origin = 'log.city.example/water' || char(10) || '999'",
    "UPDATE log_head SET log_id = '../elsewhere'", "UPDATE log_head SET log_id = 'a/b'",
])  # fmt: skip
def test_names_somebody_wrote_into_the_database(gwc, change):
    """A name with a line break, or a folder elsewhere, is refused before anything is signed."""
    issue(gwc)
    gwc("notary", "--once")
    sql(gwc, change)
    assert gwc.run("notary", "--once", status=1).stderr.startswith("head_damaged: ")


def test_a_database_from_before_the_log_was_begun(anywhere):
    """Under the name and key of a log that is published no other one is begun."""
    anywhere.env["GWC_LOG_ORIGIN"] = "log.city.example/water"
    last = issue(anywhere)
    anywhere("notary", "--once")
    sql(anywhere, "DELETE FROM log_head")
    told = anywhere.run("notary", "--once", "--lang", "en", status=1).stderr
    assert told.startswith("begun_twice: ")
    assert str(last) in told
    assert size(anywhere) == last


def test_a_database_that_is_away_for_a_while(city):
    """While nobody can read the database it says so once, and goes on when it is there again."""
    with notarising(city) as process:
        wait_until(lambda: size(city) == head(city))
        sql(city, "ALTER TABLE log_head RENAME TO log_head_away")
        wait_until(lambda: "The notary waits" in said(city))
        time.sleep(2.5)
        assert said(city).count("The notary waits") == 1
        sql(city, "ALTER TABLE log_head_away RENAME TO log_head")
        last = issue(city)
        wait_until(lambda: size(city) == last)
        assert process.poll() is None


def test_a_server_that_is_killed_and_comes_back(missing, tmp_path):
    """PostgreSQL is killed and started again: the notary goes on by itself."""
    try:
        server = OwnPostgres()
    except servers.ServerError as problem:
        missing("PostgreSQL", problem)
    (tmp_path / "key.pem").write_bytes(new_key())
    with server:
        gwc = on_postgres(
            tmp_path, server.url, GWC_LOG_KEY=str(tmp_path / "key.pem"),
            GWC_LOG_DIR=str(tmp_path / "gwc.db.tlog"),
        )
        issue(gwc)
        with notarising(gwc) as process:
            wait_until(lambda: size(gwc) == head(gwc))
            server.kill()
            last = issue(gwc)
            wait_until(lambda: size(gwc) == last)
            assert process.poll() is None


def test_an_idle_notary_needs_next_to_no_time(city):
    """With nothing to sign it uses a few hundredths of a processor, and signs nothing."""
    with notarising(city) as process:
        wait_until(lambda: size(city) == head(city))
        time.sleep(1)
        checkpoint = next((city.folder / "gwc.db.tlog").glob("*/checkpoint"))
        before, changed = _cpu_seconds(process.pid), checkpoint.stat().st_mtime_ns
        time.sleep(4)
        assert _cpu_seconds(process.pid) - before < 0.4
        assert checkpoint.stat().st_mtime_ns == changed


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
