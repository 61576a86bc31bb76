"""A whole campaign (走访活动): the frame imported, the visits synced, coverage followed and asked.

Everything goes the way it goes in service: ``gwc import households``, ``POST /v1/sync`` to
``gwc serve``, ``gwc follow``. Both sides of the row are ours: coverage when all visits are in, and
in a copy of the database made after the first of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from urllib.parse import urlsplit

import msgspec

from scripts.benches.campaign_site import Site, Size
from scripts.benches.databases import postgres_databases
from scripts.benches.parcels import Line
from scripts.benches.row import Bench, Measured, Samples, alternate

ASKED_PER_ROUND = 10
BREAKDOWNS = ("grid", "town", "worker", "day")
QUICK, USUAL = Size(1_000, 1_600, 400), Size(40_000, 60_000, 10_000)


def sized(bench: Bench, households: int | None, visits: int | None) -> Bench:
    """A campaign's row with so many households or visits; any other row as it is."""
    if bench.measure not in (on_sqlite, on_postgres) or not (households or visits):
        return bench
    usual = USUAL._replace(households=households or USUAL.households, visits=visits or USUAL.visits)
    size = usual._replace(small=min(usual.small, usual.visits // 5))
    return msgspec.structs.replace(bench, measure=partial(bench.measure, size=size))


def on_sqlite(folder: Path, quick: bool, size: Size | None = None) -> tuple[Samples, str]:
    """Log and views in one SQLite file."""
    large, small = folder / "campaign.db", folder / "campaign-small.db"

    def copy() -> None:
        with closing(sqlite3.connect(large)) as source, closing(sqlite3.connect(small)) as target:
            source.backup(target)

    return _measured(folder, f"sqlite:///{large}", f"sqlite:///{small}", copy, quick, size)


def on_postgres(folder: Path, quick: bool, size: Size | None = None) -> tuple[Samples, str]:
    """Log and views in PostgreSQL."""
    with postgres_databases(3) as (large, small, aside):

        def copy() -> None:
            import psycopg

            new, old = (urlsplit(url).path.strip("/") for url in (small, large))
            with psycopg.connect(aside, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {new}")
                connection.execute(f"CREATE DATABASE {new} TEMPLATE {old}")

        return _measured(folder, large, small, copy, quick, size)


def _measured(
    folder: Path, large: str, small: str, copy: Callable[[], None], quick: bool, size: Size | None
) -> tuple[Samples, str]:
    size = size or (QUICK if quick else USUAL)
    site = Site(folder, large)
    walkers, dispatcher = site.planned(size)
    site.import_frame()
    site.open()
    each, first = size.visits // len(walkers), size.small // len(walkers)
    site.sync(walkers, range(first))
    site.follow("the frame and the first visits")
    copy()
    site.sync(walkers, range(first, each))
    site.follow("the other visits")
    samples = _compared(site, Site(folder, small), dispatcher, 5 if quick else 15)
    said = [f"{size.households:,} households, {each * len(walkers):,} visits", *site.figures]
    return samples, "; ".join(said)


def _compared(large: Site, small: Site, token: str, rounds: int) -> Samples:
    """Seconds of one question after coverage, by everything it can be broken down by."""
    with ExitStack() as stack:
        asked: dict[tuple[str, str], list[float]] = {}

        def side(site: Site, name: str) -> Measured:
            stack.enter_context(site.served(workers=1))  # One question at a time.
            line = stack.enter_context(closing(Line(site.port, token)))

            def seconds() -> float:
                for by in BREAKDOWNS:
                    path = f"/v1/campaigns/{large.campaign}/coverage?by={by}"
                    for _ in range(ASKED_PER_ROUND):
                        began = perf_counter()
                        line.ask("GET", path)
                        asked.setdefault((by, name), []).append(perf_counter() - began)
                took = [one for by in BREAKDOWNS for one in asked[by, name][-ASKED_PER_ROUND:]]
                return median(took)

            return seconds

        samples = alternate(rounds, side(large, "all"), side(small, "first"))
    for by in BREAKDOWNS:
        ours, theirs = (median(asked[by, name]) for name in ("all", "first"))
        large.say(f"coverage by {by} {ours * 1000:.2f} ms : {theirs * 1000:.2f} ms")
    return samples
