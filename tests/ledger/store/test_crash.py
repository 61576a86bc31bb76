"""What was acknowledged survives a kill, whatever the moment; GWC_KILLS sets how many."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.ledger.store.databases import Database, fact, faults, history

ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("GWC_KILLS", "6"))
SEED = 20260101
LINE_FIELDS = 2


@pytest.fixture(params=["sqlite", "postgres"])
def durable_database(request, tmp_path) -> Database:
    """An empty database that really syncs its commits."""
    if request.param == "sqlite":
        return Database("sqlite", str(tmp_path / "log.db"))
    return Database("postgres", request.getfixturevalue("durable_postgres_url"))


def kill_in_mid_run(database: Database, acknowledged: Path, moment: float, *mutant: str) -> None:
    """Let eight threads append, and SIGKILL their process ``moment`` seconds after an answer."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.store.appender", database.kind, database.where,
         "8", "0", str(acknowledged), *mutant],
        cwd=ROOT,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not (acknowledged.exists() and acknowledged.stat().st_size):
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(moment)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


def losses(database: Database, acknowledged: Path, after: int) -> tuple[list[str], int, int]:
    """What is wrong with the log after a kill, how many facts it gained, how many were answered."""
    recorder = database.recorder()
    try:
        # An append waits for the lock, thus for a commit the server may still be busy with.
        recorder.insert_events([fact()])
        rows = history(recorder, after)
    finally:
        recorder.close()
    found = faults(rows, after)
    stored = Counter((str(row.originator_id), row.originator_version) for row in rows)
    found += [f"{key} is there {count} times" for key, count in stored.items() if count > 1]
    lines = [line.split() for line in acknowledged.read_text().splitlines()]
    answered = {(line[0], int(line[1])) for line in lines if len(line) == LINE_FIELDS}
    found += [f"{key} was acknowledged and is lost" for key in answered if key not in stored]
    return found, len(rows), len(answered)


@pytest.mark.timeout(60 + 5 * KILLS)
def test_a_kill_loses_nothing_acknowledged(durable_database, tmp_path):
    """Acknowledged facts are there exactly once after SIGKILL, the others at most once."""
    moments = random.Random(SEED)
    head = answers = 0
    for kill in range(KILLS):
        acknowledged = tmp_path / f"acknowledged-{kill}"
        kill_in_mid_run(durable_database, acknowledged, moments.uniform(0, 0.3))
        found, gained, answered = losses(durable_database, acknowledged, head)
        assert found == []
        head, answers = head + gained, answers + answered
    assert 0 < answers <= head
    print(f"{durable_database.kind}: {KILLS} kills, {head} facts, {answers} acknowledged, 0 lost")


def test_the_mutant_that_answers_too_early_is_caught(durable_database, tmp_path):
    """The check above can fail: a recorder that answers before its commit is found out."""
    acknowledged = tmp_path / "acknowledged"
    kill_in_mid_run(durable_database, acknowledged, 0.2, "early")
    found, _, _ = losses(durable_database, acknowledged, 0)
    assert any("acknowledged and is lost" in each for each in found)
