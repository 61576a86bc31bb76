"""A form that was sent is a visit: converted, recorded once, or refused in words."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from uuid import uuid4

import pytest

from api.openrosa import submissions
from ledger.campaigns.survey import BALLOT
from tests.api.openrosa.conftest import JPEG, City, said

PHOTOS = {
    "jpeg": JPEG, "png": b"\x89PNG\r\n\x1a\n....", "webp": b"RIFF\0\0\0\0WEBPVP8 ",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0",
}  # fmt: skip
EVERYTHING = {
    "outcome": "met", "materials__m1": "2", "materials__m2": "0",
    "talk__topics": "five_waters 垃圾分类",
    "talk__q_water": "bad", "talk__q_why": "smell rubbish", "follow_up_on": "2026-12-24",
    "remark": "好 &amp; 坏", "place": "30.25 120.125 12.0 4.5",
}  # fmt: skip

one_database = pytest.mark.parametrize("environ", ["sqlite"], indirect=True)


def visits(city: City) -> list:
    return city.facts("visit.recorded")


def opened(city: City) -> dict[str, object]:
    ledger = city.services.ledger
    (entry,) = ledger.entries(topics=["visit.recorded"])
    return {one.field: ledger.vault.open(entry.originator_id, one) for one in entry.fact.sealed}


def test_every_field_becomes_its_own(city: City):
    """What a form holds is what `POST /v1/visits` would have been sent."""
    xml = city.filled(**EVERYTHING)
    assert city.worker.send(xml).status_code == 201
    (visit,) = visits(city)
    assert visit.campaign_id == city.campaign
    assert (visit.household, visit.grid, visit.outcome) == ("111-1", "111", "met")
    assert list(visit.materials.values()) == [2]
    assert visit.topics == ("five_waters", "垃圾分类")
    assert visit.follow_up_on == date(2026, 12, 24)
    assert visit.participant_id == city.worker.worker.id
    sealed = opened(city)
    assert sealed["remark"] == "好 & 坏"
    assert sealed["place"] == {"lon": 120.125, "lat": 30.25, "accuracy": 4.5, "crs": "wgs84"}
    assert sealed[BALLOT]["plus"] == {"water": "bad", "why": ["smell", "rubbish"]}


def test_a_visit_needs_no_more_than_household_and_outcome(city: City):
    """All else may be left empty, as a phone sends it."""
    xml = city.filled(outcome="nobody_home", remark=" ", photo="", talk__q_water="", place="")
    assert city.worker.send(xml).status_code == 201
    (visit,) = visits(city)
    assert (visit.outcome, visit.materials, visit.follow_up_on) == ("nobody_home", {}, None)


def test_the_same_form_again_is_the_same_visit(city: City):
    """201 first and 202 after; however often it comes, from whatever address."""
    xml = city.filled()
    assert [city.worker.send(xml).status_code for _ in range(3)] == [201, 202, 202]
    again = city.worker.send(xml)
    assert "无需再次提交" in said(again)
    assert "do not send it again" in said(again)
    assert len(visits(city)) == 1


def test_the_same_id_with_another_body_is_a_conflict(city: City):
    """Byte for byte: even a space makes it another body; nothing is written."""
    xml = city.filled()
    city.worker.send(xml)
    head = city.services.ledger.head()
    for other in (xml.replace(">met<", ">moved<"), xml.replace("><", "> <", 1)):
        answer = city.worker.send(other)
        assert answer.status_code == 409
        assert "同一提交编号" in said(answer)
    assert city.services.ledger.head() == head


def test_an_id_is_its_senders_own(city: City):
    """Another worker's form with the same id is another visit, and tells nothing of the first."""
    xml = city.filled()
    assert city.worker.send(xml).status_code == 201
    assert city.phone().send(xml).status_code == 201
    assert len(visits(city)) == 2


def test_a_form_sent_five_times_at_once_is_one_visit(city: City, app):
    """A phone that lost its answers sends in parallel: one visit, one photo, no refusal."""
    xml = city.filled(photo="1.jpg")
    phones = [city.phone() for _ in range(5)]
    for phone in phones:
        phone.headers, phone._client = city.worker.headers, app.test_client()
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda one: one.send(xml, {"1.jpg": JPEG}), phones))
    assert {one.status_code for one in answers} <= {201, 202}
    assert len(visits(city)) == 1
    assert len(city.facts("contribution.photos-added")) == 1


@one_database
@pytest.mark.parametrize("kind", PHOTOS)
def test_a_photo_is_kept_sealed_under_the_workers_key(city: City, kind, erase):
    """The fact has its digest, the vault the photo itself, until the worker is erased."""
    xml = city.filled(photo="1.jpg")
    assert city.worker.send(xml, {"1.jpg": PHOTOS[kind]}).status_code == 201
    ledger = city.services.ledger
    (entry,) = ledger.entries(topics=["contribution.photos-added"])
    (sealed,) = entry.fact.sealed
    assert sealed.subject == city.worker.worker.id
    assert sealed.field == f"photo/{entry.fact.photos[0]}"
    assert ledger.vault.open(entry.originator_id, sealed)["media_type"] == f"image/{kind}"
    erase(city.worker.worker.id)
    assert ledger.vault.opened(entry.originator_id, sealed) is None


