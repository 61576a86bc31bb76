"""Redemptions (兑换): asking for an offer, and what becomes of it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routes.redemption_answers import (
    Redemption,
    RedemptionPage,
    RedemptionTold,
    at_counter,
    item,
    seen,
    told,
    told_to_another,
)
from api.routes.vouchers import Code
from api.routing import Cursor, Limit, MinPosition, Routes, answer, page, reached
from api.schemas import body_sent
from api.shapes import Coins, Command, Fresh, Words
from ledger import access
from ledger.errors import Forbidden, UnknownAccount
from ledger.spending.deciding import APPROVERS
from ledger.spending.redeeming import Order

VIEW = "redemptions"
PATH = "/v1/redemptions"

routes = Routes("redemptions", __name__, description="Asking for an offer, and handing it out")


class Listing(msgspec.Struct):
    """A page of one's own redemptions, of one's offers, or of those to decide."""

    state: Annotated[Literal["waiting", "counter"] | None, msgspec.Meta(
        description="`waiting`: what waits for an approval in one's district; `counter`: those of "
        "offers that name no merchant; without it a merchant's list is that of their offers, "
        "anybody else's their own"
    )] = None  # fmt: skip
    account_id: Annotated[UUID | None, msgspec.Meta(
        description="Those paid from an account one keeps"
    )] = None  # fmt: skip
    cursor: Cursor = None
    limit: Limit = 20
    min_position: MinPosition = 0


class Wanted(msgspec.Struct):
    """So many of an offer, for oneself or from an account one keeps.

    ``price`` is what one was shown to cost; another now is refused as ``price_changed``.
    """

    offer_id: UUID
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1
    account_id: UUID | None = None
    price: Coins | None = None


class Declined(msgspec.Struct):
    """Why it is not approved, in words for whoever asked."""

    reason: Words


class Collected(msgspec.Struct):
    """The code that was shown."""

    voucher: Code


@routes.on("POST", PATH, "redemptions.ask", body=Wanted, answers=RedemptionTold,
           status=(201, 200), summary="Ask for an offer")  # fmt: skip
def ask_redemption(body: tuple[UUID, Wanted]) -> Response:
    """Coins and stock are held, and the voucher is issued where no approval is needed.

    A refusal with 409 (`sold_out`, `insufficient_coins`, `monthly_limit`, `offer_closed`,
    `offer_elsewhere`) is recorded: the same `submission_id` is refused again.
    """
    here = services()
    submission_id, wanted = body
    order = Order(wanted.offer_id, wanted.quantity, wanted.account_id, wanted.price)
    receipt = here.ledger.redeem(actor(), order, body_sent(), submission_id, here.clock())
    return told(receipt)


@routes.on("GET", PATH, "redemptions.read", query=Listing, answers=RedemptionPage,
           summary="One's own redemptions, those of one's offers, or those to decide")  # fmt: skip
def list_redemptions(query: Listing) -> Response:
    """Newest first; with `state=waiting` those to decide, oldest first."""
    who, views = actor(), services().views
    reached(VIEW, query.min_position)
    if query.account_id is not None:
        if not services().ledger.account(query.account_id).kept_by(who.participant_id):
            raise UnknownAccount
        found = views.redemptions(query.account_id, query.cursor, query.limit)
    elif query.state == "counter":
        if not access.allowed(who, "redemptions.collect"):
            raise Forbidden
        found = views.redemptions_of_merchant(None, query.cursor, query.limit)
        found["items"] = [row for row in found["items"] if at_counter(row)]
    elif query.state is not None:
        if who.role not in APPROVERS:
            raise Forbidden
        places = None if who.district is None else (who.district,)
        found = views.redemptions_waiting(places, query.cursor, query.limit)
    elif who.role == "merchant":
        found = views.redemptions_of_merchant(who.participant_id, query.cursor, query.limit)
    else:
        found = views.redemptions(who.participant_id, query.cursor, query.limit)
    return page(found | {"items": [item(row) for row in found["items"]]})


@routes.on("GET", f"{PATH}/<uuid:id>", "redemptions.read", query=Fresh, answers=Redemption,
           summary="One redemption as it stands")  # fmt: skip
def get_redemption(id: UUID, query: Fresh) -> Response:
    """For who asked, keepers of its account, its merchant, approvers of its place, auditors.

    A new one is there once the view has followed the log so far: ask with `min_position`.
    """
    reached(VIEW, query.min_position)
    return answer(item(seen(id)))


@routes.on("POST", f"{PATH}/<uuid:id>/approve", "redemptions.decide", body=Command,
           answers=RedemptionTold, status=(201, 200), summary="Approve a redemption")  # fmt: skip
def approve_redemption(id: UUID, body: tuple[UUID, Command]) -> Response:
    """By somebody else than who asked; the voucher is issued at once, to who asked alone."""
    here, who = services(), actor()
    receipt = here.ledger.approve(who, id, body_sent(), body[0], here.clock())
    return told_to_another(receipt)


@routes.on("POST", f"{PATH}/<uuid:id>/decline", "redemptions.decide", body=Declined,
           answers=RedemptionTold, status=(201, 200), summary="Decline a redemption")  # fmt: skip
def decline_redemption(id: UUID, body: tuple[UUID, Declined]) -> Response:
    """Coins and stock come back, and who asked reads the reason."""
    here, who = services(), actor()
    submission_id, why = body
    receipt = here.ledger.decline(who, id, why.reason, body_sent(), submission_id, here.clock())
    return told_to_another(receipt)


@routes.on("POST", f"{PATH}/<uuid:id>/collect", "redemptions.collect", body=Collected,
           answers=RedemptionTold, status=(201, 200),
           summary="Hand out what was redeemed")  # fmt: skip
def collect_redemption(id: UUID, body: tuple[UUID, Collected]) -> Response:
    """Against its voucher, once; the coins are spent."""
    here, who = services(), actor()
    submission_id, shown = body
    receipt = here.ledger.collect(who, id, shown.voucher, body_sent(), submission_id, here.clock())
    return told_to_another(receipt)


@routes.on("POST", f"{PATH}/<uuid:id>/cancel", "redemptions.ask", body=Command,
           answers=RedemptionTold, status=(201, 200), summary="Give up a redemption")  # fmt: skip
def cancel_redemption(id: UUID, body: tuple[UUID, Command]) -> Response:
    """While it is not collected; coins and stock come back."""
    here = services()
    return told(here.ledger.cancel(actor(), id, body_sent(), body[0], here.clock()))
