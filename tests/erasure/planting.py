"""What an erased person leaves with the service: markers, planted through the real API."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

from api.services import Services
from ledger.campaigns.frame import household_subject
from ledger.campaigns.listing import NewHousehold
from ledger.districts import DistrictImported
from tests.ledger.examples import a_reach, a_walk
from tests.ledger.trailing import a_trail, east

HOUSEHOLD = "H-77"
PHOTO = b"\xff\xd8\xff\xe1\x00\x20Exif\x00\x00SERIAL-9f3c77aa\xff\xd9"


class Site:
    """A served city: its staff by token, and a client of its API."""

    def __init__(self, opened: Services, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.ledger, self._clock = opened.ledger, opened.clock
        now = opened.clock()
        self.ledger.import_districts([
            DistrictImported(code="110", name="镇", parent=None, kind="town"),
            DistrictImported(code="111", name="格", parent="110", kind="grid"),
        ], now)  # fmt: skip
        self.ledger.import_reaches([a_reach("110")], now)
        self.staff = {
            role: self.ledger.issue_token(role, now).token
            for role in ("registrar", "handler", "dispatcher", "approver", "reward_officer",
                         "merchant", "auditor")
        }  # fmt: skip

    def ask(self, path: str, token: str) -> Any:
        """What a GET answers."""
        return self._send(Request(self.url + path), token)

    def post(self, path: str, token: str, body: dict[str, Any]) -> Any:
        """What a submission is answered with; an AssertionError for a refusal."""
        content = json.dumps({"submission_id": str(uuid4()), **body}).encode()
        headers = {"Content-Type": "application/json"}
        return self._send(Request(self.url + path, content, headers), token)

    def by(self, role: str, path: str, body: dict[str, Any]) -> Any:
        return self.post(path, self.staff[role], body)

    def form(self, token: str, campaign: str, photo: bytes) -> None:
        """A form with a photo, as a phone sends it over OpenRosa."""
        xml = (f'<data id="visit-{campaign}" version="1"><household>{HOUSEHOLD}</household>'
               "<outcome>nobody_home</outcome><photo>1.jpg</photo>"
               f"<meta><instanceID>uuid:{uuid4()}</instanceID></meta></data>")  # fmt: skip
        parts = (("xml_submission_file", "text/xml", xml.encode()), ("1.jpg", "image/jpeg", photo))
        body = b"".join(
            b'--limit\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
            b"Content-Type: %s\r\n\r\n%s\r\n"
            % (name.encode(), name.encode(), kind.encode(), content)
            for name, kind, content in parts
        )  # fmt: skip
        asked = Request(f"{self.url}/openrosa/submission", body + b"--limit--\r\n", {
            "Content-Type": "multipart/form-data; boundary=limit", "X-OpenRosa-Version": "1.0",
            "Authorization": "Basic " + base64.b64encode(f"x:{token}".encode()).decode(),
        })  # fmt: skip
        with urlopen(asked, timeout=30) as answer:
            assert answer.status == 201

    def photo(self, token: str, contribution: str, content: bytes) -> None:
        """A photo of something that was recorded before."""
        path = f"/v1/contributions/{contribution}/photos/{sha256(content).hexdigest()}"
        kept = self._send(Request(self.url + path, content, method="PUT"), token)
        assert kept["media_type"] == "image/jpeg"

    def _send(self, request: Request, token: str) -> Any:
        request.add_header("Authorization", f"Bearer {token}")
        try:
            with urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except HTTPError as refused:
            raise AssertionError((request.full_url, refused.read().decode())) from None


class Planted:
    """Three subjects and an account with what is kept of them; ``markers`` by what they are."""

    def __init__(self, site: Site) -> None:
        self.site, self.markers = site, dict[str, bytes]()
        citizen = site.by("registrar", "/v1/participants", {
            "role": "citizen", "district": "110", "consents": ["board", "track", "photo"],
            "name": self.mark("name", "欧阳标记七七"), "phone": self.mark("phone", "13977001177"),
            "alias": self.mark("alias", "白鹭标记一号"),
        })  # fmt: skip
        worker = site.by("registrar", "/v1/participants", {
            "role": "grid_worker", "district": "111",
            "name": self.mark("worker's name", "司徒标记八八"),
        })  # fmt: skip
        self.citizen, self.worker = UUID(citizen["participant_id"]), UUID(worker["participant_id"])
        self.household = household_subject(HOUSEHOLD)
        self._of_citizen(citizen["token"])
        self._of_worker(worker["token"])
        account = site.by("registrar", "/v1/accounts", {
            "kind": "team", "name": self.mark("team", "标记护河队九"), "keeper": str(self.citizen),
        })  # fmt: skip
        self.account = UUID(account["id"])
        self.token = citizen["token"]

    def mark(self, what: str, text: str) -> str:
        self.markers[what] = text.encode()
        return text

    def _of_citizen(self, token: str) -> None:
        site, mark = self.site, self.mark
        site.post("/v1/me/consents", token, {
            "consent": "board", "given": True, "alias": mark("later alias", "苍鹭标记二号"),
        })  # fmt: skip
        paid, refused = (
            site.post("/v1/reports", token, {
                "category": "litter", "text": mark(f"text {number}", f"桥下标记之{number}"),
                "place": {"lon": lon, "lat": 32.681},
            }) for number, lon in ((1, 112.0977711), (2, 112.0977722))
        )  # fmt: skip
        self.markers |= {"place 1": b"112.0977711", "place 2": b"112.0977722"}
        site.photo(token, paid["id"], PHOTO.replace(b"9f3c77aa", b"41bb02cd"))
        self.markers["serial number in a photo of a report"] = b"SERIAL-41bb02cd"
        site.by("handler", f"/v1/reports/{paid['id']}/verify", {"tier": 2})
        site.by("handler", f"/v1/reports/{refused['id']}/refuse", {
            "reason": mark("words of refusal", "不予认可标记三"),
        })  # fmt: skip
        walk = a_walk(900, 1500, datetime.now(UTC) - timedelta(minutes=5))
        self.markers["track"] = repr(walk["track"]["coordinates"][7][0]).encode()
        device = {"device_id": mark("device", "phone-marker-4451"), "seq": 1}
        site.post("/v1/patrols", token, {**walk, "device": device})
        trail, (lon, lat) = site.by("dispatcher", "/v1/trails", a_trail()), east(0)
        here = {"lon": round(lon + 0.0001237, 7), "lat": lat}
        self.markers["check-in"] = repr(here["lon"]).encode()
        body = {"trail_id": trail["id"], "point_id": "p0", "place": here}
        site.post("/v1/check-ins", token, body)
        offer = site.by("merchant", "/v1/catalogue", {
            "name": "绿茶", "price": 10, "stock": 5, "approval": True,
        })  # fmt: skip
        asked = site.post("/v1/redemptions", token, {"offer_id": offer["id"], "quantity": 1})
        site.by("approver", f"/v1/redemptions/{asked['id']}/decline", {
            "reason": mark("words of the approver", "不予兑换标记四"),
        })  # fmt: skip
        site.by("reward_officer", "/v1/reversals", {
            "cause": paid["id"], "code": "mistake",
            "reason": mark("words on a reversal", "误发标记五"),
        })  # fmt: skip

    def _of_worker(self, token: str) -> None:
        site, mark = self.site, self.mark
        plan = site.by("dispatcher", "/v1/campaigns", {"name": "走访", "district": "110"})
        door = NewHousehold(HOUSEHOLD, "111", mark("address", "标记路七十七号"))
        site.ledger.list_households(UUID(plan["id"]), [door], datetime.now(UTC))
        site.by("dispatcher", f"/v1/campaigns/{plan['id']}/open", {})
        visit = site.post("/v1/visits", token, {
            "campaign_id": plan["id"], "household": HOUSEHOLD, "outcome": "met",
            "place": {"lon": 112.0977733, "lat": 32.68},
            "remark": mark("remark", "家中老人标记六"),
            "questions": [mark("question of the household", "何时清淤标记七")],
            "problems": [{"category": "oil", "text": mark("problem", "油污标记八")}],
        })  # fmt: skip
        self.markers["place of the visit"] = b"112.0977733"
        site.post(f"/v1/visits/{visit['id']}/edit", token, {
            "replaces": 1, "remark": mark("edited remark", "改后备注标记九"),
        })  # fmt: skip
        site.post("/v1/visits", token, {
            "household": mark("household outside of any campaign", "X-marker-5512"),
            "outcome": "met",
        })  # fmt: skip
        site.form(token, plan["id"], PHOTO)
        self.markers["serial number in a photo"] = b"SERIAL-9f3c77aa"

    def erase(self) -> None:
        """The citizen by themself; worker, household and team by a registrar and an approver."""
        site = self.site
        own = site.post("/v1/me/erasure", self.token, {"confirm": "erase"})
        assert own["state"] == "completed"
        for whose in ({"subject": str(self.worker)}, {"household": HOUSEHOLD},
                      {"subject": str(self.account)}):  # fmt: skip
            asked = site.by("registrar", "/v1/erasures", whose)
            assert asked["state"] == "requested"
            done = site.by("approver", f"/v1/erasures/{asked['id']}/approve", {})
            assert done["state"] == "completed", done
