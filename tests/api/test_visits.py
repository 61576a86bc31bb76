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
    assert campaign.worker.submit(f"/v1/visits/{two}/withdraw", {}).json["code"] == (
        "already_decided"
    )
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
