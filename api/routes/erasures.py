"""Erasures (删除个人信息) and legal holds (依法保全): asked for, decided, and done at once."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from eventsourcing.persistence import PersistenceError
from flask import Response

from api.auth import actor, services
from api.routing import Routes, answer
from api.schemas import body_sent
from api.shapes import Command
from ledger import access
from ledger.campaigns.frame import Household, household_subject
from ledger.erasure.asking import ErasureReceipt, erasure_told
from ledger.erasure.erasures import Basis, Erasure, HoldBasis
from ledger.errors import FieldError, InvalidInput, NotFound
from ledger.words import FIELDS, FIELDS_SAID, Text

PATH = "/v1/erasures"
Field = Annotated[str, msgspec.Meta(max_length=40, extra_json_schema={"enum": sorted(FIELDS)})]
# Whom it is about is told that something is kept, and whom to ask; not why, nor at whose word.
NOTICES = {
    "held": Text(
        "这些信息依法暂须保留，现在不删除；可以删除时系统自动删除，无须再次申请。"
        "如有疑问，请向治水办询问。",
        "The law wants this data kept for now. It is erased by itself as soon as it may be; there"
        " is no need to ask again. Questions are answered by the water office.",
    ),
    "limited": Text(
        "已删除，依法暂须保留的部分除外；可以删除时系统自动删除。如有疑问，请向治水办询问。",
        "Erased, but for what the law wants kept for now, which is erased by itself as soon as it"
        " may be. Questions are answered by the water office.",
    ),
}

routes = Routes("erasures", __name__, description="Erasing personal data, and legal holds")


class OwnErasure(msgspec.Struct):
    """Say that you mean it: it cannot be undone, and the token ends with it."""

    confirm: Literal["erase"]
    basis: Basis = "consent_withdrawn"


class ErasureAsked(msgspec.Struct):
    """Whose data: a participant or an account by id, or a household by its number."""

    subject: UUID | None = None
    household: Household | None = None
    basis: Basis = "consent_withdrawn"


class HoldAsked(msgspec.Struct):
    """Whose data must stay. The ``basis`` is kept in the vault, for the log is public."""

    subject: UUID | None = None
    household: Household | None = None
    basis: HoldBasis = "investigation"
    fields: Annotated[tuple[Field, ...], msgspec.Meta(
        max_length=len(FIELDS),
        description=f"只保全这些内容 / these alone, else all of it: {FIELDS_SAID}.",
    )] = ()  # fmt: skip


class ErasureAnswer(msgspec.Struct, kw_only=True):
    """An erasure as it stands: ``requested`` waits for a second person, ``held`` for a hold;
    ``fenced`` goes on by itself.

    ``kept`` are the fields that a hold keeps; ``keys`` and so on were destroyed. ``notice`` says
    that something must be kept for now, and whom to ask.
    """

    id: UUID
    subject: UUID
    state: str
    keys: int
    rows: int
    photos: int
    tokens: int
    kept: tuple[str, ...]
    allowed_actions: tuple[str, ...]
    position: int
    hold_id: UUID | None = None
    notice: Text | None = None


@routes.on("POST", "/v1/me/erasure", "me.erase", body=OwnErasure, answers=ErasureAnswer,
           status=(201, 200), summary="Erase one's own personal data")  # fmt: skip
def erase_me(body: tuple[UUID, OwnErasure]) -> Response:
    """At once, unless a hold is in the way, or one has held an office: then somebody else decides.

    Coins and history stay, under a number that nobody can put a name to any more.
    """
    here, who = services(), actor()
    submission_id, wanted = body
    asked = here.ledger.ask_erasure(
        who, who.participant_id, wanted.basis, here.clock(), request=body_sent(),
        submission_id=submission_id,
    )  # fmt: skip
    return _done(asked)


@routes.on("POST", PATH, "erasures.ask", body=ErasureAsked, answers=ErasureAnswer,
           status=(201, 200), summary="Ask for somebody's data to be erased")  # fmt: skip
def ask_erasure(body: tuple[UUID, ErasureAsked]) -> Response:
    """Somebody else has to approve it."""
    here = services()
    submission_id, wanted = body
    subject = _subject(wanted.subject, wanted.household)
    asked = here.ledger.ask_erasure(
        actor(), subject, wanted.basis, here.clock(), household=wanted.household,
        request=body_sent(), submission_id=submission_id,
    )  # fmt: skip
    return _done(asked)


@routes.on("POST", f"{PATH}/<uuid:id>/approve", "erasures.decide", body=Command,
           answers=ErasureAnswer, status=(201, 200), summary="Approve an erasure")  # fmt: skip
def approve_erasure(id: UUID, body: tuple[UUID, Command]) -> Response:
    """By somebody else than who asked for it and whose data it is; then it is done at once."""
    here = services()
    return _done(here.ledger.approve_erasure(actor(), id, body_sent(), body[0], here.clock()))


@routes.on("POST", f"{PATH}/<uuid:id>/refuse", "erasures.decide", body=Command,
           answers=ErasureAnswer, status=(201, 200), summary="Refuse an erasure")  # fmt: skip
def refuse_erasure(id: UUID, body: tuple[UUID, Command]) -> Response:
    """Nothing is erased; it may be asked for again."""
    here = services()
    return _told(here.ledger.refuse_erasure(actor(), id, body_sent(), body[0], here.clock()))


@routes.on("GET", f"{PATH}/<uuid:id>", "erasures.see", answers=ErasureAnswer,
           summary="One erasure as it stands")  # fmt: skip
def get_erasure(id: UUID) -> Response:
    """For those who ask and decide, auditors, and whose data it is once it was asked for."""
    state, who = services().ledger.erasure_of(id), actor()
    assert state.subject is not None
    own = state.subject == who.participant_id
    if not (state.requested if own else access.allowed(who, "erasures.read")):
        raise NotFound
    return answer(_answer(erasure_told(state.subject, state), state))


@routes.on("POST", "/v1/holds", "holds.manage", body=HoldAsked, answers=ErasureAnswer,
           status=(201, 200), summary="Place a legal hold")  # fmt: skip
def place_hold(body: tuple[UUID, HoldAsked]) -> Response:
    """Nothing it covers is erased until it is lifted; the answer has its `hold_id`."""
    here = services()
    submission_id, wanted = body
    subject = _subject(wanted.subject, wanted.household)
    return _told(here.ledger.place_hold(
        actor(), subject, wanted.basis, wanted.fields, here.clock(), household=wanted.household,
        request=body_sent(), submission_id=submission_id,
    ))  # fmt: skip


@routes.on("POST", "/v1/holds/<uuid:id>/lift", "holds.manage", body=Command,
           answers=ErasureAnswer, status=(201, 200), summary="Lift a legal hold")  # fmt: skip
def lift_hold(id: UUID, body: tuple[UUID, Command]) -> Response:
    """By somebody else than who placed it; an erasure that waited for it is then done at once."""
    here = services()
    return _done(here.ledger.lift_hold(
        actor(), id, here.clock(), request=body_sent(), submission_id=body[0]
    ))  # fmt: skip


def _subject(subject: UUID | None, household: str | None) -> UUID:
    if (subject is None) == (household is None):
        raise InvalidInput([FieldError("subject", "one_of_two", "subject 与 household 须填一项。",
                                       "Give either subject or household.")])  # fmt: skip
    return household_subject(household) if household is not None else subject  # type: ignore[return-value]


def _done(asked: ErasureReceipt) -> Response:
    """Go on with what is due, and say how it stands then."""
    here = services()
    if asked.replayed:
        return _told(asked)
    try:
        done = here.ledger.run_erasure(asked.subject, here.clock())
    except PersistenceError:  # Their token may have ended, so they could not send it again.
        done = erasure_told(asked.subject, here.ledger.erasure(asked.subject))
    return _told(msgspec.structs.replace(done, hold_id=asked.hold_id))


def _told(receipt: ErasureReceipt) -> Response:
    state = services().ledger.erasure(receipt.subject)
    status = 200 if receipt.replayed else 201
    return answer(_answer(receipt, state), status, replayed=receipt.replayed)


def _answer(receipt: ErasureReceipt, state: Erasure) -> ErasureAnswer:
    fields = msgspec.structs.asdict(receipt)
    del fields["replayed"]
    who, asked, actions = actor(), state.requested, tuple[str, ...]()
    if asked and receipt.state == "requested" and access.allowed(who, "erasures.decide"):
        own = who.participant_id in (asked.by, asked.subject)
        actions = () if own else ("approve", "refuse")
    return ErasureAnswer(
        **fields, allowed_actions=actions, notice=NOTICES.get(receipt.state)
    )  # fmt: skip
