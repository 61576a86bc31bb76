"""Replay (重算): every balance from a hundred thousand awards, as a whole process from a real log.

The other side reads the same movements, two postings each, as a plain-text journal. What both
print must be the same bytes, or there is nothing to compare.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from ledger.coins import CoinsAwarded
from scripts.benches.filled import awards, fill, people, sqlite_log
from scripts.benches.row import Samples, Skipped, alternate

WALLETS, EACH = 1_000, 100
ROUNDS, ROUNDS_QUICK = {"ledger": 9, "hledger": 5}, {"ledger": 3, "hledger": 1}
ARGUMENTS = {
    "ledger": ("balance", "--flat", "--no-total", "--balance-format",
               "%(account),%(quantity(scrub(display_total)))\n"),
    "hledger": ("balance", "--flat", "--no-total", "--output-format", "csv"),
}  # fmt: skip


def against_ledger(folder: Path, quick: bool) -> tuple[Samples, str]:
    """John Wiegley's ledger, written in C++."""
    return _against("ledger", folder, quick)


def against_hledger(folder: Path, quick: bool) -> tuple[Samples, str]:
    """hledger, written in Haskell."""
    return _against("hledger", folder, quick)


def _against(program: str, folder: Path, quick: bool) -> tuple[Samples, str]:
    found = shutil.which(program)
    if found is None:
        raise Skipped(f"{program} is not installed")
    log, journal = _prepared(folder)
    printed: dict[str, str] = {}

    def ours() -> float:
        command = ["env", f"GWC_DATABASE_URL=sqlite:///{log}", sys.executable, "-P", "-m",
                   "scripts.gwc", "balances"]  # fmt: skip
        seconds, printed["ours"] = _timed(command, _of_ours)
        return seconds

    def theirs() -> float:
        command = [found, "-f", str(journal), *ARGUMENTS[program], "Wallet"]
        seconds, printed["theirs"] = _timed(command, _of_theirs)
        if printed["ours"] != printed["theirs"]:
            raise RuntimeError(f"{program} prints other balances than gwc balances")
        return seconds

    rounds = (ROUNDS_QUICK if quick else ROUNDS)[program]
    note = f"{WALLETS * EACH:,} awards, {WALLETS:,} wallets, balances byte-identical"
    return alternate(rounds, ours, theirs, warm=not quick), note


def _timed(command: list[str], normal: Callable[[str], list[str]]) -> tuple[float, str]:
    began = perf_counter()
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return perf_counter() - began, "\n".join(normal(ran.stdout))


def _of_ours(printed: str) -> list[str]:
    """``participant,available`` lines of our CSV."""
    return [line.rpartition(",")[0] for line in printed.splitlines()[1:]]


def _of_theirs(printed: str) -> list[str]:
    """``participant,available`` lines of theirs: the middle of the account, the bare number."""
    lines = []
    for line in printed.replace('"', "").splitlines():
        account, _, amount = line.partition(",")
        if account.startswith("Wallet:"):
            lines.append(f"{account.split(':')[1]},{amount.removesuffix(' COIN')}")
    return sorted(lines)


def _prepared(folder: Path) -> tuple[Path, Path]:
    """The log and the journal, made once for both programs."""
    path, journal = folder / "replay.db", folder / "replay.journal"
    if not journal.exists():
        log = sqlite_log(path)
        entries = list(awards(people(WALLETS), EACH))
        fill(log, entries)
        log.close()
        with journal.open("w") as file:
            for entry in entries:
                fact = entry.fact
                assert isinstance(fact, CoinsAwarded)
                file.write(
                    f"{fact.earned_on} {fact.kind}\n"
                    f"    Wallet:{fact.participant_id}:Available  {fact.amount} COIN\n"
                    f"    Issued:{fact.rule}  -{fact.amount} COIN\n\n"
                )
    return path, journal
