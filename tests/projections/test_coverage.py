"""Coverage on every store, against a plain recount of the visits that stand."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import product
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger.contributions.visits import VisitRecorded
from ledger.days import day_of
from projections import coverage_questions as coverage
from projections.check import check_views
from projections.coverage import COVERAGE
from projections.cursor import BadCursor
from projections.paging import CITY
from projections.rebuild import rebuild
from projections.view import Rows
from tests.ledger.campaigns import a_door_visit
from tests.ledger.examples import NOW, contribute
from tests.projections.comparing import pages
from tests.projections.visiting import G1_MOVED, GRIDS, PATHS, PLACES, Story

DAYS = [NOW.date() - timedelta(days=ago) for ago in range(4)]
DUE_BY = [NOW.date() + timedelta(days=ahead) for ahead in (-1, 0, 1, 400)]

Table = dict[tuple[str, str, str], Counter]
"""Counts by place, worker and day; an empty worker or day is all of them."""


def recount(story: Story) -> Table:
    """Frame, attempted, met, visits, booklets and outcomes of every place, worker and day."""
    found: Table = {}
    visits = story.standing()
    workers = ["", *(str(one.participant_id) for one in story.workers)]
    for place, who, day in product(PLACES, workers, ["", *map(str, DAYS)]):
        doors = {door for door, grid in story.doors.items() if place in (*PATHS[grid], CITY)}
        here = [
            one for one in visits
            if one.household in doors and who in ("", str(one.participant_id))
            and day in ("", str(one.earned_on))
        ]  # fmt: skip
        found[place, who, day] = Counter(
            frame=0 if who or day else len(doors),
            attempted=len({one.household for one in here}),
            met=len({one.household for one in here if one.outcome == "met"}),
            visits=len(here),
            booklet=sum(one.materials.get("booklet", 0) for one in here),
            due=0 if who or day else sum(is_due(door, visits) for door in doors),
            stock=0 if who or day else stock_at(place, story),
        ) + Counter(f"was {one.outcome}" for one in here)
    return {of: +counts for of, counts in found.items() if +counts}


def stock_at(place: str, story: Story) -> int:
    """The plan's for the whole campaign, else the sum of what grids were allotted."""
    return 999 if place == CITY else sum(
        count for grid, count in story.stock.items() if place in PATHS[grid]
    )  # fmt: skip


def is_due(door: str, visits: list, by: date = date.max) -> bool:
    """Whether nobody was home, and at no two times four hours apart; or a promise is open."""
    here = [one for one in visits if one.household == door]
    times = [one.claimed_at for one in here]
    alone = bool(here) and all(one.outcome == "nobody_home" for one in here)
    if alone and max(times) - min(times) < timedelta(hours=4):
        return True
    return any(
        one.follow_up_on and one.follow_up_on <= by and not any(
            other.claimed_at > one.claimed_at and (
                other.outcome in ("moved", "vacant")
                or day_of(other.claimed_at) >= one.follow_up_on
            ) for other in here
        ) for one in here
    )  # fmt: skip


def shown(source, campaign: UUID) -> Table:
    """What the view says, of every place, worker and day."""
    found: Table = {}

    def note(place: str, who: str, day: str, one) -> None:
        found[place, who, day] = +Counter({
            "frame": one.frame, "attempted": one.attempted, "met": one.met, "visits": one.visits,
            "booklet": one.given.get("booklet", 0), "due": one.revisit_due,
            "stock": one.stock.get("booklet", 0),
            **{f"was {outcome}": count for outcome, count in one.outcomes.items()},
        })  # fmt: skip

    for one in pages(lambda c, n: coverage.places(source, campaign, lambda _: True, "", c, n)):
        note(one.of, "", "", one)
    for place in PLACES:
        asked = None if place == CITY else place
        for one in pages(lambda c, n, p=asked: coverage.days(source, campaign, p, c, n)):
            note(place, "", one.of, one)
        for day in (None, *DAYS):
            for one in pages(
                lambda c, n, p=asked, d=day: coverage.workers(source, campaign, p, d, c, n), 2
            ):
                note(place, one.of, str(day or ""), one)
    return found


