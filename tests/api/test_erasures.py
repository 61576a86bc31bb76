"""Erasures and legal holds through the service: who may, what is answered, what ends at once."""

from __future__ import annotations

from uuid import uuid4

import pytest
from eventsourcing.persistence import OperationalError

from ledger.words import FIELDS
from tests.api.test_bad_input import a_patrol
from tests.ledger.examples import a_report

NAME = "王小明-13800001234"
ME = {"confirm": "erase"}


@pytest.fixture
def person(caller):
    """Somebody registered with a name and an alias on the boards, and some coins."""
    registrar = caller("registrar")
    found = registrar.submit("/v1/participants", {
        "role": "citizen", "name": NAME, "alias": "青鱼", "consents": ["board"],
    }).json  # fmt: skip
    one = caller()
    one.id, one.headers = found["participant_id"], {"Authorization": f"Bearer {found['token']}"}
    made = one.submit("/v1/reports", a_report(NAME)).json
    caller("handler").submit(f"/v1/reports/{made['id']}/verify", {"tier": 1})
    return one


def test_a_person_erases_themself(person, caller, follow, services):
    """One call with a word of confirmation: the token is nobody's, the name gone, coins stay."""
    follow()
    board = "/v1/leaderboards/all?period=all"
    other, auditor = caller(), caller("auditor")
    assert [one["alias"] for one in other.get(board).json["entries"]] == ["青鱼"]
    answer = person.submit("/v1/me/erasure", ME)
    assert (answer.status_code, answer.json["state"]) == (201, "completed")
    assert (answer.json["keys"], answer.json["rows"], answer.json["tokens"]) == (1, 3, 1)
    for refused in (person.get("/v1/me"), person.submit("/v1/patrols", a_patrol()),
                    person.submit("/v1/me/erasure", ME)):  # fmt: skip
        assert (refused.status_code, refused.json["code"]) == (401, "unauthenticated")
    follow()
    assert other.get(board).json["entries"] == []
    assert auditor.get(f"/v1/wallets/{person.id}").json["available"] == 10
    assert NAME not in auditor.get("/v1/history?limit=100").text


