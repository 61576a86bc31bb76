"""Coverage on every store, against a plain recount of the visits that stand."""

from __future__ import annotations

from collections import Counter, defaultdict
from uuid import uuid4

import pytest

from ledger.campaigns.planning import Show
from projections import coverage
from projections.paging import CITY
from tests.ledger.campaigns import a_door_visit
from tests.ledger.examples import NOW, contribute
from tests.projections.comparing import pages
from tests.projections.visiting import Story


def recount(visits, doors: dict, places: dict) -> dict[str, Counter]:
    """Frame, attempted, met, visits and booklets of every place, worker and day."""
    found: dict[str, Counter] = defaultdict(Counter)
    for household, grid in doors.items():
        here = [one for one in visits if one.household == household]
        for place in (*places[grid], CITY):
            found[place]["frame"] += 1
            found[place]["attempted"] += bool(here)
            found[place]["met"] += any(one.outcome == "met" for one in here)
    for one in visits:
        of = (*places[one.grid], CITY, str(one.participant_id), one.earned_on.isoformat())
        for place in of:
            found[place]["visits"] += 1
            found[place]["booklet"] += one.materials.get("booklet", 0)
    for kind in (lambda one: str(one.participant_id), lambda one: one.earned_on.isoformat()):
        for met in {(kind(one), one.household) for one in visits if one.outcome == "met"}:
            found[met[0]]["met"] += 1
        for tried in {(kind(one), one.household) for one in visits}:
            found[tried[0]]["attempted"] += 1
    return found


PATHS = {"g1": ("g1", "t1", "c"), "g2": ("g2", "t1", "c"), "g3": ("g3", "t2", "c")}


def shown(source, campaign) -> dict[str, Counter]:
    """What the view says, of every place, worker and day."""
    found = {}
    for kind in ("place", "worker", "day"):
        for one in pages(lambda c, n, k=kind: coverage.rows_of(source, campaign, k, c, n)):
            found[one["of"]] = Counter({
                "frame": one["frame"], "attempted": one["attempted"], "met": one["met"],
                "visits": one["visits"], "booklet": one["given"].get("booklet", 0),
            })  # fmt: skip
    return {of: +counts for of, counts in found.items()}


@pytest.mark.parametrize("seed", range(4))
def test_coverage_is_what_a_recount_of_the_standing_visits_gives(ledger, stores, follower, seed):
    """After visits, edits, clashes and withdrawals every row of counts is right, on every store."""
    ledger.ensure_policy(NOW)
    story = Story(ledger, seed)
    for steps in (3, 12, 40):
        story.go_on(steps)
        follower.catch_up()
        right = recount(story.standing(), story.doors, PATHS)
        expected = {of: +counts for of, counts in right.items() if +counts}
        for store in stores:
            assert shown(store, story.campaign) == expected


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


def test_doors_say_where_to_go_again(ledger, stores, follower):
    """Nobody home once is to be tried again, twice may be left; a promise is kept in mind."""
    ledger.ensure_policy(NOW)
    story = Story(ledger, 5)
    worker = story.workers[0]
    seen = {"H0": ["nobody_home"], "H3": ["nobody_home"] * 2, "H6": ["refused"]}
    for household, outcomes in seen.items():
        for outcome in outcomes:
            body = a_door_visit(story.campaign, household, outcome)
            contribute(ledger, "visit", worker, body)
    promised = a_door_visit(story.campaign, "H1", "by_phone", follow_up_on="2026-06-01")
    contribute(ledger, "visit", worker, promised)
    follower.catch_up()
    for store in stores:
        found = coverage.households(store, story.campaign, "g1", None, 50)["items"]
        states = {one.household: one.state for one in found}
        assert states == {"H0": "revisit", "H3": "nobody_home", "H6": "refused"}
        _, whole = coverage.counts(store, story.campaign, None)
        assert whole.revisit_due == 2  # H0, and H1 who was promised


def test_stock_and_shows_are_told_beside_what_was_given(ledger, stores, follower):
    """A grid's allotment adds up above it, the whole campaign has the plan's; shows are counted."""
    ledger.ensure_policy(NOW)
    story = Story(ledger, 6)
    for grid, count in (("g1", 10), ("g2", 5), ("g1", 7)):
        ledger.allot_stock(story.by, story.campaign, grid, "booklet", count, {}, uuid4(), NOW)
    show = Show(kind="opera", held_on=NOW.date(), headcount=80, grid="g2", materials={"booklet": 4})
    ledger.hold_show(story.by, story.campaign, show, {}, uuid4(), NOW)
    follower.catch_up()
    for store in stores:
        counts = {
            place: coverage.counts(store, story.campaign, place)[1]
            for place in ("g1", "g2", "t1", None)
        }
        stocks = {place: one.stock.get("booklet") for place, one in counts.items()}
        assert stocks == {"g1": 7, "g2": 5, "t1": 12, None: 999}
        assert (counts["t1"].shows, counts["t1"].headcount, counts[None].given) == (
            1, 80, {"booklet": 4}
        )  # fmt: skip

