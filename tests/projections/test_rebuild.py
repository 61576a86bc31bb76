"""Rebuilding beside the live view."""

from __future__ import annotations

import threading

from projections import VIEWS
from projections.balances import BALANCES
from projections.rebuild import rebuild, rebuild_all
from projections.runner import Follower
from projections.store import live
from tests.projections.test_runner import assert_right, execute


def test_a_rebuild_gives_what_was_there(ledger, stores, follower, history):
    """Every view of every store comes out equal, with the same digest in a new generation."""
    history.grow(60)
    follower.catch_up()
    before = {store.name: live(store.heads(), "balances") for store in stores}
    told = []
    done = rebuild_all(ledger, stores, VIEWS, lambda *progress: told.append(progress))
    assert [one.equal for one in done] == [True] * len(stores) * len(VIEWS)
    assert told
    for store in stores:
        after = live(store.heads(), "balances")
        assert after.generation != before[store.name].generation
        assert after.digest == before[store.name].digest
    assert_right(stores, history)


def test_a_rebuild_while_everything_goes_on(ledger, stores, history, closing):
    """With a follower and a writer at work, rebuilt views are equal and miss nothing afterwards."""
    follower, stop = Follower(ledger, stores, entries_max=5), threading.Event()
    follower.catch_up()
    follow = threading.Thread(target=follower.run, args=(stop,))
    write = threading.Thread(target=history.grow, args=(150,))
    follow.start()
    write.start()
    done = []
    while write.is_alive():
        done += rebuild_all(ledger, stores, VIEWS)
    write.join()
    stop.set()
    follow.join()
    assert done
    assert [one for one in done if one.equal is not True] == []
    closing(Follower(ledger, stores)).catch_up()
    assert_right(stores, history)


def test_a_rebuild_tells_of_a_row_that_was_changed(
    ledger, stores, follower, history, database_url
):
    """A row altered behind everybody's back is reported as a difference, and put right."""
    history.grow(40)
    follower.catch_up()
    execute(database_url, "UPDATE view_rows SET data = CAST('{}' AS {})".format("{}", {
        True: "BLOB", False: "bytea"}[database_url.startswith("sqlite")]))  # fmt: skip
    done = rebuild(ledger, stores[0], BALANCES)
    assert done.equal is False
    assert rebuild(ledger, stores[0], BALANCES).equal is True


def test_a_first_build_has_nothing_to_compare_with(ledger, stores, history):
    """Where there is no live generation a rebuild makes one and says so."""
    history.grow(10)
    assert rebuild(ledger, stores[0], BALANCES).equal is None
    assert live(stores[0].heads(), "balances").position == ledger.head()


def test_what_a_refused_batch_read_reaches_no_other_store(ledger, stores, history, closing):
    """A rebuild that deletes the rows under a follower's eyes spoils neither store."""
    follower = closing(Follower(ledger, stores))
    history.grow(40)
    follower.catch_up()
    history.grow(20)
    store, read = stores[0], stores[0].rows

    def swept(head, keys):
        store.rows = read
        rebuild_all(ledger, [store], VIEWS)
        return read(head, keys)

    store.rows = swept
    follower.step()
    follower.catch_up()
    assert_right(stores, history)
