"""A batch: commands of one thread in one commit, each seeing those before it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from eventsourcing.persistence import IntegrityError

from ledger.batch import NotInABatch
from ledger.contributions.credits import Credited, Credits
from ledger.errors import Forbidden
from ledger.facts import Entry
from ledger.log import Append
from ledger.store.errors import QuotaExceeded
from ledger.store.rows import Quota
from tests.ledger.examples import NOW, a_report, a_walk, contribute, someone


def a_fact():
    return Credited(cause=uuid4(), participant_id=uuid4(), mark="m")


def test_what_is_appended_together_is_one_commit(ledger, monkeypatch):
    """Two commands of a block are one call of the store, at consecutive positions."""
    calls, insert = [], ledger.store.insert_events
    monkeypatch.setattr(
        ledger.store, "insert_events", lambda *a, **k: calls.append(1) or insert(*a, **k)
    )
    head, (one, two) = ledger.head(), (uuid4(), uuid4())
    with ledger.together() as batch:
        ledger.append([Append(one, 0, [a_fact(), a_fact()])], NOW)
        (last,) = ledger.append([Append(two, 0, [a_fact()])], NOW)
    assert len(calls) == 1
    assert batch.position(last.position) == head + 3 == ledger.head()


def test_a_command_sees_what_the_batch_adds(ledger):
    """A fold within the block holds what was appended in it, another thread's does not."""
    shared = uuid4()
    with ledger.together():
        ledger.append([Append(shared, 0, [a_fact()])], NOW)
        assert ledger.fold(shared, Credits()).version == 1
        ledger.append([Append(shared, 1, [a_fact()])], NOW)
        assert not list(ledger.events.get(shared))
    assert ledger.fold(shared, Credits()).version == 2


def test_a_block_that_raises_saves_nothing(ledger):
    """An exception leaves the log as it was, and the thread without a batch."""
    head = ledger.head()

    def fail():
        with ledger.together():
            ledger.append([Append(uuid4(), 0, [a_fact()])], NOW)
            raise Forbidden

    with pytest.raises(Forbidden):
        fail()
    assert ledger.head() == head
    assert ledger.batch is None


def test_an_inner_block_that_raises_takes_back_its_own(ledger):
    """What a failing part had added is not saved with the rest."""
    kept, lost = uuid4(), uuid4()

    def fail():
        with ledger.together():
            ledger.append(
                [Append(lost, 0, [a_fact()])], NOW, unchanged={uuid4(): 7},
                quotas=[Quota("q", 9, 10)],
            )  # fmt: skip
            raise Forbidden

    with ledger.together():
        ledger.append([Append(kept, 0, [a_fact()])], NOW)
        with pytest.raises(Forbidden):
            fail()
    assert ledger.fold(kept, Credits()).version == 1
    assert ledger.fold(lost, Credits()).version == 0


def test_a_batch_that_was_outrun_is_not_saved(ledger):
    """What somebody else appended meanwhile to what it looked at fails the whole of it."""
    shared, head = uuid4(), ledger.head()

    def outrun():
        with ledger.together():
            ledger.append([Append(uuid4(), 0, [a_fact()])], NOW, unchanged={shared: 0})
            somebody_else = Entry(shared, 1, NOW, a_fact())
            ledger.store.insert_events([ledger.mapper.to_stored_event(somebody_else)])

    with pytest.raises(IntegrityError):
        outrun()
    assert ledger.head() == head + 1


def test_a_guard_holds_against_what_the_batch_itself_added(ledger):
    """A command that looked at an earlier version than the batch made is outrun."""
    shared = uuid4()
    with ledger.together():
        ledger.append([Append(shared, 0, [a_fact()])], NOW)
        late = [Append(uuid4(), 0, [a_fact()])]
        with pytest.raises(IntegrityError):
            ledger.append(late, NOW, unchanged={shared: 0})


def test_a_quota_that_two_commands_overdraw_fails_the_batch(ledger):
    """Each fits alone, together they do not, and nothing of either is saved."""
    head = ledger.head()

    def overdraw():
        with ledger.together():
            for _ in range(2):
                writes = [Append(uuid4(), 0, [a_fact()])]
                ledger.append(writes, NOW, quotas=[Quota("stock/x", 3, 5)])

    with pytest.raises(QuotaExceeded):
        overdraw()
    assert (ledger.head(), ledger.store.select_used("stock/x")) == (head, 0)


def test_a_patrol_wants_a_commit_of_its_own(ledger):
    """A decision on others' tracks stands on a shelf that a batch cannot see."""
    with pytest.raises(NotInABatch), ledger.together():
        contribute(ledger, "patrol", someone(ledger), a_walk(900, 1500, NOW))


def test_vault_rows_of_a_batch_know_their_own_first_fact(ledger):
    """A row names the position of the command it came with, not that of the whole commit."""
    citizen = someone(ledger)
    with ledger.together() as batch:
        receipts = [contribute(ledger, "report", citizen, a_report(str(n))) for n in range(3)]
    for receipt in receipts:
        (row,) = ledger.store.select_vault(receipt.id)
        assert row.position == batch.position(receipt.position)

