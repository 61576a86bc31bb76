"""Edits of visits from offline phones, in whatever order they arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from ledger.application import Ledger
from scripts import servers
from tests.campaigns.books import check_books, check_visit
from tests.campaigns.cases import Case
from tests.campaigns.cases_of_merging import MISSING, ONE_AUTHOR, ONLINE, TWO_AUTHORS
from tests.campaigns.cases_of_visits import CLEARING, ENDINGS, REFUSED, TALK
from tests.campaigns.offline import City, script_of
from tests.campaigns.playing import Play, orders
from tests.ledger.conftest import DATABASES, KEY
from tests.ledger.examples import NOW

GROUPS = (ONE_AUTHOR, TWO_AUTHORS, ONLINE, MISSING, TALK, CLEARING, ENDINGS, REFUSED)
TABLE: dict[str, Case] = {name: one for group in GROUPS for name, one in group.items()}
CASES_MIN = 40
# Merging knows no database; the second one is there for what only a database can do.
ORDERS_MAX = {"sqlite": 7, "postgres": 3}


def test_the_table_has_every_case():
    """There are as many cases as were promised, and no two of one name."""
    assert len(TABLE) == sum(map(len, GROUPS)) >= CASES_MIN


@pytest.fixture(scope="module")
def cities(request, tmp_path_factory) -> Iterator[Callable[[str, str], City]]:
    """``cities(database, case)``: a city on such a database, one for every group of cases."""
    found: dict[tuple[str, int], City] = {}
    with ExitStack() as closing:

        def made(database: str) -> City:
            if database == "sqlite":
                path = tmp_path_factory.mktemp("ordering") / "gwc.db"
                env = {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(path)}
            else:
                server = request.getfixturevalue("postgres_server")
                url = closing.enter_context(servers.fresh_database(server))
                env = {"PERSISTENCE_MODULE": "ledger.store.postgres", "DATABASE_URL": url,
                       "ALLOW_UNSAFE_TEST_SERVER": "yes"}  # fmt: skip
            ledger = closing.enter_context(Ledger(env, KEY, KEY))
            ledger.ensure_policy(NOW)
            return City(ledger)

        def city_for(database: str, name: str) -> City:
            (group,) = (number for number, one in enumerate(GROUPS) if name in one)
            if (database, group) not in found:
                found[database, group] = made(database)
            return found[database, group]

        yield city_for


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("name", TABLE)
def test_every_order_comes_to_the_same(name, database, cities):
    """Whatever arrives first, the same stands or waits, and all books are right."""
    city, case = cities(database, name), TABLE[name]
    steps = script_of(case.script)
    arrivals = case.arrivals or tuple(orders(steps, ORDERS_MAX[database]))
    closing = any(step.how == "close" for step in steps.values())
    shared = None if closing else city.campaign(len(arrivals))
    visits: dict = {}
    for number, arrival in enumerate(arrivals):
        campaign = shared or city.campaign(len(arrivals))
        play = Play(city, campaign, f"H{number:04}", steps)
        play.arrive(arrival)
        check_visit(play, case.ends, case.state)
        assert {step: play.code[step] for step in case.codes} == case.codes
        visits.setdefault(campaign, []).append(play.visit_id)
    for campaign, found in visits.items():
        check_books(city.ledger, campaign, found)
