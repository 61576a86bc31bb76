"""The audit of trails: check-ins say what the trail said, and whoever changed it could."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from ledger import facts, identity
from ledger.audit import Unreadable, audit, rows_of
from ledger.contributions.check_in import CheckInAssessed, CheckInRecorded
from ledger.contributions.credits import Credited
from ledger.log import Append
from ledger.store.leaf import leaf_hash
from ledger.trails.trails import (
    Trail,
    TrailClosed,
    TrailPaused,
    TrailPublished,
    TrailResumed,
)
from tests.ledger.examples import NOW, someone
from tests.ledger.trailing import at, check_in, publish

pytestmark = pytest.mark.parametrize("env", ["sqlite"], indirect=True)


def forged(ledger, changes: dict[type, dict]) -> list[tuple[str, int]]:
    """What the audit finds once the newest fact of a kind is another, its hash made anew."""
    rows = list(rows_of(ledger))
    for kind, fields in changes.items():
        index = max(number for number, row in enumerate(rows) if row.topic == kind.topic)
        fact = msgspec.structs.replace(facts.decode(kind.topic, rows[index].state), **fields)
        changed = vars(rows[index]) | {"state": facts.encode(fact), "leaf_hash": b""}
        row = type(rows[index])(**changed)
        rows[index] = type(row)(**(changed | {"leaf_hash": leaf_hash(row)}))
    return [(one.code, one.position) for one in audit(rows)]


VALID = {"verdict": "valid", "reasons": ()}
FORGED = {
    "verdict": ({}, VALID, "VERDICT"),
    "distance": ({"distance_m": 10}, {}, "VERDICT"),
    "radius": ({"radius_m": 1000}, VALID, "TRAIL"),
    "number of points to finish": ({"finish_at": 1}, {}, "TRAIL"),
    "order": ({"order": "given"}, {}, "TRAIL"),
    "place in the order": ({"index": 1}, {}, "TRAIL"),
    "pause": ({"standing": "paused"}, {"reasons": ("trail_paused", "out_of_reach")}, "TRAIL"),
    "day": ({"earned_on": date(2026, 5, 19)}, {}, "TRAIL"),
    "time": ({"claimed_at": NOW - timedelta(days=2)}, {}, "TRAIL"),
    "moment": ({"made_at": NOW - timedelta(hours=1)}, {}, "TRAIL"),
    "trail": ({"trail_id": UUID(int=5)}, {}, "TRAIL"),
    "point": ({"point_id": "p9"}, {}, "TRAIL"),
    "place of the trail": ({"districts": ("900",)}, {}, "TRAIL"),
}  # fmt: skip


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_check_in_is_named(case, ledger):
    """A check-in 500 m away of which anything is made to look better is found at its place."""
    recorded, assessed, code = FORGED[case]
    publish_in_a_district(ledger)
    assert forged(ledger, {}) == []
    found = forged(ledger, {CheckInRecorded: recorded, CheckInAssessed: assessed})
    assert code in {one for one, _ in found}
    assert min(position for _, position in found) >= ledger.head() - 2


def publish_in_a_district(ledger) -> Trail:
    """A trail of the district 100, and a check-in 500 m away from its first point."""
    trail = publish(ledger, someone(ledger, "dispatcher", "100"), district="100")
    check_in(ledger, someone(ledger), at(trail, metres=500))
    return trail


def test_a_missing_or_foreign_stamp_is_named(ledger):
    """The stamp on the card must stand right behind its award, and be that of the check-in."""
    check_in(ledger, someone(ledger), at(publish(ledger)))
    rows = list(rows_of(ledger))
    assert [one.code for one in audit(rows[:-1])] == ["CREDIT"]
    found = forged(ledger, {Credited: {"mark": "point/p1/2026-05-20"}})
    assert found == [("CREDIT", len(rows) - 2)]


def test_a_stamp_unpaid_for_its_order_is_recomputed(ledger):
    """What is out of order stands on the card, and a better kind of stamp is a forgery."""
    trail, who = publish(ledger, order="given"), someone(ledger)
    check_in(ledger, who, at(trail, 1), NOW)
    check_in(ledger, who, at(trail, 0), NOW + timedelta(hours=1))
    assert forged(ledger, {}) == []
    mark = "seen/p0/2026-05-20/0/2026-05-20T05:00:00+00:00"
    assert list(ledger.entries())[-1].fact.mark == mark
    found = forged(ledger, {Credited: {"mark": mark.replace("seen", "point")}})
    assert found == [("CREDIT", ledger.head() - 2)]


def test_steps_that_could_not_be_taken_are_named(ledger):
    """Resumed while open, paused twice, changed after the end, published twice, backdated."""
    trail, officer = publish(ledger), someone(ledger, "dispatcher")
    plan = TrailPublished(plan=trail.plan, districts=(), **signed(trail, officer))
    steps = (
        (TrailResumed(**signed(trail, officer)), ["TRAIL"]),
        (TrailPaused(reason="weather", **signed(trail, officer)), []),
        (TrailPaused(reason="works", **signed(trail, officer)), ["TRAIL"]),
        (TrailClosed(**signed(trail, officer, at=NOW - timedelta(days=1))), ["TRAIL"]),
        (TrailClosed(**signed(trail, officer)), []),
        (TrailResumed(**signed(trail, officer)), ["TRAIL"]),
        (TrailClosed(**signed(trail, officer)), ["TRAIL"]),
        (plan, ["TRAIL"]),
        (msgspec.structs.replace(plan, trail_id=uuid4(), districts=("900",)), ["TRAIL"]),
        (TrailClosed(**signed(trail, officer) | {"trail_id": uuid4()}), ["TRAIL"]),
    )
    expected = []
    for fact, codes in steps:
        position = append(ledger, fact)
        expected += [(code, position) for code in codes]
    assert forged(ledger, {}) == expected
    assert ledger.trails.current().trail(trail.trail_id).state == "closed"


def test_whoever_may_not_change_a_trail_is_named(ledger):
    """A citizen's pause is found, and that of a dispatcher of elsewhere."""
    trail, citizen = publish_in_a_district(ledger), someone(ledger)
    elsewhere = someone(ledger, "dispatcher", "200")
    for who in (citizen, elsewhere):
        position = append(ledger, TrailPaused(reason="weather", **signed(trail, who)))
        assert forged(ledger, {})[-1] == ("ACTOR", position)
        append(ledger, TrailResumed(**signed(trail, someone(ledger, "admin"))))


