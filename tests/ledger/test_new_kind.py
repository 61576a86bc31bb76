"""The exercise: a new way to earn is one new file and one line in a listing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

NEW_KIND = '''
"""Clean-up (清理): somebody carries rubbish away; a new way to earn, in one file."""

from ledger.contributions.base import Contribution, Recorded
from ledger.days import day_of
from ledger.facts import Text, stored_as
from ledger.policy import Granted, KindRules
import msgspec


class CleanupBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bags: int


class CleanupRules(KindRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    coins_per_bag: int = 1


@stored_as("cleanup.recorded", zh="清理了 {bags} 袋垃圾", en="{bags} bags of rubbish were removed")
class CleanupRecorded(Recorded, frozen=True):
    bags: int = 0


def record(body, context, body_digest):
    return [CleanupRecorded(
        participant_id=context.actor.participant_id, role=context.actor.role,
        role_district=context.actor.district, districts=(), earned_on=day_of(context.now),
        body_digest=body_digest, bags=body.bags)]


def reward(state, rules):
    return Granted(state.recorded.bags * rules.coins_per_bag, "cleanup.bags")


CLEANUP = Contribution(
    kind="cleanup", path="cleanups", name=Text("清理", "clean-up"), body=CleanupBody,
    recorded=CleanupRecorded, rules=CleanupRules, policy="\\n[cleanup]\\ncoins_per_bag = 1\\n",
    contributors=frozenset({"citizen"}), reviewers=frozenset({"dispatcher"}),
    record=record, reward=reward)
'''

EXERCISE = """
import json, os, sys
from pathlib import Path
from uuid import uuid4
from api.app import create_app
from api.config import Settings
url = "sqlite:///" + sys.argv[1]
settings = Settings.from_env({"GWC_DATABASE_URL": url, "GWC_RATE_LIMIT": "off"})
app = create_app(settings)
from api.services import open_services
services = open_services(settings)
from datetime import datetime, timezone
now = datetime.now(timezone.utc)
citizen = services.ledger.issue_token("citizen", now)
judge = services.ledger.issue_token("dispatcher", now)
client = app.test_client()
def post(url, token, **body):
    body["submission_id"] = str(uuid4())
    answer = client.post(url, json=body, headers={"Authorization": "Bearer " + token})
    return answer.status_code, answer.get_json()
status, made = post("/v1/cleanups", citizen.token, bags=3)
_, bad = post("/v1/cleanups", citizen.token, bags="three", sacks=1)
_, paid = post(f"/v1/cleanups/{made['id']}/verify", judge.token)
print(json.dumps([status, made["state"], bad["code"], paid["coins"], paid["balance"]]))
"""


def test_a_new_way_to_earn_touches_two_files(tmp_path, root):
    """One new file and one line: route, schema, policy, review and award follow from them."""
    for folder in ("ledger", "projections", "api"):
        shutil.copytree(root / folder, tmp_path / folder)
    ways = tmp_path / "ledger" / "contributions"
    (ways / "cleanup.py").write_text(NEW_KIND)
    listing = ways / "__init__.py"
    new_import = "from ledger.contributions.cleanup import CLEANUP\n"
    lines = listing.read_text().replace("    VISIT,\n", "    VISIT,\n    CLEANUP,\n")
    listing.write_text(lines.replace("\nCONTRIBUTIONS", new_import + "\nCONTRIBUTIONS"))
    changed = [
        str(path.relative_to(tmp_path))
        for path in sorted(tmp_path.rglob("*.py"))
        if not (root / path.relative_to(tmp_path)).exists()
        or (root / path.relative_to(tmp_path)).read_bytes() != path.read_bytes()
    ]
    assert changed == ["ledger/contributions/__init__.py", "ledger/contributions/cleanup.py"]
    answer = subprocess.run(
        [sys.executable, "-c", EXERCISE, str(tmp_path / "gwc.db")],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == [201, "pending", "invalid_input", 3, 3]
