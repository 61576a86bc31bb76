"""Visits of a campaign through the service: recorded, rewarded once a household, withdrawn."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.api.campaigning import Campaigning, made


@pytest.fixture
def campaign(services, caller) -> Campaigning:
    return Campaigning(services, caller)


def confirmed(campaign, visit_id: str):
    return campaign.dispatcher.submit(f"/v1/visits/{visit_id}/verify", {}).json


def test_a_household_is_rewarded_once_and_a_later_visitor_confirms(campaign, caller):
    """The first confirmed visit keeps its reward; the next person gets a confirmer's coin, the
    third and the same person again nothing, each with a reason."""
    workers = [caller("grid_worker", "111") for _ in range(3)]
    visits = [made(one, campaign.visit()) for one in (*workers, workers[0])]
    results = [confirmed(campaign, one) for one in visits]
    assert [(one["coins"], one["rule"]) for one in results] == [
        (2, "visit.confirmed"), (1, "visit.confirmer"), (0, "visit.confirmers"), (0, "visit.once")
    ]  # fmt: skip
    assert [[one["code"] for one in each["reasons"]] for each in results] == [
        [], ["household_rewarded_before"], ["household_rewarded"], ["household_rewarded_to_you"]
    ]  # fmt: skip
    lots = workers[1].get("/v1/wallets/me/explain").json["lots"]
    assert [one["rule"] for one in lots] == ["visit.confirmer"]
    assert "核实" in str(lots[0]["reasons"])


def test_a_late_visit_changes_no_reward_that_was_given(campaign, caller, clock, follow):
    """A visit made first and sent in last is the confirmer; its cap is that of its own day."""
    early, late = caller("grid_worker", "111"), caller("grid_worker", "111")
    clock.ahead = timedelta(days=2)
    first = confirmed(campaign, made(early, campaign.visit()))
    body = campaign.visit(recorded_at=(campaign.services.clock() - timedelta(days=1)).isoformat())
    second = confirmed(campaign, made(late, body))
    assert (first["coins"], second["coins"], second["rule"]) == (2, 1, "visit.confirmer")
    follow()
    assert early.get("/v1/wallets/me").json["available"] == 2


def test_a_visit_counts_for_its_own_household_and_campaign_only(campaign, services):
    """Another household, and a visit outside any campaign, are rewarded in full."""
    bodies = (
        campaign.visit("A0"), campaign.visit("A1"), {"household": "A0", "outcome": "met"},
    )  # fmt: skip
    results = [confirmed(campaign, made(campaign.worker, one)) for one in bodies]
    assert [one["coins"] for one in results] == [2, 2, 2]


def test_a_problem_raised_on_a_visit_is_a_report(campaign, follow, services):
    """One commit holds the visit and a report of each problem, and a retry makes no second one."""
    body = campaign.visit(problems=[
        {"category": "litter", "text": "门口有垃圾"}, {"category": "oil", "text": "水面有油"}
    ])  # fmt: skip
    sent, before = uuid4(), services.ledger.head()
    first = campaign.worker.submit("/v1/visits", body, sent)
    again = campaign.worker.submit("/v1/visits", body, sent)
    assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
    assert services.ledger.head() == before + 3
    follow()
    reports = campaign.worker.get("/v1/reports").json["items"]
    told = campaign.worker.get(f"/v1/visits/{first.json['id']}/details").json["reports"]
    assert sorted(told) == sorted(one["id"] for one in reports)
    bad = campaign.visit(problems=[{"category": "litter", "text": " "}])
    answer = campaign.worker.submit("/v1/visits", bad)
    assert (answer.status_code, services.ledger.head()) == (422, before + 3)


def test_a_visit_is_withdrawn_within_the_window_only(campaign, clock, caller, follow):
    """Its author takes it back for a day; the stock is whole again, and nothing more can be done
    with it; afterwards, or once it was reviewed, it stands."""
    body = campaign.visit(materials={"booklet": 2}, answers={"water": "good"})
    one, two, three = (made(campaign.worker, body) for _ in range(3))
    path, sent = f"/v1/visits/{one}/withdraw", uuid4()
    assert campaign.other.submit(path, {}).status_code == 404
    gone = campaign.worker.submit(path, {}, sent)
    assert (gone.status_code, gone.json["state"]) == (201, "withdrawn")
    assert campaign.worker.submit(path, {}, sent).status_code == 200
    again = campaign.worker.submit(path, {})
    assert (again.status_code, again.json["code"]) == (410, "visit_withdrawn")
    assert campaign.dispatcher.submit(f"/v1/visits/{one}/verify", {}).status_code == 409
    store = campaign.services.ledger.store
    assert store.select_used(f"material/{campaign.id}/booklet") == 4
    confirmed(campaign, two)
    reviewed = campaign.worker.submit(f"/v1/visits/{two}/withdraw", {})
    assert (reviewed.status_code, reviewed.json["code"]) == (409, "already_decided")
    assert "撤回" in reviewed.json["zh"]
    assert "withdrawn" in reviewed.json["en"]
    clock.ahead = timedelta(hours=25)
    late = campaign.worker.submit(f"/v1/visits/{three}/withdraw", {})
    assert (late.status_code, late.json["code"]) == (409, "withdraw_window_over")
    assert "24" in late.json["zh"]
    follow()
    waiting = campaign.dispatcher.get("/v1/visits?state=waiting").json["items"]
    assert [item["id"] for item in waiting] == [three]
    (state,) = [one["state"] for one in campaign.worker.get("/v1/visits").json["items"]
                if one["id"] == one["id"] and one["state"] == "withdrawn"]  # fmt: skip
    assert state == "withdrawn"


def test_nothing_personal_of_a_visit_is_in_the_log(campaign, services):
    """Address, answers, words and place are in the vault alone, each under its own key."""
    body = campaign.visit(
        answers={"water": "bad", "why": ["smell"]}, remark="大爷姓王", questions=["何时清淤"],
        place={"lon": 122.1234, "lat": 30.5678}, materials={"booklet": 1},
    )  # fmt: skip
    visit = UUID(made(campaign.worker, body))
    log = b"".join(row.state for row in services.ledger.rows())
    for secret in ("滨河路", "大爷", "清淤", "122.1234", '"smell"]', '"water":"bad"'):
        assert secret.encode() not in log
    subjects = {row.field: row.subject for row in services.ledger.store.select_vault(visit)}
    assert subjects["remark"] == subjects["place"] == campaign.worker.id
    assert subjects["answers"] not in (campaign.worker.id, visit)


def test_whoever_had_a_hand_in_a_visit_does_not_review_it(campaign, caller):
    """A dispatcher who edited it, or came along, leaves its review to another one."""
    along = caller("dispatcher", "110")
    visit = made(campaign.worker, campaign.visit(visitors=[str(along.id)]))
    edit = {"replaces": 1, "outcome": "by_phone"}
    assert campaign.dispatcher.submit(f"/v1/visits/{visit}/edit", edit).status_code == 201
    for one in (campaign.dispatcher, along):
        refused = one.submit(f"/v1/visits/{visit}/verify", {})
        assert (refused.status_code, refused.json["code"]) == (403, "self_review")
    paid = caller("dispatcher", "100").submit(f"/v1/visits/{visit}/verify", {}).json
    assert (paid["coins"], paid["rule"]) == (2, "visit.confirmed")


def test_whoever_came_along_must_be_registered(campaign):
    """A visitor nobody registered is named by their place in the list."""
    body = campaign.visit(visitors=[str(campaign.other.id), str(uuid4())])
    answer = campaign.worker.submit("/v1/visits", body)
    told = [(one["path"], one["code"]) for one in answer.json["errors"]]
    assert (answer.status_code, told) == (422, [("visitors[1]", "unknown_participant")])


def test_stock_allotted_later_counts_what_was_handed_out_before(campaign):
    """A grid that had handed out five and is allotted six has one left."""
    made(campaign.worker, campaign.visit(materials={"booklet": 5}))
    campaign.step("stock", {"grid": "111", "material": "booklet", "count": 6})
    more = [campaign.worker.submit("/v1/visits", campaign.visit(materials={"booklet": count}))
            for count in (2, 1)]  # fmt: skip
    assert [one.status_code for one in more] == [409, 201]
    assert more[0].json["errors"][0]["path"] == "materials.booklet"
    assert "1" in more[0].json["zh"]


@pytest.mark.parametrize("word", ["张三 13800000000", "13800000000", "a b", "周三再来。"])
def test_topics_and_materials_are_codes_and_no_sentences(campaign, word):
    """What goes into the log by name is a code; a phone's number or a sentence is not one."""
    plain = {"household": "X1", "outcome": "met"}
    answers = [campaign.worker.submit("/v1/visits", {**plain, **more})
               for more in ({"topics": [word]}, {"materials": {word: 1}})]  # fmt: skip
    assert {one.status_code for one in answers} == {422}


