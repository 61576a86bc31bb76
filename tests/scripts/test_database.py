"""``gwc database prepare``, and a whole service as a role that can change nothing recorded."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from uuid import uuid4

import psycopg
import pytest

from tests.dba import a_role, role_of, unprotect
from tests.scripts.conftest import on_postgres
from tests.scripts.test_serve import get, serving, wait_until

TRACK = {
    "coordinates": [[120.0, 30.0], [120.001, 30.0]],
    "times": ["2026-03-01T08:00:00+08:00", "2026-03-01T08:02:00+08:00"],
}


@pytest.fixture
def app_url(postgres_url, missing):
    """The database's URL as a new role that owns nothing; the tables belong to the run's own."""
    try:
        with a_role(postgres_url) as url:
            yield url
    except psycopg.errors.InsufficientPrivilege as problem:
        missing("a PostgreSQL user that may make roles", problem)


@pytest.fixture
def owner(postgres_url, tmp_path):
    """``gwc`` as the owner of the tables, without any key of the service."""
    gwc = on_postgres(tmp_path, postgres_url)
    del gwc.env["GWC_SECRET_KEY"], gwc.env["GWC_VAULT_KEY"]
    return gwc


def patrol(gwc, token: str) -> dict:
    """The answer to a patrol sent in by HTTP."""
    body = {"submission_id": str(uuid4()), "crs": "wgs84", "track": TRACK}
    request = urllib.request.Request(
        f"http://{gwc.env['GWC_BIND']}/v1/patrols", json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201
        return json.load(answer)


def test_a_whole_service_runs_as_a_role_that_cannot_change_history(owner, app_url, tmp_path):
    """Prepared by the owner, patrols, views, rebuild and audit work, and nothing is warned of."""
    granted = json.loads(owner("database", "prepare", "--app-role", role_of(app_url), "--json"))
    rights = {row["table"]: row["rights"] for row in granted}
    assert rights.pop("events") == "SELECT, INSERT"
    assert {"vault", "quotas", "views", "view_rows"} < set(rights)
    gwc = on_postgres(tmp_path, app_url)
    token = gwc("token", "issue", "--role", "citizen").strip()
    with serving(gwc):
        sent = patrol(gwc, token)
        behind = f"/v1/wallets/me?min_position={sent['position']}"
        wait_until(lambda: get(gwc, behind, token))
        wait_until(lambda: (get(gwc, "/readyz") or {}).get("status") == "ready")
    gwc("rebuild", "--all")
    gwc("rebuild", "--quotas")
    assert gwc("audit", "--json") == "[]\n"
    said = gwc.run("audit", "--lang", "en").stderr + (tmp_path / "serve.log").read_text()
    assert "events table" not in said
    with psycopg.connect(app_url) as connection, pytest.raises(psycopg.Error, match="permission"):
        connection.execute("UPDATE events SET topic = topic")


def test_a_service_that_runs_as_the_owner_is_warned(owner, postgres_url, tmp_path):
    """Serve and audit say that this role could change the history, and name the command."""
    gwc = on_postgres(tmp_path, postgres_url)
    gwc("token", "issue", "--role", "auditor")
    with serving(gwc, "--api-only"):
        pass
    assert "gwc database prepare --app-role" in (tmp_path / "serve.log").read_text()
    ran = gwc.run("audit", "--lang", "en")
    assert "can be changed by this role" in ran.stderr
    assert ran.stdout == ""


def test_what_cannot_be_prepared_is_refused_with_what_to_do(owner, app_url, gwc):
    """No such role, one that is too strong, not the owner's URL, SQLite: a code each, no grant."""
    for role, code in (("nobody_knows", "no_role"), (role_of(owner.env["GWC_DATABASE_URL"]),
                                                     "role_too_strong")):  # fmt: skip
        ran = owner.run("database", "prepare", "--app-role", role, status=1)
        assert ran.stderr.startswith(f"{code}: ")
    app = on_postgres(owner.folder, app_url)
    ran = app.run("database", "prepare", "--app-role", role_of(app_url), status=1)
    assert ran.stderr.startswith("not_owner: ")
    ran = app.run("token", "issue", "--role", "auditor", status=2)
    assert ran.stderr.startswith("database_unavailable: ")
    ran = gwc.run("database", "prepare", "--app-role", "x", status=2)
    assert ran.stderr.startswith("no_roles: ")


def test_triggers_that_somebody_took_off_are_told(city):
    """Whoever tampers on SQLite has to take the triggers off, which the audit notices."""
    with sqlite3.connect(city.folder / "gwc.db") as connection:
        unprotect(connection)
    ran = city.run("audit", "--lang", "en")
    assert "triggers" in ran.stderr
    assert ran.stdout == ""
    assert "triggers" not in city.run("audit", "--lang", "en").stderr
