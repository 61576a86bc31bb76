"""A morning of visits from phones that lose answers and restart, through a server that is killed.

``GWC_TEST_MORNING`` is how many workers there are, each with 40 visits.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from api.config import Settings
from api.services import Services, open_services, the_clock
from ledger import identity
from ledger.campaigns.campaign import Plan
from ledger.campaigns.listing import NewHousehold
from ledger.contributions.report import ReportRecorded
from ledger.contributions.visits import VisitEdited, VisitRecorded, VisitWithdrawn
from ledger.devices import ItemsReceived
from ledger.districts import DistrictImported
from scripts.audit import audited
from scripts.terminal import Terminal
from tests.api.conftest import environment
from tests.campaigns.morning import SHANGHAI, STOCK, WORKERS_PER_GRID, Morning, Worker, meant
from tests.campaigns.phones import Phone, Signal
from tests.campaigns.processes import Pocket, Server

WORKERS = int(os.environ.get("GWC_TEST_MORNING", "0"))
FULL = WORKERS > 0
VISITS_EACH = 40 if FULL else 12
KILLS = (0.25, 0.5, 0.75) if FULL else (0.4,)
SEED = 20260101
SECONDS_MAX = 600 if FULL else 100
SKEWS = [timedelta(hours=hours) for hours in (0, 0, 0, 3, -5, 30, -50)]


@pytest.fixture(params=("sqlite", "postgres"))
def environ(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings of a service on a database that really syncs its commits."""
    if request.param == "postgres":
        return environment(request.getfixturevalue("durable_postgres_url"))
    return environment(f"sqlite:///{tmp_path / 'gwc.db'}")


@pytest.fixture
def services(environ):
    """The services of the test itself, to prepare and to look."""
    opened = open_services(Settings.from_env(environ))
    yield opened
    opened.close()


@pytest.fixture
def server(environ, tmp_path):
    """``gwc serve`` on a port that stays the same."""
    server = Server(environ, tmp_path / "server.log")
    server.start()
    yield server
    server.kill()