@pytest.mark.parametrize("body", [{}, {"confirm": ""}, {"confirm": True}, {"confirm": "yes"}])
def test_it_must_be_meant(body, person, services):
    """Without the very word nothing is asked for, let alone erased."""
    head = services.ledger.head()
    answer = person.submit("/v1/me/erasure", body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")
    assert services.ledger.head() == head
    assert person.get("/v1/me").json["alias"] == "青鱼"


def test_a_registrar_asks_and_another_person_decides(person, caller):
    """Nobody erases somebody else alone: not who asks, and not with the wrong office."""
    registrar, approver = caller("registrar"), caller("approver")
    sent = uuid4()
    asked = registrar.submit("/v1/erasures", {"subject": person.id}, sent)
    assert (asked.status_code, asked.json["state"]) == (201, "requested")
    path = f"/v1/erasures/{asked.json['id']}"
    assert approver.get(path).json["allowed_actions"] == ["approve", "refuse"]
    assert person.get(path).json["allowed_actions"] == []
    assert caller().get(path).status_code == 404
    assert person.get("/v1/me").json["alias"] == "青鱼"
    same = caller("admin", same=registrar.id).submit(f"{path}/approve", {})
    assert (same.status_code, same.json["code"]) == (403, "self_approval")
    approved = uuid4()
    done = approver.submit(f"{path}/approve", {}, approved)
    assert (done.status_code, done.json["state"]) == (201, "completed")
    again = approver.submit(f"{path}/approve", {}, approved)
    assert (again.status_code, again.json) == (200, done.json)
    first = registrar.submit("/v1/erasures", {"subject": person.id}, sent)
    assert (first.status_code, first.json) == (200, asked.json)
    late = registrar.submit("/v1/erasures", {"subject": person.id})
    assert (late.status_code, late.json["code"]) == (409, "already_erased")
    over = caller("approver").submit(f"{path}/refuse", {})
    assert (over.status_code, over.json["code"]) == (409, "erasure_over")


def test_staff_wait_for_a_second_person(caller):
    """An officer is not erased by their own word; it can be refused, and asked for again."""
    officer, approver = caller("reward_officer"), caller("approver")
    asked = officer.submit("/v1/me/erasure", ME).json
    assert asked["state"] == "requested"
    path = f"/v1/erasures/{asked['id']}"
    open_one = officer.submit("/v1/me/erasure", ME)
    assert (open_one.status_code, open_one.json["code"]) == (409, "erasure_open")
    assert asked["id"] in open_one.json["zh"]
    assert asked["id"] in open_one.json["en"]
    assert approver.submit(f"{path}/refuse", {}).json["state"] == "refused"
    assert officer.get("/v1/me").status_code == 200
    officer.submit("/v1/me/erasure", ME)
    assert approver.submit(f"{path}/approve", {}).json["state"] == "completed"
    assert officer.get("/v1/me").status_code == 401


def test_who_approves_is_not_erased_by_themself(caller):
    """An approver's own erasure takes another approver."""
    approver = caller("approver")
    asked = approver.submit("/v1/me/erasure", ME).json
    answer = approver.submit(f"/v1/erasures/{asked['id']}/approve", {})
    assert (answer.status_code, answer.json["code"]) == (403, "self_approval")


def test_a_hold_is_in_the_way_until_it_is_lifted(person, caller):
    """The request is answered with ``held``; once another person lifts it, it is done."""
    approver = caller("approver")
    hold = approver.submit("/v1/holds", {"subject": person.id, "basis": "investigation"}).json
    asked = person.submit("/v1/me/erasure", ME)
    assert (asked.status_code, asked.json["state"], asked.json["rows"]) == (201, "held", 0)
    assert person.get("/v1/me").json["alias"] == "青鱼"
    lift = f"/v1/holds/{hold['hold_id']}/lift"
    own = approver.submit(lift, {})
    assert (own.status_code, own.json["code"]) == (403, "self_approval")
    done = caller("admin").submit(lift, {})
    assert (done.status_code, done.json["state"], done.json["rows"]) == (201, "completed", 3)
    over = caller("admin").submit(lift, {})
    assert (over.status_code, over.json["code"]) == (409, "hold_over")
    assert caller("admin").submit(f"/v1/holds/{uuid4()}/lift", {}).status_code == 404


def test_a_hold_on_some_fields_keeps_those_alone(person, caller, services):
    """What is held stays, readable by nobody and under a new key; the rest goes at once."""
    approver, subject = caller("approver"), services.ledger.authenticate(
        person.headers["Authorization"].split()[1]
    ).participant_id  # fmt: skip
    before = services.ledger.store.select_stored_key(subject)
    held = approver.submit("/v1/holds", {
        "subject": person.id, "basis": "litigation", "fields": ["text"],
    }).json  # fmt: skip
    asked = person.submit("/v1/me/erasure", ME).json
    assert (asked["state"], asked["kept"]) == ("limited", ["text"])
    assert "治水办" in asked["notice"]["zh"]
    assert person.get("/v1/me").status_code == 401
    store = services.ledger.store
    assert [row.field for row in store.select_of_subject(subject)] == ["text"]
    assert store.select_stored_key(subject) not in (None, before)
    assert store.select_key(subject) is None
    done = caller("admin").submit(f"/v1/holds/{held['hold_id']}/lift", {}).json
    assert (done["state"], done["kept"], done["rows"], done["notice"]) == ("completed", [], 3, None)
    assert store.select_of_subject(subject) == []


@pytest.mark.parametrize(("body", "status", "code"), [
    ({"subject": str(uuid4())}, 404, "unknown_subject"),
    ({"household": "H-0001"}, 404, "unknown_subject"),
    ({}, 422, "invalid_input"),
    ({"subject": str(uuid4()), "household": "H-0001"}, 422, "invalid_input"),
    ({"subject": str(uuid4()), "basis": "why not"}, 422, "invalid_input"),
])  # fmt: skip
def test_nobody_is_erased_by_mistake(body, status, code, caller, services):
    """Of one who is not there, or not named, nothing is recorded."""
    registrar = caller("registrar")
    head = services.ledger.head()
    answer = registrar.submit("/v1/erasures", body)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert services.ledger.head() == head


def test_somebody_of_another_district_is_not_there(caller):
    """A registrar of one district asks for its people alone, and never for a household."""
    east = caller("citizen", "110")
    elsewhere = caller("registrar", "120").submit("/v1/erasures", {"subject": str(east.id)})
    assert (elsewhere.status_code, elsewhere.json["code"]) == (404, "unknown_subject")
    asked = caller("registrar", "110").submit("/v1/erasures", {"subject": str(east.id)})
    assert asked.status_code == 201
    path = f"/v1/erasures/{asked.json['id']}/approve"
    assert caller("approver", "120").submit(path, {}).status_code == 404
    assert caller("approver", "110").submit(path, {}).status_code == 201
    household = caller("registrar", "110").submit("/v1/erasures", {"household": "H-1"})
    assert household.status_code == 404


def test_an_erasure_that_was_stopped_is_answered_as_it_stands(person, services, monkeypatch):
    """The token has ended, so nobody is told to send it again; housekeeping takes the rest."""

    def hindered() -> None:
        raise OperationalError("somebody reads")

    monkeypatch.setattr(services.ledger.store, "scrub", hindered)
    answer = person.submit("/v1/me/erasure", ME)
    assert (answer.status_code, answer.json["state"]) == (201, "fenced")
    assert person.get("/v1/me").status_code == 401
    monkeypatch.undo()
    (done,) = services.ledger.resume_erasures(services.clock())
    assert done.state == "completed"


def test_whose_data_is_held_is_told_so_and_no_more(person, caller):
    """A sentence and whom to ask, once they ask; neither the hold, its basis, nor by whom."""
    approver = caller("approver")
    placed = approver.submit("/v1/holds", {"subject": person.id, "basis": "investigation"}).json
    path = f"/v1/erasures/{placed['id']}"
    assert (approver.get(path).status_code, person.get(path).status_code) == (200, 404)
    asked = person.submit("/v1/me/erasure", ME)
    assert (asked.json["state"], asked.json["hold_id"]) == ("held", None)
    assert "治水办" in asked.json["notice"]["zh"]
    assert "water office" in asked.json["notice"]["en"]
    seen = person.get(path)
    assert seen.json["notice"] == asked.json["notice"]
    for answer in (asked, seen):
        assert placed["hold_id"] not in answer.text
        assert str(approver.id) not in answer.text
        assert "investigation" not in answer.text


def test_staff_under_a_hold_learn_nothing_by_their_office(caller):
    """Whoever may read erasures still reads nothing of a hold on themself."""
    registrar, approver = caller("registrar"), caller("approver")
    path = f"/v1/erasures/{approver.submit('/v1/holds', {'subject': registrar.id}).json['id']}"
    assert registrar.get(path).status_code == 404
    assert caller("registrar").get(path).status_code == 200


@pytest.mark.parametrize("field", ["nosuchfield", "nmae", "BAD NAME", ""])
def test_a_hold_on_a_field_that_does_not_exist_is_refused(field, person, caller, services):
    """422 with the list of those there are; nothing is recorded."""
    approver = caller("approver")
    head = services.ledger.head()
    answer = approver.submit("/v1/holds", {"subject": person.id, "fields": ["name", field]})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_input")
    (error,) = answer.json["errors"]
    assert error["path"] == "fields[1]"
    assert all(one in error["zh"] and one in error["en"] for one in FIELDS)
    assert services.ledger.head() == head


def test_the_description_names_every_field(caller):
    """Whoever writes a client finds the fields where they are asked for, in both languages."""
    body = caller().get("/openapi.json").json["components"]["schemas"]["HoldAskedRequest"]
    fields = body["properties"]["fields"]
    assert fields["items"]["enum"] == sorted(FIELDS)
    for name, words in FIELDS.items():
        assert f"{name} {words.zh}" in fields["description"]
        assert words.en in fields["description"]
