"""Photos for the tests: contributions of every kind, and phones that send their photos in."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from ledger.audit import Disclosures, audit, rows_of
from tests.api.test_bad_input import a_patrol
from tests.ledger.examples import a_report, a_visit
from tests.ledger.trailing import a_trail, east

JPEG = b"\xff\xd8\xff\xe0 a small photo"
KINDS = {"patrol": "citizen", "report": "citizen", "visit": "grid_worker", "check_in": "citizen"}
REVIEWERS = {
    "patrol": {"dispatcher", "reward_officer"}, "report": {"dispatcher", "handler"},
    "visit": {"dispatcher"}, "check_in": {"dispatcher", "reward_officer"},
}  # fmt: skip


def a_photo(number: int = 0) -> bytes:
    return JPEG + bytes([number])


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


class Album:
    """Sends photos of contributions in, and looks at what is there of them."""

    def __init__(self, services, caller, client) -> None:
        self.services, self.caller, self._client = services, caller, client

    def contribution(self, kind: str, who=None, **more) -> tuple:
        """Somebody of the town 110 and what they sent in, by its id."""
        who = who or self.caller(KINDS[kind], "110")
        paths = {"patrol": "patrols", "report": "reports", "visit": "visits",
                 "check_in": "check-ins"}  # fmt: skip
        body = {"patrol": a_patrol, "report": a_report, "visit": a_visit, "check_in": self._here}
        made = who.submit(f"/v1/{paths[kind]}", {**body[kind](), **more})
        assert made.status_code == 201, made.json
        return who, made.json["id"]

    def _here(self) -> dict:
        trail = self.caller("dispatcher", "110").submit("/v1/trails", a_trail()).json
        lon, lat = east(0)
        place = {"lon": lon, "lat": lat}
        return {"trail_id": trail["id"], "point_id": "p0", "place": place}

    def put(self, who, cause, content: bytes, name: str | None = None, **headers: str):
        """Send a photo in, by default under its digest and as a JPEG."""
        path = f"/v1/contributions/{cause}/photos/{name or digest(content)}"
        told = {"Content-Type": "image/jpeg", **who.headers, **headers}
        return self._client.put(path, data=content, headers=told)

    def get(self, who, cause, name: str):
        return who.get(f"/v1/contributions/{cause}/photos/{name}")

    def named(self, who, cause) -> list[tuple[str, bool, bool]]:
        answer = who.get(f"/v1/contributions/{cause}/photos")
        assert answer.status_code == 200, answer.json
        return [(one["sha256"], one["kept"], one["erased"]) for one in answer.json["items"]]

    def facts(self) -> list:
        ledger = self.services.ledger
        return [one.fact for one in ledger.entries(topics=["contribution.photos-added"])]

    def rows(self, cause) -> list[str]:
        """The photos that the vault has of a contribution, by their digests."""
        found = self.services.ledger.store.select_vault(UUID(str(cause)))
        return [one.field.removeprefix("photo/") for one in found if one.field[:6] == "photo/"]

    def findings(self) -> list:
        ledger = self.services.ledger
        return list(audit(rows_of(ledger), Disclosures(ledger.vault, ledger.store)))


def refusal(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]
