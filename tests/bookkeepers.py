"""hledger, ledger and beancount: three programs, none of them ours, that read our journal.

beancount is a package of the test environment. For the other two: the one on the PATH -> Debian's
package, fetched once by ``debian.py``. Without any of them: ``apt-get install hledger ledger``, as
root.

    program = find("hledger")
    program.balances(path)          # account -> coins; raises Refused for a journal it refuses
Standard library and beancount only.  Run ``python -m tests.bookkeepers`` to see what would be used.
"""
from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests import debian

NAMES = ("hledger", "ledger", "beancount")


class Refused(Exception):
    """A program does not accept a journal; ``lines`` are those that it names."""

    def __init__(self, text: str, lines: set[int]) -> None:
        super().__init__(text)
        self.lines = lines


def find(name: str) -> Bookkeeper:
    """The program of this name; raises NoPackage for one that is neither here nor fetched."""
    if name == "beancount":
        return Beancount()
    kind = {"hledger": Hledger, "ledger": Ledger}[name]
    if program := shutil.which(name):
        return kind(program, None)
    home = debian.CACHE / name
    for _ in range(2):
        found = kind(str(home / "usr" / "bin" / name), home)
        if found.works():
            return found
        shutil.rmtree(home, ignore_errors=True)     # not there, or of another release of Debian
        debian.fetch(name, home)
    raise debian.NoPackage(f"Debian's {name} does not start here: apt-get install {name}")


class Bookkeeper:
    """A program that reads journals of one format."""

    form = "hledger"

    def balances(self, path: Path) -> dict[str, int]:
        """Account -> coins, of every account with a posting; raises Refused."""
        raise NotImplementedError


class Debian(Bookkeeper):
    """A program with the libraries it was unpacked with."""

    def __init__(self, program: str, home: Path | None) -> None:
        self.program = program
        libraries = {str(one.parent) for one in home.rglob("*.so*")} if home else ()
        # Neither reads what its user has set up.
        self.env = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": os.devnull}
        if libraries:
            self.env["LD_LIBRARY_PATH"] = os.pathsep.join(sorted(libraries))

    def works(self) -> bool:
        """Whether it is there, and says its version."""
        return Path(self.program).is_file() and self.run("--version").returncode == 0

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [self.program, *words]
        return subprocess.run(command, env=self.env, capture_output=True, text=True)

    def asked(self, *words: str) -> list[list[str]]:
        """What a question printed, as CSV."""
        ran = self.run(*words)
        if ran.returncode or ran.stderr:
            raise Refused(ran.stderr, _named(ran.stderr))
        return list(csv.reader(ran.stdout.splitlines()))


class Hledger(Debian):
    """hledger, which refuses accounts that were not declared."""

    def balances(self, path: Path) -> dict[str, int]:
        rows = self.asked("-f", str(path), "--strict", "balance", "-E", "-N", "-O", "csv")
        return {account: _coins(amount) for account, amount in rows[1:]}


class Ledger(Debian):
    """ledger, which refuses accounts, tags and commodities that were not declared."""

    def balances(self, path: Path) -> dict[str, int]:
        line = "%(quoted(account)),%(quoted(amount))\n"
        rows = self.asked(
            "--args-only", "-f", str(path), "--pedantic", "balance", "--flat", "-E", "--no-total",
            "--format", line)
        return {account: _coins(amount) for account, amount in rows}


class Beancount(Bookkeeper):
    """beancount, which has names of its own for our accounts: an ``open`` says which is which."""

    form = "beancount"

    def balances(self, path: Path) -> dict[str, int]:
        from beancount import loader
        from beancount.core.data import Open
        from beancount.core.number import ZERO
        from beancount.ops.summarize import balance_by_account

        entries, errors, _ = loader.load_file(str(path))
        if errors:
            lines = {error.source["lineno"] for error in errors}
            raise Refused("\n".join(error.message for error in errors), lines)
        ours = {one.account: one.meta["name"] for one in entries if isinstance(one, Open)}
        sums, _ = balance_by_account(entries)
        found = {}
        for account, inventory in sums.items():
            held = {one.currency: one.number for one in (at.units for at in inventory)}
            assert set(held) <= {"GWC"}
            found[ours[account]] = int(held.get("GWC", ZERO))
        return found


def _coins(amount: str) -> int:
    """``-5 GWC`` as a number; zero has no commodity."""
    number, _, commodity = amount.partition(" ")
    assert commodity == ("GWC" if int(number) else "")
    return int(number)


def _named(text: str) -> set[int]:
    """The lines that a message names, alone or as a range."""
    ranges = re.findall(r"\blines? (\d+)(?:-(\d+))?", text)
    return {line for first, last in ranges for line in range(int(first), int(last or first) + 1)}


def as_csv(balances: dict[str, int], journal: str) -> str:
    """Everybody whose wallet the journal declares, as ``gwc balances`` prints them."""
    lines = ["participant,available,held"]
    for person in sorted(set(re.findall(r"\bWallet:([0-9a-f-]{36}):", journal))):
        parts = (balances.get(f"Wallet:{person}:{part}", 0) for part in ("Available", "Held"))
        lines.append(",".join([person, *map(str, parts)]))
    return "\n".join(lines) + "\n"


def main() -> int:
    """Name each program and let it read an empty journal."""
    status = 0
    for name in NAMES:
        try:
            found = find(name)
            found.balances(Path(os.devnull))
        except (debian.NoPackage, Refused) as problem:
            print(f"{name}: {problem}", file=sys.stderr)
            status = 1
        else:
            print(f"{name}: {getattr(found, 'program', 'in this environment')}")
    return status


if __name__ == "__main__":
    sys.exit(main())
