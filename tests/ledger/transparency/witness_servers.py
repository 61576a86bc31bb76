"""Witnesses on loopback: an honest one, and those that are slow, lie or talk nonsense."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from ledger.transparency.notes import Note, VerifierKey
from ledger.transparency.trust import TrustPolicy
from ledger.transparency.witness import Answer, Request, Witness
from ledger.transparency.witness_state import WitnessState
from tests.ledger.transparency.signed_logs import a_witness_signer

NOW = 1_780_000_000
Reply = Callable[["_Handler", bytes], None]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WitnessServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(body)
        with suppress(OSError):
            self.server.reply(self, body)

    def send(self, answer: Answer, **headers: str) -> None:
        self.send_response(answer.status)
        for name, value in {"Content-Type": answer.content_type, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


class WitnessServer(ThreadingHTTPServer):
    """Answers as ``reply`` does; ``asked`` holds every body it was sent."""

    daemon_threads = True

    def __init__(self, path: Path, name: str, logs: list[VerifierKey]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name, self.signer = name, a_witness_signer(f"{name}.example")
        self.state = WitnessState(path / f"{name}.db", begin=True)
        self.witness = Witness(self.state, self.signer, logs)
        self.reply: Reply = honest
        self.asked: list[bytes] = []
        self._thread = Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def line(self) -> str:
        """Its line in a trust policy."""
        return f"witness {self.name} {self.signer.verifier} http://127.0.0.1:{self.server_port}/\n"

    def answer(self, body: bytes) -> Answer:
        return self.witness.add_checkpoint(body, NOW)

    def notes(self) -> list[Note]:
        """The checkpoints it was shown."""
        return [Request.parse(body).note for body in self.asked]

    def close(self) -> None:
        """Let nobody connect any more."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        self.state.close()


def policy(servers: list[WitnessServer], threshold: str) -> TrustPolicy:
    """So many of these."""
    names = " ".join(one.name for one in servers)
    lines = [one.line for one in servers] + [f"group all-of-them {threshold} {names}\n"]
    return TrustPolicy.parse("".join([*lines, "quorum all-of-them\n"]).encode())


def honest(handler: _Handler, body: bytes) -> None:
    handler.send(handler.server.answer(body))


def slow(handler: _Handler, body: bytes) -> None:
    time.sleep(1.5)
    honest(handler, body)


def dripping(handler: _Handler, body: bytes) -> None:
    """A byte at a time, so that no single wait is long."""
    for _ in range(100):
        handler.wfile.write(b"H")
        time.sleep(0.1)


def silent(handler: _Handler, body: bytes) -> None:
    time.sleep(5)


def hanging_up(handler: _Handler, body: bytes) -> None:
    handler.close_connection = True


def telling(status: int, content: bytes, **headers: str) -> Reply:
    """The same answer to everybody."""
    return lambda handler, _: handler.send(Answer(status, "text/plain", content), **headers)


def huge(handler: _Handler, body: bytes) -> None:
    """An answer without end, a chunk at a time."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while True:
        handler.wfile.write(b"1000\r\n" + b"A" * 4096 + b"\r\n")


def forging(handler: _Handler, body: bytes) -> None:
    """A cosignature under its own name that does not hold."""
    line = handler.server.signer.cosign("another text\n", NOW)
    handler.send(Answer(200, "text/plain", str(line).encode()))


def impersonating(handler: _Handler, body: bytes) -> None:
    """A good cosignature by a key that is not its own."""
    line = a_witness_signer().cosign(Request.parse(body).note.text, NOW)
    handler.send(Answer(200, "text/plain", str(line).encode()))


def wavering(handler: _Handler, body: bytes) -> None:
    """Always knows another size than the one it was shown a proof from."""
    size = 2 if body.startswith(b"old 1\n") else 1
    handler.send(Answer(409, "text/plain", b"%d\n" % size))


LIARS: dict[str, Reply] = {
    "silent": silent,
    "slow": slow,
    "dripping": dripping,
    "hanging up": hanging_up,
    "huge": huge,
    "long": telling(200, b"A" * 1_000_000),
    "forging": forging,
    "impersonating": impersonating,
    "wavering": wavering,
    "empty": telling(200, b""),
    "garbage": telling(200, b"\xff\xfe\n"),
    "no signature": telling(200, b"thanks\n"),
    "redirecting": telling(307, b"", Location="http://127.0.0.1:1/add-checkpoint"),
    "no size": telling(409, b"many\n"),
    "a size of twenty digits": telling(409, b"99999999999999999999\n"),
    "forbidding": telling(403, b"no\n"),
    "failing": telling(500, b"oh\n"),
}
