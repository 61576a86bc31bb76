"""The list of forms, a form, its manifest and its households: whose they are, and what changes."""

from __future__ import annotations

import base64
import csv
import hashlib
import http.client
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest

from api.errors import PROBLEM_JSON
from ledger.campaigns.frame import household_subject
from tests.api.conftest import NOW
from tests.api.openrosa.conftest import MANIFEST, City, said

ADDRESSES = ("formList", "forms/{id}.xml", "forms/{id}/manifest", "forms/{id}/households.csv")


def md5(content: bytes) -> str:
    return f"md5:{hashlib.md5(content).hexdigest()}"


def manifest(phone, campaign) -> list[dict[str, str]]:
    root = ET.fromstring(phone.get(f"forms/{campaign}/manifest").data)
    assert root.tag == f"{MANIFEST}manifest"
    return [{field.tag.removeprefix(MANIFEST): field.text for field in one} for one in root]


def households(phone, campaign) -> dict[str, str]:
    lines = phone.get(f"forms/{campaign}/households.csv").text.splitlines()
    return {row["name"]: row["label"] for row in csv.DictReader(lines)}


def test_the_list_tells_where_a_form_is_and_what_its_digest_is(city: City):
    """Each form with its id, name, version, MD5 and addresses, as OpenRosa has it."""
    (listed,) = city.worker.forms()
    answer = city.worker.get("formList")
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert answer.content_type == "text/xml; charset=utf-8"
    assert listed["formID"] == f"visit-{city.campaign}"
    assert listed["name"] == "春季走访"
    assert "descriptionText" not in listed
    form = city.worker.get(listed["downloadUrl"].partition("/openrosa/")[2])
    assert listed["hash"] == md5(form.data)
    root = ET.fromstring(form.data)
    data = next(root.iter("{http://www.w3.org/2002/xforms}data"))
    assert (data.get("id"), data.get("version")) == (listed["formID"], listed["version"])
    assert listed["manifestUrl"].endswith(f"/openrosa/forms/{city.campaign}/manifest")


def test_the_list_can_be_narrowed_and_made_verbose(city: City):
    """`formID` picks one form, `verbose=true` adds a description."""
    other = city.plan(name="入户宣传")
    assert [one["name"] for one in city.worker.forms()] == ["入户宣传", "春季走访"]
    (one,) = city.worker.forms(f"?formID=visit-{other}&verbose=true")
    assert one["name"] == "入户宣传"
    assert one["descriptionText"]
    assert city.worker.forms("?formID=visit-nothing") == []


def test_only_open_campaigns_of_the_workers_place_are_listed(city: City):
    """Not those of another town, not planned ones, and not closed ones any more."""
    city.plan(name="未开始", opened=False)
    assert [one["name"] for one in city.worker.forms()] == ["春季走访"]
    assert city.phone(district="120").forms() == []
    for place in ("110", "100", None):
        assert len(city.phone(district=place).forms()) == 1
    city.dispatcher.submit(f"/v1/campaigns/{city.campaign}/close", {})
    assert city.worker.forms() == []


def test_what_is_not_open_or_elsewhere_has_no_form(city: City):
    """Unknown or elsewhere: 404; planned or closed: 409, each with a sentence."""
    elsewhere, planned = city.phone(district="120"), city.plan(opened=False)
    for path in ADDRESSES[1:]:
        assert city.worker.get(path.format(id=uuid4())).status_code == 404
        assert elsewhere.get(path.format(id=city.campaign)).status_code == 404
        assert city.worker.get(path.format(id=planned)).status_code == 409
    city.dispatcher.submit(f"/v1/campaigns/{city.campaign}/close", {})
    for path in ADDRESSES[1:]:
        answer = city.worker.get(path.format(id=city.campaign))
        assert answer.status_code == 409
        assert "已结束" in said(answer)


def test_a_worker_gets_the_households_of_the_own_grid(city: City):
    """By number, with the address where there is one; a town's worker gets those of all grids."""
    assert households(city.worker, city.campaign) == {
        "111-0": "111-0", "111-1": "111-1 111街 1 号", "111-2": "111-2 111街 2 号",
    }  # fmt: skip
    assert set(households(city.phone(district="112"), city.campaign)) == {"112-0", "112-1", "112-2"}
    assert len(households(city.phone(district="110"), city.campaign)) == 6
    assert len(households(city.phone(district=None), city.campaign)) == 6


def test_an_address_has_nothing_that_cannot_be_seen(city: City, monkeypatch):
    """No control, no mark that turns the line, and no break of it reaches a phone."""
    said = "a\0b\u202e街\u200b\x85 1\u2028号\x7f"
    monkeypatch.setattr(city.services.ledger, "address_of", lambda *_: said)
    assert households(city.worker, city.campaign)["111-1"] == "111-1 ab街 1 号"


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "nothing", 404), ("POST", "formList", 405), ("GET", "submission", 405),
    ("GET", "forms/x.xml", 404), ("PUT", "", 404),
])  # fmt: skip
def test_a_wrong_address_is_answered_in_openrosas_words(city: City, method, path, status):
    """What is not there is an envelope with the version, too; elsewhere it stays JSON."""
    address = f"/openrosa/{path}".rstrip("/")
    answer = city.client.open(address, method=method, headers=city.worker.headers)
    assert (answer.status_code, answer.headers["X-OpenRosa-Version"]) == (status, "1.0")
    assert said(answer)
    other = city.client.get("/openrosas")
    assert (other.mimetype, "X-OpenRosa-Version" in other.headers) == (PROBLEM_JSON, False)


