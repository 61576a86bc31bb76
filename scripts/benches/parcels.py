"""Parcels of visits from many phones, sent to a real server as fast as it takes them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

PARCEL, SENDERS, OK = 150, 4, 200
OUTCOMES = ("met", "met", "nobody_home", "met", "refused", "nobody_home")
DAYS = 14


class Walker(msgspec.Struct, frozen=True):
    """A grid worker of one town, who goes from door to door, and then begins anew."""

    number: int
    token: str
    campaign: str
    doors: range

    def parcel(self, visits: range, now: datetime) -> dict[str, Any]:
        """These visits of the walker's, as a phone sends them."""
        return {
            "device_id": "phone", "sent_at": now.isoformat(),
            "items": [self._item(number, now) for number in visits],
        }  # fmt: skip

    def _item(self, number: int, now: datetime) -> dict[str, Any]:
        outcome = OUTCOMES[(number + number // len(self.doors)) % len(OUTCOMES)]
        body = {
            "submission_id": str(uuid4()), "campaign_id": self.campaign, "outcome": outcome,
            "household": household(self.doors[number % len(self.doors)]),
            "materials": {"booklet": 1} if outcome == "met" else {},
        }  # fmt: skip
        recorded = now - timedelta(days=1 + number % DAYS)
        return {"kind": "visit", "device_seq": number + 1, "recorded_at": recorded.isoformat(),
                "body": body}  # fmt: skip


def household(number: int) -> str:
    return f"H{number:07}"


class Line:
    """One connection to a server on the loopback address, kept open."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._token = token

    def ask(self, method: str, path: str, content: str = "", token: str = "") -> Any:
        """The answer; raises RuntimeError for anything but 200."""
        self._connection.request(method, path, content or None, {
            "Authorization": f"Bearer {token or self._token}", "Content-Type": "application/json",
        })  # fmt: skip
        response = self._connection.getresponse()
        told = response.read()
        if response.status != OK:
            raise RuntimeError(f"{path}: {response.status} {told[:500]!r}")
        return json.loads(told)

    def close(self) -> None:
        self._connection.close()


def send(
    port: int, walkers: list[Walker], visits: range, now: datetime, told: Callable[[int], None]
) -> None:
    """Let every walker make these visits, several at the same time; each must be recorded."""

    def parcels(share: list[Walker]) -> Iterator[tuple[Walker, range]]:
        for start in range(visits.start, visits.stop, PARCEL):
            for one in share:
                yield one, range(start, min(start + PARCEL, visits.stop))

    def sender(number: int) -> None:
        line = Line(port)
        for walker, numbers in parcels(walkers[number::SENDERS]):
            content = json.dumps(walker.parcel(numbers, now))
            results = line.ask("POST", "/v1/sync", content, walker.token)["results"]
            if any(one["status"] != "created" for one in results):
                raise RuntimeError(f"a visit was not recorded: {results[:3]}")
            told(len(results))
        line.close()

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(sender, range(SENDERS)))
