"""``gwc export bundle``: what an auditor takes home, and checks without us."""

from __future__ import annotations

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.scripts.conftest import SMALL, on_postgres
from tests.scripts.test_audit import change


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
    """What was exported has no fault, by verify.py and by ``gwc audit --bundle`` alike.

    The SHA-256 that is told is of the verifier, so that an auditor may have it from elsewhere.
    """
    told = signed.run("export", "bundle", "--out", "b").stderr
    folder = signed.folder / "b"
    assert sha256((folder / "verify.py").read_bytes()).hexdigest() in told
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
    (tmp_path / "out").mkdir()
    subprocess.run(
        ["tar", "-xzf", signed.folder / "audit.tar.gz", "-C", tmp_path / "out"], check=True
    )
    assert verified(tmp_path / "out" / "audit").returncode == 0
    assert not list((tmp_path / "out" / "audit").glob(".*"))


def test_without_a_published_log_there_is_no_bundle(gwc):
    """Before a notary signed anything, a refusal says what to do."""
    gwc("token", "issue", "--role", "citizen")
    ran = gwc.run("export", "bundle", "--out", "b", status=1)
    assert ran.stderr.startswith("nothing_published: ")
    assert "gwc notary" in ran.stderr


def test_without_views_there_is_no_bundle(signed):
    """Before a follower has built them, a refusal says what to run."""
    change(signed, "DELETE FROM views")
    ran = signed.run("export", "bundle", "--out", "b", "--lang", "en", status=1)
    assert ran.stderr.startswith("view_not_ready: ")
    assert "run gwc serve or gwc follow" in ran.stderr
    assert not list(signed.folder.glob("b*"))


@pytest.mark.parametrize("name", ["b", "b.tar.gz"])
def test_of_two_exports_to_one_name_the_first_stays(name, signed):
    """Whoever ends later is refused, as if it had been there from the beginning."""
    code = (
        "import ledger.verifier.bundling as b, pathlib\n"
        "from scripts.gwc import main\n"
        f"b.write_policies = lambda *_: pathlib.Path({name!r}).write_text('first')\n"
        f"main(['export', 'bundle', '--out', {name!r}])"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=signed.folder, env=signed.env, text=True,
        capture_output=True,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr[:8]) == (1, "exists: ")
    assert (signed.folder / name).read_text() == "first"
    assert not list(signed.folder.glob("*.partial"))


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
