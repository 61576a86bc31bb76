"""Contributions through the service: reviewed, listed, and told the same way everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from marshmallow import fields

from api.answers import Contribution
from api.schemas import schema_of
from ledger.contributions import BY_KIND
from tests.api.campaigning import Campaigning, made
from tests.api.test_bad_input import a_patrol
from tests.ledger.examples import a_report, a_visit


def test_a_report_waits_and_is_paid_once_verified(caller, follow):
    """A report waits in its district's list, a reviewer finds it true, and the coins come."""
    owner, handler = caller("citizen", "110"), caller("handler", "110")
    made = owner.submit("/v1/reports", a_report())
    assert (made.json["state"], made.json["coins"]) == ("pending", 0)
    follow()
    (waiting,) = handler.get("/v1/reports?state=waiting").json["items"]
    assert (waiting["id"], waiting["allowed_actions"]) == (made.json["id"], ["verify", "refuse"])
    assert "participant_id" not in waiting
    assert caller("handler", "120").get("/v1/reports?state=waiting").json["items"] == []
    assert owner.get("/v1/reports?state=waiting").status_code == 403
    path, submission = f"/v1/reports/{made.json['id']}", uuid4()
    verified = handler.submit(f"{path}/verify", {"tier": 2}, submission)
    assert (verified.status_code, verified.json["state"]) == (201, "verified")
    assert (verified.json["coins"], verified.json["rule"]) == (30, "report.tier-2")
    again = handler.submit(f"{path}/verify", {"tier": 2}, submission)
    assert (again.status_code, again.data) == (200, verified.data)
    late = handler.submit(f"{path}/refuse", {"reason": "x"})
    assert (late.status_code, late.json["code"]) == (409, "already_decided")
    follow()
    (mine,) = owner.get("/v1/reports").json["items"]
    assert (mine["state"], mine["coins"], mine["allowed_actions"]) == ("verified", 30, [])


def test_a_visit_may_be_refused_for_a_reason_code(caller):
    """A dispatcher refuses a visit; no coins, and the reason code says a reviewer did."""
    worker = caller("grid_worker", "110")
    made = worker.submit("/v1/visits", a_visit()).json
    path = f"/v1/visits/{made['id']}/refuse"
    refused = caller("dispatcher", "110").submit(path, {"reason": "查无此户"})
    assert (refused.status_code, refused.json["state"]) == (201, "refused")
    assert [one["code"] for one in refused.json["reasons"]] == ["refused_by_reviewer"]
    assert refused.json["coins"] == 0


def test_a_refusal_can_be_read_by_whom_it_concerns(caller, follow, services, erase):
    """A reviewer's words reach owner, auditor and reviewers, not the log; erased, they are null."""
    owner, handler = caller("citizen", "110"), caller("handler", "110")
    path = f"/v1/reports/{owner.submit('/v1/reports', a_report()).json['id']}"
    handler.submit(f"{path}/refuse", {"reason": "照片看不清"})
    follow()
    assert owner.get("/v1/reports").json["items"][0]["review_reason"] == "照片看不清"
    for one in (owner, handler, caller("auditor")):
        assert one.get(path).json["review_reason"] == "照片看不清"
    assert caller("handler", "120").get(path).status_code == 404
    assert "照片看不清".encode() not in b"".join(row.state for row in services.ledger.rows())
    erase(owner.id)
    answer = owner.get(path)
    assert (answer.status_code, answer.json["review_reason"]) == (200, None)


@pytest.mark.parametrize("path", ["/v1/patrols", "/v1/reports", "/v1/visits"])
def test_a_contribution_has_one_shape(path, caller, follow):
    """Listed and by itself a contribution is the same, every documented field with it."""
    body = {"/v1/patrols": a_patrol, "/v1/reports": a_report, "/v1/visits": a_visit}[path]()
    one = caller("grid_worker", "110")
    made = one.submit(path, body).json
    follow()
    (listed,) = one.get(path).json["items"]
    assert listed == one.get(f"{path}/{made['id']}").json
    assert set(listed) == {*Contribution.__struct_fields__, "headline"}
    assert (listed["role"], listed["review_reason"]) == ("grid_worker", None)
    assert listed["recorded_at"].endswith("Z")
    shared = ("id", "state", "verdict", "reasons", "coins", "rule", "policy_version",
              "allowed_actions")  # fmt: skip
    assert {name: listed[name] for name in shared} == {name: made[name] for name in shared}