def test_a_large_grid_is_listed_whole(city: City):
    """More households than a page of the view holds are all in the file, once each."""
    campaign = city.plan(households=120)
    found = city.worker.get(f"forms/{campaign}/households.csv").text.splitlines()[1:]
    assert len(found) == len(set(found)) == 120


def test_a_manifest_changes_with_its_file(city: City, erase):
    """Its MD5 is that of the file; once an address is erased both change, and the form does not."""
    (before,), (listed,) = manifest(city.worker, city.campaign), city.worker.forms()
    content = city.worker.get(f"forms/{city.campaign}/households.csv").data
    assert (before["filename"], before["hash"]) == ("households.csv", md5(content))
    assert before["downloadUrl"].endswith(f"/openrosa/forms/{city.campaign}/households.csv")
    erase(household_subject("111-1"))
    (after,) = manifest(city.worker, city.campaign)
    assert after["hash"] != before["hash"]
    assert households(city.worker, city.campaign)["111-1"] == "111-1"
    assert city.worker.forms() == [listed]


def test_no_cache_keeps_addresses(city: City):
    """The file of households is for the phone that asked: no proxy keeps a copy of it."""
    answer = city.worker.get(f"forms/{city.campaign}/households.csv")
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_without_a_list_numbers_are_typed(city: City, monkeypatch):
    """A worker with no household listed, or too many, gets another version without a file."""
    (chosen,) = city.worker.forms()
    monkeypatch.setattr("api.openrosa.households.HOUSEHOLDS_MAX", 2)
    (typed,) = city.worker.forms()
    assert typed["version"] != chosen["version"]
    assert typed["hash"] != chosen["hash"]
    assert "manifestUrl" not in typed
    assert manifest(city.worker, city.campaign) == []


def test_a_phone_asks_first_how_much_may_be_sent(city: City):
    """HEAD is answered 204 with OpenRosa's headers, and less than the service's own limit."""
    answer = city.worker.head("submission")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert 1_900_000 < int(answer.headers["X-OpenRosa-Accept-Content-Length"]) < 2 * 1024 * 1024
    assert answer.headers["Location"].endswith("/openrosa/submission")


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
def test_the_server_dates_its_answers_once(city: City, environ, serve):
    """Over a real connection HEAD carries exactly one Date; behind TLS addresses are https."""
    with serve(environ) as server:
        wire = http.client.HTTPConnection("127.0.0.1", server.port)
        wire.request("HEAD", "/openrosa/submission", headers=city.worker.headers)
        answer = wire.getresponse()
        assert answer.status == 204
        assert len(answer.headers.get_all("Date")) == 1
        answer.read()
        safe = {**city.worker.headers, "X-Forwarded-Proto": "https", "Host": "rivers.example"}
        wire.request("GET", "/openrosa/formList", headers=safe)
        assert b"<downloadUrl>https://rivers.example/openrosa/forms/" in wire.getresponse().read()
        wire.close()


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize("header", [
    None, "Basic", "Basic !", "Basic " + base64.b64encode(b"no-colon").decode(),
    "Basic " + base64.b64encode(b"user:").decode(),
    "Basic " + base64.b64encode(b"u:wrong").decode(),
    "Basic " + base64.b64encode(b"u:" + b"x" * 300).decode(),
    "Basic " + base64.b64encode("u:令牌".encode()).decode(), "Bearer wrong", "Digest x",
], ids=str)  # fmt: skip
def test_without_a_token_the_phone_is_asked_for_one(city: City, header):
    """401 on every address, with the challenge that makes Collect ask for name and password."""
    city.worker.headers = {} if header is None else {"Authorization": header}
    answers = [city.worker.get(path.format(id=city.campaign)) for path in ADDRESSES]
    answers += [city.worker.head("submission"), city.worker.send(city.filled())]
    for answer in answers:
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="green-water-coin"'
    assert city.facts("visit.recorded") == []


def test_a_revoked_token_ends_at_once(city: City):
    """A lost phone is shut out as everywhere else."""
    city.services.ledger.revoke_token(city.worker.worker.token, NOW)
    assert city.worker.get("formList").status_code == 401


def test_a_bearer_token_is_as_good(city: City):
    """The token may come as everywhere else, too."""
    city.worker.headers = city.worker.worker.headers
    assert len(city.worker.forms()) == 1


def test_a_password_opens_nothing_but_openrosa(city: City):
    """Basic is accepted on these addresses only; elsewhere the same token must be a bearer's."""
    answer = city.client.get("/v1/me", headers=city.worker.headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    document = city.client.get("/openapi.json").json
    assert document["paths"].keys().isdisjoint({"/openrosa/formList"})
    assert "`/openrosa`" in document["info"]["description"]


@pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", ["citizen", "dispatcher", "auditor", "admin"])
def test_forms_are_for_grid_workers(city: City, role):
    """Everybody else is refused, with a sentence, and nothing is written."""
    other, head = city.phone(role), city.services.ledger.head()
    answers = [other.get(path.format(id=city.campaign)) for path in ADDRESSES]
    answers += [other.head("submission"), other.send(city.filled())]
    assert [one.status_code for one in answers] == [403] * len(answers)
    assert "您的角色" in said(answers[-1])
    assert city.services.ledger.head() == head


def test_the_user_name_makes_no_limit_anew(app, city: City):
    """However the user name beside it changes, a token has one limit."""
    from api.limits import _token

    def key(user: str, token: str) -> str:
        sent = base64.b64encode(f"{user}:{token}".encode()).decode()
        with app.test_request_context(headers={"Authorization": f"Basic {sent}"}):
            return _token()

    assert key("a", "x") == key("b", "x")
    assert key("a", "x") != key("a", "y")
