"""What is sent in again, by whichever number, name, time or role: it is answered as it was."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from ledger.campaigns.listing import NewHousehold
from tests.api.campaigning import Campaigning, made, statuses
from tests.ledger.examples import a_walk


@pytest.fixture
def campaign(services, caller) -> Campaigning:
    return Campaigning(services, caller)


def told(answer) -> list[tuple]:
    """Status, code and paths of each result."""
    return [
        (one["status"], one.get("code"), [each["path"] for each in one.get("errors", [])])
        for one in answer.json["results"]
    ]


def test_a_body_first_tried_days_ago_counts_for_its_own_day(campaign, services, clock):
    """The parcel's time of sending goes before an older one in the body, or a patrol's device."""
    then = services.clock()
    tried = then + timedelta(minutes=1)
    body = campaign.visit(recorded_at=then.isoformat(), sent_at=tried.isoformat())
    walk = a_walk(900, 1500, then - timedelta(minutes=30))
    walk["device"] = {"sent_at": tried.isoformat()}
    clock.ahead = timedelta(days=5)
    sent = services.clock()
    answer = campaign.sync(campaign.item(1, **body), campaign.item(2, "patrol", **walk))
    assert statuses(answer) == ["created"] * 2
    for one in answer.json["results"]:
        (first, *_) = services.ledger.events.get(UUID(one["id"]))
        assert abs(first.fact.sent_at - sent) < timedelta(minutes=1)
        assert first.fact.earned_on == (then + timedelta(hours=8)).date()


def test_a_retry_says_anew_when_it_is_sent(campaign, services, clock):
    """The time of sending is of the try and not of the content; other content is a conflict."""
    then, sent = services.clock(), uuid4()
    body = campaign.visit(recorded_at=then.isoformat(), sent_at=then.isoformat())
    walk = a_walk(900, 1500, then - timedelta(minutes=30))
    for path, content, holder in (("visits", body, body), ("patrols", walk, {})):
        if path == "patrols":
            holder = walk["device"] = {"device_id": "p", "sent_at": then.isoformat()}
        first = campaign.worker.submit(f"/v1/{path}", content, sent)
        clock.ahead += timedelta(minutes=3)
        holder["sent_at"] = services.clock().isoformat()
        again = campaign.worker.submit(f"/v1/{path}", content, sent)
        assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)
    other = campaign.worker.submit("/v1/visits", {**body, "outcome": "moved"}, sent)
    assert other.json["code"] == "submission_conflict"
    walk["device"]["device_id"] = "q"
    assert campaign.worker.submit("/v1/patrols", walk, sent).json["code"] == "submission_conflict"


def test_what_was_digested_with_its_time_of_sending_is_still_a_replay(
    campaign, services, monkeypatch
):
    """A visit from before that time was left out of the digest gets its first answer again."""
    body = campaign.visit(sent_at=services.clock().isoformat())
    sent, kept = uuid4(), frozenset({"submission_id"})
    monkeypatch.setattr("ledger.vault.content_of.__defaults__", (kept,))
    first = campaign.worker.submit("/v1/visits", body, sent)
    monkeypatch.undo()
    again = campaign.worker.submit("/v1/visits", body, sent)
    assert (first.status_code, again.status_code, again.data) == (201, 200, first.data)


def test_a_number_that_came_is_not_told_missing(campaign):
    """Nor is that of an item without shape in the same parcel, nor ever again one refused for good;
    what is to be corrected is still to come."""
    shapeless = {**campaign.item(2, **campaign.visit("A1")), "recorded_at": "yesterday"}
    answer = campaign.sync(
        campaign.item(1, **campaign.visit()), shapeless, campaign.item(3, **campaign.visit("A2"))
    )
    assert (statuses(answer)[1], answer.json["missing_seqs"]) == ("invalid", [])
    assert campaign.sync(campaign.item(4, **campaign.visit())).json["missing_seqs"] == [2]
    campaign.sync(campaign.item(2, **campaign.visit("A1")))
    campaign.step("close")
    late = campaign.item(5, ago=-1, **campaign.visit())
    answer = campaign.sync(late)
    assert [(one["code"], one["final"]) for one in answer.json["results"]] == [
        ("campaign_closed", True)
    ]
    after = campaign.sync(campaign.item(6, **campaign.visit("B0")), campaign.item(7, "dance"))
    assert all("final" not in one for one in after.json["results"])
    assert after.json["missing_seqs"] == []
    assert campaign.sync(campaign.item(8, **campaign.visit())).json["missing_seqs"] == [6, 7]


def test_a_number_of_what_was_refused_for_good_stays_with_what_is_recorded(campaign):
    """Where a parcel uses a number twice, the recorded item is the one it stands for."""
    gone = made(campaign.worker, campaign.visit())
    campaign.worker.submit(f"/v1/visits/{gone}/withdraw", {})
    late = campaign.item(1, "visit_edit", ago=60, visit=gone, replaces=1, remark="好")
    good = campaign.item(1, **campaign.visit())
    assert statuses(campaign.sync(late, good)) == ["invalid", "created"]
    other = campaign.item(1, **campaign.visit("A1"))
    assert [one[1] for one in told(campaign.sync(good, other))] == [None, "device_seq_reused"]
    assert told(campaign.sync(late)) == [("conflict", "device_seq_reused", [])]


def test_each_account_on_a_phone_counts_for_itself(campaign, caller):
    """Two workers who share a phone have the same numbers, and no gaps between them."""
    second = caller("grid_worker", "111")
    for worker in (campaign.worker, second):
        answer = campaign.sync(campaign.item(1, **campaign.visit()), by=worker)
        assert (statuses(answer), answer.json["missing_seqs"]) == (["created"], [])


def test_what_can_never_be_recorded_is_refused_for_good(campaign, clock):
    """What is too late, decided or withdrawn says so; what is to be corrected does not."""
    visits = [made(campaign.worker, campaign.visit(f"A{n}")) for n in range(3)]
    campaign.dispatcher.submit(f"/v1/visits/{visits[0]}/verify", {})
    campaign.worker.submit(f"/v1/visits/{visits[1]}/withdraw", {})
    clock.ahead = timedelta(hours=25)
    answer = campaign.sync(
        *(campaign.item(n, "visit_withdrawal", ago=0, visit=one)
          for n, one in enumerate(visits, 1)),
        campaign.item(4, "visit_edit", visit=visits[1], replaces=1, remark="x"),
        campaign.item(5, "visit_edit", visit=visits[2], replaces=9, remark="x"),
    )  # fmt: skip
    assert [(one["code"], one.get("final", False)) for one in answer.json["results"]] == [
        ("already_decided", True), ("visit_withdrawn", True), ("withdraw_window_over", True),
        ("visit_withdrawn", True), ("invalid_input", False),
    ]  # fmt: skip


def test_photos_of_what_is_no_contribution_do_not_wait(campaign):
    """Nothing will ever come under the id of a campaign; under an unknown one it may."""
    photos = {"photos": ["ab" * 32]}
    answer = campaign.sync(
        campaign.item(1, "photos", of=campaign.id, **photos),
        campaign.item(2, "photos", of=str(uuid4()), **photos),
    )
    assert told(answer) == [("invalid", "not_found", []), ("waiting", "earlier_item_missing", [])]


def test_errors_name_where_in_the_parcel_they_are(campaign, services):
    """The parcel's clock, the item itself, a field beside its body, and one in it."""
    off = campaign.sync(campaign.item(1, **campaign.visit()),
                        sent_at=services.clock() - timedelta(days=365))  # fmt: skip
    assert told(off) == [("invalid", "clock_off", ["sent_at"])]
    answer = campaign.sync(
        "text", {**campaign.item(), "more": 1}, campaign.item(**campaign.visit("Z")),
        {**campaign.item(), "body": None},
    )  # fmt: skip
    assert [paths for _, _, paths in told(answer)] == [[""], ["more"], ["body.household"], ["body"]]


