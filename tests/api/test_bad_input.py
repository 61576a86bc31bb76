"""Bad input: one clear answer with a stable code, and nothing half-written."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.api.market import an_offer
from tests.ledger.examples import a_walk
from tests.ledger.trailing import a_trail

MINUTE = timedelta(minutes=1)


def a_patrol() -> dict:
    return a_walk(1200, 1800, datetime.now(UTC) - MINUTE)


def with_track(**changed: object) -> dict:
    body = a_patrol()
    body["track"].update(changed)
    return body


def in_the_future() -> dict:
    return a_walk(1200, 1800, datetime.now(UTC) + 6 * MINUTE)


def many(points: int) -> dict:
    return with_track(coordinates=[[112.1, 32.68]] * points, times=None)


def backwards() -> dict:
    body = a_patrol()
    body["track"]["times"].reverse()
    return body


def swapped() -> dict:
    body = a_patrol()
    body["track"]["coordinates"] = [[lat, lon] for lon, lat in body["track"]["coordinates"]]
    return body


def naive() -> dict:
    return a_patrol() | {"device": {"recorded_at": "2026-05-01T08:00:00"}}


# A body, the code of the answer, and the path and code of one of its errors.
WRONG = {
    "unknown reach": (lambda: a_patrol() | {"reach_id": str(uuid4())},
                      "unknown_reach", ("reach_id", "unknown_reach")),
    "reach that is no id": (lambda: a_patrol() | {"reach_id": "x"},
                            "unknown_reach", ("reach_id", "unknown_reach")),
    "coordinates swapped": (swapped, "invalid_input",
                            ("track.coordinates[0]", "coordinates_swapped")),
    "coordinates out of range": (lambda: with_track(coordinates=[[200, 95]] * 61), "invalid_input",
                                 ("track.coordinates[0]", "out_of_range")),
    "lengths differ": (lambda: with_track(coordinates=[[112.1, 32.68]] * 5), "invalid_input",
                       ("track.times", "length_mismatch")),
    "times run backwards": (backwards, "invalid_input", ("track.times[1]", "not_increasing")),
    "20,001 points": (lambda: many(20_001), "invalid_input",
                      ("track.coordinates", "too_many_points")),
    "unknown field": (lambda: a_patrol() | {"colour": "green"}, "invalid_input",
                      ("colour", "unknown_field")),
    "unknown field inside": (lambda: with_track(colour="green"), "invalid_input",
                             ("track.colour", "unknown_field")),
    "missing field": (lambda: {"crs": "wgs84"}, "invalid_input", ("track", "required")),
    "wrong type": (lambda: with_track(coordinates=[[112.1, "x"]]), "invalid_input",
                   ("track.coordinates[0][1]", "wrong_type")),
    "object expected": (lambda: {"crs": "wgs84", "track": []}, "invalid_input",
                        ("track", "wrong_type")),
    "null": (lambda: {"crs": None, "track": None}, "invalid_input", ("track", "wrong_type")),
    "not one of": (lambda: a_patrol() | {"crs": "bd09"}, "invalid_input", ("crs", "not_one_of")),
    "no time": (lambda: with_track(times=["yesterday"] * 61), "invalid_input",
                ("track.times[0]", "malformed_time")),
    "time without offset": (naive, "invalid_input", ("device.recorded_at", "no_offset")),
    "too many photos": (lambda: a_patrol() | {"photos": ["0" * 64] * 21}, "invalid_input",
                        ("photos", "too_long")),
    "photo that is no hash": (lambda: a_patrol() | {"photos": ["x"]}, "invalid_input",
                              ("photos[0]", "malformed")),
    "number out of range": (lambda: a_patrol() | {"device": {"seq": -1}}, "invalid_input",
                            ("device.seq", "out_of_range")),
    "future time": (in_the_future, "future_time", ("track.times[60]", "future_time")),
}  # fmt: skip


# A body, the path of its error, and both sentences of it.
SAID = {
    "object": (lambda: {"crs": "wgs84", "track": "x"}, "track",
               "类型不对，应为 JSON 对象。", "Of the wrong type; it should be an object."),
    "text": (lambda: a_patrol() | {"reach_id": 7}, "reach_id",
             "类型不对，应为文字或空值。", "Of the wrong type; it should be text or null."),
    "number": (lambda: with_track(coordinates=[[112.1, "x"]]), "track.coordinates[0][1]",
               "类型不对，应为数字。", "Of the wrong type; it should be a number."),
    "bound": (lambda: a_patrol() | {"device": {"seq": -1}}, "device.seq",
              "超出允许的范围，应不小于 0。", "Out of range: it must be at least 0."),
    "items": (lambda: a_patrol() | {"photos": ["0" * 64] * 21}, "photos",
              "过长，最多 20 项。", "Too long; at most 20 items."),
    "pair": (lambda: with_track(coordinates=[[1, 2, 3]]), "track.coordinates[0]",
             "应正好有 2 项。", "It must have exactly 2 items."),
    "choice": (lambda: a_patrol() | {"crs": "bd09"}, "crs",
               "不是允许的取值，请从以下各项中选择：wgs84、gcj02。",
               "Choose one of: wgs84, gcj02."),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_a_complaint_says_what_is_expected(case, caller):
    """Type, bound, length with its unit and choice are named in Chinese and in English."""
    make, path, zh, en = SAID[case]
    answer = caller().submit("/v1/patrols", make())
    assert (path, zh, en) in [(one["path"], one["zh"], one["en"]) for one in answer.json["errors"]]


@pytest.mark.parametrize("number", ["13812345678", "张三 13812345678", "１３８１２３４５"])
def test_no_telephone_number_gets_into_the_log_as_a_name(number, caller, services):
    """Names of campaigns, trails, their points, offers and accounts are read by all, for ever."""
    officer, head = caller("reward_officer"), services.ledger.head()
    keeper = str(officer.id)
    for path, where, body in (
        ("campaigns", "name", {"name": number}),
        ("trails", "name", a_trail(name=number)),
        ("trails", "points[0].name", a_trail([{"name": number, "make_code": True}])),
        ("catalogue", "name", an_offer(name=number)),
        ("catalogue", "pick_up_points[0]", an_offer(pick_up_points=[number])),
        ("accounts", "name", {"kind": "team", "name": number, "keeper": keeper}),
    ):
        answer = officer.submit(f"/v1/{path}", body)
        (error,) = answer.json["errors"]
        assert (error["path"], error["code"]) == (where, "malformed")
        assert "电话号码" in error["zh"]
    assert services.ledger.head() == head
    assert officer.submit("/v1/campaigns", {"name": "2026 年 11 月 123456"}).status_code == 201


def test_an_empty_text_is_told_in_characters(caller):
    """The unit of a text's length is the character; of what may be chosen every value is listed."""
    answer = caller().submit("/v1/reports", {"category": "litter", "text": ""})
    assert [one["zh"] for one in answer.json["errors"]] == ["过短，至少 1 个字符。"]
    answer = caller("registrar").submit("/v1/participants", {"role": "citizen", "consents": ["x"]})
    (error,) = answer.json["errors"]
    assert error["path"] == "consents[0]"
    assert error["zh"].endswith("：track、board、photo。")


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_patrol_is_refused_whole(case, caller, services):
    """A patrol with anything wrong gets a 422 naming the field, and the log stays as it was."""
    make, code, error = WRONG[case]
    citizen = caller()
    head = services.ledger.head()
    answer = citizen.submit("/v1/patrols", make())
    assert answer.status_code == 422, answer.json
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == code
    assert error in [(one["path"], one["code"]) for one in answer.json["errors"]]
    assert all(one["zh"] and one["en"] for one in answer.json["errors"])
    assert services.ledger.head() == head


