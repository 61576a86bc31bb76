"""The published log over HTTP: what is signed, all of it, and with the database down as well."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from api import published
from api.app import create_app
from api.config import Settings
from api.services import open_services
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import Frontier, leaf_hash
from ledger.transparency.notes import Note
from ledger.transparency.signing import verify
from ledger.transparency.tiles import LogFolder, split_hashes, tile_path, unbundle
from ledger.transparency.trust import TrustPolicy
from scripts import servers
from scripts.notary import open_notary
from tests.api.conftest import environment, prepare
from tests.api.publishing import sign, signing, size_of
from tests.api.test_failures import a_dead_port

BYTES = "application/octet-stream"
ON_SQLITE = pytest.mark.parametrize("environ", ["sqlite"], indirect=True)


@pytest.fixture
def environ(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """With a key of the log, and a folder for it."""
    return signing(environ, tmp_path)


@pytest.fixture
def log(services, app) -> SimpleNamespace:
    """A signed log of 300 entries and more, and a client without a token."""
    while services.ledger.head() < 300:
        services.ledger.issue_token("citizen", services.clock())
    key, folder = sign(services), services.published_log()
    return SimpleNamespace(
        client=app.test_client(), folder=folder, size=size_of(folder.checkpoint()), key=key,
        services=services,
    )  # fmt: skip


def test_whoever_asks_can_rebuild_the_signed_tree(log):
    """From the addresses alone: the entries hash to the tiles, and those to the signed root."""
    answer = log.client.get("/log/checkpoint")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert answer.headers["Cache-Control"] == "public, max-age=2"
    note = Note.parse(answer.data)
    head = Checkpoint.parse(note.text)
    assert [one.key for one in note.signed_by([log.key], verify)] == [log.key]
    frontier, first, width = Frontier(), b"", 256
    for n in range(2):
        width = min(256, head.size - n * 256)
        entries = log.client.get(f"/log/{tile_path('entries', n, width)}")
        hashes = log.client.get(f"/log/{tile_path(0, n, width)}")
        for one in (entries, hashes):
            assert (one.status_code, one.content_type) == (200, BYTES)
            assert one.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        leaves = [leaf_hash(one) for one in unbundle(entries.data)]
        assert leaves == split_hashes(hashes.data)
        assert len(leaves) == width
        for leaf in leaves:
            frontier.add(leaf)
        first = first or frontier.root()
    assert frontier.root() == head.root
    assert log.client.get("/log/tile/1/000.p/1").data == first


NO_TILES = (
    "", "0", "0/0", "0/00", "0/0000", "0/000.p", "0/000.p/0", "0/000.p/01", "0/000.p/256",
    "0/000.p/5", "0/002", "0/999", "1/000", "2/000", "64/000", "-1/000", "00/000", "data/000",
    "entries/000.p/5", "entries/002", "x000/000", "0/x000/000", "0/000/", "0/000%0a",
    "0/../../checkpoint", "%2e%2e/checkpoint", "..%2fcheckpoint", "0/000%00", "0/..%5c000",
    "../../../../../../etc/passwd", "%2e%2e/%2e%2e/trust-policy", "entries/.000.1", "0//000",
)  # fmt: skip


@ON_SQLITE
def test_what_is_no_tile_of_the_signed_tree_is_not_there(log):
    """A path that is spelt otherwise, leads elsewhere, or names no tile of this size: 404."""
    log.folder.write("tile/0/.000.1", b"a draft")
    for name in NO_TILES:
        answer = log.client.get(f"/log/tile/{name}")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), name


@ON_SQLITE
def test_what_is_written_and_not_yet_signed_is_not_there(log):
    """Tiles that a notary wrote beyond the published checkpoint are nobody's business yet."""
    folder, size = log.folder, log.size
    beyond = size % 256 + 1
    for level, full in ((0, 1), ("entries", 1)):
        content = folder.read(level, 1, size % 256)
        for name in (tile_path(level, full, beyond), tile_path(level, full)):
            folder.write(name, content * 9)
            assert log.client.get(f"/log/{name}").status_code == 404
        assert log.client.get(f"/log/{tile_path(level, 1, size % 256)}").status_code == 200
    folder.write("tile/1/000.p/2", bytes(64))
    assert log.client.get("/log/tile/1/000.p/2").status_code == 404


@ON_SQLITE
def test_an_unchanged_file_is_not_sent_again(log):
    """Whoever has it already gets 304 without a body; HEAD gets the headers alone."""
    for path in ("/log/checkpoint", "/log/tile/entries/000", "/log/tile/0/000"):
        first = log.client.get(path)
        again = log.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        only = log.client.head(path)
        assert (only.status_code, only.data) == (200, b"")
        assert only.headers["Content-Length"] == str(len(first.data))
    seen = log.client.get("/log/checkpoint").headers["ETag"]
    log.services.ledger.issue_token("citizen", log.services.clock())
    sign(log.services)
    news = log.client.get("/log/checkpoint", headers={"If-None-Match": seen})
    assert news.status_code == 200
    assert size_of(news.data) == log.services.ledger.head()