def test_an_edit_and_a_plan_sent_again_get_their_first_answers(campaign, services):
    """Not the state a review, nor the number of households an import has brought since."""
    visit, sent = made(campaign.worker, campaign.visit()), uuid4()
    edit, plan = {"replaces": 1, "remark": "好"}, {"name": "秋季走访"}
    path = f"/v1/visits/{visit}/edit"
    edited = campaign.worker.submit(path, edit, sent)
    planned = campaign.dispatcher.submit("/v1/campaigns", plan, sent)
    campaign.dispatcher.submit(f"/v1/visits/{visit}/verify", {})
    other = UUID(planned.json["id"])
    services.ledger.list_households(other, [NewHousehold("A0", "111")], services.clock())
    assert campaign.worker.submit(path, edit, sent).data == edited.data
    assert campaign.dispatcher.submit("/v1/campaigns", plan, sent).data == planned.data
    assert campaign.dispatcher.get(f"/v1/campaigns/{other}").json["households"] == 1


def test_whose_role_has_changed_still_gets_the_first_answers(campaign, caller):
    """What was recorded is answered as replayed, so that the phone lets go of it; new it is not."""
    visits = [campaign.item(n, **campaign.visit()) for n in (1, 2)]
    own = visits[0]["body"]["submission_id"]
    edit = campaign.item(3, "visit_edit", visit=own, replaces=1, remark="好")
    gone = campaign.item(4, "visit_withdrawal", visit=own)
    assert statuses(campaign.sync(visits[0], edit, gone)) == ["created"] * 3
    chief = caller("village_chief", "112", same=campaign.worker.id)
    assert told(campaign.sync(*visits, edit, gone, by=chief)) == [
        ("replayed", None, []), ("invalid", "forbidden", []), *[("replayed", None, [])] * 2
    ]  # fmt: skip


