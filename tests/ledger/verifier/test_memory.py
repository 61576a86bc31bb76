"""Memory of the verifier: it does not grow with the log."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ledger.days import microseconds
from ledger.facts import encode
from ledger.store.leaf import EntryRow
from ledger.transparency.tiles import TRUST_POLICY
from scripts.benches.honest import honest
from tests.ledger.verifier.forging import Forger

FEW, MANY = 4, 40
PEAK = """
import resource, subprocess, sys
print(subprocess.run(sys.argv[1:], stdout=subprocess.PIPE).stdout.decode(), end="")
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def a_bundle(folder: Path, days: int, bundle: Path, signer) -> Path:
    """A hundred people who patrol once a day, so many days."""
    (folder / "tile").mkdir(parents=True)
    (folder / TRUST_POLICY).write_bytes((bundle / TRUST_POLICY).read_bytes())
    shutil.copytree(bundle / "policies", folder / "policies")
    forger = Forger(folder, signer)
    forger.show_nothing()
    forger.rebuild([
        EntryRow(position, str(entry.originator_id), entry.originator_version, entry.fact.topic,
                 microseconds(entry.recorded_at), encode(entry.fact))
        for position, entry in enumerate(honest(100, days), 1)
    ])  # fmt: skip
    return folder


def test_ten_times_the_log_takes_no_more_memory(bundle, signer, tmp_path):
    """With little kept in memory, a log ten times as long needs hardly a megabyte more."""
    program = tmp_path / "verify.py"
    text = (bundle / "verify.py").read_text()
    for line, less in (("KEPT = 10_000\n", "KEPT = 100\n"), ("WALLETS_KEPT = 5_000\n",
                                                              "WALLETS_KEPT = 20\n")):  # fmt: skip
        assert line in text
        text = text.replace(line, less)
    program.write_text(text)
    peaks = {}
    for days in (FEW, MANY):
        folder = a_bundle(tmp_path / f"{days}", days, bundle, signer)
        ran = subprocess.run(
            [sys.executable, "-c", PEAK, sys.executable, "-I", program, folder],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        *told, peak = ran.stdout.splitlines()
        assert told == []
        peaks[days] = int(peak)
    assert peaks[MANY] < peaks[FEW] + 4_000, peaks
