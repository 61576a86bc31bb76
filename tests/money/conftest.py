"""Services with real gunicorn servers before them, on databases that really sync their commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.config import Settings
from api.services import Services, open_services
from tests.api.conftest import Gunicorn, environment


@pytest.fixture(params=("sqlite", "postgres"))
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    return request.param


@pytest.fixture
def environ(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings of a service on a fresh database that loses nothing."""
    if kind == "postgres":
        return environment(request.getfixturevalue("durable_postgres_url"))
    return environment(f"sqlite:///{tmp_path / 'gwc.db'}")


@pytest.fixture
def services(environ: dict[str, str]) -> Iterator[Services]:
    """The services of the test itself, to prepare and to look."""
    opened = open_services(Settings.from_env(environ))
    yield opened
    opened.close()


@pytest.fixture
def serve(environ: dict[str, str], tmp_path: Path) -> Callable[..., object]:
    """``with serve(workers) as port``: gunicorn in so many processes until the end of the block."""

    @contextmanager
    def start(workers: int, **more: str) -> Iterator[int]:
        server = Gunicorn(environ, tmp_path / "server.log", GWC_WORKERS=str(workers), **more)
        try:
            server.wait()
            yield server.port
        finally:
            server.stop()

    return start
