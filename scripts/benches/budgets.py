"""What budgets cost: awards by 16 threads at once, with three budgets to keep and with none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from uuid import UUID, uuid4

from ledger.application import Ledger
from ledger.contributions import REPORT
from ledger.contributions.report import ReportBody
from ledger.districts import DistrictImported
from ledger.participants import Actor
from scripts.benches.filled import NOW, people
from scripts.benches.growth import UNCAPPED
from scripts.benches.row import Measured, Samples, alternate

THREADS = 16
TOWN, COUNTY = "101", "100"
COINS = 10**9


def against_none(folder: Path, quick: bool) -> tuple[Samples, str]:
    """Awards a second in a town whose own, county's and city's budgets are kept, and in none."""
    sides = [_ledger(folder / f"budgets-{name}.db") for name in ("kept", "none")]
    for district in (TOWN, COUNTY, None):
        sides[0].set_budget(None, district, NOW.year, COINS, NOW)
    ours, theirs = (_awards_each(ledger, 160 if quick else 800) for ledger in sides)
    samples = alternate(5 if quick else 15, ours, theirs)
    for ledger in sides:
        ledger.close()
    return samples, f"{THREADS} threads; a town's, its county's and the city's budget, SQLite"


def _ledger(path: Path) -> Ledger:
    env = {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(path)}
    ledger = Ledger(env, bytes(32), bytes(32))
    ledger.publish_policy(UNCAPPED, None, NOW)
    ledger.import_districts([
        DistrictImported(code=COUNTY, name="县", parent=None, kind="county"),
        DistrictImported(code=TOWN, name="镇", parent=COUNTY, kind="town"),
    ], NOW)  # fmt: skip
    return ledger


def _awards_each(ledger: Ledger, count: int) -> Measured:
    """Awards a second, over a round of reports that are sent in beforehand."""
    persons, reviewer = people(count), Actor(uuid4(), "dispatcher")

    def rate() -> float:
        with ThreadPoolExecutor(THREADS) as threads:
            reports = list(threads.map(lambda person: _report(ledger, person), persons))
            began = perf_counter()
            receipts = list(threads.map(lambda report: _verify(ledger, reviewer, report), reports))
            seconds = perf_counter() - began
        assert all(receipts), "an award was refused"
        return count / seconds

    return rate


def _report(ledger: Ledger, person: UUID) -> UUID:
    body, text = ReportBody(category="litter", text="河岸有垃圾"), {"text": "河岸有垃圾"}
    actor = Actor(person, "citizen", TOWN)
    return ledger.contribute(REPORT, actor, body, text, uuid4(), NOW).id


def _verify(ledger: Ledger, reviewer: Actor, report: UUID) -> int:
    return ledger.review(REPORT, reviewer, report, uuid4(), NOW, tier=1, reason="").coins