def test_photos_of_later_parts_are_added_once(city: City):
    """Each part carries the same form; a file is added once, however often it comes."""
    xml, more = city.filled(photo="1.jpg"), JPEG + b"2"
    assert city.worker.send(xml).status_code == 201
    answers = [city.worker.send(xml, {"1.jpg": one}).status_code for one in (JPEG, JPEG, more)]
    assert answers == [201, 202, 201]
    facts = city.facts("contribution.photos-added")
    assert [len(one.photos) for one in facts] == [1, 1]
    assert len({digest for one in facts for digest in one.photos}) == 2
    assert len(visits(city)) == 1


@one_database
def test_a_visit_has_so_many_photos_and_no_more(city: City):
    """The twenty-first is refused; those before it stay."""
    xml = city.filled(photo="1.jpg")
    for number in range(20):
        assert city.worker.send(xml, {"1.jpg": JPEG + bytes([number])}).status_code == 201
    answer = city.worker.send(xml, {"1.jpg": JPEG + b"more"})
    assert answer.status_code == 422
    assert "20" in said(answer)
    assert len(city.facts("contribution.photos-added")) == 20


@one_database
@pytest.mark.parametrize(("name", "content", "status", "words"), [
    ("1.jpg", b"", 422, "不是照片"), ("1.jpg", b"GIF89a", 422, "不是照片"),
    ("1.jpg", b"<svg/>", 422, "不是照片"), ("2.jpg", JPEG, 400, "附件"),
])  # fmt: skip
def test_what_is_no_photo_of_the_form_is_refused(city: City, name, content, status, words):
    """Nothing of such a request is recorded, so it can be sent again as it should be."""
    answer = city.worker.send(city.filled(photo="1.jpg"), {name: content})
    assert answer.status_code == status
    assert words in said(answer)
    assert visits(city) == []


def test_exactly_one_part_is_the_form(city: City):
    """None or two are refused; one that came as a plain field is taken."""
    xml = city.filled()

    def part() -> tuple:
        return io.BytesIO(xml.encode()), "visit.xml", "text/xml"

    for parts in ({}, {"other": part()}, {"xml_submission_file": [part(), part()]},
                  {"xml_submission_file": [part(), xml]}):  # fmt: skip
        answer = city.worker.post(parts)
        assert answer.status_code == 400
        assert "xml_submission_file" in said(answer)
    assert city.worker.post_raw("text/xml", xml.encode()).status_code == 400
    assert visits(city) == []
    assert city.worker.post({"xml_submission_file": xml}).status_code == 201


@one_database
@pytest.mark.parametrize(("fields", "status", "words"), [
    ({"household": "111-9"}, 422, "没有户 111-9"), ({"household": "112-1"}, 403, "属于网格 112"),
    ({"household": ""}, 422, "household"), ({"outcome": "asleep"}, 422, "outcome"),
    ({"materials__m1": "11"}, 409, "库存不足"), ({"materials__m1": "-1"}, 422, "materials"),
    ({"materials__m1": "1.5"}, 422, "materials"), ({"materials__m1": "99999"}, 422, "materials"),
    ({"materials__m3": "1"}, 422, "materials/m3"), ({"talk__topics": "nothing"}, 422, "topics[0]"),
    ({"talk__q_water": "soso"}, 422, "answers.water"), ({"talk__q_nothing": "x"}, 422, "q_nothing"),
    ({"talk__q_why": "smell", "talk__q_water": "good"}, 422, "answers.why"),
    ({"talk__q_why": "smell dont_know", "talk__q_water": "bad"}, 422, "answers.why"),
    ({"talk__q_why": "smell"}, 422, "answers.water"),
    ({"talk__q_water": "good", "outcome": "moved"}, 422, "answers"),
    ({"follow_up_on": "soon"}, 422, "follow_up_on"), ({"remark": "长" * 501}, 422, "remark"),
    ({"place": "here"}, 422, "place"), ({"place": "30"}, 422, "place"),
    ({"place": "30 120 0 inf"}, 422, "place"), ({"place": "95 120 0 5"}, 422, "place"),
    ({"end": "yesterday"}, 422, "end"), ({"extra": "1"}, 422, "extra"),
    ({"end": "2999-01-01T00:00:00Z"}, 422, "校准手机时钟"),
], ids=str)  # fmt: skip
def test_every_refusal_keeps_the_form_on_the_phone(city: City, fields, status, words):
    """A 4xx status with a sentence in both languages; nothing is written."""
    head = city.services.ledger.head()
    answer = city.worker.send(city.filled(**fields))
    assert answer.status_code == status
    assert words in said(answer)
    assert any("a" <= one <= "z" for one in said(answer))
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert city.services.ledger.head() == head


