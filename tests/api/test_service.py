"""What people do through the service: register, take part, look."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from ledger.store.leaf import leaf_hash
from tests.api.test_bad_input import MINUTE, a_patrol
from tests.ledger.examples import REACH_ID, a_report, a_walk


def test_a_patrol_is_paid_and_explained(caller, follow):
    """A good patrol is 201 with verdict, metrics, coins and the balance, which the wallet shows."""
    citizen = caller()
    made = citizen.submit("/v1/patrols", a_patrol())
    assert made.status_code == 201
    body = made.json
    assert (body["verdict"], body["coins"], body["balance"]) == ("valid", 9, 9)
    assert body["metrics"]["length_m"] == 1200
    assert (body["rule"], body["policy_version"]) == ("patrol.length", "2026-01")
    follow()
    wallet = citizen.get("/v1/wallets/me").json
    assert (wallet["participant_id"], wallet["available"]) == (str(citizen.id), 9)
    assert (wallet["held"], wallet["debt"], wallet["position"]) == (0, 0, body["position"])
    (lot,) = wallet["lots"]
    assert (lot["amount"], lot["cause"], lot["rule"]) == (9, body["id"], "patrol.length")
    (line,) = citizen.get("/v1/wallets/me/statement").json["items"]
    assert (line["amount"], line["total"], line["cause"]) == (9, 9, body["id"])


def test_a_rejected_patrol_says_why(caller, follow):
    """A patrol below the thresholds is recorded, earns nothing, and every reason has two texts."""
    citizen = caller()
    body = a_patrol()
    body["track"]["times"] = None
    made = citizen.submit("/v1/patrols", body)
    assert (made.status_code, made.json["verdict"], made.json["coins"]) == (201, "rejected", 0)
    assert made.json["reasons"]
    assert all(one["code"] and one["zh"] and one["en"] for one in made.json["reasons"])
    follow()
    one = citizen.get(f"/v1/patrols/{made.json['id']}").json
    assert (one["state"], one["reasons"]) == ("rejected", made.json["reasons"])


def test_the_same_again_is_the_same_answer(caller, services):
    """A repeated submission is 200, marked as a replay, byte for byte the first answer."""
    citizen, submission, body = caller(), uuid4(), a_patrol()
    first = citizen.submit("/v1/patrols", body, submission)
    head = services.ledger.head()
    again = citizen.submit("/v1/patrols", body, submission)
    assert (first.status_code, again.status_code) == (201, 200)
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.data == first.data
    assert services.ledger.head() == head


def test_another_persons_submission_id_shows_nothing(caller):
    """The same submission_id from somebody else is a submission of their own."""
    submission, body = uuid4(), a_report()
    one = caller().submit("/v1/reports", body, submission)
    other = caller().submit("/v1/reports", body, submission)
    assert (one.status_code, other.status_code) == (201, 201)
    assert one.json["id"] != other.json["id"]


def test_registration_gives_a_working_token_and_keeps_names_out(caller, services):
    """A registered person can act at once; name and phone are nowhere in the log."""
    registrar, submission = caller("registrar"), uuid4()
    person = {"role": "citizen", "district": "110", "alias": "河边的风", "name": "王小明",
              "phone": "13800000000", "consents": ["track", "board"]}  # fmt: skip
    made = registrar.submit("/v1/participants", person, submission)
    again = registrar.submit("/v1/participants", person, submission)
    assert (made.status_code, again.status_code, again.data) == (201, 200, made.data)
    someone = caller()
    someone.headers["Authorization"] = f"Bearer {made.json['token']}"
    me = someone.get("/v1/me").json
    assert (me["role"], me["district"], me["alias"]) == ("citizen", "110", "河边的风")
    assert me["consents"] == ["board", "track"]
    stored = b"".join(row.state for row in services.ledger.rows())
    for personal in ("王小明", "13800000000", "河边的风", made.json["token"]):
        assert personal.encode() not in stored


def test_boards_show_aliases_of_those_who_want_it(caller, follow):
    """Only who consented is on the board, under the alias; nobody's id is in the answer."""
    shy, proud = caller(), caller()
    for one, start in ((shy, 0), (proud, 3000)):
        walked = a_walk(1200, 1800, datetime.now(UTC) - MINUTE, start_m=start)
        assert one.submit("/v1/patrols", walked).json["coins"] == 9
    given = proud.submit("/v1/me/consents", {"consent": "board", "given": True, "alias": "白鹭"})
    assert given.status_code == 201
    follow()
    board = shy.get("/v1/leaderboards/all?period=all").json
    assert [(one["rank"], one["alias"], one["me"]) for one in board["entries"]] == [
        (1, "白鹭", False)
    ]
    assert str(proud.id) not in shy.get("/v1/leaderboards/all?period=all").text
    mine = proud.get("/v1/leaderboards/citizen?period=year&around=me").json
    assert mine["me"]["rank"] == 1
    assert proud.submit("/v1/me/consents", {"consent": "board", "given": False}).status_code == 201
    follow()
    assert shy.get("/v1/leaderboards/all?period=all").json["entries"] == []


