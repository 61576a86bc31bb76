"""``gwc serve``: the web server, the follower (视图更新) and the notary (公证) under one parent."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Event, Thread
from types import FrameType
from typing import TYPE_CHECKING

import click

from scripts.database import tell_weaknesses
from scripts.servers import end_with_us
from scripts.terminal import Terminal, services

if TYPE_CHECKING:
    from api.config import Settings

SERVER = ("gunicorn", "-c", "python:api.server")
# Beside the web server; whichever ends is started again.
FOLLOWER = ("scripts.gwc", "follow")
NOTARY = ("scripts.gwc", "notary")
NAMES = {"follower": "视图更新", "notary": "公证"}
POLL_SECONDS = 0.1
RESTART_SECONDS, RESTART_SECONDS_MAX = 1.0, 30.0
STOP_SECONDS_MAX = 40.0
STOPPING = (signal.SIGTERM, signal.SIGINT)


@click.command()
@click.option("--api-only", is_flag=True, help="只运行网页服务 / the web server alone")
@click.pass_obj
def serve(terminal: Terminal, api_only: bool) -> None:
    """启动服务，Ctrl-C 停止 / serve until SIGTERM or Ctrl-C; SIGHUP reloads the workers."""
    from ledger.transparency.errors import NotarisationRefused
    from scripts.notary import open_notary

    with services() as opened:
        opened.pings()
        tell_weaknesses(terminal, opened.ledger.store)
        settings = opened.settings
        if settings.log_key is not None and not api_only:
            # A wrong key or policy is told here; otherwise the notary would end again and again.
            with suppress(NotarisationRefused):  # It says so itself, and the API serves on.
                open_notary(opened)
    terminal.note(f"服务地址 {address(settings.bind)}", f"Serving on {address(settings.bind)}")
    status = Parent(terminal, {} if api_only else beside(terminal, settings)).run()
    if status:
        raise click.exceptions.Exit(1)


def beside(terminal: Terminal, settings: Settings) -> dict[str, Sequence[str]]:
    """What runs beside the web server: the follower, and the notary where its key is."""
    if settings.log_key is not None:
        return {"follower": FOLLOWER, "notary": NOTARY}
    terminal.note(
        "没有 GWC_LOG_KEY：本机不签名日志；请在持有密钥的主机上运行 gwc notary。",
        "There is no GWC_LOG_KEY: this host signs no log; run gwc notary where the key is.",
    )
    return {"follower": FOLLOWER}


def address(bind: str) -> str:
    return bind if bind.startswith("unix:") else f"http://{bind}"


class Parent:
    """Starts the children, passes signals on, starts those beside the server again, waits for all.

    The web server decides: when it ends, by itself or told to, so does everything.
    """

    def __init__(
        self, terminal: Terminal, beside: Mapping[str, Sequence[str]],
        environment: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._terminal = terminal
        self._beside = beside
        # NAME=VALUE, given to the children through env(1).
        self._prefix = ["env", *environment] if environment else []
        self._received: list[int] = []
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._began: dict[str, float] = {}
        self._rest: dict[str, float] = {}
        self._due: dict[str, float] = {}

    def run(self) -> int:
        """The exit status of the web server; 0 when it was told to stop."""
        for number in (*STOPPING, signal.SIGHUP):
            signal.signal(number, self._remember)
        self._start("server", SERVER)
        for name, module in self._beside.items():
            self._start(name, module)
        told_to_stop = False
        while (status := self._children["server"].poll()) is None:
            told_to_stop |= self._pass_on()
            if not told_to_stop:
                self._revive()
            time.sleep(POLL_SECONDS)
        self._stop_all()
        return 0 if told_to_stop else status or 1

    def _remember(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._received.append(number)

    def _pass_on(self) -> bool:
        """Send what was received to the children; whether it means to stop."""
        stop = False
        while self._received:
            number = self._received.pop(0)
            stop |= number in STOPPING
            for name, child in self._children.items():
                # SIGHUP reloads the web server's workers; it would only end the others.
                if child.poll() is None and (number in STOPPING or name == "server"):
                    # gunicorn finishes its requests on SIGTERM and drops them on SIGINT.
                    child.send_signal(signal.SIGTERM if number in STOPPING else number)
        return stop

    def _revive(self) -> None:
        """Start again what ended, and rest longer before each time it soon ends again."""
        for name, module in self._beside.items():
            ended = self._children[name].poll()
            if ended is None:
                continue
            now = time.monotonic()
            if name not in self._due:
                soon = now - self._began[name] < RESTART_SECONDS_MAX
                rest = min(2 * self._rest.get(name, RESTART_SECONDS / 2), RESTART_SECONDS_MAX)
                rest = rest if soon else RESTART_SECONDS
                self._rest[name], self._due[name] = rest, now + rest
                self._terminal.note(
                    f"{NAMES[name]}进程已结束（{ended}），{rest:.0f} 秒后重新启动。",
                    f"The {name} ended ({ended}); starting it again in {rest:.0f} s.",
                )
            elif now >= self._due[name]:
                del self._due[name]
                self._start(name, module)

    def _start(self, name: str, module: Sequence[str]) -> None:
        # Ours may stand on the path only because the caller stands in the checkout.
        safe = ["-P"] if sys.flags.safe_path else []
        command = [*self._prefix, sys.executable, *safe, "-m", *module]
        self._began[name] = time.monotonic()
        # A group of its own: Ctrl-C reaches the parent alone, which then tells each child once.
        # A parent that was killed takes its children along, so that no port stays taken.
        self._children[name] = subprocess.Popen(
            command, process_group=0,
            preexec_fn=end_with_us(signal.SIGTERM),  # noqa: PLW1509
        )  # fmt: skip

    def _stop_all(self) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        for child in self._children.values():
            try:
                child.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@click.command()
@click.pass_obj
def follow(terminal: Terminal) -> None:
    """更新视图、处理到期 / keep views and deadlines until SIGTERM; one leads, others stand by."""
    stop, told = Event(), []
    for number in STOPPING:
        signal.signal(number, lambda number, _: told.append(number))
    with services() as opened:
        from projections.reading import open_stores
        from projections.runner import Follower
        from scripts.deadlines import keep_deadlines

        stores = open_stores(opened.settings.database_url, opened.settings.redis_url)
        follower = Follower(opened.ledger, stores)
        # In a thread, because a signal must not set an event its own thread waits for.
        thread = Thread(target=follower.run, args=(stop,))
        deadlines = Thread(target=keep_deadlines, args=(opened, lambda: follower.leading, stop))
        thread.start()
        deadlines.start()
        terminal.note("正在更新视图。", "The views are being kept up to date.")
        while thread.is_alive() and not told:
            thread.join(POLL_SECONDS)
        stop.set()
        thread.join()
        deadlines.join()
        for store in stores:
            store.close()
    if not told:
        raise click.exceptions.Exit(1)
