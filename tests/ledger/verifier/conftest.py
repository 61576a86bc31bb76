"""A bundle of a town in which every kind of fact stands, and somebody who forges it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.audit.findings import Finding
from ledger.policy import PolicyPublished
from ledger.transparency.merkle import EMPTY_ROOT
from ledger.transparency.notary import Notary
from ledger.transparency.signing import Signer, new_key
from ledger.transparency.tiles import TRUST_POLICY, LogFolder
from ledger.verifier.bundling import write_log, write_policies, write_program
from ledger.verifier.checking import check_bundle
from ledger.verifier.folder import Folder
from ledger.verifier.signatures import Older
from projections.reading import open_stores
from projections.runner import Follower
from projections.showing import write_shown
from tests.ledger.audit.conftest import settled
from tests.ledger.examples import NOW, a_walk, consent, contribute, someone
from tests.ledger.verifier.forging import ORIGIN, Forger

KEY = bytes(range(32))
LATER = (NOW + timedelta(days=60)).date()


@pytest.fixture(scope="session")
def signer() -> Signer:
    """The key of the log."""
    return Signer(ORIGIN, new_key())


@pytest.fixture(scope="session")
def honest(tmp_path_factory, signer) -> Path:
    """The bundle as ``gwc export bundle`` writes it; copy it before changing anything."""
    folder = tmp_path_factory.mktemp("town")
    path, out = folder / "gwc.db", folder / "bundle"
    out.mkdir()
    ledger = Ledger({"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(path)},
                    KEY, KEY)  # fmt: skip
    ledger.ensure_policy(NOW)
    busy(settled(ledger))
    stores = open_stores(f"sqlite:///{path}")
    follower = Follower(ledger, stores)
    follower.catch_up()
    log = LogFolder(folder / "tlog")
    ledger.store.begin_log("town", ORIGIN, EMPTY_ROOT)
    Notary(ledger, log, signer).step()
    (log.path / TRUST_POLICY).write_text(f"log {signer.verifier}\nquorum none\n")
    write_shown(stores[0], LATER, out)
    content = log.checkpoint()
    assert content is not None
    write_log(log, content, ledger.head(), out, lambda _: None)
    policies = ledger.rows_through(ledger.head(), 0, [PolicyPublished.topic])
    write_policies((ledger.entry(row).fact for row in policies), out)
    write_program(out)
    follower.close()
    ledger.close()
    return out


def busy(ledger: Ledger) -> None:
    """So many patrols of people who are on the boards that there are several tiles of them."""
    for number in range(10):
        person = someone(ledger)
        consent(ledger, person.participant_id, True, f"鱼{number}")
        for patrol in range(10):
            when = NOW + timedelta(hours=3 * patrol)
            contribute(ledger, "patrol", person, a_walk(600 + 40 * number, 1500, when), when)


@pytest.fixture
def bundle(honest, tmp_path) -> Path:
    """A copy of the honest bundle."""
    return Path(shutil.copytree(honest, tmp_path / "bundle"))


@pytest.fixture
def forger(bundle, signer) -> Forger:
    """Somebody who can write to the bundle, and who has the log's key."""
    return Forger(bundle, signer)


@pytest.fixture
def found(bundle) -> Callable[..., list[Finding]]:
    """Checks the bundle by the code of the service: findings in order of position."""

    def run(*older: bytes) -> list[Finding]:
        told: list[Finding] = []
        kept = [Older(f"older-{number}", one) for number, one in enumerate(older)]
        check_bundle(Folder(bundle), told.append, older=kept)
        return sorted(told, key=lambda one: one.position)

    return run


class Verifier:
    """``verify.py`` as an auditor runs it, whatever Python that is."""

    def __init__(self, program: Path, python: str = sys.executable) -> None:
        self.program, self.python = program, python

    def __call__(self, *words: object, status: int | None = None) -> list[str]:
        """The lines it prints; fails the test for another status, or for a traceback."""
        ran = subprocess.run(
            [self.python, "-I", self.program, *map(str, words)], capture_output=True, text=True,
            cwd=self.program.parent,
        )  # fmt: skip
        assert "Traceback" not in ran.stderr, ran.stderr
        assert status is None or ran.returncode == status, (ran.returncode, ran.stdout, ran.stderr)
        assert status is not None or ran.returncode in (0, 1)
        return ran.stdout.splitlines()


@pytest.fixture
def verify(bundle) -> Iterator[Verifier]:
    """The verifier in the bundle."""
    return Verifier(bundle / "verify.py")
