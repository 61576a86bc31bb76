"""The stored bytes of facts, read past the recorder where that is quicker, are the same bytes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from eventsourcing.persistence import PersistenceError

from ledger.balances import MONEY
from ledger.days import microseconds
from ledger.store.states import _by_recorder, states
from tests.ledger.examples import NOW, a_report, contribute, someone, verify

LATER = NOW + timedelta(days=1)


@pytest.fixture
def awarded(ledger) -> list[int]:
    """The positions of three money facts: two recorded now, one a day later."""
    reviewer, person = someone(ledger, "dispatcher"), someone(ledger)
    for moment, tier in [(NOW, 1), (NOW, None), (LATER, 3)]:
        receipt = contribute(ledger, "report", person, a_report(str(tier)), moment)
        verify(ledger, receipt, reviewer, moment, tier)
    return [row.position for row in ledger.rows(topics=MONEY)]


def test_both_ways_to_read_give_the_same_states(env, awarded):
    """The SQLite file read past the recorder holds what the recorder reads, page after page."""
    assert sorted(states(env, MONEY)) == sorted(_by_recorder(env, MONEY, 2**62, 2**62))
    assert len(list(states(env, MONEY))) == len(awarded) == 3


def test_states_end_where_they_are_told_to(env, awarded):
    """``until`` and ``through`` leave out what was recorded later, and include their own end."""
    assert len(list(states(env, MONEY, until=microseconds(NOW)))) == 2
    assert len(list(states(env, MONEY, through=awarded[1]))) == 2
    assert list(states(env, MONEY, through=0)) == []


def test_a_file_that_is_no_database_is_told_as_the_store_tells_it(tmp_path):
    """Reading past the recorder raises the library's errors, as the recorder does."""
    path = tmp_path / "gwc.db"
    path.write_text("this is no database, only text that is long enough to be read as one" * 9)
    env = {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(path)}
    with pytest.raises(PersistenceError):
        list(states(env, MONEY))