def planned(services: Services, workers: int, visits_each: int) -> Morning:
    """An open campaign with workers, and what their phones mean to send."""
    ledger, now = services.ledger, the_clock()
    grids = [f"11{number:03}" for number in range(-(-workers // WORKERS_PER_GRID))]
    ledger.import_districts([
        DistrictImported(code="100", name="城", parent=None, kind="city"),
        DistrictImported(code="110", name="镇", parent="100", kind="town"),
        *(DistrictImported(code=one, name=one, parent="110", kind="grid") for one in grids),
    ], now)  # fmt: skip
    dispatcher = ledger.authenticate(ledger.issue_token("dispatcher", now).token)
    made = ledger.plan_campaign(
        dispatcher, Plan(name="春季走访", materials=STOCK), {}, UUID(int=1, version=4), now
    )
    chance, people = Random(SEED), []
    for number in range(workers):
        grid = grids[number // WORKERS_PER_GRID]
        issued = ledger.issue_token("grid_worker", now, district=grid)
        skew = chance.choice(SKEWS)
        people.append(Worker(number, str(issued.participant_id), issued.token, grid, skew))
    today = now.astimezone(SHANGHAI).date()
    morning = Morning(str(made.id), people, visits_each, today, SEED)
    ledger.list_households(
        made.id, [NewHousehold(d, g) for g, doors in morning.frame.items() for d in doors], now
    )
    ledger.open_campaign(dispatcher, made.id, {}, UUID(int=2, version=4), now)
    return morning


def queued(morning: Morning, folder: Path) -> list[Path]:
    """The file of every phone."""
    paths = []
    for worker in morning.workers:
        path = folder / f"{worker.device}.jsonl"
        owner = {"device": worker.device, "token": worker.token,
                 "skew": worker.skew.total_seconds()}  # fmt: skip
        items = [{**one, "body": _resolved(one["body"], morning)} for one in worker.items]
        lines = [{"owner": owner}, *({"item": one} for one in items)]
        path.write_text("".join(json.dumps(one) + "\n" for one in lines))
        paths.append(path)
    return paths


def _resolved(body: dict, morning: Morning) -> dict:
    """A visit of somebody else is named by the id that the server shows for it."""
    of = body.get("visit")
    if not isinstance(of, dict):
        return body
    person = UUID(morning.workers[of["of"]].person)
    return body | {"visit": str(
        identity.contribution_id(person, "visit", UUID(of["submission_id"]))
    )}  # fmt: skip


def live_through(server: Server, services: Services, paths: list[Path], items: int) -> None:
    """Send in everything, half the phones from two processes at once, and kill the server."""
    begin = services.ledger.head()
    pockets = [Pocket(server.port, 1, paths, SECONDS_MAX),
               Pocket(server.port, 2, paths[::2], SECONDS_MAX)]  # fmt: skip
    try:
        for number, share in enumerate(KILLS):
            while services.ledger.head() - begin < share * items:
                time.sleep(0.02)
            server.kill()
            pockets[number % 2].kill()
            server.start()
            pockets[number % 2].start()
        assert [pocket.ended() for pocket in pockets] == [0, 0]
    finally:
        for pocket in pockets:
            pocket.kill()


@pytest.mark.timeout(SECONDS_MAX + 120)
def test_a_morning_of_visits(services, server, tmp_path, record_property, environ):
    """Every visit is there exactly once, coverage is what was meant, and the log is sound."""
    morning = planned(services, WORKERS or 12, VISITS_EACH)
    paths = queued(morning, tmp_path)
    began = time.monotonic()
    live_through(server, services, paths, sum(len(one.items) for one in morning.workers))
    seconds = time.monotonic() - began
    assert_once(services, morning)
    assert_as_told(services, morning, paths)
    assert_no_gaps(server.port, morning, paths)
    assert_covered(server, services, morning)
    assert list(audited(Terminal(), services, services.ledger.head())) == []
    tell(environ, morning, paths, seconds, record_property)


def assert_once(services: Services, morning: Morning) -> None:
    """The log has what was meant: every visit, edit, withdrawal and report, each once."""
    entries = list(services.ledger.entries())
    assert [one.position for one in entries] == list(range(1, len(entries) + 1))
    facts = Counter(type(one.fact) for one in entries)
    visits = [one.fact for one in entries if isinstance(one.fact, VisitRecorded)]
    there = Counter((str(one.participant_id), one.household) for one in visits)
    assert there == Counter(meant(morning.visits))
    assert facts[VisitEdited] == morning.edits
    assert facts[VisitWithdrawn] == len(morning.visits) - len(morning.standing())
    assert facts[ReportRecorded] == morning.reports
    assert not any(one.fact.clashes for one in entries if isinstance(one.fact, VisitEdited))
    numbers = [item for one in entries if isinstance(one.fact, ItemsReceived)
               for item in ((one.originator_id, seq) for seq, _ in one.fact.items)]  # fmt: skip
    assert len(numbers) == len(set(numbers))


def assert_as_told(services: Services, morning: Morning, paths: list[Path]) -> None:
    """Whatever a phone was told of an item the log says, also of what came before a kill."""
    at = {one.position: one for one in services.ledger.entries()}
    for path, worker in zip(paths, morning.workers, strict=True):
        phone = Phone(path)
        told: dict[int, set] = {}
        for one in phone.answers:
            told.setdefault(one["seq"], set()).add((one["id"], one["position"]))
        assert all(len(one) == 1 for one in told.values()), told
        assert {seq for seq, one in phone.told.items() if one["status"] == "invalid"} == (
            worker.refused
        ), phone.told
        for seq, one in phone.told.items():
            if seq not in worker.refused:
                assert str(at[one["position"]].originator_id) == one["id"]


def assert_no_gaps(port: int, morning: Morning, paths: list[Path]) -> None:
    """A device's missing numbers are those of the items that were refused."""
    for path, worker in zip(paths, morning.workers, strict=True):
        phone = Phone(path)
        last = max(phone.items.keys() - worker.refused)
        answer = Signal(port, time.monotonic() + 60).send(phone, [phone.items[last]])
        assert answer["results"][0]["status"] == "replayed"
        assert answer["missing_seqs"] == sorted(one for one in worker.refused if one < last)


def assert_covered(server: Server, services: Services, morning: Morning) -> None:
    """Coverage by grid, by worker and day of any place, is the table counted without it."""
    token = services.ledger.issue_token("dispatcher", the_clock()).token
    city = morning.city()
    for asked, expected in morning.table().items():
        rows, following = {}, ""
        while following is not None:
            found = server.get(
                f"/v1/campaigns/{morning.campaign}/coverage?{asked}&limit=7"
                f"&min_position={services.ledger.head()}" + following * bool(following), token,
            )  # fmt: skip
            rows |= {one.pop("of"): one for one in found["items"]}
            following = found["next"] and f"&cursor={found['next']}"
        assert rows == expected, asked
        if "district" not in asked:
            assert {name: found[name] for name in city} == city


def tell(environ, morning, paths, seconds, record_property) -> None:
    """Print the figures, and keep them with the test's result."""
    kind = environ["GWC_DATABASE_URL"].partition(":")[0]
    requests = [one for path in paths for one in Phone(path).requests]
    ways = Counter(one["request"] for one in requests)
    sent = sum(one["items"] for one in requests)
    items = sum(len(one.items) for one in morning.workers)
    record_property(f"morning_{kind}_seconds", round(seconds, 1))
    print(
        f"\nmorning on {kind}: {len(morning.workers)} phones, {len(morning.visits)} visits of"
        f" {items} items, {seconds:.1f} s, {len(requests)} requests ({dict(ways)}), {sent} items"
        f" sent, {len(KILLS)} kills, {len(morning.visits) / seconds:.0f} visits/s"
    )  # fmt: skip
