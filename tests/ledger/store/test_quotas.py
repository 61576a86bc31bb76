"""Quotas: what many share, counted under the lock that gives positions, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex

import pytest
from eventsourcing.persistence import IntegrityError

from ledger.store import append as admission
from ledger.store.errors import FingerprintTaken, QuotaExceeded
from ledger.store.rows import Quota
from tests.ledger.store.databases import fact, faults, history
from tests.ledger.store.test_merge import appending, together
from tests.ledger.store.test_recorder import vault_row

RUSHERS, STOCK = 24, 10


def take(recorder, amount, limit, key="stock", **more):
    return recorder.insert_events([fact()], quotas=[Quota(key, amount, limit)], **more)


def test_a_share_is_taken_up_to_the_limit(recorder):
    """What fits is taken to the last unit, and one more is refused by its key, unrecorded."""
    assert take(recorder, 3, 5) == [1]
    assert take(recorder, 2, 5) == [2]
    with pytest.raises(QuotaExceeded, match="stock has no room") as refused:
        take(recorder, 1, 5)
    assert refused.value.key == "stock"
    assert (recorder.select_used("stock"), recorder.max_notification_id()) == (5, 2)


def test_nothing_is_used_of_what_nobody_took(recorder):
    """An unknown amount counts as 0, and is in no list."""
    assert recorder.select_used("stock") == 0
    assert recorder.select_quotas() == {}


def test_a_name_no_index_has_room_for_fails_its_own_call_only(database, recorder):
    """PostgreSQL refuses such a name as an operational error; the calls around it still land."""
    key = token_hex(6000)
    results, _ = together(recorder, [
        appending(recorder, fact()), appending(recorder, fact(), quotas=[Quota(key, 1, None)]),
        appending(recorder, fact()),
    ])  # fmt: skip
    expected = [[2], [3], [4]] if database.kind == "sqlite" else [[2], "OperationalError", [3]]
    assert results == expected
    assert faults(history(recorder)) == []


def test_what_is_given_back_can_be_taken_again(recorder):
    """A negative amount makes room, whatever the limit says, also below what is used."""
    take(recorder, 5, 5)
    take(recorder, -2, 0)
    assert recorder.select_used("stock") == 3
    take(recorder, 2, 5)
    with pytest.raises(QuotaExceeded):
        take(recorder, 1, 5)
    assert recorder.select_used("stock") == 5


def test_without_a_limit_there_is_only_a_count(recorder):
    """``limit`` None refuses nothing and still counts."""
    take(recorder, 10**12, None)
    take(recorder, 1, None)
    assert recorder.select_used("stock") == 10**12 + 1


def test_a_limit_below_what_is_used_refuses_takers_alone(recorder):
    """A budget that was cut takes nothing back: it refuses the next coin, and 0 still fits."""
    take(recorder, 5, 5)
    take(recorder, 0, 3)
    with pytest.raises(QuotaExceeded):
        take(recorder, 1, 3)
    assert recorder.select_used("stock") == 5


def test_a_refusal_stands_only_while_there_is_no_room(recorder):
    """``full`` uses nothing: it is recorded while the amount would not fit, and not after that."""
    take(recorder, 4, 5)
    recorder.insert_events([fact()], quotas=[Quota("stock", 2, 5, full=True)])
    assert recorder.select_used("stock") == 4
    with pytest.raises(IntegrityError, match="room again") as refused:
        recorder.insert_events([fact()], quotas=[Quota("stock", 1, 5, full=True)])
    assert not isinstance(refused.value, QuotaExceeded)
    assert recorder.max_notification_id() == 2


def test_all_shares_of_a_call_or_none(recorder):
    """One share without room takes the call's other shares, facts and vault rows with it."""
    take(recorder, 1, 1, key="town")
    row = vault_row(fingerprint=b"photo")
    quotas = [Quota("city", 7, 100), Quota("town", 1, 1)]
    with pytest.raises(QuotaExceeded) as refused:
        recorder.insert_events([fact()], vault_rows=[row], quotas=quotas)
    assert refused.value.key == "town"
    assert recorder.select_quotas() == {"town": 1}
    assert recorder.select_vault(row.originator_id) == []
    assert recorder.insert_events([fact()], vault_rows=[row]) == [2]


