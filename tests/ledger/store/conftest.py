"""Every test of a recorder runs on a real SQLite file and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.store.recorder import LogRecorder
from tests.ledger.store.databases import Database

OpenRecorder = Callable[..., LogRecorder[Any]]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database."""
    if request.param == "sqlite":
        return Database("sqlite", str(tmp_path / "log.db"))
    return Database("postgres", request.getfixturevalue("postgres_url"))


@pytest.fixture
def open_recorder(database: Database) -> Iterator[OpenRecorder]:
    """Opens any number of recorders on one database and closes them after the test."""
    opened: list[LogRecorder[Any]] = []

    def open_one(**options: Any) -> LogRecorder[Any]:
        opened.append(database.recorder(**options))
        return opened[-1]

    yield open_one
    for recorder in opened:
        recorder.close()


@pytest.fixture
def recorder(open_recorder: OpenRecorder) -> LogRecorder[Any]:
    """One recorder on an empty database."""
    return open_recorder()
