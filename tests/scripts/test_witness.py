"""``gwc witness`` as another organisation runs it, and the notary that asks it."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ledger.transparency.notes import Note, VerifierKey
from ledger.transparency.signing import verify
from ledger.transparency.trust import TrustPolicy
from tests.ledger.transparency.signed_logs import SignedLog
from tests.scripts.conftest import Gwc
from tests.scripts.test_serve import wait_until

LOG = SignedLog()
NAME = "audit.example/w1"


class Witnessing:
    """A witness in a folder of its own, with none of the city's settings."""

    def __init__(self, folder: Path, *logs: VerifierKey) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.gwc = Gwc(folder)
        self.words = ["witness", "--dir", "w", "--name", NAME]
        self.logs = [word for key in logs for word in ("--log", str(key))]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.process: subprocess.Popen | None = None

    def key(self) -> str:
        return self.gwc(*self.words, "--show-key").strip()

    def start(self) -> None:
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.gwc.command, *self.words, *self.logs, "--bind", self.address],
                cwd=self.folder, env=self.gwc.env, stdout=log, stderr=log,
            )  # fmt: skip
        wait_until(lambda: self._get("/healthz") == 200)

    def _get(self, path: str) -> int | None:
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            return None

    def ask(self, body: bytes) -> tuple[int, str, bytes]:
        request = urllib.request.Request(f"http://{self.address}/add-checkpoint", body)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers["Content-Type"], refused.read()

    def stop(self, *, kill: bool = False) -> int | None:
        if self.process is None:
            return None
        (self.process.kill if kill else self.process.terminate)()
        return self.process.wait()


@pytest.fixture
def witness(tmp_path):
    started = Witnessing(tmp_path / "theirs", LOG.signer.verifier)
    yield started
    started.stop()


def test_its_key_is_made_once_and_kept_from_others(witness):
    """The first use makes key and name; the key is readable by its owner alone, and stays."""
    told = witness.key()
    assert VerifierKey.parse(told).name == NAME
    files = list((witness.folder / "w").iterdir())
    assert files
    assert {path.stat().st_mode & 0o077 for path in files} == {0}
    assert witness.key() == told
    assert witness.gwc("witness", "--dir", "w", "--show-key").strip() == told
    other = witness.gwc.run("--lang", "en", "witness", "--dir", "w", "--name", "x", status=2)
    assert "witness_key: " in other.stderr


def test_every_status_over_http(witness):
    """200, 400, 403, 404, 409 with its type and size, 413, 422; nothing of it is a web page."""
    witness.start()
    other = SignedLog(9)
    text = "text/plain; charset=utf-8"
    assert witness.ask(LOG.request(0, 9))[:2] == (200, text)
    assert witness.ask(b"old 9\n")[:2] == (400, text)
    assert witness.ask(other.request(0, 9))[:2] == (403, text)
    unknown = SignedLog(9, origin="city.example/other")
    assert witness.ask(unknown.request(0, 9))[:2] == (404, text)
    assert witness.ask(LOG.request(0, 9)) == (409, "text/x.tlog.size", b"9\n")
    assert witness.ask(b"A" * 200_000)[:2] == (413, text)
    assert witness.ask(LOG.rewritten(3).request(9, 12))[:2] == (422, text)
    assert witness._get("/add-checkpoint") == 405
    assert witness._get("/") == 404
    lines = [json.loads(line) for line in (witness.folder / "log").read_text().splitlines()[1:]]
    shown = [line["checkpoint"] for line in lines if "checkpoint" in line]
    assert shown == [bytes(LOG.rewritten(3).note(12)).decode()]  # Proof against the log.


def test_one_connection_carries_many_checkpoints(witness):
    """The log may keep its connection: ten checkpoints go through one."""
    witness.start()
    connection = http.client.HTTPConnection(witness.address, timeout=20)
    sockets = set()
    for old, size in zip(range(10), range(1, 11), strict=True):
        connection.request("POST", "/add-checkpoint", LOG.request(old, size))
        sockets.add(connection.sock.getsockname())
        assert connection.getresponse().read().startswith("—".encode())
    assert len(sockets) == 1
    connection.close()


