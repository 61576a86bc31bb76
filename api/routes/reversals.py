"""Reversals (撤回): one person proposes to take an award back, another decides."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from flask import Response

from api.answers import Reason, sealed_words
from api.auth import actor, services
from api.routing import Cursor, Limit, MinPosition, Routes, answer, page, reached
from api.schemas import body_sent
from api.shapes import Command, Fresh, Words
from ledger import access
from ledger.errors import NotFound
from ledger.reversals import ReversalReason
from ledger.reversing import ReversalReceipt
from ledger.words import in_words

VIEW = "reversals"
PATH = "/v1/reversals"

routes = Routes("reversals", __name__, description="Taking awards back")


class Listing(msgspec.Struct):
    """A page of what waits in one's district, or of one participant's."""

    state: Annotated[Literal["waiting"] | None, msgspec.Meta(
        description="`waiting`: what is to be decided, which is what is listed without it too"
    )] = None  # fmt: skip
    participant_id: Annotated[UUID | None, msgspec.Meta(
        description="All reversals of this participant's awards instead, newest first"
    )] = None  # fmt: skip
    cursor: Cursor = None
    limit: Limit = 20
    min_position: MinPosition = 0


class Proposal(msgspec.Struct):
    """The contribution whose award was wrong, and why; the words go to the vault."""

    cause: UUID
    reason: Words
    code: ReversalReason = "other"


class ReversalTold(msgspec.Struct):
    """What a command came to; of ``amount`` taken back, ``debt`` could not be found."""

    id: UUID
    cause: UUID
    participant_id: UUID
    state: str
    amount: int
    debt: int
    position: int


class Reversal(msgspec.Struct, kw_only=True):
    """One reversal as it stands; ``reason`` are the words, null once they are erased.

    Whose coins were taken back reads why, but not who proposed and confirmed it.
    """

    id: UUID
    cause: UUID
    participant_id: UUID
    state: str
    reasons: list[Reason]
    reason: str | None
    by: UUID | None
    decided_by: UUID | None
    amount: int
    debt: int
    districts: tuple[str, ...]
    recorded_at: datetime
    allowed_actions: list[str]
    position: int


class ReversalPage(msgspec.Struct):
    """A page of reversals; ``position`` is how far the list had followed the log."""

    items: list[Reversal]
    next: str | None
    position: int


@routes.on("POST", PATH, "reversals.propose", body=Proposal, answers=ReversalTold,
           status=(201, 200), summary="Propose to take an award back")  # fmt: skip
def propose_reversal(body: tuple[UUID, Proposal]) -> Response:
    """Nothing moves until somebody else confirms it; an award is taken back at most once."""
    here = services()
    submission_id, said = body
    return _told(here.ledger.propose_reversal(
        actor(), said.cause, said.code, said.reason, body_sent(), submission_id, here.clock()
    ))  # fmt: skip


@routes.on("POST", f"{PATH}/<uuid:id>/confirm", "reversals.decide", body=Command,
           answers=ReversalTold, status=(201, 200), summary="Take an award back")  # fmt: skip
def confirm_reversal(id: UUID, body: tuple[UUID, Command]) -> Response:
    """By somebody else than who proposed it, and not of one's own award.

    Where the code is `fraud` what was awarded never happened: it counts no more for its household
    or trail, a visit leaves coverage, survey and stock, and the next one takes its place.
    """
    here = services()
    return _told(here.ledger.confirm_reversal(actor(), id, body_sent(), body[0], here.clock()))


@routes.on("POST", f"{PATH}/<uuid:id>/reject", "reversals.decide", body=Command,
           answers=ReversalTold, status=(201, 200), summary="Let an award stand")  # fmt: skip
def reject_reversal(id: UUID, body: tuple[UUID, Command]) -> Response:
    """The award stands; it may be proposed again on other grounds."""
    here = services()
    return _told(here.ledger.reject_reversal(actor(), id, body_sent(), body[0], here.clock()))


@routes.on("GET", PATH, "reversals.read", query=Listing, answers=ReversalPage,
           summary="What waits to be decided, or one participant's")  # fmt: skip
def list_reversals(query: Listing) -> Response:
    """What waits in one's district, oldest first; or with `participant_id` theirs."""
    who, views = actor(), services().views
    reached(VIEW, query.min_position)
    if query.participant_id is not None:
        found = views.reversals(query.participant_id, query.cursor, query.limit)
    else:
        places = None if who.district is None else (who.district,)
        found = views.reversals_waiting(places, query.cursor, query.limit)
    items = [_item(row) for row in found["items"] if _sees(row) and _asked_for(query, row)]
    return page(found | {"items": items})


@routes.on("GET", f"{PATH}/<uuid:id>", "reversals.see", query=Fresh, answers=Reversal,
           summary="One reversal as it stands")  # fmt: skip
def get_reversal(id: UUID, query: Fresh) -> Response:
    """For officers and approvers of its place, auditors, and whose coins were taken back."""
    reached(VIEW, query.min_position)
    row = services().views.reversal(id)
    if row is None:
        raise NotFound
    if access.allowed(actor(), "reversals.read") and _sees(row):
        return answer(_item(row))
    if row["state"] != "confirmed" or row["participant_id"] != str(actor().participant_id):
        raise NotFound
    return answer(_item(row | {"by": None, "decided_by": None}))


def _told(receipt: ReversalReceipt) -> Response:
    fields = msgspec.structs.asdict(receipt)
    replayed = fields.pop("replayed")
    return answer(ReversalTold(**fields), 200 if replayed else 201, replayed=replayed)


def _sees(row: dict[str, Any]) -> bool:
    return actor().role == "auditor" or access.within(actor(), row["districts"])


def _asked_for(query: Listing, row: dict[str, Any]) -> bool:
    return query.state is None or row["state"] == "proposed"


def _item(row: dict[str, Any]) -> Reversal:
    who, why = actor(), in_words("reason", row["reason"])
    concerned = str(who.participant_id) in (row["by"], row["participant_id"])
    may = access.allowed(who, "reversals.decide") and _sees(row) and not concerned
    return msgspec.convert(row | {
        "reasons": [Reason(row["reason"], why.zh, why.en)],
        "reason": sealed_words(UUID(row["id"]), row["sealed"]),
        "allowed_actions": ["confirm", "reject"] if may and row["state"] == "proposed" else [],
    }, Reversal)  # fmt: skip
