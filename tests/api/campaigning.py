"""A campaign run through the API: who plans it, its doors, phones that send visits in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from ledger.campaigns.listing import NewHousehold
from ledger.districts import DistrictImported

SURVEY = [
    {"id": "water", "zh": "水质如何", "options": [
        {"code": "good", "zh": "好"}, {"code": "bad", "zh": "差"}]},
    {"id": "why", "zh": "差在哪里", "kind": "multi", "options": [
        {"code": "smell", "zh": "异味"}, {"code": "litter", "zh": "垃圾"}],
     "ask_if": {"question": "water", "any_of": ["bad"]}},
]  # fmt: skip


class Campaigning:
    """An open campaign over two grids of the town 110, its dispatcher and a worker of each."""

    def __init__(self, services, caller, **plan: Any) -> None:
        self.services = services
        grids = [DistrictImported(code=one, name=one, parent="110", kind="grid")
                 for one in ("111", "112")]  # fmt: skip
        services.ledger.import_districts(grids, services.clock())
        self.dispatcher = caller("dispatcher", "100")
        self.worker, self.other = caller("grid_worker", "111"), caller("grid_worker", "112")
        told = {"name": "春季走访", "materials": {"booklet": 50}, "topics": ["sorting"],
                "questionnaire": SURVEY, **plan}  # fmt: skip
        planned = self.dispatcher.submit("/v1/campaigns", told)
        assert planned.status_code == 201, planned.json
        self.id = planned.json["id"]
        doors = [NewHousehold(f"A{n}", "111", f"滨河路 {n} 号") for n in range(8)]
        doors += [NewHousehold(f"B{n}", "112") for n in range(8)]
        services.ledger.list_households(UUID(self.id), doors, services.clock())
        assert self.step("open").status_code == 201

    def step(self, action: str, body: dict | None = None, by=None):
        path = f"/v1/campaigns/{self.id}/{action}"
        return (by or self.dispatcher).submit(path, body or {})

    def visit(self, household: str = "A0", outcome: str = "met", **more: Any) -> dict:
        """A visit as a body, without its submission_id."""
        return {"campaign_id": self.id, "household": household, "outcome": outcome, **more}

    def item(self, seq: int | None = None, kind: str = "visit", ago: int = 10, **body: Any) -> dict:
        """An item of a parcel, recorded some minutes ago."""
        moment = self.services.clock() - timedelta(minutes=ago)
        return {"kind": kind, "device_seq": seq, "recorded_at": moment.isoformat(),
                "body": {"submission_id": str(uuid4()), **body}}  # fmt: skip

    def sync(self, *items: object, by=None, sent_at: datetime | None = None, device: str = "d1"):
        body = {"device_id": device, "items": list(items),
                "sent_at": (sent_at or self.services.clock()).isoformat()}  # fmt: skip
        return (by or self.worker).post("/v1/sync", body)


def statuses(answer) -> list[str]:
    """What became of each item of a parcel."""
    assert answer.status_code == 200, answer.json
    return [one["status"] for one in answer.json["results"]]


def made(worker, body: dict) -> str:
    """The id of a visit that is recorded."""
    answer = worker.submit("/v1/visits", body)
    assert answer.status_code == 201, answer.json
    return answer.json["id"]
