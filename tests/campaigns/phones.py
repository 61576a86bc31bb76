"""Phones (手机) without a good signal: ``python -m tests.campaigns.phones PORT SECONDS SEED FILE…``

A file is all that a phone has: its owner's token, what is to be sent, what it was told. It is read
anew whenever the phone restarts. Several processes may have the same phone in their hands.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

PARCEL_MAX = 25
LOSES_EVERY = 3
RESTARTS = 0.15
PAUSE_SECONDS = 0.1
OK = 200
SERVER_DOWN = 500

Item = dict[str, Any]


class Phone:
    """A phone as its file tells it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.items: dict[int, Item] = {}
        self.told: dict[int, dict[str, Any]] = {}
        self.answers: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        fixed: set[int] = set()
        whole, _, _ = path.read_text().rpartition("\n")  # What is being written is not whole yet.
        for line in map(json.loads, whole.splitlines()):
            if "owner" in line:
                self.owner: dict[str, Any] = line["owner"]
            elif "item" in line:
                self.items[line["item"]["device_seq"]] = line["item"]
            elif "fixed" in line:
                fixed.add(line["fixed"])
            elif "request" in line:
                self.requests.append(line)
            else:
                self.told[line["seq"]] = line
                self.answers.append(line)
        for seq in fixed & self.items.keys():
            self.items[seq]["body"] = self.items[seq]["fix"]
            self.items[seq]["fixed"] = True

    def write(self, *lines: dict[str, Any]) -> None:
        """Keep it, in one piece, beside what another process keeps."""
        content = "".join(json.dumps(one) + "\n" for one in lines).encode()
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(file, content)
        finally:
            os.close(file)

    def pending(self) -> list[Item]:
        return [item for seq, item in self.items.items() if seq not in self.told]

    def hear(self, parcel: list[Item], results: list[dict[str, Any]]) -> bool:
        """Keep what became of a parcel; whether something of it is over."""
        lines = []
        for item, result in zip(parcel, results, strict=True):
            assert result["submission_id"] == item["body"]["submission_id"], "out of order"
            seq, status = item["device_seq"], result["status"]
            if status == "invalid" and "fix" in item and "fixed" not in item:
                lines.append({"fixed": seq})
            elif status in ("created", "replayed", "invalid"):
                lines.append({"seq": seq, **{name: result.get(name) for name in
                              ("status", "code", "id", "position")}})  # fmt: skip
            else:  # It waits for another, or another process has sent it corrected.
                assert status == "waiting" or "fix" in item, result
        self.write(*lines)
        return bool(lines)


class Signal:
    """The way to the server; every third answer is lost on it."""

    def __init__(self, port: int, deadline: float) -> None:
        self._port, self._deadline = port, deadline
        self._asked = 0

    def send(self, phone: Phone, parcel: list[Item]) -> dict[str, Any] | None:
        """The answer to a parcel; None where it did not arrive."""
        if time.monotonic() > self._deadline:
            raise TimeoutError(f"{phone.owner['device']}: {len(phone.pending())} are not sent")
        self._asked += 1
        lost = self._asked % LOSES_EVERY == 0
        began = time.monotonic()
        try:
            answer = self._ask(phone.owner, parcel, hang_up=lost and self._asked % 2 == 0)
        except (OSError, http.client.HTTPException):
            answer, outcome = None, "lost" if lost else "failed"
            time.sleep(0 if lost else PAUSE_SECONDS)
        else:
            outcome = "lost" if lost else "answered"
        seconds = round(time.monotonic() - began, 4)
        phone.write({"request": outcome, "items": len(parcel), "seconds": seconds})
        return None if lost else answer

    def _ask(self, owner: dict[str, Any], parcel: list[Item], *, hang_up: bool) -> Any:
        sent_at = datetime.now(UTC) + timedelta(seconds=owner["skew"])
        names = ("kind", "device_seq", "recorded_at", "body")
        content = json.dumps({
            "device_id": owner["device"], "sent_at": sent_at.isoformat(),
            "items": [{name: item[name] for name in names} for item in parcel],
        })  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("POST", "/v1/sync", content, {
                "Authorization": f"Bearer {owner['token']}", "Content-Type": "application/json",
            })  # fmt: skip
            if hang_up:
                raise ConnectionAbortedError
            response = connection.getresponse()
            told = response.read()
        finally:
            connection.close()
        if response.status >= SERVER_DOWN:
            raise ConnectionError(told)
        assert response.status == OK, told
        return json.loads(told)


def parcels(items: list[Item], chance: Random) -> Iterator[list[Item]]:
    """The items in any order, in parcels of any size."""
    left = chance.sample(items, len(items))
    while left:
        size = chance.randrange(1, PARCEL_MAX + 1)
        yield left[:size]
        left = left[size:]


def send_all(path: Path, signal: Signal, chance: Random) -> None:
    """Send in what is in the file until the server has told what became of all of it."""
    while (phone := Phone(path)).pending():
        went_on = False
        for parcel in parcels(phone.pending(), chance):
            answer = signal.send(phone, parcel)
            if answer is not None:
                went_on |= phone.hear(parcel, answer["results"])
            if chance.random() < RESTARTS:
                break
        if not went_on:
            time.sleep(chance.uniform(0, PAUSE_SECONDS))


def send_again(path: Path, signal: Signal, chance: Random) -> None:
    """Send in everything once more, as a phone does that has lost what it was told."""
    phone = Phone(path)
    for parcel in parcels(list(phone.items.values()), chance):
        answer = signal.send(phone, parcel)
        if answer is not None:
            phone.hear(parcel, answer["results"])


def main(port: str, seconds: str, seed: str, *paths: str) -> None:
    """Be all these phones at the same time; every second one sends everything twice."""
    deadline = time.monotonic() + float(seconds)

    def morning(path: Path) -> None:
        chance = Random(f"{seed}/{path.name}")
        signal = Signal(int(port), deadline)
        send_all(path, signal, chance)
        if chance.random() < 0.5:
            send_again(path, signal, chance)

    with ThreadPoolExecutor(len(paths)) as pool:
        list(pool.map(morning, map(Path, paths)))


if __name__ == "__main__":
    main(*sys.argv[1:])
