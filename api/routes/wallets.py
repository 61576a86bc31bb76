"""Wallets (钱包): balances and statements, for their owner and for auditors."""

from __future__ import annotations

from uuid import UUID

import msgspec
from flask import Response

from api import answers
from api.auth import actor, services
from api.routing import Cursor, Limit, MinPosition, Routes, answer, page, reached
from ledger import access
from ledger.days import day_of
from ledger.errors import NotFound

routes = Routes("wallets", __name__, description="Coins and where they came from")


class Balance(msgspec.Struct):
    """How fresh the balance must be."""

    min_position: MinPosition = 0


class Lines(msgspec.Struct):
    """A page of a statement."""

    cursor: Cursor = None
    limit: Limit = 20
    min_position: MinPosition = 0


@routes.on("GET", "/v1/wallets/<whose>", "wallet.read", query=Balance,
           answers=answers.Wallet, summary="A balance, lot by lot")  # fmt: skip
def get_wallet(whose: str, query: Balance) -> Response:
    """Coins available today, first expiring first; `whose` is `me` or a participant's id."""
    here, owner = services(), _owner(whose)
    reached("balances", query.min_position)
    return answer(here.views.wallet(owner, day_of(here.clock())))


@routes.on("GET", "/v1/wallets/<whose>/statement", "wallet.read", query=Lines,
           answers=answers.StatementPage, summary="Every award and refusal")  # fmt: skip
def get_statement(whose: str, query: Lines) -> Response:
    """Every coin and every refusal of `whose`, newest first, each with its rule and reasons."""
    owner = _owner(whose)
    reached("statement", query.min_position)
    found = services().views.statement(owner, query.cursor, query.limit)
    for line in found["items"]:
        line["reasons"] = answers.reasons(tuple(line["reasons"]))
    return page(found)


def _owner(whose: str) -> UUID:
    """Whose wallet is asked for; somebody else's is not there."""
    who = actor()
    if whose == "me":
        return who.participant_id
    try:
        owner = UUID(whose)
    except ValueError:
        raise NotFound from None
    if not access.owns_or_audits(who, owner):
        raise NotFound
    if owner != who.participant_id and services().ledger.participant(owner).registered is None:
        raise NotFound
    return owner
