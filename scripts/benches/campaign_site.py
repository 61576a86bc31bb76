"""The site of a campaign (走访现场): one database, and the commands of the house upon it."""

from __future__ import annotations

import base64
import csv
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID, uuid4

import click

from scripts.benches.memory import POLL_SECONDS, Child
from scripts.benches.parcels import Line, Walker, household, send

if TYPE_CHECKING:
    from api.services import Services

DOORS_PER_WALKER, GRIDS_PER_TOWN = 5_000, 10
STOCK = 10_000_000
START_SECONDS_MAX = 30.0


class Size(NamedTuple):
    """How large the campaign is, and after how many visits it is copied."""

    households: int
    visits: int
    small: int


class Site:
    """One database and the commands of the house upon it; ``figures`` are what they did."""

    def __init__(self, folder: Path, database: str) -> None:
        key = base64.b64encode(bytes(32)).decode()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder, self._log = folder, folder / "campaign.log"
        self._settings = {
            "GWC_DATABASE_URL": database, "GWC_SECRET_KEY": key, "GWC_VAULT_KEY": key,
            "GWC_RATE_LIMIT": "off", "GWC_BIND": f"127.0.0.1:{self.port}",
        }  # fmt: skip
        self.campaign = UUID(int=0)
        self.figures: list[str] = []

    def say(self, figure: str) -> None:
        self.figures.append(figure)
        click.echo(f"      {figure}", err=True)

    def planned(self, size: Size) -> tuple[list[Walker], str]:
        """A campaign of towns with a walker each, and the token of who directs them."""
        from ledger.campaigns.campaign import Plan
        from ledger.districts import DistrictImported

        towns = max(4, size.households // DOORS_PER_WALKER)
        doors = size.households // towns
        with opened(self._settings) as services:
            ledger, now = services.ledger, services.clock()
            ledger.import_districts([
                DistrictImported(code="10", name="城", parent=None, kind="city"),
                *(DistrictImported(code=_town(number), name=f"镇{number}", parent="10", kind="town")
                  for number in range(towns)),
                *(DistrictImported(code=grid, name=grid, parent=_town(number), kind="grid")
                  for number in range(towns) for grid in _grids(number)),
            ], now)  # fmt: skip
            token = ledger.issue_token("dispatcher", now).token
            actor = ledger.authenticate(token)
            assert actor is not None
            plan = Plan(name="春季走访", materials={"booklet": STOCK})
            self.campaign = ledger.plan_campaign(actor, plan, {}, uuid4(), now).id
            walkers = [
                Walker(number, ledger.issue_token("grid_worker", now, district=_town(number)).token,
                       str(self.campaign), range(number * doors, (number + 1) * doors))
                for number in range(towns)
            ]  # fmt: skip
        self._walkers, self._token = walkers, token
        return walkers, token

    def import_frame(self) -> None:
        """Both halves of the frame from files, one with addresses."""
        half = len(self._walkers) // 2
        for said, walkers in (("with addresses", self._walkers[:half]),
                              ("without addresses", self._walkers[half:])):  # fmt: skip
            path, count = self._folder / "frame.csv", sum(len(one.doors) for one in walkers)
            _write_frame(path, walkers, addresses=said == "with addresses")
            with self._child("import", "households", str(path), "--campaign", str(self.campaign)
                             ) as child:  # fmt: skip
                rate = count / child.ended()
                self.say(f"import {said} {rate:,.0f} households/s ({child.told()})")

    def open(self) -> None:
        """Open the campaign, as its dispatcher does."""
        with opened(self._settings) as services:
            actor = services.ledger.authenticate(self._token)
            assert actor is not None
            services.ledger.open_campaign(actor, self.campaign, {}, uuid4(), services.clock())

    def sync(self, walkers: list[Walker], visits: range) -> None:
        """Send these visits of every walker to a server, and tell how fast it took each fifth."""
        total, done, lock = len(walkers) * len(visits), 0, Lock()
        with self.served() as child, opened(self._settings) as services:
            marks = [(0, perf_counter())]

            def told(count: int) -> None:
                nonlocal done
                with lock:
                    done += count
                    child.look()
                    if done >= total * len(marks) / 5:
                        marks.append((done, perf_counter()))

            child.look()
            send(self.port, walkers, visits, services.clock(), told)
            rates = [f"{(b[0] - a[0]) / (b[1] - a[1]):,.0f}" for a, b in pairwise(marks)]
            rate = total / (marks[-1][1] - marks[0][1])
            self.say(f"sync {rate:,.0f} visits/s, by fifths {', '.join(rates)} ({child.told()})")

    def follow(self, what: str) -> None:
        """Let a follower bring every view to the end of the log."""
        from projections.reading import open_stores

        with opened(self._settings) as services, self._child("follow") as child:
            (store,) = open_stores(services.settings.database_url)
            end, began, start = services.ledger.head(), 0.0, 0
            while (position := min((one.position for one in store.heads()), default=0)) < end:
                if not began and position:
                    began, start = perf_counter(), position
                child.look()
                time.sleep(POLL_SECONDS)
            rate = (end - start) / (perf_counter() - began) if began else 0
            self.say(f"following {what} {rate:,.0f} facts/s ({child.told()})")
            store.close()

    @contextmanager
    def served(self, workers: int = 2) -> Iterator[Child]:
        """``gwc serve`` without a follower, until the end of the block."""
        settings = {**self._settings, "GWC_WORKERS": str(workers)}
        with Child(settings, self._log, "serve", "--api-only") as child:
            deadline = time.monotonic() + START_SECONDS_MAX
            while True:
                child.look()
                try:
                    with closing(Line(self.port)) as line:
                        line.ask("GET", "/healthz")
                    break
                except OSError:  # Not yet; a worker answers once it has loaded everything.
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(POLL_SECONDS)
            yield child

    def _child(self, *words: str) -> Child:
        return Child(self._settings, self._log, *words)


@contextmanager
def opened(settings: Mapping[str, str]) -> Iterator[Services]:
    """The services of a database, until the end of the block."""
    from api.config import Settings
    from api.services import open_services

    services = open_services(Settings.from_env(settings))
    try:
        yield services
    finally:
        services.close()


def _town(number: int) -> str:
    return f"10{number:04}"


def _grids(town: int) -> list[str]:
    return [f"{_town(town)}{number:02}" for number in range(GRIDS_PER_TOWN)]


def _write_frame(path: Path, walkers: list[Walker], *, addresses: bool) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["household", "grid", *(["address"] if addresses else [])])
        for walker in walkers:
            grids = _grids(walker.number)
            for number in walker.doors:
                grid = grids[(number - walker.doors.start) * len(grids) // len(walker.doors)]
                address = [f"城东街道河滨路{number}号"] if addresses else []
                rows.writerow([household(number), grid, *address])
