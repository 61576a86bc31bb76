"""What is lost in Redis, or cannot be folded or kept, harms as little as it can."""

from __future__ import annotations

from secrets import token_hex
from uuid import uuid4

import msgspec
import pytest
import redis

from projections import VIEWS
from projections.balances import Balances
from projections.reading import Views
from projections.runner import Follower
from tests.projections.test_runner import SQLITE, assert_right


@SQLITE
def test_a_lost_list_of_redis_is_noticed(follower, stores, history, redis_url):
    """With one sorted set gone the database answers, and the follower makes the view anew."""
    history.grow(40)
    history.append([history._award(history.people[0], uuid4())])
    follower.catch_up()
    who = str(history.people[0])
    with redis.Redis.from_url(redis_url) as client:
        (lost,) = client.keys(f"{{gwc:statement}}:*:in:*{who}*")
        client.delete(lost)
    expected = Views(stores[:1]).statement(history.people[0])
    assert expected["items"]
    assert Views(stores).statement(history.people[0]) == expected
    assert [head.view for head in stores[1].heads() if head.hollow] == ["statement"]
    follower.catch_up()
    assert_right(stores, history)


@pytest.mark.parametrize("lost", [("counts",), ("counts", "in:*")], ids=["counts", "lists-too"])
@SQLITE
def test_lost_counts_of_redis_are_noticed(lost, follower, stores, history, redis_url):
    """Without the counts, or with the lists lost along with them, nobody is shown an empty list."""
    history.grow(40)
    history.append([history._award(history.people[0], uuid4())])
    follower.catch_up()
    with redis.Redis.from_url(redis_url) as client:
        for part in lost:
            client.delete(*client.keys(f"{{gwc:*}}:*:{part}"))
    who = history.people[0]
    assert Views(stores).statement(who) == Views(stores[:1]).statement(who)
    follower.catch_up()
    assert_right(stores, history)


# What PostgreSQL takes in no text, and what no row of its indexes has room for.
SORTS = {"text": "a\0b", "length": token_hex(6000)}


class Poisoned(Balances):
    """Raises in its fold, or folds a row that PostgreSQL cannot keep, as long as it is told to."""

    how = ""

    def fold(self, rows, entry):
        super().fold(rows, entry)
        if self.how == "raises":
            raise ZeroDivisionError("poison")
        if self.how in SORTS:
            for key, row in rows.items():
                rows[key] = row and msgspec.structs.replace(row, sort=SORTS[self.how])


def assert_held_alone(ledger, stores, follower, history, views, poisoned, how, caplog) -> None:
    """One view stands still and is named once; the rest goes on, and it follows when it can."""
    history.grow(10)
    follower.catch_up()
    before = ledger.head()
    poisoned.how = how
    for _ in range(20):
        history.award()
        follower.step()
    while follower.step():
        pass
    for line in views.status(ledger.head()):
        assert (line["lag"] > 0) == (line["name"] == "balances")
    assert views.position("balances") >= before
    assert len([one for one in caplog.records if "stands still" in one.getMessage()]) <= 2
    assert "balances on" in caplog.text
    poisoned.how = ""
    follower.catch_up()
    assert_right(stores, history)


def test_a_view_whose_fold_raises_stops_no_other(ledger, stores, history, views, closing, caplog):
    """A fold that raises holds its own view on every store, and no other one."""
    poisoned = Poisoned()
    follower = closing(Follower(ledger, stores, (poisoned, *VIEWS[1:]), entries_max=7))
    assert VIEWS[0].name == "balances"
    assert_held_alone(ledger, stores, follower, history, views, poisoned, "raises", caplog)


@pytest.mark.parametrize("how", SORTS)
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_row_no_store_keeps_stops_no_other(
    how, ledger, stores, history, views, closing, caplog
):  # fmt: skip
    """A NUL, or a name too long for the index, holds the one view whose row has it."""
    poisoned = Poisoned()
    follower = closing(Follower(ledger, stores[:1], (poisoned, *VIEWS[1:]), entries_max=7))
    assert_held_alone(ledger, stores[:1], follower, history, views, poisoned, how, caplog)
