"""An HTTP client for measuring: ``python -m scripts.benches.client SOCKET TOKEN CONNECTIONS``.

It keeps that many connections to a Unix socket busy, and answers each line ``PATH SECONDS`` with
the answers it got per second. Anything but 200 ends it.
"""

from __future__ import annotations

import re
import socket
import sys
from selectors import EVENT_READ, DefaultSelector
from time import perf_counter

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
READ_BYTES = 65_536


class Connection:
    """One keep-alive connection, with at most one question under way."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._read = b""
        self.connect()

    def connect(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self._path)

    def answered(self) -> bool:
        """Read what came; whether it completes an answer."""
        came = self.socket.recv(READ_BYTES)
        self._read += came
        head, found, body = self._read.partition(b"\r\n\r\n")
        if not came or (found and not head.startswith(b"HTTP/1.1 200 ")):
            raise RuntimeError(f"the server answered {self._read[:300]!r}")
        length = LENGTH.search(head + b"\r\n") if found else None
        if length is None or len(body) < int(length[1]):
            return False
        self._read = b""
        return True


def answers_per_second(connections: list[Connection], question: bytes, seconds: float) -> float:
    """Ask on every connection, again and again; the last answers are awaited and counted."""
    count, open_questions, began = 0, len(connections), perf_counter()
    with DefaultSelector() as selector:
        for one in connections:
            selector.register(one.socket, EVENT_READ, one)
            one.socket.sendall(question)
        while open_questions:
            for key, _ in selector.select():
                if not key.data.answered():
                    continue
                count += 1
                if perf_counter() - began < seconds:
                    key.data.socket.sendall(question)
                else:
                    open_questions -= 1
    return count / (perf_counter() - began)


def main(path: str, token: str, count: str) -> None:
    """Answer the lines on stdin, on connections that stay open between them."""
    connections = [Connection(path) for _ in range(int(count))]
    print("ready", flush=True)
    for line in sys.stdin:
        target, seconds = line.split()
        question = f"GET {target} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
        print(answers_per_second(connections, question.encode(), float(seconds)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