def doors_due(source, story: Story) -> dict[date, set[str]]:
    """Which doors the view lists as due by each day, page by page."""
    return {
        by: {
            door.household for grid in GRIDS for door in pages(
                lambda c, n, g=grid, b=by: coverage.households(
                    source, story.campaign, g, c, n, b
                ), 1
            )
        } for by in DUE_BY
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_coverage_is_what_a_recount_of_the_standing_visits_gives(ledger, stores, follower, seed):
    """Whatever came of visits, every row of every place is right, followed or rebuilt."""
    ledger.ensure_policy(NOW)
    story = Story(ledger, seed)
    for steps in (3, 12, 40):
        story.go_on(steps)
        follower.catch_up()
        expected = recount(story)
        for store in stores:
            assert shown(store, story.campaign) == expected
            assert doors_due(store, story) == {
                by: {door for door in story.doors if is_due(door, story.standing(), by)}
                for by in DUE_BY
            }
    for store in stores:
        assert list(check_views(ledger, store, [COVERAGE])) == []
        assert rebuild(ledger, store, COVERAGE).equal is True


def test_a_household_stays_where_it_was_listed(ledger, stores, follower):
    """A grid that goes to another town in mid-campaign is that town's in the next campaign."""
    ledger.ensure_policy(NOW)
    story = Story(ledger, 2)
    story.go_on(20)
    ledger.import_districts([G1_MOVED], NOW)
    story.go_on(20)
    story.allot()
    worker = story.workers[0]
    for household in ("H0", "H3", "H6"):
        body = a_door_visit(story.campaign, household, recorded_at=str(NOW))
        story.visits.append((worker, contribute(ledger, "visit", worker, body).id))
    follower.catch_up()
    expected = recount(story)
    assert expected["t1", str(worker.participant_id), str(DAYS[0])]["met"] >= 3
    for store in stores:
        assert shown(store, story.campaign) == expected


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_visit_that_names_another_place_counts_for_nothing(ledger):
    """No fact makes a household count as met at a place whose frame it is not in."""
    ledger.ensure_policy(NOW)
    story = Story(ledger, 3)
    contribute(ledger, "visit", story.workers[0], a_door_visit(story.campaign, "H0"))
    rows, honest = {}, None
    for entry in ledger.entries():
        if isinstance(entry.fact, VisitRecorded):
            honest, before = entry, dict(rows)
        if isinstance(entry.fact, COVERAGE.facts):
            COVERAGE.fold(rows, entry)
    forged = msgspec.structs.replace(honest.fact, districts=PATHS["g3"])
    after = dict(before)
    COVERAGE.fold(after, msgspec.structs.replace(honest, fact=forged))
    assert after == before != rows
    nowhere: Rows = {}
    COVERAGE.fold(nowhere, honest)  # Nobody listed the household at all.
    assert nowhere == {}


def test_a_list_is_of_one_place_and_one_day(ledger, stores, follower):
    """Nobody is told of a day or a place where nobody was, and no cursor leads to another list."""
    ledger.ensure_policy(NOW)
    story = Story(ledger, 4)
    for worker in story.workers:
        contribute(ledger, "visit", worker, a_door_visit(story.campaign, "H0"))
    follower.catch_up()
    campaign, today = story.campaign, NOW.date()
    for store in stores:
        for place, on in (("g3", None), ("g1", date(2025, 1, 1)), ("nowhere", None)):
            assert coverage.workers(store, campaign, place, on, None, 2)["items"] == []
        assert coverage.days(store, campaign, "t2", None, 2)["items"] == []
        assert coverage.workers(store, uuid4(), "g1", None, None, 2)["items"] == []
        cursor = coverage.workers(store, campaign, "g1", today, None, 2)["next"]
        (last,) = coverage.workers(store, campaign, "g1", today, cursor, 2)["items"]
        assert last.of == max(str(one.participant_id) for one in story.workers)
        for place, on in (("g1", None), ("t1", today), ("g1", DAYS[1])):
            with pytest.raises(BadCursor):
                coverage.workers(store, campaign, place, on, cursor, 2)


def test_a_household_counts_once_whoever_came(ledger, stores, follower):
    """Two workers met it and one takes it back: it is met as long as one of them did."""
    ledger.ensure_policy(NOW)
    story = Story(ledger, 9)
    body = a_door_visit(story.campaign, "H0")
    made = [contribute(ledger, "visit", worker, body) for worker in story.workers[:2]]
    for withdrawn, met in ((None, 1), (0, 1), (1, 0)):
        if withdrawn is not None:
            worker = story.workers[withdrawn]
            ledger.withdraw_visit(worker, made[withdrawn].id, {}, uuid4(), NOW)
        follower.catch_up()
        for store in stores:
            _, counts = coverage.counts(store, story.campaign, "t1")
            assert (counts.met, counts.attempted, counts.frame) == (met, met, 6)
            for on in (None, NOW.date()):
                rows = coverage.workers(store, story.campaign, "t1", on, None, 50)["items"]
                assert [one.met for one in rows] == [1] * (2 if withdrawn is None else met)
