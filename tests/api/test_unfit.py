"""What JSON can write and no text or number can be: told at its field, and of nothing else."""

from __future__ import annotations

import json
from io import BytesIO
from uuid import uuid4

import pytest

from api.app import BODY_BYTES_MAX
from tests.api.campaigning import Campaigning, statuses

# A report's member as JSON writes it, and where and what it is told to be.
UNFIT = {
    "half a character": (b'"text": "a\\ud83d"', "text", "broken_text"),
    "the other half": (b'"text": "\\ude00"', "text", "broken_text"),
    "a half where one may choose": (b'"category": "\\ud83d"', "category", "broken_text"),
    "a half in a name": (b'"te\\ud83dxt": 1', "te?xt", "unknown_field"),
    "a half in a list": (b'"photos": ["\\ud83d"]', "photos[0]", "malformed"),
    "beyond a double": (b'"place": {"lat": 1e400, "lon": 1}', "place.lat", "out_of_range"),
    "without a bound": (b'"place": {"lat": 1, "lon": 1, "accuracy": 1e400}', "place.accuracy",
                        "out_of_range"),
    "NaN": (b'"place": {"lat": NaN, "lon": 1}', "place.lat", "out_of_range"),
    "a million digits": (b'"text": ' + b"9" * 1_000_000, "text", "wrong_type"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_no_text_or_number_can_be_is_told_with_its_place(case, app, caller, services):
    """Half an emoji, NaN and a number beyond range are a 422 at their field, in JSON that reads."""
    member, path, code = UNFIT[case]
    content = b'{"submission_id": "%s", %s, "category": "litter"}' % (
        str(uuid4()).encode(), member
    )  # fmt: skip
    if b'"category"' in member:
        content = content.replace(b', "category": "litter"', b"")
    citizen, head = caller(), services.ledger.head()
    answer = app.test_client().post(
        "/v1/reports", data=content, headers=citizen.headers, content_type="application/json"
    )
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input"), answer.json
    assert (path, code) in [(one["path"], one["code"]) for one in answer.json["errors"]]
    assert services.ledger.head() == head


def test_one_bad_text_spoils_no_other_item(services, caller, app):
    """Half an emoji, NaN or a number beyond range is told at its field, and the rest lands."""
    campaign = Campaigning(services, caller)
    good, other = (campaign.item(n, **campaign.visit(f"A{n}")) for n in (1, 2))
    bad = [
        campaign.item(3, **campaign.visit("A3", remark="你好\ud83d")),
        campaign.item(4, **campaign.visit("A4", place={"lat": float("nan"), "lon": 1.0})),
        campaign.item(5, **campaign.visit("A5", place={"lat": 12345.0, "lon": 1.0})),
        campaign.item(6, **campaign.visit("A6", answers={"wat\ud83der": "good"})),
        {**campaign.item(7, **campaign.visit("A7")), "kind": "\ud83d"},
        {**campaign.item(8, **campaign.visit("A7")), "device_seq": "\ud83d"},
        {**campaign.item(9, **campaign.visit("A7")), "no\ud83d": 1},
    ]
    text = json.dumps({
        "device_id": "d1", "sent_at": campaign.services.clock().isoformat(),
        "items": [good, *bad, other],
    }).replace("12345.0", "1e400")  # fmt: skip
    answer = app.test_client().post(
        "/v1/sync", data=text, headers=campaign.worker.headers, content_type="application/json"
    )
    assert statuses(answer) == ["created", *["invalid"] * 7, "created"]
    told = [(one["errors"][0]["path"], one["errors"][0]["code"])
            for one in answer.json["results"][1:-1]]  # fmt: skip
    assert told == [
        ("body.remark", "broken_text"), ("body.place.lat", "out_of_range"),
        ("body.place.lat", "out_of_range"), ("body.answers", "broken_text"),
        ("kind", "broken_text"), ("device_seq", "broken_text"), ("no?", "unknown_field"),
    ]  # fmt: skip
    ids = [one["submission_id"] for one in answer.json["results"]]
    assert ids == [one["body"]["submission_id"] for one in (good, *bad, other)]
    # What was recorded beside it is the same content in a parcel that is whole.
    assert statuses(campaign.sync(good, other)) == ["replayed"] * 2


@pytest.mark.parametrize("sent", ["json", "photo"])
def test_a_body_that_does_not_say_its_length_is_no_longer_than_others(sent, app, caller, services):
    """Sent in chunks it is told to be too large, and never taken for what is left of it."""
    citizen, head = caller(), services.ledger.head()
    if sent == "json":
        content = json.dumps({"submission_id": str(uuid4()), "category": "litter"}).encode()
        method, path = "POST", "/v1/reports"
    else:
        content = b"\xff\xd8\xff\xe0"
        method, path = "PUT", f"/v1/contributions/{uuid4()}/photos/{'0' * 64}"
    answer = app.test_client().open(
        path, method=method, input_stream=BytesIO(content + b" " * BODY_BYTES_MAX),
        headers=citizen.headers, content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )  # fmt: skip
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large"), answer.json
    assert services.ledger.head() == head
