"""People (参与者): registering them, who one is, and the consents one gives."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from flask import Response

from api import answers
from api.auth import actor, services
from api.routing import Routes, answer
from api.schemas import body_sent
from api.shapes import Line
from ledger.participants import CONSENTS, ROLES
from ledger.words import READABLE

Alias = Annotated[str, msgspec.Meta(min_length=1, max_length=20, pattern=READABLE)]
Role = Literal[ROLES]  # type: ignore[valid-type]
Consent = Literal[CONSENTS]  # type: ignore[valid-type]

routes = Routes("people", __name__, description="Registration and consents")


class Newcomer(msgspec.Struct, kw_only=True):
    """Somebody to register; name, phone and alias go to the vault, never to the log."""

    role: Role
    district: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None
    alias: Alias | None = None
    name: Line | None = None
    phone: Line | None = None
    birth_year: Annotated[int, msgspec.Meta(ge=1900, le=2100)] | None = None
    consents: Annotated[tuple[Consent, ...], msgspec.Meta(max_length=len(CONSENTS))] = ()
    employer: UUID | None = None  # the enterprise whose staff they are


class ConsentGiven(msgspec.Struct, kw_only=True):
    """A consent given or withdrawn; to the board, with the alias to be shown there."""

    consent: Consent
    given: bool
    alias: Alias | None = None


@routes.on("POST", "/v1/participants", "participants.register", body=Newcomer,
           answers=answers.Registered, status=(201, 200), summary="Register a person")  # fmt: skip
def register_participant(body: tuple[UUID, Newcomer]) -> Response:
    """Register a person in a role; the answer holds their token, this once and on a replay."""
    who, here = actor(), services()
    submission_id, newcomer = body
    found = here.ledger.register(
        who,
        submission_id,
        newcomer.role,
        here.clock(),
        request=body_sent(),
        district=newcomer.district,
        consents=tuple(dict.fromkeys(newcomer.consents)),
        employer=newcomer.employer,
        personal={
            "alias": newcomer.alias,
            "name": newcomer.name,
            "phone": newcomer.phone,
            "birth_year": newcomer.birth_year,
        },
    )
    content = answers.Registered(found.participant_id, found.token, found.position)
    return answer(content, 200 if found.replayed else 201, replayed=found.replayed)


@routes.on("GET", "/v1/me", "me.read", answers=answers.Me, summary="Who one is")
def get_me() -> Response:
    """The bearer of the token: role, district, consents and alias."""
    who, ledger = actor(), services().ledger
    person = ledger.participant(who.participant_id)
    return answer(
        answers.Me(
            participant_id=who.participant_id,
            role=who.role,
            district=who.district,
            roles=person.roles,
            consents=sorted(person.consents),
            alias=ledger.alias_of(who.participant_id),
        )
    )


@routes.on("POST", "/v1/me/consents", "me.consent", body=ConsentGiven,
           answers=answers.Consented, status=(201, 200),
           summary="Give or withdraw a consent")  # fmt: skip
def change_consent(body: tuple[UUID, ConsentGiven]) -> Response:
    """A consent as it is from now on; a late retry undoes nothing said since."""
    here = services()
    submission_id, wanted = body
    position, replayed = here.ledger.consent(
        actor().participant_id,
        wanted.consent,
        wanted.given,
        here.clock(),
        submission_id=submission_id,
        request=body_sent(),
        alias=wanted.alias,
    )
    consented = answers.Consented(wanted.consent, wanted.given, position)
    return answer(consented, 200 if replayed else 201, replayed=replayed)
