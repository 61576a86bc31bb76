"""``gwc export bundle``: what an auditor takes home, and checks without us."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.scripts.conftest import SMALL, on_postgres


def verified(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Runs the verifier that is in a bundle."""
    return subprocess.run(
        [sys.executable, "-I", "verify.py", *map(str, words)], cwd=folder, capture_output=True,
        text=True,
    )  # fmt: skip


@pytest.fixture
def signed(city):
    """A played city whose log was published."""
    city("notary", "--once")
    return city


def test_a_bundle_of_a_city_is_checked_by_its_own_verifier(signed):
    """What was exported has no fault, by verify.py and by ``gwc audit --bundle`` alike."""
    signed("export", "bundle", "--out", "b")
    folder = signed.folder / "b"
    ran = verified(folder)
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stdout + ran.stderr
    assert signed("audit", "--bundle", "b") == ""
    shown = (folder / "balances.csv").read_text().splitlines()
    assert set(shown) <= set(signed("balances").splitlines())
    assert len(shown) > 5
    assert (folder / "boards.ndjson").read_text()
    path = folder / "balances.csv"
    path.write_text(path.read_text().replace(",0\n", ",9\n", 1))
    by_itself = verified(folder)
    assert by_itself.returncode == 1
    assert by_itself.stdout.startswith("VIEW position=")
    assert signed("audit", "--bundle", "b", status=1) == by_itself.stdout


def test_a_bundle_is_there_whole_or_not_at_all(signed):
    """Nothing is overwritten, and nothing half-written is left where it cannot be finished."""
    signed("export", "bundle", "--out", "b")
    before = sorted(path.stat().st_mtime_ns for path in (signed.folder / "b").rglob("*"))
    ran = signed.run("export", "bundle", "--out", "b", status=1)
    assert ran.stderr.startswith("exists: ")
    assert sorted(path.stat().st_mtime_ns for path in (signed.folder / "b").rglob("*")) == before
    (log,) = signed.folder.glob("gwc.db.tlog/*")
    shutil.rmtree(log / "tile" / "0")
    ran = signed.run("export", "bundle", "--out", "c", status=1)
    assert ran.stderr.startswith("log_damaged: ")
    assert not list(signed.folder.glob("c*"))


def test_a_packed_bundle_holds_the_same(signed, tmp_path):
    """With a name that ends in .tar.gz it is one file, with one folder in it."""
    signed("export", "bundle", "--out", "audit.tar.gz")
    with tarfile.open(signed.folder / "audit.tar.gz") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    assert verified(tmp_path / "out" / "audit").returncode == 0


def test_without_a_published_log_there_is_no_bundle(city):
    """Before a notary signed anything, a refusal says what to do."""
    ran = city.run("export", "bundle", "--out", "b", status=1)
    assert ran.stderr.startswith("nothing_published: ")
    assert "gwc notary" in ran.stderr


def test_postgres_gives_a_bundle_as_well(postgres_url, tmp_path):
    """From PostgreSQL it is the same kind of folder, and has no fault."""
    key = tmp_path / "log.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    there = on_postgres(
        tmp_path, postgres_url, GWC_LOG_KEY=str(key), GWC_LOG_DIR=str(tmp_path / "log")
    )
    there("demo", "--once", *SMALL)
    there("notary", "--once")
    there("export", "bundle", "--out", "b")
    ran = verified(tmp_path / "b")
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stdout + ran.stderr
