"""``GET /v1/wallets/me`` per second, against a constant answer of the same app and server."""

from __future__ import annotations

import base64
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from scripts.benches.constant import PATH
from scripts.benches.databases import postgres_databases, redis_server
from scripts.benches.filled import NOW, awards, fill
from scripts.benches.processes import Worker, total
from scripts.benches.row import Samples, alternate
from scripts.servers import end_with_us

LOTS, CONNECTIONS = 20, 16
CLIENT = "scripts.benches.client"
APP = "scripts.benches.constant:create_app()"
START_SECONDS_MAX = 30.0


def on_sqlite(folder: Path, quick: bool) -> tuple[Samples, str]:
    """Log and views in one SQLite file."""
    return _measured(folder, {"GWC_DATABASE_URL": f"sqlite:///{folder}/wallet.db"}, quick)


def on_postgres_and_redis(folder: Path, quick: bool) -> tuple[Samples, str]:
    """Log and views in PostgreSQL, a copy of the views in Redis or Valkey."""
    with postgres_databases(1) as (database,), redis_server() as redis:
        return _measured(folder, {"GWC_DATABASE_URL": database, "GWC_REDIS_URL": redis}, quick)


def _measured(
    folder: Path, given: Mapping[str, str], quick: bool
) -> tuple[Samples, str]:
    key = base64.b64encode(bytes(32)).decode()
    address = folder / "gunicorn.socket"
    settings = {
        **given, "GWC_SECRET_KEY": key, "GWC_VAULT_KEY": key, "GWC_RATE_LIMIT": "off",
        "GWC_BIND": f"unix:{address}",
    }  # fmt: skip
    token = _somebody_with_lots(settings)
    rounds, seconds = (5, 0.5) if quick else (9, 3)
    arguments = (str(address), token, str(CONNECTIONS))
    with _served(settings, address), Worker(CLIENT, *arguments) as client:
        ours, theirs = (
            partial(total, [client], f"{path} {seconds}") for path in ("/v1/wallets/me", PATH)
        )
        samples = alternate(rounds, ours, theirs)
    return samples, f"{LOTS} lots, {CONNECTIONS} keep-alive connections, gunicorn"


def _somebody_with_lots(settings: Mapping[str, str]) -> str:
    """The token of a person with 20 lots, whose wallet the views show already."""
    from api.config import Settings
    from api.services import open_services
    from projections.reading import open_stores
    from projections.runner import Follower

    opened = open_services(Settings.from_env(settings))
    stores = open_stores(opened.settings.database_url, opened.settings.redis_url)
    try:
        registered = opened.ledger.issue_token("citizen", NOW)
        fill(opened.ledger, awards([registered.participant_id], LOTS))
        follower = Follower(opened.ledger, stores)
        follower.catch_up()
        follower.close()
    finally:
        for store in stores:
            store.close()
        opened.close()
    return registered.token


@contextmanager
def _served(settings: Mapping[str, str], address: Path) -> Iterator[None]:
    """gunicorn as ``gwc serve`` starts it, until the end of the block."""
    command = [
        "env", "-u", "GWC_REDIS_URL", *(f"{name}={value}" for name, value in settings.items()),
        sys.executable, "-P", "-m", "gunicorn", "-c", "python:api.server", APP,
    ]  # fmt: skip
    with open(address.with_suffix(".log"), "wb") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, preexec_fn=end_with_us(signal.SIGTERM)  # noqa: PLW1509
        )
    try:
        _wait_for(address, server)
        yield
    finally:
        server.terminate()
        server.wait()


def _wait_for(address: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with socket.socket(socket.AF_UNIX) as knock:
                knock.connect(str(address))
            return
        except OSError:
            time.sleep(0.05)
    log = address.with_suffix(".log").read_text(errors="replace")
    raise RuntimeError(f"gunicorn did not start: {log[-2_000:]}")
