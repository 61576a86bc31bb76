"""Checking views against a replay: an honest one passes, an edited row or digest is named."""

from __future__ import annotations

import sqlite3
from itertools import count
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
import redis

from ledger.application import Ledger
from ledger.participants import Actor
from ledger.spending.catalogue import Terms
from ledger.spending.redeeming import Order
from projections import VIEWS
from projections.check import check_views
from projections.reading import open_stores
from projections.runner import Follower
from tests.ledger.campaigns import a_campaign
from tests.ledger.examples import (
    NOW,
    a_reach,
    a_report,
    a_walk,
    consent,
    contribute,
    someone,
    verify,
)

KEY = bytes(range(32))


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gwc.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def city(database, redis_url):
    """A ledger with a patrol, a report, and coins spent and disputed; its caught-up stores."""
    env = {"PERSISTENCE_MODULE": "ledger.store.sqlite",
           "SQLITE_DBNAME": database.removeprefix("sqlite:///")}  # fmt: skip
    if database.startswith("postgres"):
        env = {"PERSISTENCE_MODULE": "ledger.store.postgres", "DATABASE_URL": database,
               "ALLOW_UNSAFE_TEST_SERVER": "yes"}  # fmt: skip
    ledger = Ledger(env, KEY, KEY)
    ledger.ensure_policy(NOW)
    ledger.import_reaches([a_reach()], NOW)
    citizen, dispatcher = someone(ledger), someone(ledger, "dispatcher")
    consent(ledger, citizen.participant_id, True)
    contribute(ledger, "patrol", citizen, a_walk(900, 1500, NOW))
    report = contribute(ledger, "report", citizen, a_report())
    verify(ledger, report, dispatcher)
    ask_and_dispute(ledger, citizen, report.id)
    a_campaign(ledger)
    stores = open_stores(database, redis_url)
    follower = Follower(ledger, stores)
    follower.catch_up()
    follower.close()
    yield ledger, stores
    for store in stores:
        store.close()
    ledger.close()


def ask_and_dispute(ledger: Ledger, citizen: Actor, cause: UUID) -> None:
    """Somebody redeems coins, and somebody else finds the award they came from to be wrong."""
    merchant, officer = someone(ledger, "merchant"), someone(ledger, "reward_officer")
    terms = Terms(name="茶", price=1, stock=9, unit="份")
    offer = ledger.publish_offer(merchant, terms, {}, uuid4(), NOW).offer
    ledger.redeem(citizen, Order(offer.offer_id), {}, uuid4(), NOW)
    ledger.propose_reversal(officer, cause, "mistake", "错了", {}, uuid4(), NOW)


def found(city) -> list[tuple[str, int]]:
    ledger, stores = city
    findings = [one for store in stores for one in check_views(ledger, store, VIEWS)]
    return [(one.code, one.position) for one in findings]


def run(database: str, sql: str) -> None:
    if database.startswith("sqlite"):
        connection = sqlite3.connect(database.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(database)
    with connection:
        connection.execute(sql)
    connection.close()


def test_views_that_follow_the_log_pass(city):
    """Neither the database's nor Redis's copy of any view gives a finding."""
    assert found(city) == []


@pytest.mark.parametrize("view", [view.name for view in VIEWS])
def test_every_edited_row_of_every_view_is_named(view, city, database):
    """A row emptied in the database is found, at a position of the log."""
    ledger, _ = city
    run(database, f"""UPDATE view_rows SET sort = sort || 'x' WHERE generation =
        (SELECT generation FROM views WHERE name = '{view}')""")
    findings = found(city)
    assert findings
    assert all(code == "VIEW" and 1 <= position <= ledger.head() for code, position in findings)
    assert findings == sorted(findings)


def test_a_deleted_row_and_an_edited_digest_are_named(city, database):
    """What is missing is found where it was last written; a digest at its view's position."""
    ledger, _ = city
    run(database, "DELETE FROM view_rows WHERE key LIKE 'line/%'")
    assert len(found(city)) == 3
    run(database, "UPDATE views SET digest = 'x' WHERE name = 'balances'")
    assert found(city)[0] == ("VIEW", ledger.head())


def test_an_edited_row_in_redis_is_named(city, redis_url):
    """The copy in Redis is compared row by row as well."""
    with redis.Redis.from_url(redis_url) as client:
        (name,) = client.keys("{gwc:balances}:*:rows")
        ((key, value),) = client.hgetall(name).items()
        client.hset(name, key, value.replace(b'"amount":', b'"amount":9', 1))
    assert [code for code, _ in found(city)] == ["VIEW"]


def test_what_is_not_built_yet_is_left_out(city, database, caplog):
    """A view without rows yet is no fault, for the follower builds it; but it is said."""
    run(database, "DELETE FROM views")
    run(database, "DELETE FROM view_rows")
    assert found(city) == []
    assert len(caplog.records) == len(VIEWS)
    assert all("was not checked" in record.getMessage() for record in caplog.records)


def test_a_view_that_never_stands_still_is_not_called_clean(city, monkeypatch):
    """When every scan was overtaken by the follower, a finding says that nothing was checked."""
    ledger, (store, _) = city
    heads, moves = store.heads, count(1)
    monkeypatch.setattr(store, "heads", lambda: [
        msgspec.structs.replace(head, position=next(moves)) for head in heads()
    ])  # fmt: skip
    findings = list(check_views(ledger, store, VIEWS[:1]))
    assert [one.code for one in findings] == ["VIEW"]
    assert "was not checked" in findings[0].text