@pytest.mark.parametrize("kill", [False, True])
def test_it_remembers_after_a_restart(witness, kill):
    """Stopped or killed and started again, it refuses an older checkpoint and another branch."""
    witness.start()
    assert witness.ask(LOG.request(0, 20))[0] == 200
    status = witness.stop(kill=kill)
    assert kill or status == 0
    if kill:  # Its worker notices that its parent is gone.
        wait_until(lambda: witness._get("/healthz") is None)
    witness.start()
    assert witness.ask(LOG.request(0, 9)) == (409, "text/x.tlog.size", b"20\n")
    assert witness.ask(LOG.rewritten(3).request(20, 20))[0] == 422
    assert witness.ask(LOG.rewritten(3).request(20, 30))[0] == 422
    assert witness.ask(LOG.request(20, 30))[0] == 200


def test_a_witness_that_lost_what_it_cosigned_does_not_start(witness):
    """With its key and without its state it would contradict itself: refused unless told."""
    witness.key()
    (witness.folder / "w" / "cosigned.db").unlink()
    lost = witness.gwc.run("--lang", "en", *witness.words, *witness.logs, status=1)
    assert "state_lost: " in lost.stderr
    assert witness.gwc(*witness.words, "--show-key", "--begin").strip() == witness.key()


@pytest.mark.parametrize("words", [(), ("--log", "x"), ("--logs", "keys")])
def test_a_log_must_be_named_by_its_key(witness, words):
    """Without a log, with something that is no key, or with a witness's key: status 2."""
    (witness.folder / "keys").write_text(f"# none of a log\n\n{witness.key()}\n")
    refused = witness.gwc.run("--lang", "en", *witness.words, *words, status=2)
    assert refused.stderr.startswith(("no_log: ", "log_key: "))


def test_wrong_words_make_no_key(witness):
    """An address that cannot be, and a folder without a name: status 2, one line, no file."""
    for words, code in (
        (("--dir", "w", "--bind", "127.0.0.1:99999"), "config_error: "),
        (("--dir", "w", "--bind", "8100"), "config_error: "), (("--dir", ""), "no_folder: "),
    ):  # fmt: skip
        refused = witness.gwc.run("--lang", "en", "witness", *words, *witness.logs, status=2)
        assert refused.stderr.startswith(code)
        assert len(refused.stderr.splitlines()) == 1
    assert list(witness.folder.iterdir()) == []


def test_files_that_are_no_text_are_named(witness):
    """A list of keys, or its own, of arbitrary bytes: status 2 and the name of the file."""
    (witness.folder / "keys").write_bytes(bytes(range(128, 256)))
    words = ("--lang", "en", *witness.words)
    assert "log_key: keys " in witness.gwc.run(*words, "--logs", "keys", status=2).stderr
    (witness.folder / "w" / "verifier-key").write_bytes(bytes(range(128, 256)))
    assert "witness_key: w: " in witness.gwc.run(*words, *witness.logs, status=2).stderr


class Asking:
    """A city whose notary asks a witness."""

    def __init__(self, city: Gwc, witness: Witnessing) -> None:
        self.city, self.witness = city, witness
        city("notary", "--once")
        witness.logs = ["--log", str(self.published().logs[0].key)]
        self.say(f"witness audit {witness.key()} http://{witness.address}\nquorum audit\n")

    @property
    def folder(self) -> Path:
        (found,) = self.city.folder.glob("gwc.db.tlog/*")
        return found

    def published(self) -> TrustPolicy:
        return TrustPolicy.parse((self.folder / "trust-policy").read_bytes())

    def say(self, policy: str) -> None:
        (self.city.folder / "policy").write_text(policy)
        self.city.env["GWC_TRUST_POLICY"] = "policy"

    def problems(self) -> list[str]:
        note = Note.parse((self.folder / "checkpoint").read_bytes())
        return list(self.published().problems(note, verify))


