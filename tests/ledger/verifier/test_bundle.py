"""A bundle: an honest one is found without fault, by any Python, alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.facts import catalogue
from tests.ledger.audit.conftest import BESIDE_THE_LOG
from tests.ledger.verifier.conftest import Verifier

DEBIAN = "/usr/bin/python3"


def test_an_honest_bundle_has_no_fault(bundle, forger, found, verify):
    """With every kind of fact in it, the service's code and the verifier find nothing."""
    assert {row.topic for row in forger.rows()} == set(catalogue()) - BESIDE_THE_LOG
    assert found(forger.checkpoint) == []
    assert verify(status=0) == []


@pytest.mark.skipif(not Path(DEBIAN).is_file(), reason="no Python of Debian's here")
def test_any_python_checks_it_in_an_empty_folder(honest, tmp_path):
    """The one file is enough: the system's own Python checks a bundle that lies elsewhere."""
    program = Path(shutil.copy(honest / "verify.py", tmp_path))
    assert Verifier(program, DEBIAN)(honest, status=0) == []


def test_openssl_alone_verifies_the_signature(bundle):
    """The lines in README.txt check the checkpoint's signature, and refuse another text."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    readme = (bundle / "README.txt").read_text().splitlines()
    start = next(at for at, line in enumerate(readme) if "head -n 3 checkpoint" in line)
    lines = [line.strip() for line in readme[start : start + 6]]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=bundle, capture_output=True,
                              text=True)  # fmt: skip

    ran = run()
    assert ran.returncode == 0, ran.stderr
    assert "Verified Successfully" in ran.stdout
    path = bundle / "checkpoint"
    origin, size, rest = path.read_text().split("\n", 2)
    path.write_text(f"{origin}\n{int(size) + 1}\n{rest}")
    assert run().returncode != 0


def test_the_auditors_own_policy_is_asked(bundle, verify, tmp_path):
    """A witness that only the auditor's own trust policy wants is missed, in both formats."""
    policy = tmp_path / "policy"
    log = (bundle / "trust-policy").read_text().splitlines()[0]
    key = "w.example+" + "f6d8b2a5+BAm4sAgHoBQfRQWnk38xZIFSw1mMYDjUf1g1Vh6vJAfX"
    policy.write_text(f"{log}\nquorum none\n")
    assert verify("--witness-policy", policy, status=0) == []
    policy.write_text(f"{log}\nwitness w {key}\nquorum w\n")
    assert verify("--witness-policy", policy, status=2) == []  # Its key's hash is not its own.
    policy.write_text(f"{log}\nquorum none\n" + "#" * 100_000)
    assert verify("--witness-policy", policy, status=2) == []  # And not its beginning alone.
    policy.write_text("quorum none\n")
    (line,) = verify("--witness-policy", policy, status=1)
    assert line.startswith("CHECKPOINT position=")


def test_what_lies_beside_the_verifier_is_not_run(bundle):
    """Without -I as well: modules that somebody put into the bundle are no part of it."""
    for name in ("__future__", "importlib", "json", "argparse", "msgspec", "ledger"):
        (bundle / f"{name}.py").write_text("raise SystemExit(0)")
    (bundle / "shown.json").write_text("[")
    ran = subprocess.run([sys.executable, bundle / "verify.py"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.split()[0]) == (1, "BUNDLE"), ran.stderr


def test_it_says_as_of_when_the_balances_are(bundle):
    """An auditor reads whether what is shown is of the log's end, and for which day."""
    times = json.loads((bundle / "shown.json").read_text())
    ran = subprocess.run([sys.executable, "-I", bundle / "verify.py"], capture_output=True,
                         text=True)  # fmt: skip
    at, day = times["balances"]["position"], times["balances"]["day"]
    assert f"as of {at}, for {day}, boards as of {times['boards']['position']}" in ran.stderr


def test_a_full_disk_is_no_finding(bundle, verify):
    """Without room for its temporary file the verifier says that it could not end."""
    text = verify.program.read_text()
    for line, other in (("KEPT = 10_000\n", "KEPT = 1\n"),
                        ('"PRAGMA synchronous = OFF"', '"PRAGMA max_page_count = 2"')):  # fmt: skip
        assert line in text
        text = text.replace(line, other)
    verify.program.write_text(text)
    assert verify(status=2) == []


def test_wrong_use_is_told_from_a_finding(bundle, verify, tmp_path):
    """What cannot be checked as it was asked for has status 2."""
    for words in (["nowhere"], ["--checkpoint", "nowhere"], ["--no-such-option"]):
        verify(*words, status=2)
