"""Visits (走访) beyond recording one: edits, withdrawal, a street where nobody is home."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routes.sync_answers import SyncResult, told
from api.routing import Routes, answer
from api.schemas import body_sent
from api.shapes import Command
from ledger import access
from ledger.campaigns.amending import AmendReceipt
from ledger.campaigns.edits import PUBLIC, VisitEditBody
from ledger.campaigns.errors import EarlierItemMissing
from ledger.campaigns.merging import MATERIALS
from ledger.contributions.base import Times
from ledger.contributions.visit import Word
from ledger.errors import NotFound

STREET_MAX = 300

routes = Routes("visits", __name__, description="Correcting visits, and whole streets")


class Amended(msgspec.Struct, kw_only=True):
    """What became of an edit or a withdrawal.

    ``version`` is what the next edit replaces; ``clashes`` are fields that somebody else had
    changed otherwise: kept, and not in effect until a person edits them. What was reviewed is not
    changed any more: of a later edit every field clashes.
    """

    id: UUID
    position: int
    version: int
    state: str
    clashes: tuple[str, ...]


class Clash(msgspec.Struct, kw_only=True):
    """A field two people gave different values, and the version whose value waits."""

    field: str
    version: int
    by: UUID
    value: Any


class VisitAnswer(msgspec.Struct, kw_only=True):
    """A visit as it stands, edits included; for those who may edit it.

    ``private`` is what only the vault holds (`remark`, `place`, `questions`, `answers.<question>`),
    for its visitors; for others it is empty.
    """

    id: UUID
    version: int
    state: str
    household: str | None
    grid: str | None
    campaign_id: UUID | None
    outcome: str
    materials: dict[str, int]
    topics: tuple[str, ...]
    follow_up_on: date | None
    visitors: tuple[UUID, ...]
    reports: tuple[UUID, ...]
    clashes: list[Clash]
    private: dict[str, Any]


class NobodyHome(msgspec.Struct, kw_only=True):
    """The households of a street where nobody opened."""

    campaign_id: UUID
    households: Annotated[tuple[Word, ...], msgspec.Meta(min_length=1, max_length=STREET_MAX)]
    recorded_at: datetime | None = None
    sent_at: datetime | None = None


class Street(msgspec.Struct):
    """A result for each household, in their order."""

    results: list[SyncResult]


@routes.on("POST", "/v1/visits/<uuid:id>/edit", "visits.edit", body=VisitEditBody,
           answers=Amended, status=(201, 200), summary="Edit a visit")  # fmt: skip
def edit_visit(id: UUID, body: tuple[UUID, VisitEditBody]) -> Response:
    """What others changed meanwhile is merged field by field; a true clash is kept and flagged."""
    here = services()
    submission_id, change = body
    try:
        receipt = here.ledger.edit_visit(
            actor(), id, change, body_sent(), submission_id, here.clock()
        )
    except EarlierItemMissing:
        here.ledger.visit(id)  # Somebody who asks online is told that there is no such visit.
        raise
    return _amended(receipt)


@routes.on("POST", "/v1/visits/<uuid:id>/withdraw", "visits.log", body=Command, answers=Amended,
           status=(201, 200), summary="Withdraw one's own visit")  # fmt: skip
def withdraw_visit(id: UUID, body: tuple[UUID, Command]) -> Response:
    """Within the hours the policy gives, while nobody has reviewed it."""
    here = services()
    return _amended(
        here.ledger.withdraw_visit(actor(), id, body_sent(), body[0], here.clock())
    )


@routes.on("GET", "/v1/visits/<uuid:id>/details", "visits.edit", answers=VisitAnswer,
           name="get_visit_details", summary="A visit as it stands, for editing")  # fmt: skip
def visit_details(id: UUID) -> Response:
    """With its version, and what two people said differently of it."""
    here, who = services(), actor()
    visit = here.ledger.visit(id)
    recorded = visit.recorded
    mine = who.participant_id in recorded.people
    if not mine and not access.within(who, recorded.districts):
        raise NotFound
    history = here.ledger.history_of(id, visit)
    clashes = [
        # What a household answered is for those who asked it.
        Clash(field=one.field, version=one.version, by=one.by,
              value=msgspec.to_builtins(value) if mine or _is_public(one.field) else None)
        for one, value in history.open_clashes()
    ]  # fmt: skip
    private = {
        field: msgspec.to_builtins(value) for field, value in history.standing().items()
        if mine and value is not None and not _is_public(field)
    }  # fmt: skip
    return answer(VisitAnswer(
        id=id, version=visit.number, state=visit.state.state, household=recorded.household,
        grid=recorded.grid, campaign_id=recorded.campaign_id, outcome=recorded.outcome,
        materials=recorded.materials, topics=recorded.topics,
        follow_up_on=recorded.follow_up_on, visitors=recorded.visitors, reports=recorded.reports,
        clashes=clashes, private=private,
    ))  # fmt: skip


def _is_public(field: str) -> bool:
    return field in PUBLIC or field.startswith(MATERIALS)


@routes.on(
    "POST", "/v1/visits/nobody-home", "visits.log", body=NobodyHome, answers=Street,
    name="record_nobody_home", status=(201, 200), summary="Nobody home in a whole street",
)  # fmt: skip
def nobody_home(body: tuple[UUID, NobodyHome]) -> Response:
    """A visit for every household, in one commit; each may be withdrawn alone.

    The same again records what was refused before and could be now. Another street or time under
    the same `submission_id` is refused as `submission_conflict`, all of it.
    """
    here = services()
    submission_id, street = body
    results = here.ledger.nobody_home(
        actor(), street.campaign_id, street.households, submission_id, here.clock(),
        Times(street.recorded_at, street.sent_at),
    )
    statuses = {one.status for one in results}
    content = Street([
        told(one, partial(_in_street, number)) for number, one in enumerate(results)
    ])
    status = 201 if "created" in statuses else 200
    return answer(content, status, replayed=statuses == {"replayed"})


def _in_street(number: int, path: str) -> str:
    return f"households[{number}]" if path == "household" else path


def _amended(receipt: AmendReceipt) -> Response:
    content = Amended(
        id=receipt.id, position=receipt.position, version=receipt.version, state=receipt.state,
        clashes=receipt.clashes,
    )  # fmt: skip
    return answer(content, 200 if receipt.replayed else 201, replayed=receipt.replayed)
