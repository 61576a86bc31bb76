"""A city with an open campaign, and phones that log its visits over OpenRosa."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import pytest

from api.services import Services
from ledger.campaigns.listing import NewHousehold
from ledger.districts import DistrictImported
from tests import xforms_engine
from tests.api.conftest import NOW, Caller
from tests.conftest import Missing

LIST, MANIFEST = "{http://openrosa.org/xforms/xformsList}", "{http://openrosa.org/xforms/xformsManifest}"
MESSAGE = "{http://openrosa.org/http/response}message"
JPEG = b"\xff\xd8\xff\xe0 a small photo"

QUESTIONNAIRE = [
    {"id": "water", "zh": "河水怎么样？", "en": "How is the river?",
     "options": [{"code": "good", "zh": "好", "en": "good"}, {"code": "bad", "zh": "差"}],
     "required": True},
    {"id": "why", "zh": "差在哪里？", "kind": "multi",
     "options": [{"code": "smell", "zh": "有味"}, {"code": "rubbish", "zh": "垃圾"}],
     "ask_if": {"question": "water", "any_of": ["bad", "dont_know"]}},
    {"id": "praise", "zh": "好在哪里？", "dont_know": False,
     "options": [{"code": "clear", "zh": "清澈"}, {"code": "green", "zh": "岸绿"}],
     "ask_if": {"question": "water", "any_of": ["good"]}},
    {"id": "odour", "zh": "什么味道？",
     "options": [{"code": "sewage", "zh": "污水"}, {"code": "chemical", "zh": "化工"}],
     "ask_if": {"question": "why", "any_of": ["smell"]}},
]  # fmt: skip


class Collect:
    """A worker's phone: a token as the password of HTTP Basic, and forms sent as multipart."""

    def __init__(self, worker: Caller, client) -> None:
        self.worker, self._client = worker, client
        password = base64.b64encode(f"anybody:{worker.token}".encode()).decode()
        self.headers = {"Authorization": f"Basic {password}", "X-OpenRosa-Version": "1.0"}

    def get(self, path: str):
        return self._client.get(f"/openrosa/{path}", headers=self.headers)

    def head(self, path: str):
        return self._client.head(f"/openrosa/{path}", headers=self.headers)

    def forms(self, query: str = "") -> list[dict[str, str]]:
        """The list of forms, each by the names of its elements."""
        root = ET.fromstring(self.get(f"formList{query}").data)
        return [{field.tag.removeprefix(LIST): field.text for field in one} for one in root]

    def send(self, xml: bytes | str, photos: dict[str, bytes] | None = None, **more: str):
        """Submit a form with photos by name; ``more`` are headers."""
        xml = xml.encode() if isinstance(xml, str) else xml
        parts = {"xml_submission_file": (io.BytesIO(xml), "visit.xml", "text/xml")}
        for name, content in (photos or {}).items():
            parts[name] = (io.BytesIO(content), name, "image/jpeg")
        return self.post(parts, **more)

    def post(self, parts, **more: str):
        return self._client.post(
            "/openrosa/submission", data=parts, headers={**self.headers, **more},
            content_type="multipart/form-data",
        )  # fmt: skip

    def send_whole(self, xml: str, photos: dict[str, bytes]):
        """As ``send``, the body made by hand: the client's own way leaves large files open."""
        parts = [("xml_submission_file", "text/xml", xml.encode())]
        parts += [(name, "image/jpeg", content) for name, content in photos.items()]
        body = b"".join(
            b'--limit\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
            b"Content-Type: %s\r\n\r\n%s\r\n"
            % (name.encode(), name.encode(), kind.encode(), content)
            for name, kind, content in parts
        )  # fmt: skip
        return self.post_raw("multipart/form-data; boundary=limit", body + b"--limit--\r\n")

    def post_raw(self, content_type: str, body: bytes):
        return self._client.post(
            "/openrosa/submission", data=body, headers=self.headers, content_type=content_type
        )


def said(answer) -> str:
    """What the person holding the phone reads."""
    message = ET.fromstring(answer.data).find(MESSAGE)
    assert message.get("nature") == (
        "submit_success" if answer.status_code < 300 else "submit_error"
    )
    return message.text


class City:
    """A campaign in a town of two grids, and what it takes to fill in a form of it."""

    def __init__(self, services: Services, caller: Callable[..., Caller], client, follow) -> None:
        self.services, self.caller, self.client, self.follow = services, caller, client, follow
        self.dispatcher = caller("dispatcher", "110")
        self.campaign = self.plan()
        self.worker = self.phone()

    def plan(self, *, opened: bool = True, households: int = 3, **more) -> UUID:
        """A campaign, by default open, with so many households in each grid."""
        plan = {
            "name": "春季走访", "materials": {"宣传册": 10, "bag": 5},
            "topics": ["five_waters", "垃圾分类"], "questionnaire": QUESTIONNAIRE,
        }  # fmt: skip
        made = self.dispatcher.submit("/v1/campaigns", plan | more)
        assert made.status_code == 201, made.json
        campaign = UUID(made.json["id"])
        self.services.ledger.list_households(campaign, [
            NewHousehold(f"{grid}-{number}", grid, f"{grid}街 {number} 号" if number else None)
            for grid in ("111", "112") for number in range(households)
        ], NOW)  # fmt: skip
        if opened:
            self.dispatcher.submit(f"/v1/campaigns/{campaign}/open", {})
        self.follow()
        return campaign

    def phone(self, role: str = "grid_worker", district: str | None = "111") -> Collect:
        return Collect(self.caller(role, district), self.client)

    def filled(self, *, campaign: UUID | None = None, instance: str | None = None,
               **fields: str) -> str:  # fmt: skip
        """A filled-in form; ``a__b`` is the field b within a."""
        fields = {"household": "111-1", "outcome": "met"} | fields
        inner = ""
        for name, value in fields.items():
            *outside, leaf = name.split("__")
            inner += "".join(f"<{one}>" for one in outside) + f"<{leaf}>{value}</{leaf}>"
            inner += "".join(f"</{one}>" for one in reversed(outside))
        instance = f"uuid:{uuid4()}" if instance is None else instance
        meta = f"<instanceID>{instance}</instanceID>" if instance else ""
        return (f'<data id="visit-{campaign or self.campaign}" version="1">{inner}'
                f"<meta>{meta}</meta></data>")  # fmt: skip

    def facts(self, *topics: str) -> list:
        return [one.fact for one in self.services.ledger.entries(topics=list(topics))]


@pytest.fixture
def city(services: Services, caller, app, follow) -> City:
    """A town with two grids and an open campaign that the views show."""
    services.ledger.import_districts([
        DistrictImported(code=code, name=code, parent="110", kind="grid") for code in ("111", "112")
    ], NOW)  # fmt: skip
    return City(services, caller, app.test_client(), follow)


@pytest.fixture(scope="session")
def xforms(missing: Missing) -> Path:
    """ODK's form engine."""
    try:
        return xforms_engine.find()
    except xforms_engine.NoEngine as problem:
        missing("ODK's form engine", problem)


@pytest.fixture
def odk(chromium, xforms: Path) -> Iterator[xforms_engine.Phone]:
    """A phone on which ODK's engine fills in forms."""
    page = chromium.new_page()
    yield xforms_engine.Phone(page, xforms)
    page.close()
