"""The README's commands: a checkpoint is checked by openssl, with no code of ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.publishing import sign, signing
from tests.conftest import ROOT

# curl -fsSO ADDRESS, for machines without it.
CURL = f"""curl() {{ {sys.executable} -c '
import sys, urllib.request
urllib.request.urlretrieve(sys.argv[1], sys.argv[1].rpartition("/")[2])' "$2"; }}
"""


@pytest.fixture
def environ(environ, tmp_path):
    """With a key of the log, and a folder for it."""
    return signing(environ, tmp_path)


def commands() -> list[str]:
    """The block of the README that ends in openssl."""
    blocks = (ROOT / "README.md").read_text().split("```")[1::2]
    (block,) = [one for one in blocks if "openssl pkeyutl" in one]
    return block.strip().splitlines()


def run(lines: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    script = "set -eu\n" + CURL + "\n".join(lines)
    return subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
def test_openssl_alone_verifies_a_checkpoint(services, environ, serve, tmp_path, missing):
    """Fetched from a real server the signature holds; with one digit changed it does not."""
    if shutil.which("openssl") is None:
        missing("openssl", "install it")
    sign(services)
    folder = tmp_path / "auditor"
    folder.mkdir()
    with serve(environ) as server:
        lines = [line.replace("https://CITY", server.url) for line in commands()]
        fetched = run(lines, folder)
    assert (fetched.returncode, fetched.stdout.strip()) == (0, "Signature Verified Successfully")
    offline = [line for line in lines if not line.startswith("curl ")]
    assert len(offline) == len(lines) - 2
    right = (folder / "checkpoint").read_text()
    name, size, root, *rest = right.split("\n")
    policy = (folder / "trust-policy").read_text()
    for wrong in (
        [name, str(int(size) + 1), root, *rest],
        [name, size, ("A" if root[0] != "A" else "B") + root[1:], *rest],
        [name, size, root, "", rest[1][:-3] + ("AA=" if rest[1][-3:] != "AA=" else "BA="), ""],
    ):
        (folder / "checkpoint").write_text("\n".join(wrong))
        assert run(offline, folder).returncode != 0
    (folder / "checkpoint").write_text(right)
    assert run(offline, folder).returncode == 0
    at = policy.index("\n") - 10
    other = policy[:at] + ("A" if policy[at] != "A" else "B") + policy[at + 1 :]
    (folder / "trust-policy").write_text(other)
    assert run(offline, folder).returncode != 0
