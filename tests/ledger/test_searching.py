"""Searching the history: each filter is what it says, bounded work, nothing missed, live tail."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from itertools import islice
from threading import Thread
from uuid import UUID

import pytest
from eventsourcing.persistence import OperationalError

from ledger import searching
from ledger.days import microseconds
from ledger.errors import InvalidInput
from ledger.identity import wallet_id
from ledger.searching import Found, Wanted, find, search, tail, topics_named
from ledger.store.errors import StoreClosed
from ledger.store.mapper import RecordedFact
from tests.ledger.audit.spenders import spend_in_every_way
from tests.ledger.examples import NOW, a_reach, a_walk, contribute, earn, someone

MOMENTS = [NOW + timedelta(hours=hours) for hours in (0, 30, 29, 60, 59.5, 90)]


@pytest.fixture
def spent(ledger):
    """A ledger whose people spent, gave, owed and lost coins in every way."""
    spend_in_every_way(ledger, someone(ledger, "dispatcher"))
    return ledger


@pytest.fixture
def days(ledger):
    """Patrols on several days, received by hosts whose clocks differ by up to an hour."""
    walker = someone(ledger)
    ledger.import_reaches([a_reach()], NOW)
    for moment in MOMENTS:
        contribute(ledger, "patrol", walker, a_walk(900, 1500, moment), moment)
    return ledger


def rows(ledger) -> list[RecordedFact]:
    found = ledger.rows(0, 10_000)
    assert len(found) == ledger.head()
    return found


def searched(ledger, **wanted) -> list[int]:
    return positions(*search(ledger, Wanted(**wanted), 0))


def positions(*founds: Found) -> list[int]:
    return [row.position for found in founds for row in found.rows]


def people(ledger) -> set[UUID]:
    """Everybody who is named as a participant, or as whoever did something."""
    found = set()
    for row in rows(ledger):
        state = json.loads(row.state)
        found |= {state.get(name) for name in ("participant_id", "by", "keeper", "giver", "to")}
    return {UUID(one) for one in found if one and len(one) == 36}


def values(state: object) -> set[object]:
    """Every value anywhere in a JSON document."""
    if isinstance(state, dict):
        state = list(state.values())
    if isinstance(state, list):
        return set().union(*map(values, state), set())
    return {state}


def test_a_participants_facts_are_those_of_and_about_them(spent):
    """Of their originators, naming them anywhere, or on what began as theirs; no other's."""
    every = rows(spent)
    first = {row.originator_id: json.loads(row.state) for row in reversed(every)}
    everybody = people(spent)
    assert len(everybody) > 10
    for person in everybody:
        expected = []
        for row in every:
            state = json.loads(row.state)
            began = first[row.originator_id].get("participant_id") == str(person)
            if (
                row.originator_id == person
                or str(person) in values(state)
                or ("participant_id" not in state and began)
            ):
                expected.append(row.position)
        assert searched(spent, participant=person) == expected
        assert {row.position for row in every if row.originator_id == wallet_id(person)} <= set(
            expected
        )


def test_a_verdict_belongs_to_whoever_walked(days):
    """The facts on a patrol that name nobody are its walker's, and not another's."""
    (walker,) = {json.loads(row.state)["participant_id"] for row in days.rows()
                 if row.topic == "patrol.recorded"}  # fmt: skip
    topics = [row.topic for found in search(days, Wanted(participant=UUID(walker)), 0)
              for row in found.rows]  # fmt: skip
    assert topics.count("patrol.assessed") == len(MOMENTS)
    stranger = someone(days).participant_id
    assert len(searched(days, participant=stranger)) == 2  # registered, and a token


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["wallet.coins-held"], ["wallet.coins-held"]),
        (["voucher."], ["voucher.issued"]),
        (["device.", "token.revoked", "device.items-received"],
         ["device.items-received", "token.revoked"]),
    ],
)  # fmt: skip
def test_topics_are_named_exactly_or_by_what_they_begin_with(texts, found):
    """An exact name is that fact, a prefix ends in a dot, and each comes once."""
    assert list(topics_named(texts)) == found


@pytest.mark.parametrize(
    "text", ["wallet", "wallet.coins", "", ".", "wallet.minted", "wallet.snapshot-2"]
)
def test_a_name_that_no_fact_has_is_refused(text):
    """A mistyped name is never a search that finds nothing; the refusal names one that is near."""
    with pytest.raises(InvalidInput) as refused:
        topics_named(["token.issued", text])
    (error,) = refused.value.errors
    assert (error.path, error.code) == ("topic", "unknown_topic")


def test_topics_and_originators_are_those_rows(spent):
    """By name and by originator, exactly the rows that have them, and together both."""
    every = rows(spent)
    named = topics_named(["wallet.", "redemption.issued"])
    assert searched(spent, topics=named) == [
        row.position for row in every if row.topic in named
    ]  # fmt: skip
    for originator in {row.originator_id for row in every}:
        mine = [row for row in every if row.originator_id == originator]
        assert searched(spent, originator=originator) == [row.position for row in mine]
        held = [row.position for row in mine if row.topic == "wallet.coins-held"]
        assert searched(spent, originator=originator, topics=("wallet.coins-held",)) == held


