"""A small campaign: who runs it, its doors, and visits to them as phones send them in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from ledger.application import Ledger
from ledger.campaigns.campaign import Plan
from ledger.campaigns.edits import VisitEditBody
from ledger.campaigns.listing import NewHousehold
from ledger.campaigns.planning import Show
from ledger.campaigns.questionnaire import AskIf, Option, Question
from ledger.contributions import BY_KIND
from ledger.parcels import Item, Parcel, Result
from ledger.participants import Actor
from ledger.photos import PhotosBody
from tests.ledger.examples import NOW, contribute, someone, take_back, verify

GOOD_OR_BAD = Question(
    id="water", zh="您对河道水质的评价", en="How is the water?",
    options=(Option("good", "好", "good"), Option("bad", "差", "bad")), required=True,
)  # fmt: skip
WHY = Question(
    id="why", zh="差在哪里", en="What is wrong?", kind="multi",
    options=(Option("smell", "有异味", "smell"), Option("litter", "有垃圾", "litter")),
    ask_if=AskIf("water", ("bad",)),
)  # fmt: skip
STOCK = {"booklet": 100}


def a_campaign(
    ledger: Ledger, doors: dict[str, str] | None = None, *, opened: bool = True,
    by: Actor | None = None, address: str | None = None, **plan: Any,
) -> UUID:  # fmt: skip
    """A campaign with ten doors in the grid G1, unless told otherwise; its id."""
    by = by or someone(ledger, "dispatcher")
    told = Plan(**{
        "name": "春季走访", "materials": STOCK, "questionnaire": (GOOD_OR_BAD, WHY), **plan
    })  # fmt: skip
    campaign = ledger.plan_campaign(by, told, {}, uuid4(), NOW).id
    listed = doors or {f"H{number}": "G1" for number in range(10)}
    ledger.list_households(
        campaign, [NewHousehold(one, grid, address) for one, grid in listed.items()], NOW
    )
    if opened:
        ledger.open_campaign(by, campaign, {}, uuid4(), NOW)
    return campaign


def a_door_visit(campaign: UUID, household: str = "H0", outcome: str = "met", **more: Any) -> dict:
    """A visit as the API takes it, without its submission_id."""
    return {"campaign_id": str(campaign), "household": household, "outcome": outcome, **more}


def an_item(kind: str, body: dict, seq: int | None = None, **more: Any) -> Item:
    """An item of a parcel; the body gets a ``submission_id`` unless it has one."""
    request = {"submission_id": str(uuid4()), **body}
    content = {name: value for name, value in request.items() if name != "submission_id"}
    return Item(
        kind=kind, submission_id=UUID(request["submission_id"]), request=request, device_seq=seq,
        body=msgspec.convert(content, BY_KIND[kind].body), **more,
    )  # fmt: skip


def send(
    ledger: Ledger, actor: Actor, *items: Item, now: datetime = NOW, device: str = "phone"
) -> list[Result]:
    """Send a parcel in, whose clock is right; the results."""
    return ledger.sync(Parcel(actor, device, now, items), now).results


def visit_in_every_way(ledger: Ledger, reviewer: Actor, grid: str) -> None:
    """Every fact of campaigns and visits, at least once."""
    worker, other = someone(ledger, "grid_worker"), someone(ledger, "grid_worker")
    doors = {f"H{number}": grid for number in range(10)}
    campaign = a_campaign(ledger, doors, by=reviewer, address="滨河路 1 号")
    ledger.allot_stock(reviewer, campaign, grid, "booklet", 50, {}, uuid4(), NOW)
    show = Show(kind="opera", held_on=NOW.date(), headcount=80, grid=grid, materials={"booklet": 3})
    ledger.hold_show(reviewer, campaign, show, {}, uuid4(), NOW)
    body = a_door_visit(
        campaign, materials={"booklet": 2}, answers={"water": "bad", "why": ["smell"]},
        problems=[{"category": "litter", "text": "门口河边有垃圾"}],
    )  # fmt: skip
    first = contribute(ledger, "visit", worker, body)
    edit = VisitEditBody(
        replaces=1, materials={"booklet": 1}, remark="改一下", answers={"why": ("litter",)}
    )
    ledger.edit_visit(other, first.id, edit, {"edit": 1}, uuid4(), NOW)
    late = VisitEditBody(replaces=1, materials={"booklet": 5}, outcome="by_phone")
    assert ledger.edit_visit(worker, first.id, late, {}, uuid4(), NOW).clashes
    photos = PhotosBody(photos=("ab" * 32,))
    (added,) = send(ledger, worker, Item(
        kind="photos", submission_id=uuid4(), body=photos, about=first.id
    ))  # fmt: skip
    assert added.status == "created"
    assert verify(ledger, first, reviewer).rule == "visit.confirmed"
    second = contribute(ledger, "visit", other, a_door_visit(campaign))
    assert verify(ledger, second, reviewer).rule == "visit.confirmer"
    take_back(ledger, first.id)
    third = contribute(ledger, "visit", someone(ledger, "grid_worker"), a_door_visit(campaign))
    assert verify(ledger, third, reviewer).rule == "visit.confirmed"
    items = [
        an_item("visit", a_door_visit(
            campaign, f"H{n}", "nobody_home", materials={"booklet": n}
        ), n)
        for n in range(1, 4)
    ]  # fmt: skip
    results = send(ledger, worker, *items)
    assert results[2].id is not None
    ledger.withdraw_visit(worker, results[2].id, {}, uuid4(), NOW + timedelta(hours=1))
    assert ledger.nobody_home(worker, campaign, ["H8", "H9"], uuid4(), NOW)[1].status == "created"
    invented = contribute(ledger, "visit", worker, a_door_visit(
        campaign, "H5", answers={"water": "good"}
    ))  # fmt: skip
    ledger.review(BY_KIND["visit"], reviewer, invented.id, uuid4(), NOW, tier=None, reason="编造")
    ledger.close_campaign(reviewer, campaign, {}, uuid4(), NOW + timedelta(hours=2))
