"""Check-ins: near enough or with the code; a point is paid once a day, a trail finished once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import numpy as np
import pytest

from ledger import identity
from ledger.coins import CoinsAwarded
from ledger.contributions import BY_KIND
from ledger.errors import InvalidInput
from ledger.settlement import default_policy
from ledger.tracks.datum import gcj02_from_wgs84
from ledger.trails.errors import UnknownPoint, UnknownTrail
from tests.ledger.examples import NOW, someone
from tests.ledger.trailing import (
    AGAIN,
    CODE,
    FINISH,
    POINT,
    RADIUS,
    a_trail,
    at,
    check_in,
    east,
    findings,
    publish,
    rejected,
    scan,
    told,
)

CHECK_IN = BY_KIND["check_in"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
on_one_database = pytest.mark.parametrize("env", ["sqlite"], indirect=True)


def test_the_points_of_a_trail_in_any_order_finish_it_once(ledger):
    """Each point pays a coin, the one that makes them enough the finish too, and never again."""
    trail, who = publish(ledger, finish_at=2), someone(ledger)
    receipts = [check_in(ledger, who, at(trail, number)) for number in (2, 0, 1)]
    assert [told(one) for one in receipts] == [POINT, FINISH, POINT]
    assert told(check_in(ledger, who, at(trail, 0), NOW + DAY)) == POINT
    assert findings(ledger) == []


def test_a_trail_without_a_number_is_finished_at_all_its_points(ledger):
    """Fewer different points than there are finish nothing, however often they are visited."""
    trail, who = publish(ledger), someone(ledger)
    for day in range(4):
        assert told(check_in(ledger, who, at(trail, day % 2), NOW + day * DAY)) == POINT
    assert told(check_in(ledger, who, at(trail, 2), NOW + 4 * DAY)) == FINISH


def test_in_the_given_order_a_point_out_of_turn_brings_nothing_forward(ledger):
    """A point whose time does not follow on is not paid; walked in turn they finish it once."""
    trail, who = publish(ledger, order="given"), someone(ledger)
    assert told(check_in(ledger, who, at(trail, 1), NOW)) == POINT
    early = check_in(ledger, who, at(trail, 0), NOW + HOUR)
    assert told(early) == ("valid", 0, "check_in.order", ("wrong_order",))
    for moment in (NOW + DAY, NOW + 2 * DAY):  # The same point twice is no progress.
        assert told(check_in(ledger, who, at(trail, 0), moment)) == POINT
    assert told(check_in(ledger, who, at(trail, 2), NOW + 2 * DAY)) == POINT
    assert told(check_in(ledger, who, at(trail, 1), NOW + 3 * DAY)) == POINT
    assert told(check_in(ledger, who, at(trail, 2), NOW + 3 * DAY)) == FINISH
    assert told(check_in(ledger, who, at(trail, 1), NOW + 4 * DAY)) == POINT
    assert findings(ledger) == []


def test_a_point_pays_once_a_day_by_whatever_proof(ledger):
    """A second check-in that day says so; the next day, which begins in Shanghai, pays again."""
    trail, who, other = publish(ledger), someone(ledger), someone(ledger)
    assert told(check_in(ledger, who, at(trail))) == POINT
    last_minute = datetime(2026, 5, 20, 15, 59, tzinfo=UTC)
    assert told(check_in(ledger, who, scan(trail), last_minute)) == AGAIN
    assert told(check_in(ledger, other, at(trail))) == POINT
    assert told(check_in(ledger, who, at(trail), last_minute + timedelta(minutes=1))) == POINT
    assert findings(ledger) == []


def test_the_same_submission_is_one_check_in(ledger):
    """Sent again it gets the first receipt, and no second stamp."""
    trail, who, sent = publish(ledger), someone(ledger), uuid4()
    first = check_in(ledger, who, at(trail), submission_id=sent)
    head = ledger.head()
    again = check_in(ledger, who, at(trail), NOW + DAY, submission_id=sent)
    assert again == msgspec.structs.replace(first, replayed=True)
    assert ledger.head() == head


def test_two_at_once_get_one_stamp(open_ledger, ledger):
    """Sixteen check-ins of one person at one point, from two processes: one is paid."""
    trail, who, ledgers = publish(ledger, points=1), someone(ledger), (ledger, open_ledger())

    def send(number):
        return check_in(ledgers[number % 2], who, at(trail))

    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(send, range(16)))
    assert sorted(map(told, receipts)) == sorted([FINISH, *[AGAIN] * 15])
    card = identity.derived("card", who.participant_id, trail.trail_id)
    (credited,) = [one.fact for one in ledger.entries() if one.originator_id == card]
    assert credited.mark == "finish/p0/2026-05-20/0/2026-05-20T04:00:00+00:00"
    assert findings(ledger) == []


REACH = {
    "within": ({"metres": 99.9}, POINT),
    "just outside": ({"metres": 100.1}, rejected("out_of_reach")),
    "within the accuracy as well": ({"metres": 119.9, "accuracy": 20}, POINT),
    "outside of both": ({"metres": 120.1, "accuracy": 20}, rejected("out_of_reach")),
    "as inaccurate as may be": ({"metres": 149, "accuracy": 50}, POINT),
    "too inaccurate": ({"metres": 0, "accuracy": 50.1}, rejected("inaccurate_fix")),
    "wildly inaccurate": ({"metres": 0, "accuracy": 1e300}, rejected("inaccurate_fix")),
    "at the other end of the world": ({"lon": -57.9, "lat": -30.01}, rejected("out_of_reach")),
}  # fmt: skip


@on_one_database
@pytest.mark.parametrize("case", REACH)
def test_a_fix_must_be_near_and_accurate_enough(case, ledger):
    """Within the radius and the fix's own accuracy, which has its bound."""
    where, expected = REACH[case]
    receipt = check_in(ledger, someone(ledger), at(publish(ledger), **where))
    assert told(receipt) == expected
    recorded = ledger.contribution(CHECK_IN, receipt.id).recorded
    assert max(recorded.distance_m, recorded.accuracy_m) <= 50_000_000  # No more than the earth.
    assert findings(ledger) == []