def test_a_visit_from_before_the_beginning_is_not_of_the_campaign(services, caller):
    """Where a beginning was announced, no visit claims a day before; else late ones come in."""
    today = services.clock()
    days = {"starts_on": (today - timedelta(days=2)).date().isoformat()}
    announced = Campaigning(services, caller, **days)
    for ago, status in ((1, 201), (5, 409)):
        body = announced.visit(recorded_at=(today - timedelta(days=ago)).isoformat())
        answer = announced.worker.submit("/v1/visits", body)
        assert answer.status_code == status, answer.json
    assert answer.json["code"] == "campaign_not_open"


@pytest.mark.parametrize("plan", [{}, {"starts_on": 5}])
def test_when_a_visit_arrives_does_not_decide_whether_it_counts(plan, services, caller):
    """What was visited before the opening is taken in after the closing as it was before it."""
    now = services.clock()
    days = {name: (now - timedelta(days=ago)).date().isoformat() for name, ago in plan.items()}
    campaign = Campaigning(services, caller, **days)
    found = []
    for close in (False, True):
        if close:
            assert campaign.step("close").status_code == 201
        parcel = [campaign.item(ago=24 * 60 * ago, **campaign.visit()) for ago in (2, 9)]
        found.append([one["status"] for one in campaign.sync(*parcel).json["results"]])
    assert found[0] == found[1] == ["created", "invalid" if plan else "created"]


