"""Wallets (钱包): balances, statements, explanations, for who they concern and for auditors."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from flask import Response

from api import answers
from api.auth import actor, services
from api.moments import Past, moment_of
from api.routes.wallet_answers import (
    ExplanationPage,
    StatementPage,
    Wallet,
    coded,
    explained_lot,
    refused_award,
    taken_back,
    wallet,
)
from api.routing import Cursor, Limit, MinPosition, Routes, answer, page, reached
from ledger import access
from ledger.days import day_of
from ledger.errors import NotFound
from ledger.explain import Explanation, Lot, Refusal, TakenBack
from ledger.past import Moment
from projections import cursor as cursors

routes = Routes("wallets", __name__, description="Coins and where they came from")


class Balance(Past):
    """Which moment's balance, effective on which day, or how fresh it must be."""

    effective_on: Annotated[date | None, msgspec.Meta(
        description="A day of Shanghai: facts count by the day they take effect (an award from"
        " the day it was earned), as known at the moment asked for, or by now"
    )] = None  # fmt: skip
    min_position: MinPosition = 0


class Lines(Past):
    """A page of a statement."""

    cursor: Cursor = None
    limit: Limit = 20
    min_position: MinPosition = 0


class Explained(Past):
    """A page of an explanation."""

    cursor: Cursor = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500, description="Items at most")] = 100


@routes.on("GET", "/v1/wallets/<whose>", "wallet.read", query=Balance,
           answers=Wallet, summary="A balance, lot by lot")  # fmt: skip
def get_wallet(whose: str, query: Balance) -> Response:
    """Coins available, first expiring first; `whose` is `me`, or a participant's or account's id.

    At a moment of the past, or on a day to come: what will have expired by then does not count.
    `effective_on` asks how things stood on a day by all that is known since, or was known at the
    moment: coins earned then count although they were awarded later.
    """
    here, owner = services(), _owner(whose)
    if query.effective_on or not query.is_now():
        moment = moment_of(query, query.effective_on)
        return answer(wallet(here.ledger.wallet_as_of(owner, moment)))
    reached("balances", query.min_position)
    return answer(here.views.wallet(owner, day_of(here.clock())))


@routes.on("GET", "/v1/wallets/<whose>/statement", "wallet.read", query=Lines,
           answers=StatementPage, summary="Every movement and refusal")  # fmt: skip
def get_statement(whose: str, query: Lines) -> Response:
    """Every coin that moved and every refusal, newest first, each with its rule and reasons."""
    owner = _owner(whose)
    through = None if query.is_now() else moment_of(query).position
    reached("statement", max(query.min_position, through or 0))
    found = services().views.statement(owner, query.cursor, query.limit, through=through)
    for line in found["items"]:
        why = line.pop("reason")
        line["reasons"] = [coded(why)] if why else answers.reasons(tuple(line["reasons"]))
    return page(found)


@routes.on("GET", "/v1/wallets/<whose>/explain", "wallet.read", query=Explained,
           answers=ExplanationPage, summary="Where every coin came from and went")  # fmt: skip
def explain_wallet(whose: str, query: Explained) -> Response:
    """Every lot with its cause, rule and policy version, and what became of its coins."""
    owner = _owner(whose)
    listing = f"explain/{owner}"
    moment, first = _begun(listing, query)
    found = services().ledger.wallet_as_of(owner, moment)
    every: list[Lot | Refusal | TakenBack] = [*found.lots, *found.refusals, *found.reversals]
    shown, end = every[first : first + query.limit], first + query.limit
    following = None
    if len(every) > end:
        following = cursors.write(listing, (str(moment.position), str(end)))
    return page(_shown(found, shown) | {"next": following})


def _begun(listing: str, query: Explained) -> tuple[Moment, int]:
    """The moment, and where in the list the page begins; a later page is of the first's moment."""
    moment = moment_of(query)
    position, first = cursors.read(listing, query.cursor)
    if not position:
        return moment, 0
    if not (position.isdecimal() and first.isdecimal() and int(position) <= moment.position):
        raise cursors.BadCursor
    return msgspec.structs.replace(moment, position=int(position)), int(first)


def _shown(found: Explanation, part: list[Lot | Refusal | TakenBack]) -> dict[str, Any]:
    return {
        "participant_id": found.participant_id,
        "position": found.position,
        "totals": found.totals,
        "lots": [explained_lot(one) for one in part if isinstance(one, Lot)],
        "refusals": [refused_award(one) for one in part if isinstance(one, Refusal)],
        "reversals": [taken_back(one) for one in part if isinstance(one, TakenBack)],
    }


def _owner(whose: str) -> UUID:
    """Whose wallet is asked for; somebody else's is not there, a team's is for its members."""
    who, ledger = actor(), services().ledger
    if whose == "me":
        return who.participant_id
    try:
        owner = UUID(whose)
    except ValueError:
        raise NotFound from None
    if owner == who.participant_id:
        return owner
    account = ledger.account(owner)
    if who.participant_id in account.members:
        return owner
    known = account.opened is not None or ledger.participant(owner).registered is not None
    if known and access.owns_or_audits(who, owner):
        return owner
    raise NotFound
