"""Trails for the tests, and people who check in along them."""

from __future__ import annotations

from uuid import uuid4

import msgspec

from ledger.audit import audit, rows_of
from ledger.trails.trails import Trail
from ledger.trails.wanted import NewTrail
from tests.ledger.examples import GEOD, NOW, contribute, someone

CODE = "sample-code-of-a-point"
LON, LAT, RADIUS = 122.1, 30.01, 100
# What check-ins come to: state, coins, rule, reasons.
POINT = ("valid", 1, "check_in.point", ())
FINISH = ("valid", 11, "check_in.finish", ())
AGAIN = ("valid", 0, "check_in.once", ("already_checked_in",))


def a_trail(points: int | list[dict] = 3, **changed: object) -> dict:
    """A trail due east, a point every kilometre, each with a code as well as a circle."""
    given = points if isinstance(points, list) else [
        {"name": f"第 {number + 1} 点", "id": f"p{number}", "code": f"{CODE}-{number}",
         "place": {"lon": east(number)[0], "lat": east(number)[1], "radius_m": RADIUS}}
        for number in range(points)
    ]  # fmt: skip
    return {"name": "滨江步道", "points": given, **changed}


def east(number: int) -> tuple[float, float]:
    lon, lat, _ = GEOD.fwd(LON, LAT, 90, 1000 * number)
    return round(lon, 7), round(lat, 7)


def publish(ledger, by=None, now=NOW, **changed: object) -> Trail:
    wanted = msgspec.convert(a_trail(**changed), NewTrail)
    by = by or someone(ledger, "dispatcher")
    return ledger.publish_trail(by, wanted, {}, uuid4(), now).trail


def at(trail: Trail, number: int = 0, metres: float = 0.0, **more: object) -> dict:
    """A check-in so many metres north of a point."""
    lon, lat, _ = GEOD.fwd(*east(number), 0, metres)
    place = {"lon": lon, "lat": lat, **more}
    return {"trail_id": str(trail.trail_id), "point_id": f"p{number}", "place": place}


def scan(trail: Trail, number: int = 0, code: str | None = None) -> dict:
    code = f"{CODE}-{number}" if code is None else code
    return {"trail_id": str(trail.trail_id), "point_id": f"p{number}", "code": code}


def check_in(ledger, who, body: dict, now=NOW, **sent: object):
    return contribute(ledger, "check_in", who, body, now, **sent)


def told(receipt) -> tuple:
    return receipt.state, receipt.coins, receipt.rule, receipt.reasons


def findings(ledger) -> list[str]:
    return [one.code for one in audit(rows_of(ledger))]


def rejected(*reasons: str) -> tuple:
    """What a check-in comes to that is rejected for these."""
    return "rejected", 0, "check_in.assessment", reasons


def walk_in_every_way(ledger) -> None:
    """A trail that is checked in along, paused, resumed and closed."""
    officer = someone(ledger, "dispatcher")
    trail, who = publish(ledger, officer, points=1), someone(ledger)
    check_in(ledger, who, at(trail))
    ledger.pause_trail(officer, trail.trail_id, "weather", {}, uuid4(), NOW)
    check_in(ledger, who, scan(trail))
    ledger.resume_trail(officer, trail.trail_id, {}, uuid4(), NOW)
    ledger.close_trail(officer, trail.trail_id, {}, uuid4(), NOW)
