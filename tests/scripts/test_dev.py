"""From a bare Python to a running project: environments, and the command `gwc` in them."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Stands in for the real command: says where it comes from and where it runs.
GWC = "import os, sys\nprint(__file__, os.getcwd(), sys.prefix, *sys.argv[1:], sep='|')\n"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A checkout in a folder with a space, whose pins ask for nothing, with its environment."""
    root = tmp_path_factory.mktemp("dev") / "green water"
    (root / "scripts" / "requirements").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "dev.py", root / "scripts")
    (root / "scripts" / "gwc.py").write_text(GWC)
    for pins in ("run", "test"):
        (root / "scripts" / "requirements" / f"{pins}.txt").write_text("# nothing\n")
    return root


def dev(checkout: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run dev.py with hardly any environment, as a stranger's first shell would."""
    env = {"PATH": os.defpath, "HOME": str(cwd)}
    return subprocess.run([sys.executable, str(checkout / "scripts" / "dev.py"), *words],
                          env=env, cwd=cwd, capture_output=True, text=True)


def test_gwc_runs_the_checkout_from_any_folder(checkout, tmp_path):
    """`run gwc` finds our code, not the caller's `scripts`, and stays in the caller's folder."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "gwc.py").write_text("print('hidden')")
    ran = dev(checkout, "run", "gwc", "views", "a b", cwd=tmp_path)
    home = checkout / ".venv" / "test"
    want = [checkout / "scripts" / "gwc.py", tmp_path, home, "views", "a b"]
    assert ran.stdout.strip() == "|".join(map(str, want)), ran.stderr
    again = dev(checkout, "run", "gwc", cwd=tmp_path)
    assert again.stderr == ""
    direct = subprocess.run([home / "bin" / "gwc", "views", "a b"], cwd=tmp_path,
                            capture_output=True, text=True)
    assert direct.stdout == ran.stdout


def test_a_moved_checkout_makes_its_own_environment(checkout, tmp_path):
    """A copied environment would run the code of the old place, so it is made again."""
    dev(checkout, "run", "true", cwd=tmp_path)
    moved = tmp_path / "moved"
    shutil.copytree(checkout, moved, symlinks=True)
    ran = dev(moved, "run", "gwc", cwd=tmp_path)
    assert ran.stdout.startswith(str(moved)), ran.stderr


def test_wrong_words_are_answered_with_the_usage(checkout, tmp_path):
    """An unknown word, or `run` without a command, ends with status 2 and says what there is."""
    for words in (["frobnicate"], ["run"]):
        ran = dev(checkout, *words, cwd=tmp_path)
        assert ran.returncode == 2
        assert "scripts/dev.py demo" in ran.stderr


def test_the_status_of_the_command_is_ours(checkout, tmp_path):
    """`run` ends as its command ends, and an unknown command is said to be unknown."""
    assert dev(checkout, "run", "sh", "-c", "exit 7", cwd=tmp_path).returncode == 7
    unknown = dev(checkout, "run", "no-such-program", cwd=tmp_path)
    assert unknown.returncode == 1
    assert "no such command: no-such-program" in unknown.stderr
