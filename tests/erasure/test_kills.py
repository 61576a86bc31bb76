"""An erasure whose process is killed at any step is gone on with by whoever starts next."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from api.config import Settings
from api.services import open_services
from tests.conftest import ROOT
from tests.ledger.erasing import registered
from tests.ledger.erasure.test_erasing import STEPS

KEY = base64.b64encode(bytes(range(32))).decode()
# Runs the saga and is gone, without a last word, right behind the step that is named.
KILLED = """
import os, signal, sys
from uuid import UUID
from api.config import Settings
from api.services import open_services
def told(step):
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
opened = open_services(Settings.from_env())
subject = UUID(sys.argv[1])
opened.ledger.ask_erasure(None, subject, "other", opened.clock())
opened.ledger.run_erasure(subject, opened.clock(), told)
"""


@pytest.fixture(params=("sqlite", "postgres"))
def environ(request, tmp_path: Path) -> dict[str, str]:
    url = f"sqlite:///{tmp_path / 'gwc.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GWC_")}
    return {
        **kept, "GWC_DATABASE_URL": url, "GWC_SECRET_KEY": KEY, "GWC_VAULT_KEY": KEY,
        "GWC_LOG_DIR": str(tmp_path / "tlog"), "ALLOW_UNSAFE_TEST_SERVER": "yes",
    }  # fmt: skip


def run(environ, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environ, capture_output=True, text=True
    )


def test_killed_at_each_step_it_is_completed_by_the_next_start(environ):
    """SIGKILL behind every step: the next process finishes before it does anything else, the
    counts are those of one run, and the audit is green and says so."""
    settings = Settings.from_env(environ)
    with_people = open_services(settings)
    people = [registered(with_people.ledger).participant_id for _ in STEPS]
    kept = [len(with_people.ledger.store.select_of_subject(one)) for one in people]
    assert kept == [4] * len(people)
    for person, step in zip(people, STEPS, strict=True):
        assert run(environ, "-c", KILLED, str(person), step).returncode == -9, step
        expected = "completed" if step == "completed" else "fenced"
        assert with_people.ledger.erasure(person).step == expected
        listed = run(environ, "-m", "scripts.gwc", "erase", "--pending", "--json")
        assert (listed.returncode, json.loads(listed.stdout)) == (0, []), listed.stderr
        done = with_people.ledger.erasure(person).completed
        assert (done.keys, done.rows, done.tokens) == (1, 4, 1), step
        assert with_people.ledger.store.select_of_subject(person) == []
    with_people.close()
    audit = run(environ, "-m", "scripts.gwc", "audit", "--lang", "en")
    assert audit.returncode == 0, audit.stdout
    assert f"Erased on request: {len(STEPS)} subjects" in audit.stderr


def test_two_processes_at_once_count_each_row_once(environ):
    """Whoever else runs the same erasure at the same moment adds nothing to it."""
    settings = Settings.from_env(environ)
    opened = open_services(settings)
    person = registered(opened.ledger).participant_id
    opened.ledger.ask_erasure(None, person, "other", opened.clock())
    both = [
        subprocess.Popen([sys.executable, "-m", "scripts.gwc", "erase", "--pending"], cwd=ROOT,
                         env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(3)
    ]  # fmt: skip
    for one in both:
        _, errors = one.communicate(timeout=60)
        assert one.returncode == 0, errors
    deadline = time.monotonic() + 5
    while opened.ledger.erasure(person).step != "completed" and time.monotonic() < deadline:
        time.sleep(0.05)
    done = opened.ledger.erasure(person).completed
    assert (done.keys, done.rows, done.tokens) == (1, 4, 1)
    topics = [row.topic for row in opened.ledger.store.select_erasures()]
    assert topics == ["erasure.requested", "erasure.fenced", "erasure.completed"]
    opened.close()
