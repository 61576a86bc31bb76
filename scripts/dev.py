#!/usr/bin/env python3
"""One command from a fresh checkout to a running project (Python 3.11+, standard library only).

    python3 scripts/dev.py demo                 the main job, with the pins of run.txt
    python3 scripts/dev.py test [-k balance]    all checks and tests, with the pins of test.txt
    python3 scripts/dev.py run CMD ...          any command inside the test environment, gwc too
    python3 scripts/dev.py lock [--upgrade]     write the pins again from pyproject.toml

Pins are ``name==version --hash=...`` lines in scripts/requirements/; they name no package index,
so pip and uv use the one the user has configured.  Environments live in .venv/<pins>/ and are made
again when the pins, the interpreter or the place of the checkout change.  uv does the work when it
is on the PATH.  Commands run in the caller's folder; ours are found from any.
"""
from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

try:
    import fcntl
except ImportError:                # Windows: two first runs at once are not kept apart there
    fcntl = None                   # type: ignore[assignment]

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "scripts" / "requirements"
BIN = "Scripts" if os.name == "nt" else "bin"

# What each word runs, and with which pins.  -P keeps a folder named `scripts` where the caller
# stands from hiding ours.
COMMANDS = {
    "demo": ("run", ["python", "-P", "-m", "scripts.gwc", "demo"]),
    "test": ("test", ["python", "-P", "-m", "scripts.check"]),
    "run": ("test", []),
}
# What `lock` resolves from pyproject.toml into each pins file.
LOCKS = {"run": [], "test": ["--all-extras", "--group", "test"]}
UV = "uv>=0.13,<0.14"

NO_ENSUREPIP = f"""\
{sys.executable} cannot install packages: it has neither 'ensurepip' nor 'pip'.
One of these helps:
  apt-get install python3-venv     on Debian and Ubuntu, as root
  put uv on the PATH               then neither of the two is needed
  another Python, 3.11 or newer    e.g. python3.12 scripts/dev.py ...
"""


def environment(pins: str) -> Path:
    """The folder of the environment holding exactly the pinned packages, made if need be."""
    wanted, home = PINS / f"{pins}.txt", ROOT / ".venv" / pins
    if not wanted.is_file():
        sys.exit(f"{wanted.relative_to(ROOT)} is missing: run  python3 scripts/dev.py lock")
    # Programs in an environment name its folder, so a copied checkout makes its own.
    recipe = f"{sys.version}\n{home}\n{hashlib.sha256(wanted.read_bytes()).hexdigest()}\n"
    if made_from(home) == recipe:
        return home
    home.parent.mkdir(exist_ok=True)
    with open(home.parent / f"{pins}.lock", "w") as gate:
        if fcntl:
            fcntl.flock(gate, fcntl.LOCK_EX)    # a second first run waits for the first one
        if made_from(home) != recipe:
            print(f"making .venv/{pins} ...", file=sys.stderr)
            make(home, wanted)
            write_launcher(home)
            # Last, so that an interrupted run is simply made again.
            (home / "made-from").write_text(recipe)
    return home


def made_from(home: Path) -> str:
    """What the environment was made from; empty when it is missing or only half made."""
    stamp = home / "made-from"
    return stamp.read_text() if python_of(home).exists() and stamp.is_file() else ""


def write_launcher(home: Path) -> None:
    """Put the command `gwc` into the environment; it runs the checkout, nothing is installed."""
    if os.name == "nt":
        return
    launcher = home / BIN / "gwc"
    launcher.write_text(f"""\
#!/bin/sh
# Written by scripts/dev.py: runs the checkout's gwc from any folder.
export PYTHONPATH={shlex.quote(str(ROOT))}"${{PYTHONPATH:+:$PYTHONPATH}}"
exec {shlex.quote(str(python_of(home)))} -P -m scripts.gwc "$@"
""")
    launcher.chmod(0o755)


def python_of(home: Path) -> Path:
    return home / BIN / ("python.exe" if os.name == "nt" else "python")


def make(home: Path, wanted: Path) -> None:
    """Create the environment and install: with uv, else its own pip, else this Python's pip."""
    # Everything needed is pinned, so nothing is resolved and nothing is ever built.
    install = ["install", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    python, uv = python_of(home), shutil.which("uv")
    if uv:
        shutil.rmtree(home, ignore_errors=True)
        call([uv, "venv", "-q", "--no-project", "--python", sys.executable, str(home)])
        call([uv, "pip", *install, "-q", "--python", str(python), "-r", str(wanted)])
        return
    quiet = ["-q", "--disable-pip-version-check", "-r", str(wanted)]
    if has("ensurepip"):
        venv.create(home, clear=True, with_pip=True, symlinks=os.name != "nt")
        call([str(python), "-I", "-m", "pip", *install, *quiet])
    elif has("pip"):
        venv.create(home, clear=True, with_pip=False, symlinks=os.name != "nt")
        pip = [sys.executable, "-I", "-m", "pip", "--python", str(python)]
        call([*pip, *install, *quiet])
    else:
        sys.exit(NO_ENSUREPIP)


def has(module: str) -> bool:
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def call(command: list[str]) -> None:
    # uv trusts the system's certificates, as pip on Debian does: some networks add their own.
    env = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "1", **os.environ}
    if code := subprocess.run(command, cwd=ROOT, env=env).returncode:
        sys.exit(f"failed with exit status {code}: {' '.join(command)}")


def lock(options: list[str]) -> None:
    """Write the pins of every platform; uv is borrowed for the moment when it is not on PATH."""
    with tempfile.TemporaryDirectory() as borrowed:
        uv = shutil.which("uv")
        if not uv:
            if not has("ensurepip"):
                sys.exit(NO_ENSUREPIP)
            venv.create(borrowed, with_pip=True)
            python = str(python_of(Path(borrowed)))
            call([python, "-I", "-m", "pip", "install", "-q", "--disable-pip-version-check", UV])
            uv = str(Path(borrowed) / BIN / "uv")
        PINS.mkdir(exist_ok=True)
        for pins, chosen in LOCKS.items():
            target = PINS / f"{pins}.txt"
            call([uv, "pip", "compile", "-q", "pyproject.toml", *chosen, *options,
                  "--universal", "--generate-hashes", "--no-header", "--no-annotate",
                  "--python-version", "3.11", "-o", str(target.relative_to(ROOT))])
            if "://" in target.read_text():
                sys.exit(f"{target.relative_to(ROOT)} names a host; pins must not")
            print(f"wrote {target.relative_to(ROOT)}")


def main(words: list[str]) -> int:
    if sys.version_info < (3, 11):
        sys.exit("Python 3.11 or newer is needed")
    word, rest = (words[0], words[1:]) if words else ("demo", [])
    if word == "lock":
        lock(rest)
        return 0
    if word not in COMMANDS or (word == "run" and not rest):
        print(__doc__, file=sys.stderr)
        return 2
    pins, command = COMMANDS[word]
    home = environment(pins)
    # Our own packages come first on the path, so no installed `api` or `scripts` can hide them.
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ,
           "VIRTUAL_ENV": str(home),
           "PATH": os.pathsep.join([str(home / BIN), os.environ.get("PATH", os.defpath)]),
           "PYTHONPATH": os.pathsep.join(paths)}
    command = [*command, *rest]
    program = shutil.which(command[0], path=env["PATH"])
    if program is None:
        sys.exit(f"no such command: {command[0]}")
    if os.name == "nt":
        return subprocess.run([program, *command[1:]], env=env).returncode
    os.execve(program, command, env)      # the command gets our signals and our exit status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
