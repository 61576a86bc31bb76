"""A log that is appended to while notaries and its database are killed, and what was seen of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

from eventsourcing.persistence import PersistenceError

from ledger.store.leaf import entry_bytes, leaf_hash
from ledger.transparency.errors import HeadMoved
from ledger.transparency.merkle import EMPTY_ROOT, check_consistency, consistency_proof
from ledger.transparency.notary import Notary
from ledger.transparency.signing import new_key
from ledger.transparency.tiles import LogFolder
from scripts import servers
from tests.ledger.store.databases import Database, fact, history
from tests.ledger.transparency.notary_logs import (
    ORIGIN,
    KeepingSigner,
    Tree,
    files_of,
    parsed,
    published,
)
from tests.ledger.transparency.notary_process import RecorderLog

ROOT = Path(__file__).resolve().parents[3]
SEED = 20260101
START_SECONDS_MAX = 30
WRITER, SERVER = "writer", "server"


class OwnPostgres(servers.Postgres):
    """A PostgreSQL that can be killed and started again, fsync on."""

    def __init__(self) -> None:
        super().__init__(fsync=True)

    def kill(self) -> None:
        """SIGKILL the postmaster and all below it at once, and start it on what is on the disk."""
        for process in servers.family(self.process.pid):
            os.kill(process, signal.SIGKILL)
        self.process.wait()
        clean = {name: one for name, one in os.environ.items() if not name.startswith("PG")}
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            assert time.monotonic() < deadline, (self.home / "log").read_text()
            if self.process.poll() is not None:  # Until the last of its processes has gone.
                with open(self.home / "log", "a") as log:
                    self.process = subprocess.Popen(
                        self.process.args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                        stderr=log, cwd=self.home, env=clean | {"LC_ALL": "C.UTF-8"},
                        preexec_fn=servers.end_with_us(self.stop_signal),  # noqa: PLW1509
                        **servers._without_root()[1],
                    )  # fmt: skip
            time.sleep(0.02)


class Watched(Thread):
    """Reads the checkpoint, and then the head, which must not be behind it; keeps what it saw."""

    def __init__(self, database: Database, folder: LogFolder) -> None:
        super().__init__(daemon=True)
        self.recorder, self.folder = database.recorder(), folder
        self.seen: dict[int, bytes] = {}
        self.looks, self.faults, self.stopping = 0, [], Event()
        self.start()

    def run(self) -> None:
        while not self.stopping.wait(0.001):
            self.look()

    def look(self) -> None:
        found = published(self.folder)
        try:
            head = self.recorder.select_log_head()
        except PersistenceError:
            return
        if found is None:
            return
        size, root = found
        if head is None or head.size < size:
            self.faults.append(f"published {size}, head {head}")
        if self.seen.setdefault(size, root) != root:
            self.faults.append(f"two roots of {size} were published")
        if size < max(self.seen):
            self.faults.append(f"{size} was published after {max(self.seen)}")
        self.looks += 1

    def finish(self) -> None:
        self.stopping.set()
        self.join(30)
        self.look()
        self.recorder.close()


class Scene:
    """A log that is appended to, notaries that are killed, and what was seen of it."""

    def __init__(self, database: Database, server: OwnPostgres | None, path: Path) -> None:
        self.database, self.server, self.path = database, server, path
        self.folder = LogFolder(path / "log")
        self.key, self.signed = path / "key.pem", path / "signed"
        self.key.write_bytes(new_key())
        self.recorder = database.recorder()
        self.recorder.begin_log("0" * 16, ORIGIN, EMPTY_ROOT)
        self.watched = Watched(database, self.folder)
        self.stopping, self.chance = Event(), random.Random(SEED)
        self.appending = Thread(target=self.append, daemon=True)
        self.appending.start()

    def append(self) -> None:
        amounts = random.Random(SEED)
        while not self.stopping.wait(0.003):
            try:
                self.recorder.insert_events([fact() for _ in range(amounts.randint(1, 30))])
            except PersistenceError:
                time.sleep(0.02)

    def start(self, module: str, *words: object) -> subprocess.Popen:
        command = [sys.executable, "-m", f"tests.ledger.{module}", self.database.kind,
                   self.database.where, *map(str, words)]  # fmt: skip
        return subprocess.Popen(command, cwd=ROOT)

    def notary(self, point: str, times: int, *mutant: str) -> subprocess.Popen:
        return self.start(
            "transparency.notary_process", self.folder.path, self.key, self.signed, point, times,
            *mutant,
        )

    def kill_notary(self, point: str) -> None:
        """A notary that dies at this point."""
        process = self.notary(point, self.chance.randint(1, 3))
        try:
            assert process.wait(START_SECONDS_MAX) == -signal.SIGKILL, point
        finally:
            process.kill()

    def kill_database(self) -> str:
        """The server, or on SQLite a process that writes, while a notary is at work; which."""
        process = self.notary("never", 1)
        writer = None
        if self.server is None:
            writer = self.start("store.appender", 4, 0, self.path / "acknowledged")
        try:
            self.until_signed(process)
            time.sleep(self.chance.uniform(0, 0.1))
            if writer is None:
                assert self.server is not None
                self.server.kill()
                self.until_signed(process)
            else:
                writer.kill()
                writer.wait()
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()
        return SERVER if writer is None else WRITER

    def until_signed(self, process: subprocess.Popen) -> None:
        """Wait for another signature."""
        before = self.signed.stat().st_size if self.signed.exists() else 0
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.signed.exists() or self.signed.stat().st_size == before:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def finish(self) -> None:
        """Append no more, sign what there is, and look once more."""
        self.stopping.set()
        self.appending.join(30)
        lines = open(self.signed, "a")  # noqa: SIM115

        def keep(text: str) -> None:
            size, root = parsed(text)
            print(size, root.hex(), file=lines, flush=True)

        signer = KeepingSigner(self.key.read_bytes(), keep)
        notary = Notary(RecorderLog(self.recorder), self.folder, signer)  # type: ignore[arg-type]
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            assert time.monotonic() < deadline
            try:
                if notary.step() >= self.recorder.max_notification_id():
                    break
            except (HeadMoved, PersistenceError):
                time.sleep(0.05)
        lines.close()
        self.watched.finish()

    def faults(self) -> list[str]:
        """What is wrong with all that was ever signed, and with the files that are left."""
        rows = history(self.recorder)
        tree, size = Tree([leaf_hash(row) for row in rows]), len(rows)
        found = [*self.watched.faults]
        for line in self.signed.read_text().splitlines():
            signed, root = line.split()
            if root != tree.root(int(signed)).hex():
                found.append(f"another root of {signed} was signed")
        seen, last = sorted(self.watched.seen.items()), (size, tree.root(size))
        if not seen or seen[-1] != last:
            found.append(f"{last[0]} entries are not published")
        for (old, old_root), (new, root) in [*pairwise(seen), (seen[0], last)]:
            proof = consistency_proof(self.folder.tree(new), old, new)
            check_consistency(proof, old, new, old_root, root)
        wanted = files_of([entry_bytes(row) for row in rows], tree, size)
        for name, content in wanted.items():
            if (self.folder.path / name).read_bytes() != content:
                found.append(f"{name} is not what the entries give")
        return found

    def close(self) -> None:
        self.stopping.set()
        self.appending.join(30)
        self.watched.stopping.set()
        self.watched.join(30)
        self.watched.recorder.close()
        self.recorder.close()