@on_one_database
def test_shifted_coordinates_are_taken_back(ledger):
    """A GCJ-02 fix, some 500 m off if taken for WGS-84, is where the phone was; so is a point."""
    lon, lat = gcj02_from_wgs84(np.array([east(0)]))[0]
    shifted = {"lon": float(lon), "lat": float(lat)}
    trail = publish(ledger)
    honest = check_in(ledger, someone(ledger), at(trail, **shifted, crs="gcj02"))
    assert told(honest) == POINT
    assert told(check_in(ledger, someone(ledger), at(trail, **shifted)))[0] == "rejected"
    place = {**shifted, "radius_m": 5, "crs": "gcj02"}
    other = publish(ledger, points=[{"id": "p0", "name": "点", "place": place}])
    assert told(check_in(ledger, someone(ledger), at(other)))[0] == "valid"


def test_a_code_is_right_or_wrong_and_never_in_the_log(ledger):
    """The code of the point counts however it is typed, another's does not; none is stored."""
    trail = publish(ledger)
    right = check_in(ledger, someone(ledger), scan(trail, code=f" {CODE}-0 ".upper()))
    wrong = check_in(ledger, someone(ledger), scan(trail, code=f"{CODE}-1"))
    assert (told(right), told(wrong)) == (POINT, rejected("wrong_code"))
    assert not any(b"sample" in row.state.lower() for row in ledger.rows())
    assert findings(ledger) == []