@pytest.fixture
def asking(city, tmp_path_factory):
    witness = Witnessing(tmp_path_factory.mktemp("witness"))
    yield Asking(city, witness)
    witness.stop()


def test_the_notary_publishes_what_the_witness_cosigned(asking):
    """Checkpoint and trust policy lie side by side, and the one satisfies the other."""
    assert [one.key.name for one in asking.published().logs]
    assert asking.problems() == []
    asking.witness.start()
    asking.city("notary", "--once")
    policy = asking.published()
    assert policy.quorum == "audit"
    assert policy.witnesses["audit"].url == f"http://{asking.witness.address}"
    assert asking.problems() == []
    asking.city("token", "issue", "--role", "citizen")
    asking.city("notary", "--once")
    assert asking.problems() == []


def test_without_the_witness_nothing_is_published(asking):
    """--once says who is missing with status 1, and the checkpoint is the one from before."""
    before = (asking.folder / "checkpoint").read_bytes()
    asking.city("token", "issue", "--role", "citizen")
    refused = asking.city.run("--lang", "en", "notary", "--once", status=1)
    assert refused.stderr.startswith("quorum_missing: ")
    assert "audit: no_answer" in refused.stderr
    assert (asking.folder / "checkpoint").read_bytes() == before


def ticks(process: int) -> int:
    """Hundredths of a second a process has computed."""
    return sum(map(int, Path(f"/proc/{process}/stat").read_text().split()[13:15]))


def test_a_waiting_notary_says_so_once_and_goes_on_trying(asking):
    """It waits for the witness without a word more and without spinning, then publishes."""
    before = (asking.folder / "checkpoint").read_bytes()
    asking.city("token", "issue", "--role", "citizen")
    with subprocess.Popen(
        [*asking.city.command, "notary", "--lang", "en"], cwd=asking.city.folder,
        env=asking.city.env, stderr=subprocess.PIPE, text=True,
    ) as notary:  # fmt: skip
        time.sleep(3)
        before_waiting = ticks(notary.pid)
        time.sleep(2)
        spent = ticks(notary.pid) - before_waiting
        assert notary.poll() is None
        asking.witness.start()
        wait_until(lambda: (asking.folder / "checkpoint").read_bytes() != before)
        notary.terminate()
        assert notary.wait() == 0
        assert notary.stderr is not None
        told = notary.stderr.read()
    assert told.count("quorum_missing: ") == 1
    assert spent < 50
    assert asking.problems() == []


@pytest.mark.parametrize(("text", "problem"), [
    ("quorum audit\n", "line 1: "), ("# so\nwitness\n", "line 2: "), ("", "no quorum line"),
    (f"log {LOG.signer.verifier}\nquorum none\n", "no log line has the key of this log"),
], ids=["quorum", "witness", "empty", "another log"])  # fmt: skip
def test_a_policy_that_is_none_of_this_log_is_refused(asking, text, problem):
    """Wrong use, status 2, with the line that is wrong; the published policy stays."""
    before = (asking.folder / "trust-policy").read_bytes()
    asking.say(text)
    refused = asking.city.run("--lang", "en", "notary", "--once", status=2)
    assert refused.stderr.startswith("trust_policy: ")
    assert problem in refused.stderr
    assert (asking.folder / "trust-policy").read_bytes() == before


def test_a_restored_backup_is_refused_by_what_the_witness_says(asking):
    """Last night's database without its published files: the notary names witness and sizes."""
    asking.witness.start()
    database = asking.city.folder / "gwc.db"
    asking.city("notary", "--once")
    night = database.read_bytes()
    asking.city("token", "issue", "--role", "citizen")
    asking.city("notary", "--once")
    for path in asking.city.folder.glob("gwc.db-*"):
        path.unlink()
    database.write_bytes(night)
    asking.folder.rename(asking.city.folder / "lost")
    refused = asking.city.run("--lang", "en", "notary", "--once", status=1)
    assert refused.stderr.startswith("checkpoint_ahead: audit holds a checkpoint of ")
