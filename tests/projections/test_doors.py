"""Doors: as what a household is left, and whether somebody must come again, and by when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from projections import coverage_questions as coverage
from tests.ledger.campaigns import a_door_visit
from tests.ledger.examples import NOW, contribute
from tests.projections.visiting import Story

# Outcomes and promises by how many minutes ago each visit was made, in the order they arrive; the
# door's state, how often it was tried, and the promise that is open.
TODAY, SOON = NOW.date(), NOW.date() + timedelta(days=12)
DOORS = {
    "nobody once": ([(0, "nobody_home")], "revisit", 1, None),
    "twice in a minute": ([(0, "nobody_home")] * 2, "revisit", 1, None),
    "within four hours": ([(239, "nobody_home"), (0, "nobody_home")], "revisit", 1, None),
    "one after the other": (
        [(400, "nobody_home"), (200, "nobody_home"), (0, "nobody_home")], "nobody_home", 2, None),
    "four hours apart": ([(240, "nobody_home"), (0, "nobody_home")], "nobody_home", 2, None),
    "the later one first": ([(0, "moved"), (1440, "refused")], "moved", 2, None),
    "nobody after somebody": ([(300, "refused"), (0, "nobody_home")], "refused", 2, None),
    "promised": ([(0, "by_phone", SOON)], "by_phone", 1, SOON),
    "promised to who was met": ([(0, "met", SOON)], "met", 1, SOON),
    "promised for today": ([(0, "refused", TODAY)], "refused", 1, TODAY),
    "kept today": ([(60, "refused", TODAY), (0, "nobody_home")], "refused", 1, None),
    "not kept before": ([(0, "by_phone", TODAY), (60, "met")], "met", 1, TODAY),
    "two came at once": ([(0, "by_phone", TODAY), (0, "by_phone")], "by_phone", 1, TODAY),
    "came too early": ([(300, "by_phone", SOON), (0, "met")], "met", 2, SOON),
    "moved away since": ([(300, "by_phone", SOON), (0, "moved")], "moved", 2, None),
    "promised twice": (
        [(300, "by_phone", TODAY + timedelta(1)), (0, "by_phone", SOON)], "by_phone", 2,
        TODAY + timedelta(1)),
}  # fmt: skip


@pytest.mark.parametrize(("visits", "state", "tries", "promised"), DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_door_says_whether_to_go_again(
    ledger, stores, follower, visits, state, tries, promised
):  # fmt: skip
    """It is tried at times apart, found as it was last, and promised to until somebody came."""
    ledger.ensure_policy(NOW)
    story = Story(ledger, 5)
    for minutes, outcome, *promise in visits:
        made_at = (NOW - timedelta(minutes=minutes)).isoformat()
        body = a_door_visit(
            story.campaign, "H0", outcome, recorded_at=made_at, sent_at=NOW.isoformat(),
            follow_up_on=str(promise[0]) if promise else None,
        )  # fmt: skip
        contribute(ledger, "visit", story.random.choice(story.workers), body)
    follower.catch_up()
    for store in stores:
        (door, *_) = coverage.households(store, story.campaign, "g1", None, 50)["items"]
        assert (door.state, door.tries, door.follow_up_on) == (state, tries, promised)
        due = state == "revisit" or promised is not None
        assert coverage.counts(store, story.campaign, None)[1].revisit_due == due
        for by in (TODAY - timedelta(days=1), TODAY, SOON):
            found = coverage.households(store, story.campaign, "g1", None, 50, by)["items"]
            now = state == "revisit" or (promised is not None and promised <= by)
            assert [one.household for one in found] == ["H0"] * now