def test_the_fix_is_in_the_vault_alone(ledger):
    """What the log knows of the place are metres from the point; the fix can be opened."""
    receipt = check_in(ledger, someone(ledger), at(publish(ledger), metres=49.5, accuracy=7))
    recorded = ledger.contribution(CHECK_IN, receipt.id).recorded
    assert (recorded.distance_m, recorded.accuracy_m, recorded.radius_m) == (50, 7, RADIUS)
    assert ledger.vault.open(receipt.id, recorded.sealed[0])["accuracy"] == 7
    (row,) = [one for one in ledger.rows() if one.topic == "check_in.recorded"]
    assert b"122." not in row.state


WRONG = {
    "no such trail": ({"trail_id": str(UUID(int=1))}, UnknownTrail, "trail_id", "unknown_trail"),
    "no such point": ({"point_id": "p9"}, UnknownPoint, "point_id", "unknown_point"),
    "neither place nor code": ({"place": None}, InvalidInput, "place", "place_or_code"),
    "both place and code": ({"code": CODE}, InvalidInput, "place", "place_or_code"),
    "a point without a code": (
        {"point_id": "place", "place": None, "code": CODE}, InvalidInput, "code", "place_only",
    ),
    "a point without a place": ({"point_id": "code"}, InvalidInput, "place", "code_only"),
}  # fmt: skip


@on_one_database
@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_meant_is_refused(case, ledger):
    """No such trail or point, or no proof that the point takes: refused, nothing is written."""
    changed, error, path, code = WRONG[case]
    points = a_trail()["points"]
    points += [{"id": "place", "name": "点", "place": points[0]["place"]},
               {"id": "code", "name": "点", "make_code": True}]  # fmt: skip
    trail, who = publish(ledger, points=points), someone(ledger)
    head = ledger.head()
    with pytest.raises(error) as caught:
        check_in(ledger, who, {**at(trail), **changed})
    assert [(one.path, one.code) for one in caught.value.errors] == [(path, code)]
    assert ledger.head() == head


def test_a_finish_that_waited_for_a_budget_is_paid_once(ledger):
    """Settled again when the budget is raised, each stamp keeps its meaning: one finish in all."""
    who = someone(ledger)
    trail = publish(ledger, finish_at=2, order="given")
    ledger.set_budget(None, None, 2026, 0, NOW)
    refused = [check_in(ledger, who, at(trail, number)) for number in range(3)]
    assert [one.reasons for one in refused] == [("budget_used_up",)] * 3
    ledger.set_budget(None, None, 2026, 100, NOW)
    ledger.pay_waiting(NOW)
    paid = [one.fact for one in ledger.entries() if isinstance(one.fact, CoinsAwarded)]
    assert [(one.amount, one.rule) for one in paid] == [
        (1, "check_in.point"), (11, "check_in.finish"), (1, "check_in.point"),
    ]  # fmt: skip
    assert findings(ledger) == []


def test_the_coins_of_a_day_have_their_limit(ledger):
    """With the policy's day_max of 15 the coins of a day end there, a finish among them."""
    who, trails = someone(ledger), [publish(ledger, points=1) for _ in range(2)]
    receipts = [check_in(ledger, who, at(one)) for one in trails]
    assert [(one.coins, one.reasons) for one in receipts] == [(11, ()), (4, ("cap_check_in",))]


def test_a_city_sets_its_own_coins(ledger):
    """Coins, finish and accuracy are those of the policy in force on the day."""
    text = default_policy()
    for old, new in (
        ("2026-01", "mine"), ("2020-01-01", "2026-05-21"),
        ("finish_coins = 10", "finish_coins = 3"),
        ("accuracy_max_metres = 50", "accuracy_max_metres = 9"),
    ):  # fmt: skip
        text = text.replace(old, new)
    ledger.publish_policy(text, None, NOW)
    trail, who = publish(ledger, points=1), someone(ledger)
    vague = check_in(ledger, who, at(trail, accuracy=10), NOW + DAY)
    assert told(vague) == rejected("inaccurate_fix")
    assert check_in(ledger, who, at(trail), NOW + DAY).coins == 4
    assert findings(ledger) == []