def test_what_is_no_form_of_ours_is_refused(city: City):
    """Broken XML and a missing id are 400, an unknown campaign 404, a planned one 409."""
    sent = {
        "<data": 400, city.filled(instance=""): 400, city.filled(campaign=uuid4()): 404,
        city.filled().replace('id="visit-', 'id="'): 404, "<data/>": 400,
        city.filled(campaign=city.plan(opened=False)): 409,
    }  # fmt: skip
    for xml, status in sent.items():
        answer = city.worker.send(xml)
        assert answer.status_code == status, xml
        assert said(answer)
    assert "instanceID" in said(city.worker.send(city.filled(instance="")))
    assert visits(city) == []


def test_a_body_over_the_limit_is_refused_in_xml(city: City):
    """Also what the service refuses before anything is read is told as OpenRosa tells it."""
    xml = city.filled(photo="1.jpg")
    answer = city.worker.send_whole(xml, {"1.jpg": JPEG + b"x" * 2 * 1024 * 1024})
    assert answer.status_code == 413
    assert "2 MiB" in said(answer)
    room = int(city.worker.head("submission").headers["X-OpenRosa-Accept-Content-Length"])
    large = JPEG + b"x" * (room - len(xml) - len(JPEG))
    assert city.worker.send_whole(xml, {"1.jpg": large}).status_code == 201


def test_what_was_visited_before_the_end_is_still_taken(city: City):
    """After the campaign closed a form of before is recorded, a later one refused."""
    before = datetime.now(UTC).isoformat()
    city.dispatcher.submit(f"/v1/campaigns/{city.campaign}/close", {})
    assert city.worker.send(city.filled(end=before)).status_code == 201
    answer = city.worker.send(city.filled())
    assert answer.status_code == 409
    assert "已结束" in said(answer)


def test_a_wrong_clock_is_taken_out(city: City):
    """The form's end, less what the phone's clock is off by as the Date of the request tells."""
    now = datetime.now(UTC)
    off = timedelta(days=2)
    xml = city.filled(end=(now - off - timedelta(hours=1)).isoformat())
    sent = city.worker.send(xml, Date=format_datetime(now - off, usegmt=True))
    assert sent.status_code == 201
    (visit,) = visits(city)
    assert abs(visit.sent_at - (now - off)) < timedelta(seconds=1)
    assert abs(visit.claimed_at - (now - off - timedelta(hours=1))) < timedelta(seconds=1)
    assert visit.earned_on == (now - timedelta(hours=1) + timedelta(hours=8)).date()


@pytest.mark.parametrize(("written", "meant"), [
    ("Thu, 26 Nov 2026 13:00:05 GMT", "2026-11-26T13:00:05+00:00"),
    ("Thu, 26 Nov 2026 01:00:05 GMT", "2026-11-26T13:00:05+00:00"),
    ("Thu, 26 Nov 2026 03:30:00 GMT", "2026-11-26T03:30:00+00:00"),
    ("Wed, 25 Nov 2026 13:00:05 GMT", "2026-11-25T13:00:05+00:00"), ("soon", None),
    ("Thu, 99 Nov 2026 01:00:05 GMT", None),
])  # fmt: skip
def test_half_a_day_is_no_wrong_clock(written, meant):
    """ODK Collect writes 01:00 for 13:00; any other difference is the clock's."""
    now = datetime(2026, 11, 26, 13, 0, 10, tzinfo=UTC)
    found = submissions._sent(written, now)
    assert (found and found.isoformat()) == meant


def test_midnight_as_collect_writes_it_is_no_wrong_clock():
    """Half past midnight is written 12:30, which is not half a day ahead."""
    now = datetime(2026, 11, 26, 0, 30, tzinfo=UTC)
    assert submissions._sent("Thu, 26 Nov 2026 12:30:00 GMT", now) == now


def test_a_time_without_offset_is_the_citys(city: City):
    """A phone that does not say its offset means the time in Shanghai."""
    assert submissions._moment("2026-11-26T10:00:00.000").isoformat() == "2026-11-26T10:00:00+08:00"
    assert submissions._moment("2026-11-26T10:00:00Z").utcoffset() == timedelta(0)


def test_no_token_and_nothing_personal_is_logged(city: City, caplog):
    """The log has the route and the status, never the token, a household or a remark."""
    caplog.set_level("INFO")
    city.worker.send(city.filled(remark="SECRET-REMARK"))
    city.worker.get("formList")
    told = " ".join(f"{one.getMessage()} {vars(one).get('fields')}" for one in caplog.records)
    assert "/openrosa/submission" in told
    for secret in (city.worker.worker.token, city.worker.headers["Authorization"], "SECRET-REMARK"):
        assert secret not in told
