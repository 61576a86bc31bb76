"""Trails through the service: published, paused, resumed, closed, and checked in along."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.api.market import refused
from tests.ledger.trailing import CODE, a_trail, east

one_database = pytest.mark.parametrize("environ", ["sqlite"], indirect=True)


def publish(officer, **changed) -> dict:
    made = officer.submit("/v1/trails", a_trail(**changed))
    assert made.status_code == 201, made.json
    return made.json


def here(trail: dict, number: int = 0) -> dict:
    lon, lat = east(number)
    return {"trail_id": trail["id"], "point_id": f"p{number}", "place": {"lon": lon, "lat": lat}}


def test_a_trail_is_published_and_shown(caller):
    """Everybody sees its points and days; who manages it sees what can be done with it."""
    officer, citizen = caller("dispatcher", "110"), caller()
    trail = publish(officer, points=2, starts_on="2026-01-01", finish_at=1)
    assert (trail["state"], trail["district"], trail["order"]) == ("open", "110", "any")
    assert (trail["finish_at"], trail["starts_on"]) == (1, "2026-01-01")
    lon, lat = east(1)
    assert trail["points"][1] == {
        "id": "p1", "name": "第 2 点", "code": True,
        "place": {"lon": lon, "lat": lat, "radius_m": 100},
    }  # fmt: skip
    assert trail["allowed_actions"] == ["pause", "close"]
    assert trail.pop("position") > 0
    assert trail.pop("codes") == {}
    elsewhere = caller("admin", "120")
    for who, actions in ((officer, ["pause", "close"]), (citizen, []), (elsewhere, [])):
        shown = who.get(f"/v1/trails/{trail['id']}").json
        assert shown == trail | {"allowed_actions": actions}
        assert who.get("/v1/trails").json["items"] == [shown]
    assert refused(citizen.get(f"/v1/trails/{uuid4()}"), 404, "not_found")


def test_check_ins_earn_until_the_weather_turns(caller):
    """Published with a check-in paid; paused it is rejected with its reason; resumed paid again."""
    officer, citizen, other = caller("reward_officer"), caller(), caller()
    trail = publish(officer)
    path = f"/v1/trails/{trail['id']}"
    paid = citizen.submit("/v1/check-ins", here(trail))
    assert (paid.status_code, paid.json["coins"], paid.json["rule"]) == (201, 1, "check_in.point")
    paused = officer.submit(f"{path}/pause", {"reason": "weather"})
    assert (paused.json["state"], paused.json["paused_for"]) == ("paused", "weather")
    assert paused.json["allowed_actions"] == ["resume", "close"]
    rejected = citizen.submit("/v1/check-ins", here(trail, 1))
    assert (rejected.status_code, rejected.json["verdict"]) == (201, "rejected")
    assert [one["code"] for one in rejected.json["reasons"]] == ["trail_paused"]
    assert officer.submit(f"{path}/resume", {}).json["state"] == "open"
    assert citizen.submit("/v1/check-ins", here(trail, 1)).json["coins"] == 1
    closed = officer.submit(f"{path}/close", {}).json
    assert (closed["state"], closed["allowed_actions"]) == ("closed", [])
    late = other.submit("/v1/check-ins", here(trail)).json
    assert [one["code"] for one in late["reasons"]] == ["trail_closed"]


def test_check_ins_come_by_sync(caller, clock):
    """A morning without signal, sent in one parcel: every point of the trail, and the finish."""
    officer, citizen = caller("dispatcher"), caller()
    trail = publish(officer)
    clock.ahead = timedelta(hours=2)
    items = [
        {"kind": "check_in", "device_seq": number + 1,
         "recorded_at": (clock() - timedelta(minutes=30 - number)).isoformat(),
         "body": {"submission_id": str(uuid4()), **here(trail, number)}}
        for number in range(3)
    ]  # fmt: skip
    parcel = {"device_id": "phone", "sent_at": clock().isoformat(), "items": items}
    for status in ("created", "replayed"):
        results = citizen.post("/v1/sync", parcel).json["results"]
        assert [one["status"] for one in results] == [status] * 3
    again = citizen.submit("/v1/check-ins", here(trail)).json
    assert (again["balance"], [one["code"] for one in again["reasons"]]) == (
        13, ["already_checked_in"],
    )  # fmt: skip


def test_codes_are_told_once_and_kept_by_nobody(caller, services):
    """A code that was made is in the answer to publishing alone; the log has its SHA-256."""
    officer, citizen, sent = caller("dispatcher"), caller(), uuid4()
    points = [{"name": "桥", "make_code": True}, {"name": "亭", "code": CODE}]
    first = officer.submit("/v1/trails", a_trail(points), sent)
    code, (made, given) = first.json["codes"]["1"], first.json["points"]
    assert first.json["codes"] == {"1": code}
    assert (made["code"], given["code"], len(code)) == (True, True, 19)
    again = officer.submit("/v1/trails", a_trail(points), sent)
    assert (again.status_code, again.data) == (200, first.data)
    path = f"/v1/trails/{first.json['id']}"
    shown = [officer.get(path), officer.get("/v1/trails"), officer.submit(f"{path}/close", {})]
    assert officer.submit("/v1/trails", a_trail(points), sent).data == first.data
    states = [row.state for row in services.ledger.rows()]
    for text in (code, CODE):
        assert not any(text.encode() in one.data for one in shown)
        assert not any(text.encode() in state for state in states)
    assert CODE not in first.text
    assert any(sha256_of(code).encode() in state for state in states)
    other = publish(officer, points=points)
    assert other["codes"]["1"] != code
    body = {"trail_id": other["id"], "point_id": "1", "code": other["codes"]["1"].lower()}
    assert citizen.submit("/v1/check-ins", body).json["verdict"] == "valid"
    wrong = caller().submit("/v1/check-ins", {**body, "code": code}).json
    assert [one["code"] for one in wrong["reasons"]] == ["wrong_code"]


def sha256_of(code: str) -> str:
    plain = code.replace("-", "").translate(str.maketrans("OIL", "011"))
    return hashlib.sha256(plain.encode()).hexdigest()


def test_the_list_pages_and_is_a_districts(caller):
    """Newest first, each once; closed ones and those of other districts are left out if asked."""
    officer = caller("dispatcher")
    made = [publish(officer, district=place)["id"] for place in ("100", "110", "120", None, "110")]
    officer.submit(f"/v1/trails/{made[4]}/close", {})
    path, seen = "/v1/trails?limit=2", []
    while path:
        answer = caller().get(path)
        seen += [one["id"] for one in answer.json["items"]]
        path = answer.headers.get("Link", "").removeprefix("<").partition(">")[0]
    assert seen == made[3::-1]
    there = [one["id"] for one in officer.get("/v1/trails?district=110&open=false").json["items"]]
    assert there == [made[4], made[3], made[1], made[0]]
    assert refused(officer.get("/v1/trails?district=999"), 422, "unknown_district")


def test_the_same_command_again_is_the_same_answer(caller, services):
    """Every command on trails repeats to its first answer, and conflicts with another body."""
    officer = caller("dispatcher")
    trail = publish(officer)
    path = f"/v1/trails/{trail['id']}"
    for address, body, other in (
        ("/v1/trails", a_trail(), a_trail(2)),
        (f"{path}/pause", {"reason": "weather"}, {"reason": "works"}),
        (f"{path}/resume", {}, None),
        (f"{path}/close", {}, None),
    ):
        sent = uuid4()
        first = officer.submit(address, body, sent)
        head = services.ledger.head()
        again = officer.submit(address, body, sent)
        assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
        assert again.headers["Idempotent-Replay"] == "true"
        if other is not None:
            assert refused(officer.submit(address, other, sent), 409, "submission_conflict")
        assert services.ledger.head() == head


def test_what_a_trail_cannot_do_is_a_409(caller, services):
    """Paused twice, resumed while open, changed once closed: refused, and nothing is written."""
    officer = caller("dispatcher")
    path = f"/v1/trails/{publish(officer)['id']}"
    pause, resume = (f"{path}/pause", {"reason": "weather"}), (f"{path}/resume", {})
    assert refused(officer.submit(*resume), 409, "trail_not_paused")
    officer.submit(*pause)
    head = services.ledger.head()
    assert refused(officer.submit(*pause), 409, "trail_already_paused")
    assert services.ledger.head() == head
    closed = officer.submit(f"{path}/close", {})
    assert (closed.json["state"], closed.json["paused_for"]) == ("closed", None)
    head = services.ledger.head()
    for address, body in (pause, resume, (f"{path}/close", {})):
        assert refused(officer.submit(address, body), 409, "trail_is_closed")
    assert services.ledger.head() == head


def test_trails_are_managed_within_ones_own_district(caller, services):
    """Of elsewhere or of the whole city they are seen, but neither changed nor published."""
    town, other, citizen = caller("dispatcher", "110"), caller("dispatcher", "120"), caller()
    mine = f"/v1/trails/{publish(town)['id']}"
    everybodys = f"/v1/trails/{publish(caller('admin'))['id']}"
    head = services.ledger.head()
    elsewhere, unknown = (403, "trail_elsewhere"), (404, "not_found")
    for who, path, said in (
        (other, mine, elsewhere), (town, everybodys, elsewhere),
        (town, f"/v1/trails/{uuid4()}", unknown),
    ):  # fmt: skip
        for action, body in (("pause", {"reason": "weather"}), ("resume", {}), ("close", {})):
            assert refused(who.submit(f"{path}/{action}", body), *said)
    assert refused(other.submit("/v1/trails", a_trail(district="110")), 403, "forbidden")
    assert refused(citizen.submit("/v1/trails", a_trail()), 403, "forbidden")
    assert refused(citizen.submit(f"{mine}/close", {}), 403, "forbidden")
    assert services.ledger.head() == head


PLACE = {"lon": 122.1, "lat": 30.0, "radius_m": 50}
WRONG = {
    "no name": ({"name": ""}, "name", "too_short"),
    "no points": ({"points": []}, "points", "too_short"),
    "too many points": ({"points": [{"name": "点", "place": PLACE}] * 61}, "points", "too_long"),
    "another order": ({"order": "random"}, "order", "not_one_of"),
    "finish beyond the points": ({"finish_at": 4}, "finish_at", "out_of_range"),
    "finish at none": ({"finish_at": 0}, "finish_at", "out_of_range"),
    "ends before it starts": (
        {"starts_on": "2026-05-02", "ends_on": "2026-05-01"}, "ends_on", "out_of_range",
    ),
    "unknown district": ({"district": "999"}, "district", "unknown_district"),
    "unknown field": ({"prize": 1}, "prize", "unknown_field"),
    "no way to check in": ({"points": [{"name": "点"}]}, "points[0]", "no_way_to_check_in"),
    "no radius": (
        {"points": [{"name": "点", "place": {"lon": 1, "lat": 1}}]}, "points[0].place", "malformed",
    ),
    "huge radius": (
        {"points": [{"name": "点", "place": PLACE | {"radius_m": 1001}}]},
        "points[0].place.radius_m", "out_of_range",
    ),
    "swapped coordinates": (
        {"points": [{"name": "点", "place": PLACE | {"lon": 30.0, "lat": 122.1}}]},
        "points[0].place.lat", "out_of_range",
    ),
    "short code": ({"points": [{"name": "点", "code": "12345"}]}, "points[0].code", "too_short"),
    "twelve dashes": (
        {"points": [{"name": "点", "code": "-" * 12}]}, "points[0].code", "too_short",
    ),
    "eleven characters and a dash": (
        {"points": [{"name": "点", "code": "abcdefghijk-"}]}, "points[0].code", "too_short",
    ),
    "two ways to a code": (
        {"points": [{"name": "点", "code": CODE, "make_code": True}]},
        "points[0].make_code", "code_given",
    ),
    "one id twice": (
        {"points": [{"name": "点", "id": "2", "place": PLACE}, {"name": "点", "place": PLACE}]},
        "points[1].id", "duplicate",
    ),
    "one code twice": (
        {"points": [{"name": "点", "code": CODE}, {"name": "点", "code": CODE.upper()}]},
        "points[1].code", "duplicate",
    ),
}  # fmt: skip


@one_database
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_trail_is_refused_whole(case, caller, services):
    """A trail with anything wrong is a 422 naming the field, and nothing is written."""
    changed, path, code = WRONG[case]
    officer = caller("dispatcher")
    head = services.ledger.head()
    answer = officer.submit("/v1/trails", {**a_trail(), **changed})
    assert answer.status_code == 422, answer.json
    assert (path, code) in [(one["path"], one["code"]) for one in answer.json["errors"]]
    assert services.ledger.head() == head


@one_database
def test_a_pause_says_why(caller):
    """A pause without a reason, or with one that is none, is a 422."""
    officer = caller("dispatcher")
    path = f"/v1/trails/{publish(officer)['id']}/pause"
    for body, code in (({}, "required"), ({"reason": "mood"}, "not_one_of")):
        answer = officer.submit(path, body)
        assert refused(answer, 422, "invalid_input")
        assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [("reason", code)]


@one_database
def test_a_wrong_check_in_is_refused(caller, services):
    """No such trail or point, no proof, or a place off the earth: 422, and nothing is written."""
    trail, citizen = publish(caller("dispatcher")), caller()
    head = services.ledger.head()
    for changed, path, code in (
        ({"trail_id": str(uuid4())}, "trail_id", "unknown_trail"),
        ({"trail_id": "x"}, "trail_id", "malformed_uuid"),
        ({"point_id": "p9"}, "point_id", "unknown_point"),
        ({"code": CODE}, "place", "place_or_code"),
        ({"place": {"lon": 181, "lat": 0}}, "place.lon", "out_of_range"),
        ({"recorded_at": "2026-05-20T12:00:00"}, "recorded_at", "no_offset"),
    ):
        answer = citizen.submit("/v1/check-ins", {**here(trail), **changed})
        assert answer.status_code == 422
        assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [(path, code)]
    assert services.ledger.head() == head
