"""``gwc bench`` tells what it measured, and compares only what is the same."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from ledger.store import append
from ledger.store.immutable import SQLITE_TRIGGERS
from scripts import bench as bench_command
from scripts.benches import evidence, replay, savers
from scripts.benches.row import Bench, Samples, Skipped, alternate, measured
from scripts.benches.rows import BENCHES
from scripts.terminal import Terminal
from tests.conftest import ROOT

# A journal program: adds up the postings of each wallet.
PROGRAM = """#!{python}
import sys
sums = {{}}
for line in open(sys.argv[2]):
    if line.startswith("    Wallet:"):
        account, amount, _ = line.split()
        sums[account] = sums.get(account, 0) + int(amount)
for account, amount in sorted(sums.items(), reverse=True):
    print(f"{{account}},{{amount + {error}}}")
"""


def gwc(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run ``gwc`` as an operator would."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
    return subprocess.run([sys.executable, "-P", "-m", "scripts.gwc", *words], env=env, text=True,
                          capture_output=True)  # fmt: skip


@pytest.fixture
def journal_program(tmp_path, monkeypatch):
    """Puts a ``ledger`` on the PATH whose sums are off by ``error``; fewer wallets are compared."""
    monkeypatch.setattr(replay, "WALLETS", 3)
    monkeypatch.setattr(replay, "EACH", 4)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def install(error: int) -> Path:
        program = tmp_path / "bin" / "ledger"
        program.parent.mkdir()
        program.write_text(PROGRAM.format(python=sys.executable, error=error))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        return tmp_path

    return install


def test_a_row_is_told_with_all_its_samples(monkeypatch):
    """One row as JSON: both medians, ratio and goal, and the samples they come from."""
    samples = Samples([9, 8, 7], [2, 1, 4])
    fake = Bench("awards-sqlite", "a row", "/s", 4, lambda folder, quick: (samples, str(quick)))
    monkeypatch.setattr(bench_command, "BENCHES", [fake])
    ran = CliRunner().invoke(
        bench_command.bench, ["awards-sqlite", "--quick", "--json"], obj=Terminal()
    )
    assert ran.exit_code == 0, ran.output
    (row,) = msgspec.json.decode(ran.stdout)["rows"]
    assert row == {
        "name": "awards-sqlite", "title": "a row", "unit": "/s", "ours": 8, "theirs": 2,
        "ratio": 4, "goal": 4, "samples": {"ours": [9, 8, 7], "theirs": [2, 1, 4]},
        "note": "True", "skipped": None,
    }  # fmt: skip
    assert "[1/1] awards-sqlite: a row" in ran.stderr


def test_the_stock_library_is_saved_to_as_ours_is(tmp_path):
    """Both savers of the rows of awards really save, each to a database of its own."""
    for stock in (False, True):
        path = tmp_path / f"{stock}.db"
        save = savers.open_saver(str(path), stock=stock)
        save()
        save()
        with closing(sqlite3.connect(path)) as connection:
            table = "stored_events" if stock else "events"
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (2,)


@pytest.mark.parametrize("side", [evidence.WITH, evidence.WITH_VAULT, evidence.WITHOUT])
def test_evidence_is_measured_against_none(tmp_path, monkeypatch, side):
    """One side has hash, triggers and, where asked for, a vault row; the other none of them."""
    for name in ("entry_tail", "tail_hash"):  # Put back afterwards: WITHOUT is for a whole process.
        monkeypatch.setattr(append, name, getattr(append, name))
    path = str(tmp_path / "log.db")
    evidence.open_saver(path, side)()
    with closing(sqlite3.connect(path)) as connection:
        (hashed,) = connection.execute("SELECT leaf_hash FROM events").fetchone()
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        (sealed,) = connection.execute("SELECT count(*) FROM vault").fetchone()
        assert {name for (name,) in triggers} == (
            set() if side == evidence.WITHOUT else set(SQLITE_TRIGGERS)
        )
    assert (hashed == evidence.NO_HASH) is (side == evidence.WITHOUT)
    assert sealed == (side == evidence.WITH_VAULT)


def test_a_program_that_is_not_installed_is_skipped_with_the_reason(tmp_path):
    """Without hledger its row says so, and the command still succeeds."""
    (tmp_path / "env").symlink_to("/usr/bin/env")
    ran = gwc("bench", "replay-hledger", "--quick", "--json", PATH=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    (row,) = msgspec.json.decode(ran.stdout)["rows"]
    assert row["skipped"] == "hledger is not installed"
    assert row["ours"] is row["ratio"] is None
    table = gwc("bench", "replay-hledger", "--quick", PATH=str(tmp_path))
    assert "skipped: hledger is not installed" in table.stdout


def test_an_unknown_row_is_wrong_use():
    """A name nobody knows ends with 2 and names the rows there are."""
    ran = gwc("bench", "nonsense")
    assert ran.returncode == 2
    assert "awards-sqlite" in ran.stderr
    assert ran.stdout == ""


def test_balances_are_compared_with_those_of_the_other_program(journal_program):
    """A program that comes to the same balances is measured."""
    samples, note = replay.against_ledger(journal_program(error=0), True)
    assert len(samples.ours) == len(samples.theirs) == 3
    assert "12 awards" in note


def test_other_balances_are_no_measurement(journal_program):
    """A program that comes to other balances stops the benchmark."""
    with pytest.raises(RuntimeError, match="other balances"):
        replay.against_ledger(journal_program(error=1), True)


def test_the_sides_take_turns_and_the_first_round_does_not_count():
    """Noise falls on both sides alike, and neither is measured cold."""
    calls: list[str] = []

    def side(name: str) -> float:
        calls.append(name)
        return len(calls)

    samples = alternate(2, lambda: side("ours"), lambda: side("theirs"))
    assert calls == ["ours", "theirs"] * 3
    assert samples == Samples([3, 5], [4, 6])


@pytest.mark.parametrize(("unit", "ratio"), [("/s", 4), ("s", 0.25)])
def test_a_ratio_above_one_means_that_ours_is_better(tmp_path, unit, ratio):
    """More per second is better, more seconds are worse."""
    bench = Bench("row", "a row", unit, 1, lambda *_: (Samples([8, 8, 9], [2, 1, 2]), "a note"))
    row = measured(bench, tmp_path, True)
    assert (row.ours, row.theirs, row.ratio, row.note) == (8, 2, ratio, "a note")


def test_a_skipped_row_keeps_its_goal(tmp_path):
    """What could not be measured has no figures, but a reason."""

    def measure(*_: object) -> tuple[Samples, str]:
        raise Skipped("no server")

    row = measured(Bench("row", "a row", "s", 5, measure), tmp_path, True)
    assert (row.ours, row.theirs, row.ratio, row.goal, row.skipped) == (
        None, None, None, 5, "no server")  # fmt: skip


def test_rows_have_names_of_their_own():
    """A row is asked for by its name, so no two share one."""
    assert len({bench.name for bench in BENCHES}) == len(BENCHES) == 18