def test_times_are_of_recording_and_both_ends_count(days):
    """From any moment to any other, what was recorded then, clocks an hour apart included."""
    every = rows(days)
    ends = sorted({row.recorded_at for row in every})
    assert ends != [row.recorded_at for row in every]
    borders = [moment + timedelta(microseconds=shift) for moment in MOMENTS for shift in (-1, 0, 1)]
    for since in (None, *borders):
        for until in (None, *borders):
            expected = [row.position for row in every if within(row, since, until)]
            assert searched(days, since=since, until=until) == expected


def within(row: RecordedFact, since: datetime | None, until: datetime | None) -> bool:
    after = since is None or row.recorded_at >= microseconds(since)
    return after and (until is None or row.recorded_at <= microseconds(until))


def test_the_ends_of_the_calendar_are_moments_too(days):
    """Between the first and the last moment there is lies everything."""
    utc = NOW.tzinfo
    first, last = datetime.min.replace(tzinfo=utc), datetime.max.replace(tzinfo=utc)
    assert len(searched(days, since=first, until=last)) == days.head()
    assert searched(days, since=last) == searched(days, until=first) == []


def test_a_search_looks_at_so_many_positions_and_goes_on_from_there(spent, monkeypatch):
    """A page is bounded and says how far it looked; pages of any size together miss nothing."""
    monkeypatch.setattr(searching, "WINDOW", 7)
    few, many = ("redemption.collected", "policy.published"), topics_named(["wallet."])
    head = spent.head()
    for limit, most, topics in ((1, 10, many), (2, 25, many), (100, 13, few), (3, 99, few)):
        wanted, whole = Wanted(topics=topics), searched(spent, topics=topics)
        founds, after, more = [], 0, True
        while more:
            founds.append(find(spent, wanted, after, limit, most))
            assert after < founds[-1].reached <= after + most
            after, more = founds[-1].reached, founds[-1].more
        assert positions(*founds) == whole
        assert len(founds) >= head // most
        assert find(spent, wanted, head + 5, 10) == Found([], head + 5)


def test_one_originator_is_found_at_once(spent):
    """However few positions a page may look at, an originator's facts come through its index."""
    last = rows(spent)[-1]
    found = find(spent, Wanted(originator=last.originator_id), 0, 100, positions_max=1)
    assert found.rows[-1].position == last.position
    assert not found.more


def test_a_tail_gives_what_is_there_and_then_what_comes(ledger):
    """First everything, then silence that is said, then each new fact once and in order."""
    citizen, reviewer = someone(ledger), someone(ledger, "dispatcher")
    wanted = Wanted(topics=("wallet.coins-awarded", "policy.published"))
    following = tail(ledger, wanted, 0, 0.2)
    assert positions(next(following)) == [1]
    began = time.monotonic()
    silent = next(following)
    assert time.monotonic() - began >= 0.1
    assert (list(silent.rows), silent.reached) == ([], ledger.head())
    for _ in range(3):
        earning = Thread(target=earn, args=(ledger, citizen, reviewer))
        earning.start()
        found = next(one for one in following if one.rows)
        earning.join()
        assert positions(found) == [ledger.head()]


def test_a_tail_outlives_a_database_that_goes_away(ledger, monkeypatch):
    """Trouble is told as such, and the tail goes on from where it was once it is over."""
    monkeypatch.setattr(searching, "RETRY_SECONDS", 0.01)
    following = tail(ledger, Wanted(), 0, 0.01)
    assert positions(next(following)) == [1]
    with monkeypatch.context() as broken:
        for name in ("max_notification_id", "wait_for_change"):
            broken.setattr(ledger.store, name, away)
        found = list(islice(following, 3))
        assert all(isinstance(one.trouble, OperationalError) for one in found)
        assert {one.reached for one in found} == {1}
    someone(ledger)
    assert positions(next(following)) == [2, 3]


def away(*_: object) -> None:
    raise OperationalError("the server closed the connection")


def test_a_tail_of_a_closed_store_ends(ledger):
    """Closing the store is no trouble to wait for."""
    following = tail(ledger, Wanted(), 0, 0.01)
    next(following)
    ledger.close()
    for one in (following, tail(ledger, Wanted(), 0, 0.01)):
        with pytest.raises(StoreClosed):
            list(islice(one, 3))


def test_a_tail_ends_once_its_time_has_passed(days):
    """With an end that lies well before the last entry nothing can come any more."""
    founds = list(tail(days, Wanted(until=MOMENTS[0]), 0, 0.01))
    assert positions(*founds) == searched(days, until=MOMENTS[0])
    assert founds[-1].final
    assert not find(days, Wanted(until=MOMENTS[-1]), 0, 100).final
