"""Live tails: what comes, on real workers, and what keeps them from taking all of a worker."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from api import tails
from api.tails import EVENTS, NDJSON
from tests.api.market import earn


@pytest.fixture
def auditor(caller):
    return caller("auditor")


class Tail:
    """A client that follows the log through a socket of its own."""

    def __init__(self, port: int, token: str, kind: str, query: str = "", **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        path = f"/v1/history?follow=true&{query}"
        sent = {"Authorization": f"Bearer {token}", "Accept": kind, **headers}
        self.connection.request("GET", path, headers=sent)
        self.answer = self.connection.getresponse()

    def lines(self) -> Iterator[str]:
        """Lines as they come, empty ones included; ends when the answer does."""
        while line := self.answer.readline():
            yield line.decode().rstrip("\n")

    def positions(self, count: int) -> list[int]:
        """So many entries of NDJSON."""
        found: list[int] = []
        for line in self.lines():
            if line:
                found.append(json.loads(line)["position"])
            if len(found) == count:
                break
        return found

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


@contextmanager
def following(server, token: str, kind: str = NDJSON, query: str = "", **headers: str):
    tail = Tail(server.port, token, kind, query, **headers)
    with closing(tail):
        yield tail


def test_a_tail_on_a_real_server_gives_what_comes(environ, services, caller, serve):
    """What is there, then each new entry within a second or two, filtered, from a position on."""
    citizen, auditor = caller(), caller("auditor")
    with serve(environ) as server:
        with following(server, auditor.token, query="topic=wallet.") as tail:
            assert tail.answer.status == 200
            assert tail.answer.headers["Content-Type"] == NDJSON
            assert tail.answer.headers["Cache-Control"] == "private, no-store"
            for _ in range(2):
                time.sleep(0.3)  # It is waiting by now.
                began = time.monotonic()
                earn(citizen, caller, tier=1)
                assert tail.positions(1) == [services.ledger.head()]
                assert time.monotonic() - began < 5
        with following(server, auditor.token, query="limit=2&after=3") as tail:
            assert tail.positions(2) == [4, 5]
            assert list(tail.lines()) == []


def test_events_carry_their_position_and_resume_behind_it(environ, services, caller, serve):
    """As Server-Sent Events each id is the position; Last-Event-ID goes on behind it."""
    auditor = caller("auditor")
    with serve(environ) as server:
        with following(server, auditor.token, EVENTS, "limit=3") as tail:
            text = "\n".join(tail.lines())
        retry, *events = text.split("\n\n")
        assert retry == "retry: 1000"
        found = [event.strip().split("\n") for event in events if event.strip()]
        assert [first for first, _ in found] == ["id: 1", "id: 2", "id: 3"]
        for number, (_, data) in enumerate(found, 1):
            assert json.loads(data.removeprefix("data: "))["position"] == number
        resumed = {"Last-Event-ID": "3"}
        with following(server, auditor.token, EVENTS, "limit=1&after=1", **resumed) as tail:
            assert "id: 4" in list(tail.lines())
        wrong = {"Last-Event-ID": "x"}
        with following(server, auditor.token, EVENTS, **wrong) as tail:
            assert tail.answer.status == 422


def test_tails_leave_threads_to_others(environ, services, caller, serve):
    """Half the threads follow at most; the next is told to come back, and gets in when one ends."""
    auditor = caller("auditor")
    with serve(environ, GWC_WORKERS="1", GWC_THREADS="4") as server:
        ending = f"after=0&limit={services.ledger.head() + 1}"
        with (
            following(server, auditor.token, query=ending) as one,
            following(server, auditor.token) as two,
        ):
            assert [one.positions(1), two.positions(1)] == [[1], [1]]
            with following(server, auditor.token) as third:
                assert third.answer.status == 503
                assert third.answer.headers["Retry-After"] == "15"
                assert json.loads(third.answer.read())["code"] == "too_many_tails"
            ordinary = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            with closing(ordinary):
                bearer = {"Authorization": f"Bearer {auditor.token}"}
                for _ in range(5):
                    ordinary.request("GET", "/v1/history?limit=1", headers=bearer)
                    answer = ordinary.getresponse()
                    assert (answer.status, len(json.loads(answer.read())["items"])) == (200, 1)
            caller()  # Two facts, so that one of the two tails has all that it asked for.
            assert list(one.lines())
            with following(server, auditor.token) as third:
                assert third.answer.status == 200


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
def test_a_worker_that_ends_ends_its_tails(environ, services, caller, serve):
    """SIGTERM waits for no tail: its answer is complete and the server is gone within seconds."""
    auditor = caller("auditor")
    with serve(environ, GWC_WORKERS="1") as server, following(server, auditor.token) as tail:
        assert tail.positions(1) == [1]
        began = time.monotonic()
        server.process.terminate()
        assert len([line for line in tail.lines() if line]) == services.ledger.head() - 1
        assert server.process.wait(20) == 0
        assert time.monotonic() - began < 10


class Recording:
    """A tail in this process: what it has sent so far, and whether it has ended."""

    def __init__(self, auditor, query: str = "", kind: str = NDJSON) -> None:
        self.answer = auditor.get(f"/v1/history?follow=true&{query}", Accept=kind)
        self.pieces: list[bytes] = []
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        for piece in self.answer.response:
            self.pieces.append(piece)
        self.answer.close()

    def has(self, condition) -> bool:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if condition(self.pieces):
                return True
            time.sleep(0.01)
        return False


@pytest.fixture
def quick(monkeypatch):
    """Signs of life every 50 ms, an end after a second."""
    monkeypatch.setattr(tails, "KEEP_ALIVE_SECONDS", 0.05)
    monkeypatch.setattr(tails, "LAST_SECONDS", 1.0)
    monkeypatch.setattr("api.routes.history.LOOK_SECONDS", 0.02)


@pytest.mark.parametrize("kind", [NDJSON, EVENTS])
def test_a_silent_tail_says_that_it_lives_and_ends(kind, auditor, services, quick):
    """Without entries there are signs of life that are no entries, and an end after a while."""
    began = time.monotonic()
    head = services.ledger.head()
    tail = Recording(auditor, "topic=redemption.", kind)
    tail.thread.join(10)
    assert 1.0 <= time.monotonic() - began < 5
    first, *signs = tail.pieces
    assert first == (b"\n" if kind == NDJSON else b"retry: 1000\n\n")
    assert set(signs) == {b"\n" if kind == NDJSON else b"id: %d\n\n" % head}
    assert 3 <= len(signs) <= 20


def test_a_revoked_token_ends_its_tail(auditor, caller, services, quick, monkeypatch):
    """Nothing that is recorded after a revocation is sent to its bearer."""
    monkeypatch.setattr(tails, "LAST_SECONDS", 30.0)
    tail = Recording(auditor)
    assert tail.has(lambda pieces: len(pieces) > 1)
    services.ledger.revoke_token(auditor.token, services.clock())
    time.sleep(0.1)
    caller()
    tail.thread.join(10)
    assert not tail.thread.is_alive()
    assert b"token.revoked" not in b"".join(tail.pieces)


def test_a_client_that_asks_for_the_head_alone_takes_no_place(app, auditor, quick):
    """HEAD, and answers nobody reads, give their places back."""
    for _ in range(5):
        headers = {**auditor.headers, "Accept": NDJSON}
        answer = app.test_client().head("/v1/history?follow=true", headers=headers)
        assert answer.status_code == 200
        answer.close()
    for _ in range(5):
        answer = auditor.get("/v1/history?follow=true", Accept=NDJSON)
        assert answer.status_code == 200
        answer.close()