def test_a_dispatcher_who_moved_gets_the_first_answer_of_a_plan(campaign, services, caller):
    """Its place was theirs when it was planned."""
    plan, sent = {"name": "秋季走访", "district": "110"}, uuid4()
    first = campaign.dispatcher.submit("/v1/campaigns", plan, sent)
    moved = caller("dispatcher", "112", same=campaign.dispatcher.id)
    again = moved.submit("/v1/campaigns", plan, sent)
    assert (again.status_code, again.json["position"]) == (200, first.json["position"])
    assert moved.submit("/v1/campaigns", plan).status_code == 403


@pytest.mark.parametrize("order", ["210", "120", "21"])
def test_new_edits_sent_backwards_are_all_created(campaign, services, monkeypatch, order):
    """What waits for its visit and for an earlier edit is taken in once, in the same commit."""
    store, calls = services.ledger.store, []
    insert = store.insert_events
    monkeypatch.setattr(store, "insert_events", lambda *a, **k: calls.append(1) or insert(*a, **k))
    visit = campaign.item(1, ago=60, **campaign.visit())
    own = visit["body"]["submission_id"]
    first = campaign.item(2, "visit_edit", visit=own, replaces=own, materials={"booklet": 1})
    second = campaign.item(3, "visit_edit", visit=own, materials={"booklet": 2},
                           replaces=first["body"]["submission_id"])  # fmt: skip
    items = (visit, first, second)
    for one in items:
        one["recorded_at"] = visit["recorded_at"]
    if "0" not in order:
        campaign.sync(visit)
        calls.clear()
    answer = campaign.sync(*(items[int(number)] for number in order))
    assert (set(statuses(answer)), len(calls)) == ({"created"}, 1)
    places = dict(zip(order, (one["position"] for one in answer.json["results"]), strict=True))
    assert sorted(places, key=places.__getitem__) == sorted(order)


@pytest.mark.parametrize("kind", ["visit_edit", "visit_withdrawal", "photos"])
def test_a_command_by_two_names_has_one_place_in_the_log(campaign, services, kind):
    """Named once by the visit's id and once by its submission, it is told one position twice."""
    sent = uuid4()
    answer = campaign.worker.submit("/v1/visits", campaign.visit(), sent)
    bodies = {
        "visit_edit": {"replaces": 1, "remark": "好"}, "visit_withdrawal": {},
        "photos": {"photos": ["ab" * 32]},
    }  # fmt: skip
    name = "of" if kind == "photos" else "visit"
    one = campaign.item(None, kind, **bodies[kind], **{name: answer.json["id"]})
    two = {**one, "body": {**one["body"], name: str(sent)}}
    head = services.ledger.head()
    told = campaign.sync(one, two)
    assert statuses(told) == ["created", "replayed"]
    assert [each["position"] for each in told.json["results"]] == [head + 1] * 2