def test_one_key_twice_in_a_call(recorder):
    """Shares of the same key in one call add up, against the limit as well."""
    recorder.insert_events([fact()], quotas=[Quota("stock", 2, 5), Quota("stock", 3, 5)])
    assert recorder.select_used("stock") == 5
    with pytest.raises(QuotaExceeded):
        recorder.insert_events([fact()], quotas=[Quota("more", 3, 5), Quota("more", 3, 5)])
    assert recorder.select_used("more") == 0


def test_a_call_refused_for_another_reason_uses_nothing(recorder):
    """A broken guard, a taken version and a taken fingerprint leave every amount as it was."""
    recorder.insert_events([first := fact()], vault_rows=[vault_row(fingerprint=b"photo")])
    quotas = [Quota("stock", 1, 5)]
    for error, facts, more in (
        (IntegrityError, [fact()], {"head": 0}),
        (IntegrityError, [fact()], {"unchanged": {first.originator_id: 0}}),
        (IntegrityError, [first], {}),
        (FingerprintTaken, [fact()], {"vault_rows": [vault_row(fingerprint=b"photo")]}),
    ):
        with pytest.raises(error):
            recorder.insert_events(facts, quotas=quotas, **more)
    assert recorder.select_quotas() == {}


def test_calls_of_one_commit_share_what_is_left(recorder):
    """Merged calls take in turn: those that fit are recorded, the others refused, by themselves."""
    amounts = (3, 3, 2, 1, -1, 1, 1)
    calls = [appending(recorder, fact(), quotas=[Quota("stock", one, 6)]) for one in amounts]
    outcomes, sizes = together(recorder, calls)
    assert sizes == [1, len(amounts)]
    refused = "QuotaExceeded"
    assert outcomes == [[2], [3], refused, refused, [4], [5], refused]
    assert recorder.select_used("stock") == 6
    assert faults(history(recorder)) == []


def test_a_refusal_of_one_commit_sees_who_was_faster(recorder):
    """Room that an earlier call of the same commit makes, or takes, decides a ``full`` one."""
    calls = [
        appending(recorder, fact(), quotas=[Quota("stock", 5, 5)]),
        appending(recorder, fact(), quotas=[Quota("stock", 1, 5, full=True)]),
        appending(recorder, fact(), quotas=[Quota("stock", -1, None)]),
        appending(recorder, fact(), quotas=[Quota("stock", 1, 5, full=True)]),
        appending(recorder, fact(), quotas=[Quota("stock", 1, 5)]),
        appending(recorder, fact(), quotas=[Quota("stock", 1, 5, full=True)]),
    ]
    outcomes, sizes = together(recorder, calls)
    assert sizes == [1, len(calls)]
    assert outcomes == [[2], [3], [4], "IntegrityError", [5], [6]]
    assert recorder.select_used("stock") == 5


def rushed(open_recorder):
    """How many of a rush from two recorders got their unit, and how many are then used."""
    recorders = [open_recorder(), open_recorder()]
    start = threading.Barrier(RUSHERS)

    def one(number):
        start.wait(20)
        try:
            take(recorders[number % 2], 1, STOCK)
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(RUSHERS) as pool:
        got = list(pool.map(one, range(RUSHERS)))
    return got.count(True), recorders[0].select_used("stock")


def test_two_recorders_share_one_stock(open_recorder):
    """Whoever comes from whichever process: exactly the stock is taken, and the sum is right."""
    assert rushed(open_recorder) == (STOCK, STOCK)


def test_the_mutant_that_ignores_quotas_is_caught(open_recorder, monkeypatch):
    """The rush above can fail: where every share is granted, more is taken than there is."""
    monkeypatch.setattr(admission, "_used_after", lambda quotas, used: {})
    taken, _ = rushed(open_recorder)
    assert taken > STOCK
