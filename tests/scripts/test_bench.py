"""``gwc bench`` tells what it measured, and compares only what is the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import msgspec
import pytest

from scripts.benches import replay
from scripts.benches.row import Bench, Samples, Skipped, alternate, measured
from scripts.benches.rows import BENCHES
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


def test_a_row_is_told_with_all_its_samples():
    """One row as JSON: both medians, ratio and goal, and the samples they come from."""
    ran = gwc("bench", "awards-sqlite", "--quick", "--json")
    assert ran.returncode == 0, ran.stderr
    (row,) = msgspec.json.decode(ran.stdout)["rows"]
    assert row["name"] == "awards-sqlite"
    assert row["ours"] == median(row["samples"]["ours"]) > 0
    assert row["theirs"] == median(row["samples"]["theirs"]) > 0
    assert row["ratio"] == pytest.approx(row["ours"] / row["theirs"])
    assert row["goal"] == 4
    assert len(row["samples"]["ours"]) == len(row["samples"]["theirs"]) >= 3
    assert "awards-sqlite" in ran.stderr


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
    assert len({bench.name for bench in BENCHES}) == len(BENCHES) == 8