def test_a_trail_fact_elsewhere_is_named(ledger):
    """What is not in the register of trails changes none of them."""
    trail, officer = publish(ledger), someone(ledger, "dispatcher")
    fact = TrailPaused(reason="weather", **signed(trail, officer))
    (entry,) = ledger.append([Append(uuid4(), 0, [fact])], NOW)
    assert forged(ledger, {}) == [("TRAIL", entry.position)]
    assert check_in(ledger, someone(ledger), at(trail)).coins == 1
    assert forged(ledger, {}) == [("TRAIL", entry.position)]


def test_what_hangs_on_a_lost_trail_is_not_told_again(ledger):
    """Where a trail cannot be read that is the finding, and not every check-in along it."""
    check_in(ledger, someone(ledger), at(publish(ledger)))
    rows = list(rows_of(ledger))
    index = next(n for n, row in enumerate(rows) if row.topic == TrailPublished.topic)
    rows[index] = Unreadable(rows[index].position, "x")
    assert [one.code for one in audit(rows)] == ["UNREADABLE"]


def signed(trail, who, at=NOW) -> dict:
    return {"trail_id": trail.trail_id, "at": at, "by": who.participant_id,
            "command_id": uuid4(), "body_digest": "0" * 64}  # fmt: skip


def append(ledger, fact) -> int:
    """Appends a fact to the register past every decision."""
    version = ledger.trails.current().version
    return ledger.append([Append(identity.TRAILS, version, [fact])], NOW)[0].position