BROKEN = {
    "not JSON": (b"{", "malformed_json"),
    "no object": (b"[]", "malformed_json"),
    "empty": (b"", "malformed_json"),
    "deep": (b"[" * 100_000, "malformed_json"),
    "deep behind half a character": (b'["\\ud800",' + b"[" * 100_000, "malformed_json"),
    "not UTF-8": (b'{"crs": "\xff"}', "malformed_json"),
    "not UTF-8 beside half a character": (b'{"crs": "\\ud800", "a": "\xff"}', "malformed_json"),
    "half an escape": (b'{"crs": "\\ud8"}', "malformed_json"),
    "a line break in a text": (b'{"crs": "\n"}', "malformed_json"),
    "no submission_id": (b"{}", "missing_submission_id"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_body_is_a_400(case, app, caller, services):
    """A body that is no JSON object, or has no submission_id, is a 400 with its own code."""
    content, code = BROKEN[case]
    citizen, head = caller(), services.ledger.head()
    answer = app.test_client().post(
        "/v1/patrols", data=content, headers=citizen.headers, content_type="application/json"
    )
    assert (answer.status_code, answer.json["code"]) == (400, code)
    assert services.ledger.head() == head


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/me/consents", {"consent": "track", "given": True}),
        ("/v1/participants", {"role": "citizen"}),
        (f"/v1/reports/{UUID(int=1)}/verify", {"tier": 1}),
    ],
)
def test_every_post_needs_a_submission_id(path, body, caller, services):
    """Whatever is to be recorded, without submission_id it is a 400 of its own code."""
    role = {"/v1/participants": "registrar"}.get(path, "dispatcher")
    one, head = caller(role), services.ledger.head()
    answer = one.post(path, body)
    assert (answer.status_code, answer.json["code"]) == (400, "missing_submission_id")
    assert services.ledger.head() == head


