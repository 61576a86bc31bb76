"""Programs of Debian's packages, fetched once and unpacked where they are needed, never installed.

``apt-get download`` takes them from whatever archive apt is configured for, and checks signatures.
It needs no root and no list of packages: where the system has none, apt gets one of its own here.
Standard library only.
"""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".venv" / "debian"
# These are the system's own, as is the loader that starts every program.
NEVER_FETCHED = {"libc6", "libgcc-s1", "gcc-12-base"}


class NoPackage(RuntimeError):
    """A package could not be fetched; the message says what to do."""


def fetch(name: str, home: Path) -> None:
    """Unpack the package *name*, and the libraries of it that are missing here, into *home*.

    Raises NoPackage.
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise NoPackage(f"no {name} on the PATH, and no apt-get to fetch one: install {name}")
    home.parent.mkdir(parents=True, exist_ok=True)
    # Everything happens in a sibling folder that gets its final name in one step, so an
    # interrupted or parallel first run never leaves half a program behind.
    with tempfile.TemporaryDirectory(dir=home.parent) as workplace:
        work = Path(workplace)
        ready = work / "ready"
        ready.mkdir()
        for archive in _downloaded(name, work):
            _call(work, "dpkg-deb", "-x", str(archive), str(ready))
        try:
            ready.rename(home)
        except OSError:
            if not home.is_dir():       # not simply another run that was faster
                raise


def _downloaded(name: str, work: Path) -> list[Path]:
    print(f"fetching {name} with apt-get (once) ...", file=sys.stderr)
    try:
        packages = _packages(name, work)
    except NoPackage:        # apt knows no packages: it learns them here, not in the system
        for folder in ("lists", "cache"):
            (work / folder / "partial").mkdir(parents=True)
        _apt(work, "update")
        packages = _packages(name, work)
    _apt(work, "download", *packages)
    return sorted(work.glob("*.deb"))


def _packages(name: str, work: Path) -> list[str]:
    """What apt would install for it, asked without installing anything."""
    told = _apt(work, "install", "--simulate", "--no-install-recommends", name)
    wanted = re.findall(r"^Inst (\S+)", told, re.MULTILINE)
    return sorted({name, *wanted} - NEVER_FETCHED)


def _apt(work: Path, *words: str) -> str:
    options = ["Debug::NoLocking=1", "APT::Sandbox::User="]
    if (work / "lists").is_dir():
        options += [f"Dir::State::Lists={work / 'lists'}", f"Dir::Cache={work / 'cache'}"]
    return _call(work, "apt-get", *(f"-o{option}" for option in options), *words)


def _call(work: Path, *command: str) -> str:
    ran = subprocess.run(command, cwd=work, capture_output=True, text=True,
                         env={**os.environ, "LC_ALL": "C.UTF-8"})
    if ran.returncode:
        raise NoPackage(f"{command[0]} failed: {ran.stderr.strip() or ran.stdout.strip()}")
    return ran.stdout
