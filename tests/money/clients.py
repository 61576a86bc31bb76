"""Many clients at once on the loopback address, each with a connection and a question."""

from __future__ import annotations

import json
import resource
import selectors
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from api.services import Services, the_clock
from ledger.application import Ledger
from ledger.contributions import BY_KIND
from ledger.contributions.report import ReportBody
from ledger.participants import Actor
from ledger.spending.catalogue import Terms
from tests.money.city import made_id

SECONDS_MAX = 90.0
READ_BYTES = 65_536
OPEN_FILES = 4_096
SEEDERS = 16


class Question(NamedTuple):
    """A POST, ready to be sent."""

    path: str
    token: str
    body: dict[str, Any]

    def sent(self) -> bytes:
        content = json.dumps(self.body).encode()
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: rush\r\nConnection: close\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        ).encode() + content


class Reply(NamedTuple):
    """What came back, and how long after the start of all."""

    status: int
    body: dict[str, Any]
    seconds: float

    @property
    def outcome(self) -> str:
        return self.body.get("code", "") or str(self.status)


class Client:
    """One connection with one question under way."""

    def __init__(self, number: int, port: int, question: Question) -> None:
        self.number, self.unsent, self.read = number, question.sent(), b""
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))

    def go_on(self) -> bool:
        """Write or read what can be; whether the answer is whole."""
        if self.unsent:
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
            return False
        came = self.socket.recv(READ_BYTES)
        self.read += came
        return not came

    def reply(self, seconds: float) -> Reply:
        self.socket.close()
        head, _, content = self.read.partition(b"\r\n\r\n")
        return Reply(int(head.split()[1]), json.loads(content), seconds)


def ask_at_once(port: int, questions: Sequence[Question]) -> list[Reply]:
    """Ask every question on a connection of its own, all at the same time."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard), hard))
    replies: dict[int, Reply] = {}
    with selectors.DefaultSelector() as selector:
        began = monotonic()
        for number, question in enumerate(questions):
            client = Client(number, port, question)
            selector.register(client.socket, selectors.EVENT_WRITE, client)
        while selector.get_map():
            assert monotonic() - began < SECONDS_MAX, f"{len(replies)} answers so far"
            for key, _ in selector.select(1.0):
                client = key.data
                if client.go_on():
                    selector.unregister(client.socket)
                    replies[client.number] = client.reply(monotonic() - began)
                elif not client.unsent:
                    selector.modify(client.socket, selectors.EVENT_READ, client)
    return [replies[number] for number in range(len(questions))]


class Seeded(NamedTuple):
    """Somebody with coins and a token."""

    person: UUID
    token: str


def seed(ledger: Ledger, count: int) -> list[Seeded]:
    """So many new people, each with the ten coins of one report that was found true."""
    reviewer = actor(ledger, "dispatcher")
    report = BY_KIND["report"]

    def one(number: int) -> Seeded:
        made = ledger.issue_token("citizen", the_clock())
        body = {"category": "litter", "text": f"垃圾 {number}"}
        receipt = ledger.contribute(
            report, Actor(made.participant_id, "citizen"),
            ReportBody(category="litter", text=body["text"]), body, made_id("report"), the_clock(),
        )  # fmt: skip
        paid = ledger.review(
            report, reviewer, receipt.id, made_id(f"verify {receipt.id}"), the_clock(), tier=1,
            reason="",
        )  # fmt: skip
        assert (paid.coins, paid.balance) == (10, 10)
        return Seeded(made.participant_id, made.token)

    with ThreadPoolExecutor(SEEDERS) as pool:
        return list(pool.map(one, range(count)))


def actor(ledger: Ledger, role: str) -> Actor:
    """A new participant in a role."""
    found = ledger.authenticate(ledger.issue_token(role, the_clock()).token)
    assert found is not None
    return found


def offer(services: Services, stock: int) -> str:
    """The id of a new offer for ten coins."""
    terms = Terms(name="公交券", price=10, stock=stock, unit="张")
    made = services.ledger.publish_offer(
        actor(services.ledger, "merchant"), terms, {}, made_id(f"offer of {stock}"), the_clock()
    )
    return str(made.offer.offer_id)