def test_a_reviewer_decides_what_they_saw(campaign, follow):
    """A yes or a no that names the version looked at is refused once there is a newer one."""
    visit, other = (made(campaign.worker, campaign.visit("A0", "nobody_home")) for _ in range(2))
    follow()
    seen = campaign.dispatcher.get("/v1/visits?state=waiting").json["items"][0]
    assert (seen["id"], seen["version"]) == (visit, 1)
    path = f"/v1/visits/{visit}"
    assert campaign.worker.submit(f"{path}/edit", {"replaces": 1, "outcome": "met"}).status_code
    yes, sent = {"version": seen["version"]}, uuid4()
    for step, body in (("verify", yes), ("refuse", {**yes, "reason": "没有见到人"})):
        late = campaign.dispatcher.submit(f"{path}/{step}", body)
        assert (late.status_code, late.json["code"]) == (409, "changed_since")
        assert "2" in late.json["zh"]
    follow()
    told = campaign.dispatcher.get(path).json
    assert told["version"] == campaign.dispatcher.get(f"{path}/details").json["version"] == 2
    for status in (201, 200):
        paid = campaign.dispatcher.submit(f"{path}/verify", {"version": 2}, sent)
        assert (paid.status_code, paid.json["coins"]) == (status, 2)
    again = campaign.dispatcher.submit(f"{path}/verify", {}, sent)
    assert (again.status_code, again.json["code"]) == (409, "submission_conflict")
    assert campaign.dispatcher.submit(f"/v1/visits/{other}/verify", {}).status_code == 201


def test_a_household_of_another_grid_is_named_by_its_field(campaign):
    """Whose it is stands in the sentence; which field says so, beside it."""
    answer = campaign.worker.submit("/v1/visits", campaign.visit("B0"))
    assert (answer.status_code, answer.json["code"]) == (403, "other_grid")
    assert [one["path"] for one in answer.json["errors"]] == ["household"]


def test_a_clock_that_ran_ahead_and_is_right_again_need_not_be_set(campaign):
    """What it recorded in the future waits or is corrected; one still ahead is to be set."""
    item = campaign.item(ago=-24 * 60, **campaign.visit())
    (right,) = campaign.sync(item).json["results"]
    ahead = campaign.services.clock() + timedelta(hours=1)
    (wrong,) = campaign.sync(item, sent_at=ahead).json["results"]
    assert right["code"] == wrong["code"] == "future_time"
    assert right["errors"][0]["path"] == "recorded_at"
    assert ("set" in right["errors"][0]["en"], "set" in wrong["errors"][0]["en"]) == (False, True)
