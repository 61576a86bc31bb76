"""Growth (增长): what one award costs in a small and in a large log, for a short and a long wallet.

An award is a reviewer finding a report to be true: report and wallet are loaded, the award is
decided and committed. Both sides are ours; the small one stands where rows usually have theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from time import perf_counter
from uuid import UUID, uuid4

from ledger.application import Ledger
from ledger.contributions.report import REPORT, ReportBody
from ledger.days import day_of
from ledger.participants import Actor
from ledger.settlement import default_policy
from scripts.benches.filled import NOW, awards, fill, people
from scripts.benches.row import Measured, Samples, alternate

FACTS_EACH = 10
SMALL, LARGE, LARGE_QUICK = 10_000, 1_000_000, 100_000
LONG = 10_000
AWARDS_PER_ROUND = 40
# Nobody may run into a cap while being awarded all day.
UNCAPPED = default_policy().replace("day = 45", "day = 1000000").replace(
    "month = 1350", "month = 1000000"
)  # fmt: skip


def by_log(folder: Path, quick: bool) -> tuple[Samples, str]:
    """An award with 10,000 facts in the log and with 1,000,000 (100,000 if quick)."""
    large = LARGE_QUICK if quick else LARGE
    sides = []
    for facts in (large, SMALL):
        ledger = _ledger(folder / f"growth-{facts}.db")
        persons = people(facts // FACTS_EACH)
        fill(ledger, awards(persons, FACTS_EACH))
        sides.append((ledger, persons))
    ours, theirs = (_award_each(ledger, cycle(persons)) for ledger, persons in sides)
    samples = alternate(5 if quick else 15, ours, theirs)
    for ledger, _ in sides:
        ledger.close()
    return samples, f"one award at {large:,} facts (ours) and at {SMALL:,} (theirs)"


def by_wallet(folder: Path, quick: bool) -> tuple[Samples, str]:
    """An award to somebody with 10,000 facts and to people with 10."""
    ledger = _ledger(folder / "growth-wallet.db")
    long, *short = people(1_000, seed=1)
    fill(ledger, awards(short, FACTS_EACH))
    fill(ledger, awards([long], LONG))
    # The follower would have written off what expired on the way, and the commands have kept this.
    while ledger.expire(long, day_of(NOW), NOW):
        pass
    ledger.snapshot_if_due(ledger.wallet(long), 0, long, NOW)
    ours, theirs = (_award_each(ledger, cycle(persons)) for persons in ([long], short))
    samples = alternate(5 if quick else 15, ours, theirs)
    ledger.close()
    return samples, f"a wallet of {LONG:,} facts (ours) and wallets of {FACTS_EACH} (theirs)"


def _ledger(path: Path) -> Ledger:
    env = {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(path)}
    ledger = Ledger(env, bytes(32), bytes(32))
    ledger.publish_policy(UNCAPPED, None, NOW)
    return ledger


def _award_each(ledger: Ledger, persons: Iterator[UUID]) -> Measured:
    """Seconds per award, over a round of reports that are sent in beforehand."""
    reviewer = Actor(uuid4(), "dispatcher")

    def seconds() -> float:
        reports = [_report(ledger, next(persons)) for _ in range(AWARDS_PER_ROUND)]
        began = perf_counter()
        for report in reports:
            receipt = ledger.review(REPORT, reviewer, report, uuid4(), NOW, tier=1, reason="")
            assert receipt.coins, "an award was refused"
        return (perf_counter() - began) / AWARDS_PER_ROUND

    return seconds


def _report(ledger: Ledger, person: UUID) -> UUID:
    body, text = ReportBody(category="litter", text="河岸有垃圾"), {"text": "河岸有垃圾"}
    return ledger.contribute(REPORT, Actor(person, "citizen"), body, text, uuid4(), NOW).id
