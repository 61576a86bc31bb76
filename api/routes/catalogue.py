"""The catalogue (兑换商城): what coins are given for, and managing it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.complaints import sentence
from api.routes.catalogue_answers import ChangedOffer, Offer, OfferPage, changed, told
from api.routing import Cursor, Limit, Routes, answer, page
from api.schemas import body_sent
from api.shapes import Coins, Command, DistrictCode, Name
from ledger.days import day_of
from ledger.errors import FieldError, InvalidInput, UnknownOffer
from ledger.spending.catalogue import OfferKind, Terms
from ledger.words import PUBLIC
from projections import cursor as cursors
from projections.view import descending

LISTING = "catalogue"
PIECE = "份"
STOCK_MAX = 1_000_000_000

Units = Annotated[int, msgspec.Meta(ge=1, le=STOCK_MAX)]
Multiple = Annotated[int, msgspec.Meta(ge=1, le=1_000)]
UnitName = Annotated[str, msgspec.Meta(min_length=1, max_length=20, pattern=PUBLIC)]
PickUpPoint = Annotated[str, msgspec.Meta(min_length=1, max_length=120, pattern=PUBLIC)]

routes = Routes("catalogue", __name__, description="What coins are given for")


class Listing(msgspec.Struct):
    """A page of offers, newest first."""

    district: Annotated[DistrictCode | None, msgspec.Meta(
        description="What people of this district may ask for"
    )] = None  # fmt: skip
    open: Annotated[bool, msgspec.Meta(
        description="`true`: what is offered today; `false`: the closed and withdrawn as well"
    )] = True  # fmt: skip
    cursor: Cursor = None
    limit: Limit = 20


class NewOffer(msgspec.Struct, kw_only=True):
    """What is offered; a number as ``unit`` is the ``multiple`` it is given in.

    ``stock`` has to be said, null being without end, but for a ``donation``, which is collected at
    once and cannot be cancelled.
    """

    name: Name
    price: Coins
    stock: Annotated[int, msgspec.Meta(ge=0, le=STOCK_MAX)] | None = None
    unit: UnitName | Multiple = PIECE
    kind: OfferKind = "goods"
    multiple: Multiple = 1
    per_person_month: Units | None = None
    approval: bool = False
    merchant_id: UUID | None = None
    district: DistrictCode | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    pick_up_points: Annotated[tuple[PickUpPoint, ...], msgspec.Meta(max_length=50)] = ()
    collect_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30


class Restock(msgspec.Struct):
    """So many more are there."""

    units: Units


class Reprice(msgspec.Struct):
    """What one costs from now on."""

    price: Coins


@routes.on("GET", "/v1/catalogue", "catalogue.read", query=Listing, answers=OfferPage,
           summary="What coins are given for")  # fmt: skip
def list_offers(query: Listing) -> Response:
    """Offers, newest first: those of today, also while they are sold out."""
    here = services()
    after, _ = cursors.read(LISTING, query.cursor)
    districts, today = here.ledger.districts.current(), day_of(here.clock())
    districts.check(query.district)
    path = {None, *districts.path(query.district)} if query.district else set()
    found = [
        (place, offer)
        for number, offer in enumerate(here.ledger.catalogue.current().offers.values())
        if (place := descending(number)) > after
        and (offer.open_on(today) or not query.open)
        and (not path or offer.terms.district in path)
    ]
    found.reverse()
    shown = found[: query.limit]
    following = cursors.write(LISTING, (shown[-1][0], "")) if len(found) > query.limit else None
    return page({"items": [told(offer) for _, offer in shown], "next": following})


@routes.on("GET", "/v1/catalogue/<uuid:id>", "catalogue.read", answers=Offer,
           summary="One offer as it stands")  # fmt: skip
def get_offer(id: UUID) -> Response:
    """An offer with what is left of it, withdrawn ones as well."""
    offer = services().ledger.catalogue.current().offers.get(id)
    if offer is None:
        raise UnknownOffer
    return answer(told(offer))


@routes.on("POST", "/v1/catalogue", "catalogue.manage", body=NewOffer, answers=ChangedOffer,
           status=(201, 200), summary="Put an offer into the catalogue")  # fmt: skip
def publish_offer(body: tuple[UUID, NewOffer]) -> Response:
    """A merchant's offer is always their own; an officer's may name the merchant who gives it."""
    here = services()
    submission_id, wanted = body
    receipt = here.ledger.publish_offer(
        actor(), _terms(wanted), body_sent(), submission_id, here.clock()
    )
    return changed(receipt)


@routes.on("POST", "/v1/catalogue/<uuid:id>/restock", "catalogue.manage", body=Restock,
           answers=ChangedOffer, status=(201, 200), summary="Add units to an offer")  # fmt: skip
def restock_offer(id: UUID, body: tuple[UUID, Restock]) -> Response:
    """More units can be asked for from now on."""
    here = services()
    submission_id, more = body
    return changed(
        here.ledger.restock(actor(), id, more.units, body_sent(), submission_id, here.clock())
    )


@routes.on("POST", "/v1/catalogue/<uuid:id>/reprice", "catalogue.manage", body=Reprice,
           answers=ChangedOffer, status=(201, 200), summary="Change a price")  # fmt: skip
def reprice_offer(id: UUID, body: tuple[UUID, Reprice]) -> Response:
    """What is held already keeps the price it was asked for at."""
    here = services()
    submission_id, wanted = body
    return changed(
        here.ledger.reprice(actor(), id, wanted.price, body_sent(), submission_id, here.clock())
    )


@routes.on("POST", "/v1/catalogue/<uuid:id>/withdraw", "catalogue.manage", body=Command,
           answers=ChangedOffer, status=(201, 200), summary="Withdraw an offer")  # fmt: skip
def withdraw_offer(id: UUID, body: tuple[UUID, Command]) -> Response:
    """Nobody can ask for it any more; what is held goes on."""
    here = services()
    return changed(here.ledger.withdraw(actor(), id, body_sent(), body[0], here.clock()))


def _terms(wanted: NewOffer) -> Terms:
    """The terms as the ledger takes them; raises InvalidInput for fields that do not fit."""
    problems = []
    if wanted.kind != "donation" and "stock" not in body_sent():
        problems.append(FieldError("stock", "required", *sentence("required", "")))
    if wanted.valid_from and wanted.valid_until and wanted.valid_until < wanted.valid_from:
        problems.append(FieldError("valid_until", "before_valid_from", "不能早于 valid_from。",
                                 "It must not be before valid_from."))  # fmt: skip
    said: dict[str, Any] = msgspec.structs.asdict(wanted)
    if isinstance(wanted.unit, int):
        if wanted.multiple not in (1, wanted.unit):
            problems.append(FieldError("multiple", "not_the_unit", "与数字 unit 不一致。",
                                     "It is not the number that unit says."))  # fmt: skip
        said |= {"unit": PIECE, "multiple": wanted.unit}
    if problems:
        raise InvalidInput(problems)
    return Terms(**said)