def test_a_list_tells_one_contribution_from_another(services, caller, follow, app):
    """A row says which household, campaign and outcome, as edited, and the OpenAPI says so too."""
    campaign = Campaigning(services, caller)
    body = campaign.visit("A1", "nobody_home", recorded_at=campaign.services.clock().isoformat())
    visit = made(campaign.worker, body)
    change = {"replaces": 1, "outcome": "refused", "remark": "门前有狗"}
    assert campaign.worker.submit(f"/v1/visits/{visit}/edit", change).status_code == 201
    campaign.worker.submit("/v1/reports", a_report())
    follow()
    (row,) = campaign.dispatcher.get("/v1/visits?state=waiting").json["items"]
    told = row["headline"]
    assert (told["household"], told["campaign_id"], told["grid"]) == ("A1", campaign.id, "111")
    assert (told["outcome"], told["follow_up_on"]) == ("refused", None)
    assert datetime.fromisoformat(told["claimed_at"]) < campaign.services.clock()
    (report,) = campaign.dispatcher.get("/v1/reports?state=waiting").json["items"]
    assert report["headline"] == {"category": "litter", "reach_id": None}
    schemas = app.test_client().get("/openapi.json").json["components"]["schemas"]
    assert set(schemas["VisitHeadline"]["properties"]) == set(told)
    assert "VisitItem" in str(schemas["VisitPage"])


def test_what_waits_is_listed_by_its_state_too(caller, follow):
    """pending and review are lists of their own, waiting is both, and none of them is one's own."""
    citizen, dispatcher = caller("citizen", "110"), caller("dispatcher", "110")
    odd = citizen.submit("/v1/patrols", a_patrol() | {"device": {"mocked": True}}).json["id"]
    new = citizen.submit("/v1/reports", a_report()).json["id"]
    follow()

    def listed(path: str, state: str) -> list[str]:
        return [one["id"] for one in dispatcher.get(f"{path}?state={state}").json["items"]]

    states = ("waiting", "review", "pending")
    assert [listed("/v1/patrols", one) for one in states] == [[odd], [odd], []]
    assert [listed("/v1/reports", one) for one in states] == [[new], [], [new]]
    assert dispatcher.get("/v1/reports").json["items"] == []
    assert dispatcher.get("/v1/reports?state=verified").status_code == 422
    dispatcher.submit(f"/v1/patrols/{odd}/verify", {})
    follow()
    assert listed("/v1/patrols", "review") == []


def test_the_verdict_is_the_machines_everywhere(caller, follow, services):
    """Judged odd and then verified, a patrol keeps its verdict; what none judged has null."""
    citizen, dispatcher = caller(), caller("dispatcher")
    made = citizen.submit("/v1/patrols", a_patrol() | {"device": {"mocked": True}}).json
    assert (made["verdict"], made["state"]) == ("review", "review")
    path = f"/v1/patrols/{made['id']}"
    verified = dispatcher.submit(f"{path}/verify", {"tier": 1}).json
    follow()
    for one in (verified, citizen.get(path).json):
        assert (one["verdict"], one["state"], one["allowed_actions"]) == ("review", "verified", [])
    assert citizen.submit("/v1/reports", a_report()).json["verdict"] is None


def test_a_new_contribution_can_be_waited_for(caller, follow):
    """min_position on a contribution and a list: 503 until the view is there, then its answer."""
    citizen = caller()
    follow()
    made = citizen.submit("/v1/reports", a_report()).json
    paths = ("/v1/reports", f"/v1/reports/{made['id']}")
    asked = [f"{path}?min_position={made['position']}" for path in paths]
    assert [citizen.get(one).status_code for one in asked] == [503, 503]
    follow()
    assert [citizen.get(one).status_code for one in asked] == [200, 200]


def test_lists_page_by_cursor_to_the_end(caller, follow):
    """Following Link visits every own report once, newest first, and nothing of another kind."""
    citizen, made = caller("grid_worker", "110"), []
    for n in range(5):
        made.append(citizen.submit("/v1/reports", a_report(f"第 {n} 处")).json["id"])
        citizen.submit("/v1/visits", a_visit(f"H-{n}"))
    follow()
    path, seen = "/v1/reports?limit=2", []
    while path:
        answer = citizen.get(path)
        assert len(answer.json["items"]) == 2 or len(seen) == 4
        seen += [one["id"] for one in answer.json["items"]]
        link = answer.headers.get("Link", "")
        path = link.removeprefix("<").partition(">")[0]
    assert seen == made[::-1]


def test_the_longest_track_is_checked_in_as_many_steps_as_a_short_one(monkeypatch):
    """Of twenty thousand fixes or of two, each array is one field, checked in one step."""
    took = [_steps_to_load(points, monkeypatch) for points in (2, 20_000)]
    assert took[0] == took[1] > 0


def _steps_to_load(points: int, monkeypatch: pytest.MonkeyPatch) -> int:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    times = [(began + timedelta(seconds=n)).isoformat() for n in range(points)]
    body = {"submission_id": str(uuid4()), "crs": "wgs84",
            "track": {"coordinates": [[112.1, 32.6]] * points, "times": times,
                      "accuracies": [5.0] * points}}  # fmt: skip
    steps: list[object] = []
    deserialize = fields.Field.deserialize
    with monkeypatch.context() as patch:
        patch.setattr(
            fields.Field, "deserialize",
            lambda self, *args, **more: steps.append(self) or deserialize(self, *args, **more),
        )  # fmt: skip
        _, loaded = schema_of(BY_KIND["patrol"].body)().load(body)
    assert len(loaded.track.times) == points
    return len(steps)
