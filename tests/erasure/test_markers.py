"""Everything an erased person left is nowhere any more, also after a backup was restored."""

from __future__ import annotations

import base64
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from api.config import Settings
from api.services import open_services
from ledger.erasure.published import published_size
from ledger.transparency.signing import new_key
from ledger.transparency.tiles import LogFolder
from tests.campaigns.processes import Server
from tests.conftest import ROOT
from tests.erasure.planting import Planted, Site
from tests.erasure.searching import Kept, found, in_folder, in_redis

KEY = bytes(range(32))
WAIT_SECONDS = 40.0


@pytest.fixture(params=("sqlite", "postgres"))
def environ(request, tmp_path: Path, redis_url: str) -> dict[str, str]:
    """The settings of a whole service: database, Redis, keys, and the folder of its log."""
    url = f"sqlite:///{tmp_path / 'gwc.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    (tmp_path / "log-key.pem").write_bytes(new_key())
    key = base64.b64encode(KEY).decode()
    return {
        "GWC_DATABASE_URL": url, "GWC_REDIS_URL": redis_url, "GWC_SECRET_KEY": key,
        "GWC_VAULT_KEY": key, "GWC_LOG_KEY": str(tmp_path / "log-key.pem"),
        "GWC_LOG_DIR": str(tmp_path / "tlog"), "GWC_RATE_LIMIT": "off",
        "ALLOW_UNSAFE_TEST_SERVER": "yes",
    }  # fmt: skip


@pytest.fixture
def served(environ, tmp_path) -> Iterator[tuple[Server, Site, Planted]]:
    """A city that serves, with every marker planted."""
    opened = open_services(Settings.from_env(environ))
    server = Server(environ, tmp_path / "server.log")
    server.start()
    try:
        site = Site(opened, server.port)
        yield server, site, Planted(site)
    finally:
        opened.close()
        server.kill()


def gwc(environ, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [sys.executable, "-m", "scripts.gwc", *words], cwd=ROOT, env={**environ, "PATH": ""},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == status, (words, ran.stdout, ran.stderr)
    return ran


@pytest.fixture
def back_up(environ, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Copies the database as it is; the URL to serve the copy from."""
    url = environ["GWC_DATABASE_URL"]
    if url.startswith("sqlite"):
        copy = tmp_path / "backup" / "gwc.db"

        def copy_file() -> str:
            copy.parent.mkdir()
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as here, \
                    closing(sqlite3.connect(copy)) as there:  # fmt: skip
                here.backup(there)
            return f"sqlite:///{copy}"

        yield copy_file
        return
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url.replace(f"/{name}", "/postgres"), autocommit=True) as connection:

        def copy_database() -> str:
            connection.execute(f'CREATE DATABASE "{name}_backup" TEMPLATE "{name}"')
            return url.replace(f"/{name}", f"/{name}_backup")

        yield copy_database
        connection.execute(f'DROP DATABASE IF EXISTS "{name}_backup" WITH (FORCE)')


def wait_for_the_log(environ, head: int) -> None:
    """Until the notary has published it up to here."""
    deadline, folder = time.monotonic() + WAIT_SECONDS, Path(environ["GWC_LOG_DIR"])
    while not any(published_size(LogFolder(one)) >= head for one in folder.glob("*")):
        assert time.monotonic() < deadline, "the notary does not publish"
        time.sleep(0.1)


def test_nothing_an_erased_person_left_is_anywhere(
    served, environ, back_up, tmp_path, redis_url
):
    """Each marker is found with the key before; after the erasure none is, in tables, files,
    log, Redis, server log and exports; nor after a backup from before is served."""
    server, site, planted = served
    kept, markers = Kept(environ, KEY), planted.markers
    assert len(markers) >= 20
    assert found(markers, kept.contents()) == set(markers)
    subjects = (planted.citizen, planted.worker, planted.household, planted.account)
    secrets, files = kept.secrets(subjects), [path.read_bytes() for path in kept.files()]
    assert all(any(one in content for content in files) for one in secrets if files)
    site.ledger.close()
    wait_for_the_log(environ, kept_head(kept))
    server.kill()
    backup = back_up()
    server.start()
    planted.erase()
    site.ask("/v1/history?limit=100", site.staff["auditor"])
    wait_for_the_log(environ, kept_head(kept))
    assert found(markers, kept.contents()) == set()
    assert not any(one in path.read_bytes() for path in kept.files() for one in secrets)
    for name, words in (("history", ()), ("journal", ()), ("bundle", ())):
        gwc(environ, "export", name, "--out", str(tmp_path / f"export-{name}"), *words)
    for folder in (tmp_path / "tlog", tmp_path / "export-bundle"):
        assert found(markers, in_folder(folder)) == set()
    assert found(markers, in_redis(redis_url)) == set()
    others = [tmp_path / "server.log", tmp_path / "export-history", tmp_path / "export-journal"]
    assert found(markers, (one.read_bytes() for one in others)) == set()
    audit = gwc(environ, "audit", "--lang", "en")
    assert "Erased on request: 4 subjects" in audit.stderr
    verified = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "export-bundle" / "verify.py")], capture_output=True,
        text=True,
    )  # fmt: skip
    assert (verified.returncode, verified.stdout) == (0, ""), verified
    server.kill()

    restored = {**environ, "GWC_DATABASE_URL": backup}
    again, old = Server(restored, tmp_path / "server.log"), Kept(restored, KEY)
    assert found(markers, old.contents()) == set(markers)
    try:
        again.start()
        assert found(markers, old.contents()) == set()
        assert not any(one in path.read_bytes() for path in old.files() for one in secrets)
    finally:
        again.kill()
    audit = gwc(restored, "audit", "--lang", "en", status=1)
    assert audit.stdout.count("behind the end of this log") == 4
    assert "VAULT" in audit.stdout


def kept_head(kept: Kept) -> int:
    return max(row[0] for row in dict(kept.tables())["events"])