def test_before_the_first_checkpoint_nothing_is_there(services, app):
    """Every address of the log says so, begun or not; with the first checkpoint all are there."""
    client = app.test_client()
    paths = ("/log/checkpoint", "/log/tile/entries/000", "/log/trust-policy")
    for _ in range(2):
        for path in paths:
            answer = client.get(path)
            assert (answer.status_code, answer.json["code"]) == (404, "nothing_published")
        open_notary(services)
    sign(services)
    assert client.get("/log/checkpoint").status_code == 200


@ON_SQLITE
def test_the_trust_policy_is_given_out_where_there_is_one(log):
    """The file of the log's folder, byte for byte, with the log's key; without it 404."""
    answer = log.client.get("/log/trust-policy")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.data == (log.folder.path / "trust-policy").read_bytes()
    assert [one.key for one in TrustPolicy.parse(answer.data).logs] == [log.key]
    (log.folder.path / "trust-policy").unlink()
    assert log.client.get("/log/trust-policy").json["code"] == "not_found"


@ON_SQLITE
def test_a_damaged_checkpoint_is_a_503(log):
    """What cannot be read as a checkpoint is not handed out, and nothing that it should cover."""
    log.folder.write("checkpoint", b"half a checkp")
    for path in ("/log/checkpoint", "/log/tile/0/000"):
        answer = log.client.get(path)
        assert (answer.status_code, answer.json["code"]) == (503, "log_damaged")
        assert answer.headers["Retry-After"]


def test_the_log_is_read_with_the_database_down(tmp_path, missing, monkeypatch):
    """PostgreSQL stopped: workers that ran before and one that starts now both give all of it."""
    try:
        server = servers.Postgres()
    except servers.ServerError as problem:
        missing("PostgreSQL", problem)
    with server:
        settings = Settings.from_env(signing(environment(server.url), tmp_path))
        services = open_services(settings)
        prepare(services)
        sign(services)
        before = create_app(services)
        assert before.test_client().get("/log/checkpoint").status_code == 200
    asked: list[object] = []
    opening = published.Opening.services
    monkeypatch.setattr(
        published.Opening, "services", lambda self: asked.append(self) or opening(self)
    )
    for app in (before, create_app(settings)):
        client = app.test_client()
        size = size_of(client.get("/log/checkpoint").data)
        for _ in range(20):
            tile = client.get(f"/log/tile/entries/000.p/{size}")
            assert (tile.status_code, len(list(unbundle(tile.data)))) == (200, size)
    assert len(asked) == 1, "the database is looked for now and then, not for every file"
    services.close()


def test_of_several_logs_none_is_taken_for_the_published_one(tmp_path):
    """Without the database, a worker that cannot tell which log is its own gives out none."""
    url = f"postgresql://gwc@127.0.0.1:{a_dead_port()}/gwc"
    client = create_app(Settings.from_env(signing(environment(url), tmp_path))).test_client()
    assert client.get("/log/checkpoint").status_code == 404
    note = f"o\n1\n{'A' * 43}=\n\n— o AAAAAAA=\n".encode()
    for name in ("a", "b"):
        LogFolder(tmp_path / "tlog" / name).write("checkpoint", note)
        assert client.get("/log/checkpoint").status_code == (200 if name == "a" else 404)


def numbers(client) -> dict[str, float]:
    """What /metrics tells of the log."""
    words = [line.split() for line in client.get("/metrics").text.splitlines()]
    return {name: float(value) for name, value, *_ in words if name.startswith("gwc_log_")}


def test_operators_see_how_far_the_log_is_signed(services, app, clock):
    """A notary that does not sign shows in /metrics and /readyz, and takes nothing out of service.
    """
    client, head = app.test_client(), services.ledger.head()
    clock.ahead = timedelta(seconds=90)
    for signed in (0, head):
        found = numbers(client)
        assert (found["gwc_log_position"], found["gwc_log_signed_position"]) == (head, signed)
        waits = found["gwc_log_unsigned_seconds"]
        assert waits == 0 if signed else 90 <= waits < 120
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json["checks"]["notary"] == {"signed": signed, "lag": head - signed}
        sign(services)
    services.published_log().write("checkpoint", b"half a checkp")
    assert numbers(client)["gwc_log_signed_position"] == 0
    assert client.get("/readyz").status_code == 200
