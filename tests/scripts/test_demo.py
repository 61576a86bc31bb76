"""``gwc demo``: the same city for the same seed, on every database, and views that heal."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
import subprocess
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
import redis

from ledger.days import day_of
from projections.balances import wallet
from projections.reading import open_stores, open_views
from tests.scripts.conftest import SMALL, Gwc, on_postgres, on_sqlite
from tests.scripts.test_serve import get, serving, wait_until


def wallets(gwc: Gwc, source: object) -> list[str]:
    """What a source of views says of everybody ``gwc balances`` lists, as its lines."""
    today = day_of(datetime.now(UTC))
    people = [line.split(",")[0] for line in gwc("balances").splitlines()[1:]]
    found = [wallet(source, UUID(person), today) for person in people]
    return [f"{one['participant_id']},{one['available']},{one['held']}" for one in found]


def stores_of(gwc: Gwc) -> list:
    return open_stores(gwc.env["GWC_DATABASE_URL"], gwc.env.get("GWC_REDIS_URL"))


def wait_until_healed(gwc: Gwc) -> None:
    """Until every view of every store is live and at the end of the log."""
    views = open_views(gwc.env["GWC_DATABASE_URL"], gwc.env.get("GWC_REDIS_URL"))
    try:
        wait_until(lambda: all(
            one["state"] == "live" and one["lag"] == 0 for one in views.status()
        ))  # fmt: skip
    finally:
        views.close()


def test_the_demo_depends_on_its_seed_alone(city, tmp_path, postgres_url, redis_url):
    """On SQLite and PostgreSQL, with or without Redis: the same print and the same balances."""
    other, folder = tmp_path / "other", tmp_path / "postgres"
    other.mkdir()
    folder.mkdir()
    again = on_sqlite(other)
    server = on_postgres(folder, postgres_url, GWC_REDIS_URL=redis_url)
    printed = again("demo", "--once", *SMALL)
    assert server("demo", "--once", *SMALL) == printed
    assert again("balances") == server("balances") == city("balances")
    for gwc in (city, server):
        expected = gwc("balances").splitlines()[1:]
        assert len(expected) > 5
        for store in stores_of(gwc):
            assert wallets(gwc, store) == expected
            store.close()
    different = tmp_path / "different"
    different.mkdir()
    on_sqlite(different)("demo", "--once", *SMALL, "--seed", 2)
    assert on_sqlite(different)("balances") != city("balances")


def test_a_second_run_adds_nothing(city):
    """Playing the same city again only gets the receipts it got before, and says so."""
    log = city("export", "history", "--out", "-")
    ran = city.run("demo", "--once", *SMALL, "--lang", "en")
    assert "nothing was counted twice" in ran.stderr
    assert city("export", "history", "--out", "-") == log


def test_the_demo_prints_statement_board_refusals_and_verdict(gwc):
    """What a visitor is promised is printed, in English where asked for."""
    printed = gwc("demo", "--once", *SMALL, "--lang", "en")
    for words in ("lines of the statement", "board of 2026-03", "Why coins were refused",
                  "replayed_track", "found no fault", "(citizen)"):
        assert words in printed
    assert not re.search(r"[（）\u4e00-\u9fff]", printed)


def test_the_demo_speaks_chinese_by_default(city):
    """The sentences around figures and codes are Chinese, roles and aliases included."""
    printed = city("demo", "--once", *SMALL)
    title = next(line for line in printed.splitlines() if "可用绿水币" in line)
    assert "（市民）" in title
    assert not re.search("[A-Za-z]", title)


def test_without_a_setting_the_demo_plays_in_a_file_of_its_own(tmp_path):
    """gwc-demo.db appears in the caller's folder and nothing else is touched."""
    gwc = Gwc(tmp_path)
    gwc("demo", "--once", "--citizens", 4, "--days", 1)
    assert {file.name.partition(".db")[0] for file in tmp_path.iterdir()} == {"gwc-demo"}


def test_the_demo_then_serves_and_prints_a_token_that_works(city):
    """Without --once it ends up serving; the printed token opens its owner's wallet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        city.env["GWC_BIND"] = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [*city.command, "demo", *map(str, SMALL), "--lang", "en"]
    with subprocess.Popen(
        command, cwd=city.folder, env=city.env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        line = next(line for line in process.stdout if "/v1/wallets/me" in line)
        token = line.split("Bearer ")[1].partition('"')[0]
        wait_until(lambda: get(city, "/v1/wallets/me", token) is not None)
        mine = get(city, "/v1/wallets/me", token)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    assert mine is not None
    assert f"{mine['participant_id']},{mine['available']},0" in city("balances").splitlines()


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_views_heal_under_a_running_server(database, tmp_path, redis_url, request):
    """After FLUSHALL, and after every view row is deleted, all is again as the log says."""
    if database == "sqlite":
        gwc = on_sqlite(tmp_path, GWC_REDIS_URL=redis_url)
    else:
        url = request.getfixturevalue("postgres_url")
        gwc = on_postgres(tmp_path, url, GWC_REDIS_URL=redis_url)
    gwc("demo", "--once", *SMALL)
    expected = gwc("balances").splitlines()[1:]
    with serving(gwc):
        for harm in (flush, delete_views):
            harm(gwc)
            wait_until_healed(gwc)
            for store in stores_of(gwc):
                assert wallets(gwc, store) == expected, (harm, store.name)
                store.close()
    gwc("audit")


def flush(gwc: Gwc) -> None:
    with redis.Redis.from_url(gwc.env["GWC_REDIS_URL"]) as client:
        client.flushall()


def delete_views(gwc: Gwc) -> None:
    url = gwc.env["GWC_DATABASE_URL"]
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)
    else:
        connection = psycopg.connect(url)
    with connection:
        connection.execute("DELETE FROM view_rows")
        connection.execute("DELETE FROM views")
    connection.close()
