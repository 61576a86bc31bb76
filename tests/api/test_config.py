"""Settings: every name known, every wrong value named, no default secret."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.config import DEFAULTS, SETTINGS, ConfigError, Settings
from tests.api.conftest import KEY
from tests.conftest import ROOT


def test_the_defaults_are_those_of_the_table():
    """An empty environment gives the documented defaults."""
    settings = Settings.from_env({})
    assert (settings.database_url, settings.bind) == ("sqlite:///gwc.db", "127.0.0.1:8000")
    table = {one.name: one.default for one in SETTINGS}
    assert table["GWC_DATABASE_URL"] == settings.database_url
    assert table["GWC_RATE_LIMIT"] == settings.rate_limit
    assert (table["GWC_WORKERS"], table["GWC_THREADS"]) == (
        str(settings.workers), str(settings.threads),
    )  # fmt: skip
    assert all(one.meaning.zh and one.meaning.en for one in SETTINGS)


def test_an_empty_value_is_the_default():
    """A setting that is empty or blank counts as unset, whatever it is."""
    environ = dict.fromkeys(DEFAULTS, " ")
    assert Settings.from_env(environ) == Settings.from_env({})


def test_an_unknown_name_is_refused_with_the_nearest_known_one():
    """A typing mistake is an error that names it and what was probably meant."""
    with pytest.raises(ConfigError, match=r"GWC_DATABSE_URL.*GWC_DATABASE_URL"):
        Settings.from_env({"GWC_DATABSE_URL": "sqlite:///x.db"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GWC_DATABASE_URL", "mysql://x"), ("GWC_DATABASE_URL", "sqlite:///"),
        ("GWC_DATABASE_URL", "sqlite:///:memory:"), ("GWC_REDIS_URL", "localhost:6379"),
        ("GWC_SECRET_KEY", "short"), ("GWC_VAULT_KEY", base64.b64encode(b"x" * 31).decode()),
        ("GWC_TIMEZONE", "UTC"), ("GWC_BIND", "8000"), ("GWC_BIND", "127.0.0.1:99999"),
        ("GWC_BIND", "127.0.0.1:" + "9" * 5_000), ("GWC_LOG_ORIGIN", "bad name"),
        ("GWC_WORKERS", "0"), ("GWC_WORKERS", "two"), ("GWC_THREADS", "-1"),
        ("GWC_RATE_LIMIT", "many"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(name, value):
    """Every wrong value is an error naming its setting; keys never show their value."""
    with pytest.raises(ConfigError, match=name) as refused:
        Settings.from_env({name: value})
    assert name.endswith("_KEY") is False or value not in str(refused.value)


def test_postgres_needs_its_keys_given():
    """With PostgreSQL no key is made up: the error says which are missing."""
    url = "postgresql://127.0.0.1/gwc"
    with pytest.raises(ConfigError, match="GWC_SECRET_KEY and GWC_VAULT_KEY"):
        Settings.from_env({"GWC_DATABASE_URL": url})
    with pytest.raises(ConfigError, match=r"PostgreSQL GWC_VAULT_KEY must"):
        Settings.from_env({"GWC_DATABASE_URL": url, "GWC_SECRET_KEY": KEY})
    both = {"GWC_DATABASE_URL": url, "GWC_SECRET_KEY": KEY, "GWC_VAULT_KEY": KEY}
    assert Settings.from_env(both).secret_key == base64.b64decode(KEY)


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path):
    """Beside the SQLite file, mode 0600, the same for all who start at once, no draft left."""
    url = f"sqlite:///{tmp_path / 'gwc.db'}"

    def start(_: int) -> tuple[bytes, bytes]:
        settings = Settings.from_env({"GWC_DATABASE_URL": url})
        return settings.secret_key, settings.vault_key

    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(start, range(64)))
    ((secret, vault),) = found
    assert (len(secret), len(vault), secret != vault) == (32, 32, True)
    names = {"gwc.db.secret-key", "gwc.db.vault-key"}
    assert {one.name for one in tmp_path.iterdir()} == names
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}


def test_the_server_does_not_start_on_an_unknown_setting():
    """gunicorn ends with status 2 and one line that names the setting."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GWC_")}
    ran = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "python:api.server"],
        cwd=ROOT, env={**kept, "GWC_WORKRES": "2"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "GWC_WORKRES" in ran.stderr
    assert "GWC_WORKERS" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_names_are_those_of_the_design():
    """The settings outside checks rely on are all there."""
    promised = (
        "DATABASE_URL REDIS_URL SECRET_KEY VAULT_KEY LOG_KEY TIMEZONE BIND WORKERS THREADS"
        " RATE_LIMIT TEST_POSTGRES_URL TEST_REDIS_URL CHROMIUM"
    )
    assert {f"GWC_{one}" for one in promised.split()} <= set(DEFAULTS)
