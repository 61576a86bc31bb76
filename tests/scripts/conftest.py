"""``gwc`` as its users have it: a process of its own, with an environment and a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from tests.conftest import ROOT

KEY = b64encode(bytes(range(32))).decode()


class Gwc:
    """Runs commands in one folder on one set of settings."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.env = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **settings}
        self.command = [sys.executable, "-P", "-m", "scripts.gwc"]

    def run(self, *words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        """One command; fails the test for another status, or for a traceback."""
        ran = subprocess.run(
            [*self.command, *map(str, words)], cwd=self.folder, env=self.env,
            capture_output=True, text=True,
        )  # fmt: skip
        assert "Traceback" not in ran.stderr, ran.stderr
        assert ran.returncode == status, (words, ran.returncode, ran.stdout, ran.stderr)
        return ran

    def __call__(self, *words: object, status: int = 0) -> str:
        """What one command prints."""
        return self.run(*words, status=status).stdout


def on_sqlite(folder: Path, **settings: str) -> Gwc:
    return Gwc(folder, GWC_DATABASE_URL=f"sqlite:///{folder / 'gwc.db'}", **settings)


def on_postgres(folder: Path, url: str, **settings: str) -> Gwc:
    return Gwc(
        folder, GWC_DATABASE_URL=url, GWC_SECRET_KEY=KEY, GWC_VAULT_KEY=KEY,
        ALLOW_UNSAFE_TEST_SERVER="yes", **settings,
    )  # fmt: skip


SMALL = ("--citizens", 12, "--days", 2)


@pytest.fixture(scope="session")
def played(tmp_path_factory) -> Path:
    """The folder of a small demo city on SQLite; copy it before changing anything."""
    folder = tmp_path_factory.mktemp("played")
    on_sqlite(folder)("demo", "--once", *SMALL)
    return folder


@pytest.fixture
def city(played, tmp_path) -> Gwc:
    """``gwc`` on a copy of the small demo city."""
    shutil.copytree(played, tmp_path, dirs_exist_ok=True)
    return on_sqlite(tmp_path)


@pytest.fixture
def gwc(tmp_path) -> Gwc:
    """``gwc`` on a fresh SQLite file."""
    return on_sqlite(tmp_path)
