"""One command for all checks: what it runs, what it ends with."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A small checkout with our check, our settings and one passing test."""
    for package in ("ledger", "projections", "api", "scripts"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "one.py").write_text("ONE = 1\n")
    shutil.copy(ROOT / "scripts" / "check.py", tmp_path / "scripts")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text("def test_one(): pass\n")
    return tmp_path


def check(checkout: Path, *words: str) -> tuple[int, list[str]]:
    """Run the check from another folder; its exit status and the lines it printed."""
    env = {**os.environ, "PYTHONPATH": str(checkout), "NO_COLOR": "1"}
    ran = subprocess.run([sys.executable, "-P", "-m", "scripts.check", *words], env=env,
                         cwd=checkout.parent, capture_output=True, text=True)
    return ran.returncode, ran.stdout.splitlines()


def test_all_steps_run_and_pytest_has_the_last_word(checkout):
    """Where nothing is wrong every step is named, the tests run and the status is 0."""
    status, lines = check(checkout)
    assert (status, lines[:3]) == (0, ["ruff: ok", "mypy --strict: ok", "mypy: ok"])
    assert "1 passed" in lines[-1]


def test_a_failed_step_is_named_and_the_tests_run_all_the_same(checkout):
    """An untyped function in ledger/ fails the strict step alone; pytest's summary stays last."""
    (checkout / "ledger" / "two.py").write_text("def two(one=1) -> int:  # noqa: ANN001\n"
                                                "    return 2\n")
    status, lines = check(checkout)
    assert status == 1
    assert "ruff: ok" in lines
    assert "mypy --strict: FAILED (exit status 1)" in lines
    assert "mypy: ok" in lines
    assert "1 passed" in lines[-1]


def test_other_words_go_to_pytest_and_lint_can_be_left_out(checkout):
    """`--no-lint` runs pytest alone, by the caller's words; its exit status is the answer."""
    status, lines = check(checkout, "--no-lint", "-n", "0", "-k", "nothing")
    assert status == pytest.ExitCode.NO_TESTS_COLLECTED
    assert not [line for line in lines if line.startswith(("ruff", "mypy"))]
    assert "1 deselected" in lines[-1]