def test_a_malformed_submission_id_is_a_422(caller):
    """submission_id that is no UUID is told as such, at its own path."""
    answer = caller().post("/v1/patrols", {**a_patrol(), "submission_id": "17"})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")
    assert answer.json["errors"][0]["path"] == "submission_id"
    assert answer.json["errors"][0]["code"] == "malformed_uuid"


def test_the_same_id_with_another_body_is_a_conflict(caller, services):
    """One submission_id stands for one content: another body is 409 and changes nothing."""
    citizen, submission = caller(), uuid4()
    body = a_patrol()
    assert citizen.submit("/v1/patrols", body, submission).status_code == 201
    head = services.ledger.head()
    other = deepcopy(body)
    other["track"]["coordinates"][3][1] += 0.0001
    answer = citizen.submit("/v1/patrols", other, submission)
    assert (answer.status_code, answer.json["code"]) == (409, "submission_conflict")
    assert services.ledger.head() == head


@pytest.mark.parametrize("size", [2 * 1024 * 1024 + 1, 5 * 1024 * 1024])
def test_a_body_over_two_mebibytes_is_a_413(size, app, caller):
    """A body over 2 MiB is refused by its size alone."""
    answer = app.test_client().post(
        "/v1/patrols", data=b" " * size, headers=caller().headers, content_type="application/json"
    )
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-Type": "text/xml"}, "unsupported_media_type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "unsupported_media_type"),
        ({"Content-Type": "application/json; charset=gbk"}, "unsupported_media_type"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, "unsupported_encoding"),
    ],
)
def test_only_plain_json_is_taken(headers, code, app, caller):
    """Other media types, other character sets and compressed bodies are a 415."""
    answer = app.test_client().post(
        "/v1/patrols", data=b"{}", headers={**caller().headers, **headers}
    )
    assert (answer.status_code, answer.json["code"]) == (415, code)


def test_an_unknown_address_and_a_wrong_method_are_problems_too(app):
    """404 and 405 come as problem+json, the latter with the methods there are."""
    client = app.test_client()
    missing, wrong = client.get("/v1/nothing"), client.delete("/v1/policy")
    assert (missing.status_code, missing.json["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json["code"]) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["Allow"]


def test_an_unknown_query_name_is_refused(caller):
    """A misspelt filter is an error, never silently everything."""
    answer = caller().get("/v1/patrols?limt=5")
    assert (answer.status_code, answer.json["errors"][0]["path"]) == (422, "limt")


@pytest.mark.parametrize("path", ["/v1/patrols", "/v1/wallets/me/statement", "/v1/reaches"])
def test_a_forged_cursor_is_refused(path, caller, follow):
    """A cursor that no list gave is told as such."""
    follow()
    answer = caller().get(f"{path}?cursor=Zm9yZ2Vk")
    assert (answer.status_code, answer.json["code"]) == (422, "bad_cursor")


def test_the_detail_is_in_the_language_asked_for(caller):
    """detail follows Accept-Language, Chinese by default; both languages are always there."""
    citizen = caller()
    chinese = citizen.get("/v1/patrols?limit=0").json
    english = citizen.get("/v1/patrols?limit=0", **{"Accept-Language": "en-GB,en;q=0.8"}).json
    assert chinese["detail"] == chinese["zh"] != english["detail"] == english["en"]


def test_a_surprise_is_a_500_without_a_word_of_it(app, caller, services, monkeypatch):
    """An unforeseen exception answers internal_error with a number, and no value or stack."""
    citizen = caller()
    monkeypatch.setattr(type(services.ledger), "participant", lambda *_: 1 / 0)
    answer = citizen.get("/v1/me")
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert answer.json["instance"].startswith("urn:uuid:")
    assert "division" not in answer.text
    assert "Traceback" not in answer.text
