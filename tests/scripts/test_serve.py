"""``gwc serve``: comes up, keeps its follower alive, goes down leaving nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.scripts.conftest import Gwc


@contextmanager
def serving(gwc: Gwc, *words: str) -> Iterator[subprocess.Popen]:
    """A server on a free port of loopback, ready; stopped by SIGTERM at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gwc.env["GWC_BIND"] = f"127.0.0.1:{probe.getsockname()[1]}"
    with open(gwc.folder / "serve.log", "ab") as log:
        server = subprocess.Popen(
            [*gwc.command, "serve", *words], cwd=gwc.folder, env=gwc.env, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: get(gwc, "/healthz") is not None)
        yield server
    finally:
        if server.poll() is None:
            server.terminate()
        server.wait()


def get(gwc: Gwc, path: str, token: str = "") -> dict | None:
    """The JSON answer; None while nobody answers."""
    request = urllib.request.Request(
        f"http://{gwc.env['GWC_BIND']}{path}", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)
    except OSError:
        return None


def wait_until(condition) -> None:
    """Ask until it holds; pytest's own timeout ends a wait in vain."""
    while not condition():
        time.sleep(0.05)


def children(process: int) -> dict[int, str]:
    """Process ids and command lines of everything started below a process."""
    found = {}
    for task in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((task / "stat").read_text().rpartition(")")[2].split()[1])
            words = (task / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if parent == process:
            found[int(task.name)] = words
            found |= children(int(task.name))
    return found


def alive(processes: dict[int, str]) -> list[str]:
    return [words for number, words in processes.items() if Path(f"/proc/{number}").exists()]


def test_it_serves_and_stops_leaving_no_process(city):
    """Web and follower come up together, SIGTERM ends with status 0 and no process is left."""
    token = city("token", "issue", "--role", "auditor").strip()
    with serving(city) as server:
        below = children(server.pid)
        assert any("gunicorn" in words for words in below.values())
        assert any("follow" in words for words in below.values())
        wait_until(lambda: (get(city, "/readyz") or {}).get("status") == "ready")
        answer = get(city, "/v1/wallets/me", token)
        assert answer is not None
        assert answer["available"] == 0
    assert server.returncode == 0
    assert alive(below) == []


def test_a_dead_follower_is_started_again(city):
    """Killing the follower brings another one, and the web server is not disturbed."""
    with serving(city) as server:
        def follower() -> int | None:
            return next((n for n, words in children(server.pid).items() if "follow" in words), None)

        wait_until(follower)
        first = follower()
        assert first is not None
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: follower() not in (None, first))
        assert get(city, "/healthz") is not None


def test_api_only_has_no_follower(city):
    """With --api-only nothing follows; SIGINT stops it as SIGTERM does."""
    with serving(city, "--api-only") as server:
        assert not any("follow" in words for words in children(server.pid).values())
        server.send_signal(signal.SIGINT)
        assert server.wait() == 0


def test_a_killed_parent_leaves_no_process_and_no_busy_port(city):
    """Even SIGKILL of the parent ends its children, so that it can be started again."""
    with serving(city) as server:
        below = children(server.pid)
        server.kill()
        server.wait()
        wait_until(lambda: not alive(below))
    with serving(city):
        assert get(city, "/healthz") is not None


def test_a_follower_alone_ends_cleanly(city):
    """gwc follow runs until SIGTERM and ends with status 0."""
    process = subprocess.Popen(
        [*city.command, "follow", "--lang", "en"], cwd=city.folder, env=city.env,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        assert "kept up to date" in process.stderr.readline()
        process.terminate()
        assert process.wait() == 0


def test_sighup_reloads_the_workers_and_leaves_the_follower(city):
    """SIGHUP is for the web server alone: the follower keeps its process."""
    with serving(city) as server:

        def follower() -> int | None:
            return next((n for n, words in children(server.pid).items() if "follow" in words), None)

        wait_until(follower)
        first = follower()
        server.send_signal(signal.SIGHUP)
        wait_until(lambda: get(city, "/healthz") is not None)
        assert follower() == first
