"""The service on every database, callers with tokens, and real gunicorn servers."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask

from api.app import create_app
from api.config import Settings
from api.services import Services, open_services
from ledger.districts import DistrictImported
from projections.reading import open_stores
from projections.runner import Follower
from tests.conftest import ROOT
from tests.ledger.examples import a_reach

KEY = base64.b64encode(bytes(range(32))).decode()
NOW = datetime.now(UTC)


@pytest.fixture(params=("sqlite", "postgres"))
def environ(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings of a service on a fresh database."""
    url = f"sqlite:///{tmp_path / 'gwc.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    return environment(url)


def environment(url: str, **more: str) -> dict[str, str]:
    return {
        "GWC_DATABASE_URL": url,
        "GWC_SECRET_KEY": KEY,
        "GWC_VAULT_KEY": KEY,
        "GWC_RATE_LIMIT": "off",
        "ALLOW_UNSAFE_TEST_SERVER": "yes",
        **more,
    }


class Clock:
    """Now, or so much later as a test wants it to be."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(environ: dict[str, str], clock: Clock) -> Iterator[Services]:
    """Services with a reach and three districts, two of them in the first."""
    opened = open_services(Settings.from_env(environ), clock)
    prepare(opened)
    yield opened
    opened.close()


def prepare(opened: Services) -> None:
    opened.ledger.import_districts(
        [
            DistrictImported(code="100", name="城", parent=None, kind="city"),
            DistrictImported(code="110", name="东镇", parent="100", kind="town"),
            DistrictImported(code="120", name="西镇", parent="100", kind="town"),
        ],
        NOW,
    )
    opened.ledger.import_reaches([a_reach("110")], NOW)


class Caller:
    """One bearer of a token, asking the app as a client would."""

    def __init__(
        self, app: Flask, services: Services, role: str, district: str | None,
        same: UUID | None = None,
    ) -> None:  # fmt: skip
        found = services.ledger.issue_token(role, NOW, district=district, participant=same)
        self.token, self.id, self._client = found.token, found.participant_id, app.test_client()
        self.headers = {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **headers: str):
        return self._client.get(path, headers={**self.headers, **headers})

    def post(self, path: str, body: object, **more):
        return self._client.post(path, json=body, headers=self.headers, **more)

    def submit(self, path: str, body: dict, submission_id: UUID | None = None):
        return self.post(path, {"submission_id": str(submission_id or uuid4()), **body})


@pytest.fixture
def app(services: Services) -> Flask:
    return create_app(services)


@pytest.fixture
def caller(app: Flask, services: Services) -> Callable[..., Caller]:
    """``caller(role, district)``: a new participant in the role; ``same``: one there already."""

    def make(
        role: str = "citizen", district: str | None = None, same: UUID | None = None
    ) -> Caller:
        return Caller(app, services, role, district, same)

    return make


@pytest.fixture
def follow(services: Services) -> Callable[[], None]:
    """Bring every view to the end of the log."""
    stores = open_stores(services.settings.database_url, services.settings.redis_url)
    follower = Follower(services.ledger, stores)

    def catch_up() -> None:
        follower.catch_up()

    yield catch_up
    follower.close()
    for store in stores:
        store.close()


@pytest.fixture
def erase(services: Services, monkeypatch: pytest.MonkeyPatch) -> Callable[[UUID], None]:
    """``erase(participant)``: their key is gone, as after an erasure."""
    store = services.ledger.store
    gone: set[UUID] = set()
    select = store.select_key
    monkeypatch.setattr(
        store, "select_key", lambda subject: None if subject in gone else select(subject)
    )
    return gone.add


class Gunicorn:
    """A real server of our own on a free port of the loopback address."""

    def __init__(self, environ: dict[str, str], log: Path, **more: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log, self.url = log, f"http://127.0.0.1:{self.port}"
        settings = {**environ, "GWC_BIND": f"127.0.0.1:{self.port}", **more}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GWC_")}
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "python:api.server"],
                cwd=ROOT, env={**kept, **settings}, stdout=output, stderr=output,
            )

    def wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise AssertionError(f"gunicorn does not answer:\n{self.log.read_text()}")

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(40)


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., object]:
    """``with serve(environ) as server``: gunicorn until the end of the block."""

    @contextmanager
    def start(environ: dict[str, str], **more: str) -> Iterator[Gunicorn]:
        server = Gunicorn(environ, tmp_path / "server.log", **more)
        try:
            server.wait()
            yield server
        finally:
            server.stop()

    return start
