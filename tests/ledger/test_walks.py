"""Trails in a given order: what a walk earns is of when its check-ins were made, not of arrival."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations, permutations

import msgspec
import pytest

from ledger import identity
from ledger.contributions import BY_KIND
from ledger.contributions.credits import Credits
from ledger.settlement import default_policy
from ledger.trails.card import BEFORE, STAMPS_A_DAY, Card, Stamp
from tests.ledger.examples import NOW, someone, take_back
from tests.ledger.test_trails import sync
from tests.ledger.trailing import (
    AGAIN,
    FINISH,
    POINT,
    at,
    check_in,
    findings,
    publish,
    scan,
    told,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
OUT_OF_ORDER = ("valid", 0, "check_in.order", ("wrong_order",))
LATER = NOW + 3 * 60 * MINUTE
on_one_database = pytest.mark.parametrize("env", ["sqlite"], indirect=True)

# The points in the order in which they were walked, ten minutes apart.
WALKS = ["012", "021", "102", "120", "201", "210", "0123", "0132", "2031", "3210"]
# How many check-ins each parcel brings.
PARCELS = {3: [(3,), (1, 1, 1), (1, 2), (2, 1)], 4: [(4,), (1, 1, 1, 1), (2, 2)]}


def sent(ledger, who, bodies: list, sizes: tuple[int, ...]) -> list:
    """What check-ins come to that arrive in this order, so many in a parcel."""
    receipts = []
    for size in sizes:
        parcel, bodies = bodies[:size], bodies[size:]
        receipts += sync(ledger, who, parcel, LATER, LATER)
    return [told(one) for one in receipts]


def in_order(walk: str) -> int:
    """The most points of a walk that follow each other in the order of the trail."""
    return max(
        size for size in range(1, len(walk) + 1)
        for some in combinations(walk, size) if list(some) == sorted(set(some))
    )  # fmt: skip


@pytest.mark.parametrize("walk", WALKS)
def test_what_a_walk_earns_is_the_same_however_it_arrives(walk, ledger):
    """In every order of arrival, in one parcel or several: a coin for each point that was walked
    in the order, and the finish once, where that is all of them."""
    trail = publish(ledger, points=len(walk), order="given")
    bodies = [(at(trail, int(point)), NOW + 10 * n * MINUTE) for n, point in enumerate(walk)]
    whole = in_order(walk) == len(walk)
    expected = in_order(walk) + 10 * whole
    for arrival in permutations(bodies):
        for sizes in PARCELS[len(walk)]:
            came = sent(ledger, someone(ledger), list(arrival), sizes)
            assert sum(coins for _, coins, _, _ in came) == expected, (arrival, sizes)
            assert came.count(FINISH) == whole
            assert came.count(OUT_OF_ORDER) == len(walk) - in_order(walk)
    assert findings(ledger) == []


def test_whoever_began_at_the_wrong_end_can_still_walk_it_that_day(ledger):
    """Going back to where it begins finishes it, in every order of arrival; a point pays once."""
    trail = publish(ledger, order="given")
    bodies = [(at(trail, point), NOW + 10 * n * MINUTE) for n, point in enumerate((1, 0, 1, 2))]
    for arrival in permutations(bodies):
        came = sent(ledger, someone(ledger), list(arrival), (1, 1, 1, 1))
        assert [rule for _, _, rule, _ in came].count("check_in.finish") == 1, arrival
        assert sum(coins for _, coins, _, _ in came) in (12, 13)
    assert findings(ledger) == []


@on_one_database
def test_a_finish_at_a_point_that_was_paid_that_day_pays_the_finish_alone(ledger):
    """Walked from the other end and back on one day, the last point is not paid twice."""
    trail, who = publish(ledger, points=2, order="given"), someone(ledger)
    came = [told(check_in(ledger, who, at(trail, point), NOW + n * MINUTE))
            for n, point in enumerate((1, 0, 1))]  # fmt: skip
    assert came == [POINT, OUT_OF_ORDER, ("valid", 10, "check_in.finish", ())]
    assert findings(ledger) == []


@on_one_database
def test_some_of_the_points_in_their_order_are_enough_where_the_trail_says_so(ledger):
    """Finished at two of three: the first and the last do, the last and the first do not."""
    trail = publish(ledger, order="given", finish_at=2)
    for walk, expected in (((0, 2), [POINT, FINISH]), ((2, 0), [POINT, OUT_OF_ORDER])):
        who = someone(ledger)
        came = [check_in(ledger, who, at(trail, one), NOW + n * MINUTE)
                for n, one in enumerate(walk)]  # fmt: skip
        assert [told(one) for one in came] == expected


@on_one_database
def test_a_point_out_of_order_is_paid_on_another_day(ledger):
    """Nobody is out of order for good: what was walked counts on, and days are paid as ever."""
    trail, who = publish(ledger, order="given"), someone(ledger)
    first = [told(check_in(ledger, who, at(trail, point), NOW + n * MINUTE))
             for n, point in enumerate((2, 1, 0))]  # fmt: skip
    assert first == [POINT, OUT_OF_ORDER, OUT_OF_ORDER]
    second = [told(check_in(ledger, who, at(trail, point), NOW + DAY + n * MINUTE))
              for n, point in enumerate((1, 2, 0))]  # fmt: skip
    assert second == [POINT, FINISH, POINT]
    assert findings(ledger) == []


@on_one_database
def test_repeats_of_a_day_do_not_fill_the_card(ledger):
    """However often a point is checked in at, a day leaves few stamps; in any order only one."""
    for order, expected in (("given", STAMPS_A_DAY), ("any", 1)):
        trail, who = publish(ledger, order=order), someone(ledger)
        for minutes in range(9):
            check_in(ledger, who, at(trail, 1), NOW + minutes * MINUTE)
        card = identity.derived("card", who.participant_id, trail.trail_id)
        assert len(ledger.fold(card, Credits()).found) == expected
        late = NOW + 10 * MINUTE
        assert told(check_in(ledger, who, at(trail, 1), late)) == AGAIN
        came = [told(check_in(ledger, who, at(trail, one), late + one * MINUTE))
                for one in (0, 1, 2)]  # fmt: skip
        assert came[-1] == FINISH
    assert findings(ledger) == []


@pytest.fixture
def by_arrival(monkeypatch):
    """Check-ins are recorded as they were before they told when they were made."""
    now = BY_KIND["check_in"]

    def record(*given):
        recorded, assessed = now.record(*given)
        return [msgspec.structs.replace(recorded, made_at=None), assessed]

    monkeypatch.setitem(BY_KIND, "check_in", msgspec.structs.replace(now, record=record))
    return monkeypatch


def test_check_ins_of_before_stay_judged_by_their_arrival(by_arrival, ledger):
    """A log from before is honest; what comes after goes on from its stamps, by their times."""
    trail, who = publish(ledger, order="given"), someone(ledger)
    came = [told(check_in(ledger, who, at(trail, one))) for one in (1, 0, 0, 2, 1)]
    assert came == [OUT_OF_ORDER, POINT, AGAIN, OUT_OF_ORDER, POINT]
    by_arrival.undo()
    assert told(check_in(ledger, who, at(trail, 1))) == AGAIN
    assert told(check_in(ledger, who, at(trail, 1), NOW + 2 * DAY)) == POINT
    late = {"recorded_at": (NOW + DAY).isoformat()}
    assert told(check_in(ledger, who, {**at(trail, 2), **late}, NOW + 2 * DAY)) == FINISH
    assert findings(ledger) == []


def test_a_stamp_is_read_as_it_was_written():
    """Marks of before have no moment and stand in the order in which they were given."""
    stamp = Stamp("point", "p1", "2026-05-20", 2, NOW)
    assert stamp.mark == "point/p1/2026-05-20/2/2026-05-20T04:00:00+00:00"
    card = Card(["point/a/2026-05-20", "finish/b/2026-05-20", stamp.mark])
    assert card.at("p1") == [stamp]
    assert card.at("b") == [Stamp("finish", "b", "2026-05-20", 1, BEFORE)]


@on_one_database
def test_a_city_can_ask_for_time_between_two_points(ledger):
    """With seconds_apart a code that was photographed earns nothing in the moment of another; the
    default looks at none of this."""
    who = someone(ledger)
    trail = publish(ledger)
    assert [told(check_in(ledger, who, scan(trail, n))) for n in range(3)] == [POINT, POINT, FINISH]
    text = default_policy().replace("seconds_apart = 0", "seconds_apart = 60")
    text = text.replace("2026-01", "mine").replace("2020-01-01", "2026-05-21")
    ledger.publish_policy(text, None, NOW)
    who, day = someone(ledger), NOW + DAY
    seconds = {0: 0, 1: 59, 2: 60}
    came = [told(check_in(ledger, who, scan(trail, n), day + timedelta(seconds=seconds[n])))
            for n in (1, 0, 2)]  # fmt: skip
    too_soon = ("valid", 0, "check_in.pace", ("too_soon",))
    assert came == [POINT, too_soon, too_soon]
    late = day + timedelta(seconds=59 + 60)
    assert told(check_in(ledger, who, scan(trail, 2), late)) == POINT
    assert findings(ledger) == []


def test_a_point_of_before_stays_one_when_another_is_taken_back(by_arrival, ledger):
    """Three points are not four: a stamp of before and a later one of its point count once."""
    trail, who = publish(ledger, order="given", points=4), someone(ledger)
    came = [check_in(ledger, who, at(trail, one)) for one in (0, 1, 2)]
    by_arrival.undo()
    take_back(ledger, came[1].id)
    later = [told(check_in(ledger, who, at(trail, one), NOW + day * DAY))
             for day, one in enumerate((2, 3, 1, 2, 3), 1)]  # fmt: skip
    assert later == [POINT, POINT, OUT_OF_ORDER, POINT, FINISH]
    assert findings(ledger) == []


@pytest.mark.parametrize(("standing", "later", "walked"), [
    ("023", "", 3), ("023", "2", 3), ("023", "12", 3), ("023", "123", 4), ("2", "10", 1),
])  # fmt: skip
def test_stamps_of_before_have_the_least_numbers_that_fit(standing, later, walked):
    """What is walked is of points that really stand, whichever others were taken back."""
    old = [f"point/p{n}/2026-05-20" for n in standing]
    new = [Stamp("point", f"p{n}", "2026-05-21", int(n), NOW + place * MINUTE)
           for place, n in enumerate(later)]  # fmt: skip
    card = Card([*old, *(one.mark for one in new)])
    assert (card.walked("given"), Card(old).walked("given", *new)) == (walked, walked)


def test_a_late_check_in_of_before_is_at_its_own_point():
    """One that waited for its award and tells no moment is no point more than those that stand."""
    card, late = Card(["point/p0/2026-05-20", "point/p2/2026-05-20"]), "2026-05-21"
    assert card.walked("given", Stamp("seen", "p2", late, 2, BEFORE)) == 2
