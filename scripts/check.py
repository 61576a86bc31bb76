"""Every check before a change lands: ruff, mypy, then pytest.  Started by ``dev.py test``.

    python3 scripts/dev.py test                       everything
    python3 scripts/dev.py test --no-lint -k balance  pytest alone; other words are pytest's own

A failed lint does not keep the tests from running; the exit status is that of the first step that
failed, and pytest's summary is the end of the output.
"""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Each mode of mypy keeps its own cache: sharing one would make every run a cold one.
MYPY = ["mypy", "--no-error-summary", "--cache-dir"]
LINTS = {
    "ruff": ["ruff", "check", "--quiet", "."],
    "mypy --strict": [*MYPY, ".mypy_cache/strict", "--strict", "ledger", "projections"],
    "mypy": [*MYPY, ".mypy_cache/plain", "api", "scripts"],
}

# Most tests wait for processes and disks; words of the caller's come behind, so -n 0 has its way.
PARALLEL = ["-n", "auto", "--dist", "worksteal"]


def lint() -> int:
    """Run each lint and say how it went; the exit status of the first that failed, else 0."""
    first = 0
    for name, (module, *arguments) in LINTS.items():
        status = subprocess.run([sys.executable, "-m", module, *arguments]).returncode
        print(f"{name}: {f'FAILED (exit status {status})' if status else 'ok'}", flush=True)
        first = first or status
    return first


def main(words: list[str]) -> int:
    """Lint unless told not to, then run pytest with the other words; the first bad status."""
    os.chdir(ROOT)
    wanted = "--no-lint" not in words
    failed = lint() if wanted else 0
    # In this very process: pytest itself then gets the signals sent to us.
    import pytest
    status = int(pytest.main([*PARALLEL, *(word for word in words if word != "--no-lint")]))
    return failed or status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
