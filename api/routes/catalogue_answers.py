"""What an offer looks like, and what the asker may do with it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routing import answer
from ledger import access
from ledger.days import day_of
from ledger.spending import catalogue
from ledger.spending.offering import OfferReceipt


class Terms(msgspec.Struct, kw_only=True):
    """What an offer says."""

    name: str
    kind: catalogue.OfferKind
    price: int
    stock: int | None
    unit: str
    multiple: int
    per_person_month: int | None
    approval: bool
    merchant_id: UUID | None
    district: str | None
    valid_from: date | None
    valid_until: date | None
    pick_up_points: tuple[str, ...]
    collect_days: int


class Offer(Terms, kw_only=True):
    """An offer today; ``stock`` is what is left of it, null where there is no end of it."""

    id: UUID
    withdrawn: bool
    open: bool
    allowed_actions: list[str]


class ChangedOffer(Terms, kw_only=True):
    """An offer's terms as a command left them; ``stock`` is all that was ever put in."""

    id: UUID
    withdrawn: bool
    position: int


class OfferPage(msgspec.Struct):
    """A page of offers; they are looked up in a register, which has no position."""

    items: list[Offer]
    next: str | None


def told(offer: catalogue.Offer) -> Offer:
    """An offer as it is answered."""
    left, is_open = services().ledger.stock_left(offer), offer.open_on(day_of(services().clock()))
    return Offer(**msgspec.structs.asdict(offer.terms) | {
        "id": offer.offer_id,
        "stock": left,
        "withdrawn": offer.withdrawn,
        "open": is_open,
        "allowed_actions": _actions(offer, left, is_open),
    })  # fmt: skip


def changed(receipt: OfferReceipt) -> Response:
    """The answer to a command, the same again for the same submission."""
    offer = receipt.offer
    content = ChangedOffer(
        **msgspec.structs.asdict(offer.terms), id=offer.offer_id, withdrawn=offer.withdrawn,
        position=receipt.position,
    )  # fmt: skip
    return answer(content, 200 if receipt.replayed else 201, replayed=receipt.replayed)


def _actions(offer: catalogue.Offer, left: int | None, is_open: bool) -> list[str]:
    who, terms = actor(), offer.terms
    path = _path(terms.district)
    if catalogue.manages(who, offer, path) and not offer.withdrawn:
        return [*(["restock"] if terms.stock is not None else []), "reprice", "withdraw"]
    enough = left is None or left >= terms.multiple
    own = terms.merchant_id == who.participant_id
    near = terms.district is None or not who.district or terms.district in _path(who.district)
    may = access.allowed(who, "redemptions.ask") and not own and near
    return ["redeem"] if may and is_open and enough else []


def _path(district: str | None) -> tuple[str, ...]:
    return services().ledger.districts.current().path(district)
