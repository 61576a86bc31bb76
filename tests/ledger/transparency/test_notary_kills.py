"""Notaries and databases killed at any step: the log never forks, its head is never behind.

``GWC_KILLS`` sets how often; the steps are gone through in turn.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from scripts import servers
from tests.ledger.store.databases import Database
from tests.ledger.transparency.notary_process import POINTS
from tests.ledger.transparency.notary_scene import OwnPostgres, Scene

KILLS = int(os.environ.get("GWC_KILLS", "12"))
# Of these kills one is of the database, or of whoever writes to it.
DATABASE_EVERY = 5


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path, missing):
    """An empty database that really syncs, and the server behind it that may be killed."""
    if request.param == "sqlite":
        yield Database("sqlite", str(tmp_path / "log.db")), None
        return
    try:
        server = OwnPostgres()
    except servers.ServerError as problem:
        missing("PostgreSQL", problem)
    with server:
        yield Database("postgres", server.url), server


@pytest.fixture
def scene(place, tmp_path):
    scene = Scene(*place, tmp_path)
    yield scene
    scene.close()


@pytest.mark.timeout(120 + 5 * KILLS)
def test_kills_at_every_step_never_fork_the_log(scene, record_property):
    """Whatever is killed, one root for a size is signed, published only after its head is kept."""
    killed: Counter[str] = Counter()
    began = time.monotonic()
    for number in range(KILLS):
        if number % DATABASE_EVERY == DATABASE_EVERY - 1:
            killed[scene.kill_database()] += 1
        else:
            point = POINTS[sum(killed[one] for one in POINTS) % len(POINTS)]
            scene.kill_notary(point)
            killed[point] += 1
    seconds = time.monotonic() - began
    scene.finish()
    assert scene.faults() == []
    left = [one.name for one in scene.folder.path.glob(".draft-*")]
    assert left == []
    signed = len(scene.signed.read_text().splitlines())
    told = (
        f"{scene.database.kind}: {KILLS} kills ({dict(killed)}), {signed} signatures,"
        f" {len(scene.watched.seen)} checkpoints seen in {scene.watched.looks} looks,"
        f" {max(scene.watched.seen)} entries, {seconds:.0f} s"
    )
    record_property(f"kills_{scene.database.kind}", told)
    print(f"\n{told}")
    assert len(set(killed) & set(POINTS)) == min(len(POINTS), KILLS - KILLS // DATABASE_EVERY)


def test_the_mutant_that_swaps_too_late_is_caught(scene):
    """The check above can fail: a head that is moved behind its signature is found out."""
    process = scene.notary("never", 1, "late")
    try:
        scene.until_signed(process)
        time.sleep(0.5)
    finally:
        process.kill()
        process.wait()
    assert any("published" in one for one in scene.watched.faults)