def test_a_board_needs_a_period_and_a_name_that_exist(caller, follow):
    """Concrete periods are taken, nonsense is 422, an unknown board 404, or district 422."""
    follow()
    citizen = caller()
    good = ["2026-11-23", "2026-W48", "2026-11", "2026", "all", "week"]
    bad = ["2026-13", "2026-W60", "soon", "2026-02-30"]
    board = "/v1/leaderboards/all?period="
    assert {citizen.get(board + one).status_code for one in good} == {200}
    assert {citizen.get(board + one).status_code for one in bad} == {422}
    assert citizen.get("/v1/leaderboards/winners").status_code == 404
    assert citizen.get("/v1/leaderboards/all?district=999").json["code"] == "unknown_district"


def test_reading_ones_own_writes(caller, follow):
    """min_position waits, boundedly: 503 behind with Retry-After, 200 once the view is there."""
    citizen = caller()
    follow()
    position = citizen.submit("/v1/patrols", a_patrol()).json["position"]
    behind = citizen.get(f"/v1/wallets/me?min_position={position}")
    assert (behind.status_code, behind.json["code"]) == (503, "behind")
    assert behind.headers["Retry-After"]
    follow()
    assert citizen.get(f"/v1/wallets/me?min_position={position}").json["available"] == 9


def test_history_is_the_log_itself(caller, services):
    """Each entry carries what its leaf hash is made of, the stored bytes unchanged."""
    citizen, auditor = caller(), caller("auditor")
    made = citizen.submit("/v1/patrols", a_patrol()).json
    lines = auditor.get("/v1/history", Accept="application/x-ndjson").text.splitlines()
    entries = [msgspec.json.decode(line) for line in lines]
    assert [one["position"] for one in entries] == list(range(1, services.ledger.head() + 1))
    for one, row in zip(entries, services.ledger.rows(), strict=True):
        assert one["leaf_hash"] == leaf_hash(one).hex() == row.leaf_hash.hex()
        assert row.state in lines[one["position"] - 1].encode()
        assert one["sentence"]["zh"]
        assert one["sentence"]["en"]
        assert datetime.fromisoformat(one["recorded_at"]).tzinfo is not None
    of_one = auditor.get(f"/v1/history/{made['id']}").json["items"]
    assert [one["topic"] for one in of_one] == ["patrol.recorded", "patrol.assessed"]
    page = auditor.get("/v1/history?limit=3&after=1")
    assert [one["position"] for one in page.json["items"]] == [2, 3, 4]
    assert "after=4" in page.headers["Link"]


def test_policy_and_reaches_are_there_to_read(caller):
    """The policy in force, no policy before the first, the reaches and one as GeoJSON."""
    citizen = caller()
    assert citizen.get("/v1/policy").json["caps"] == {"day": 45, "month": 1350}
    assert citizen.get("/v1/policy?as_of=1999-01-01").status_code == 404
    (reach,) = citizen.get("/v1/reaches").json["items"]
    assert reach["reach_id"] == str(REACH_ID)
    feature = citizen.get(f"/v1/reaches/{REACH_ID}")
    assert feature.content_type == "application/geo+json"
    assert feature.json["geometry"]["type"] == "MultiLineString"
    assert citizen.get(f"/v1/reaches/{uuid4()}").status_code == 404


def test_personal_answers_are_kept_by_nobody(caller, follow):
    """Answers to a token carry no-store and the security headers."""
    follow()
    headers = caller().get("/v1/wallets/me").headers
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
