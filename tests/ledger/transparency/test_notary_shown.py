"""What was shown to a witness and never published is remembered: nothing else of its size is."""

from __future__ import annotations

import pytest

from ledger.transparency.errors import CheckpointAhead, LogForked, QuorumMissing
from ledger.transparency.tiles import SHOWN, LogFolder
from tests.ledger.transparency.notary_logs import Rows, Tree, parsed
from tests.ledger.transparency.test_notary_races import signed_twice
from tests.ledger.transparency.test_witnessed_notary import City, Rewritten
from tests.ledger.transparency.witness_servers import LIARS, honest

NOT_YET = 1_000


@pytest.fixture
def city(tmp_path):
    opened = City(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def shown(city):
    """A log of which 100 entries are published, 300 signed, and only one witness knows these."""
    log = Rewritten(100, NOT_YET)
    notary = city.notary(log)
    notary.step()
    backup, log.count = log.log_head, 300
    for one in city.servers[1:]:
        one.reply = LIARS["hanging up"]
    with pytest.raises(QuorumMissing):
        notary.step()
    assert city.servers[0].state.cosigned(log.log_head.origin).size == 300
    for one in city.servers:
        one.reply = LIARS["hanging up"] if one is city.servers[0] else honest
    return log, notary, backup


@pytest.mark.parametrize("started", [False, True], ids=["running", "started"])
@pytest.mark.parametrize("count", [299, 300, 301])
def test_a_restored_backup_is_found_without_that_witness(city, shown, started, count):
    """The database of before is refused though the only witness that knows better is away."""
    log, notary, backup = shown
    log.count, log.log_head, log._fork = count, backup, 150
    if started:
        notary = city.notary(log)
    for _ in range(2):
        with pytest.raises(CheckpointAhead) as refused:
            notary.step()
        assert refused.value.detail == {"who": SHOWN, "size": 300, "head": 100}
    assert signed_twice(city.signed) == []
    assert {size for size, _ in city.signed} == {0, 100, 300}
    assert log.log_head == backup


def test_rows_and_head_somebody_wrote_are_held_against_it(city, shown):
    """A head further than what was shown must lead on from it, not only from what is published."""
    log, _, _ = shown
    log._fork, log.count = 150, 400
    forged = Tree([one.leaf_hash for one in log.select_notifications(1, 400, 400)])
    log.log_head = log.log_head._replace(size=400, root=forged.root(400))
    notary, before = city.notary(log), list(city.signed)
    for _ in range(2):
        with pytest.raises(LogForked):
            notary.step()
    assert city.signed == before


def test_it_goes_on_where_nothing_was_lost(city, shown):
    """With the database as it was, the next quorum publishes what was shown, and what follows."""
    log, notary, _ = shown
    assert notary.step() == 300
    log.count = 400
    assert city.notary(log).step() == 400
    assert city.problems() == []
    assert signed_twice(city.signed) == []


def test_it_is_remembered_before_a_witness_is_asked(city):
    """When the first witness has the checkpoint, the disk has it."""
    found = []

    def looking(handler, body):
        found.append(LogFolder(city.path / "log").checkpoint(SHOWN))
        honest(handler, body)

    city.servers[0].reply = looking
    log = Rows(5)
    city.notary(log).step()
    assert found
    assert all(one is not None for one in found)
    assert parsed(found[-1].decode()) == (5, log.log_head.root)
