"""Stock and shows in coverage: with the doors they are for, wherever their grid goes."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import msgspec
import pytest

from ledger.campaigns.listing import NewHousehold
from ledger.campaigns.planning import Show
from ledger.districts import DistrictImported
from projections import coverage_questions as coverage
from projections.check import check_views
from projections.coverage import COVERAGE
from projections.paging import CITY
from tests.ledger.campaigns import a_campaign
from tests.ledger.examples import NOW
from tests.projections.visiting import G1_MOVED, PLACES, Story


def test_stock_and_shows_are_told_beside_what_was_given(ledger, stores, follower):
    """A grid's allotment adds up above it, the whole campaign has the plan's; shows are counted."""
    ledger.ensure_policy(NOW)
    story = Story(ledger, 6)
    for grid, count in (("g1", 10), ("g2", 5), ("g1", 7)):
        ledger.allot_stock(story.by, story.campaign, grid, "booklet", count, {}, uuid4(), NOW)
    show = Show(kind="opera", held_on=NOW.date(), headcount=80, grid="g2", materials={"booklet": 4})
    ledger.hold_show(story.by, story.campaign, show, {}, uuid4(), NOW)
    ledger.import_districts([DistrictImported(code="g4", name="g4", parent="t2", kind="grid")], NOW)
    elsewhere = Show(kind="talk", held_on=NOW.date(), headcount=7, grid="g4")  # It has no doors.
    ledger.hold_show(story.by, story.campaign, elsewhere, {}, uuid4(), NOW)
    follower.catch_up()
    for store in stores:
        talk = coverage.counts(store, story.campaign, "g4")[1]
        assert (talk.shows, talk.headcount, talk.frame) == (1, 7, 0)
        counts = {
            place: coverage.counts(store, story.campaign, place)[1]
            for place in ("g1", "g2", "t1", None)
        }
        stocks = {place: one.stock.get("booklet") for place, one in counts.items()}
        assert stocks == {"g1": 7, "g2": 5, "t1": 12, None: 999}
        assert (counts["t1"].shows, counts["t1"].headcount, counts[None].given) == (
            1, 80, {"booklet": 4}
        )  # fmt: skip


@pytest.mark.parametrize("at_once", [True, False])
def test_stock_goes_where_the_doors_are_listed(ledger, stores, follower, at_once):
    """What a grid was allotted before it moved, and before it was listed, is its new town's."""
    story = Story(ledger, 7)
    campaign = a_campaign(
        ledger, {"X2": "g2"}, by=story.by, opened=False, materials={"booklet": 99, "bag": 9}
    )
    allot = partial(ledger.allot_stock, story.by, campaign)
    for grid, material, count in (("g1", "booklet", 10), ("g2", "booklet", 5), ("g1", "bag", 3)):
        allot(grid, material, count, {}, uuid4(), NOW)
    if not at_once:
        follower.catch_up()
    ledger.import_districts([G1_MOVED], NOW)
    for household in ("X1", "X3"):
        ledger.list_households(campaign, [NewHousehold(household, "g1")], NOW)
    allot("g1", "booklet", 12, {}, uuid4(), NOW)
    if not at_once:
        follower.catch_up()
    back = msgspec.structs.replace(G1_MOVED, parent="t1")
    ledger.import_districts([back], NOW)
    ledger.list_households(campaign, [NewHousehold("X5", "g1")], NOW)  # Its stock stays.
    ledger.open_campaign(story.by, campaign, {}, uuid4(), NOW)
    allot("g1", "booklet", 15, {}, uuid4(), NOW)
    talk = Show(kind="talk", held_on=NOW.date(), headcount=7, grid="g1", materials={"booklet": 1})
    ledger.hold_show(story.by, campaign, talk, {}, uuid4(), NOW)
    follower.catch_up()
    for store in stores:
        told = {place: coverage.counts(store, campaign, place)[1] for place in PLACES}
        assert {place: (one.frame, one.stock, one.headcount) for place, one in told.items()} == {
            "g1": (3, {"booklet": 15, "bag": 3}, 7), "t2": (2, {"booklet": 15, "bag": 3}, 7),
            "g2": (1, {"booklet": 5}, 0), "t1": (2, {"booklet": 5}, 0), "g3": (0, {}, 0),
            "c": (4, {"booklet": 20, "bag": 3}, 7), CITY: (4, {"booklet": 99, "bag": 9}, 7),
        }  # fmt: skip
        assert (told["g1"].above, told["t2"].given) == (("t2", "c"), {"booklet": 1})
        assert list(check_views(ledger, store, [COVERAGE])) == []


def test_a_campaign_has_its_stock_at_its_own_place(ledger, stores, follower):
    """What a town planned is there, and above it, to give; what its grids have is part of it."""
    story = Story(ledger, 8)
    campaign = a_campaign(
        ledger, {"X1": "g1"}, by=story.by, district="t1", materials={"booklet": 50}
    )
    follower.catch_up()
    for allotted in (None, 10, 7):
        if allotted is not None:
            ledger.allot_stock(story.by, campaign, "g1", "booklet", allotted, {}, uuid4(), NOW)
        follower.catch_up()
        for store in stores:
            stock = {
                place: coverage.counts(store, campaign, place)[1].stock.get("booklet")
                for place in PLACES
            }
            assert stock == {
                "g1": allotted, "g2": None, "g3": None, "t1": 50, "t2": None, "c": 50, CITY: 50
            }  # fmt: skip


def test_the_stock_of_a_campaign_stays_its_own_when_its_town_moves(ledger, stores, follower):
    """A town that goes to another city before its doors are listed takes no stock away with it."""
    story = Story(ledger, 8)
    campaign = a_campaign(
        ledger, {"X2": "g2"}, by=story.by, opened=False, district="t1", materials={"booklet": 50}
    )
    ledger.allot_stock(story.by, campaign, "g1", "booklet", 10, {}, uuid4(), NOW)
    ledger.import_districts([
        DistrictImported(code="d", name="d", parent=None, kind="city"),
        DistrictImported(code="t1", name="t1", parent="d", kind="town"),
    ], NOW)  # fmt: skip
    ledger.list_households(campaign, [NewHousehold("X1", "g1")], NOW)
    follower.catch_up()
    for store in stores:
        told = {place: coverage.counts(store, campaign, place)[1] for place in ("t1", "c", CITY)}
        assert {one.stock["booklet"] for one in told.values()} == {50}
        assert list(check_views(ledger, store, [COVERAGE])) == []
