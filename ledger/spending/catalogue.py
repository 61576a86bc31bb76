"""The catalogue (兑换商城): offers, their price and stock; one register that everybody reads.

A price change never touches what is already held: every redemption keeps the price it was made at.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from ledger.access import within
from ledger.commands import Signed
from ledger.errors import NotFound
from ledger.facts import Fact, stored_as
from ledger.participants import Actor

Price = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Units = Annotated[int, msgspec.Meta(ge=1)]
OfferKind = Literal["phone_credit", "goods", "bus_rides", "voucher", "donation", "other"]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What an offer says. Coins are whole; ``stock`` None is as many as are asked for.

    ``unit`` is what one is called (份, 张), ``multiple`` how many are given at a time at least
    (常州 gives by the hundred), ``per_person_month`` how many one wallet may take in a month, be it
    a person's or a team's. A ``donation`` is given to a cause and needs no collecting.
    """

    name: str
    price: Price
    stock: Annotated[int, msgspec.Meta(ge=0)] | None
    unit: str
    kind: OfferKind = "goods"
    multiple: Units = 1
    per_person_month: Units | None = None
    approval: bool = False
    merchant_id: UUID | None = None
    district: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    pick_up_points: tuple[str, ...] = ()
    collect_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30


class OfferChanged(Signed, frozen=True):
    """Base of the facts about an offer."""

    offer_id: UUID


@stored_as(
    "offer.published",
    zh="{by} 上架兑换项 {offer_id}“{terms.name}”，每{terms.unit} {terms.price} 枚绿水币",
    en="{by} put the offer {offer_id}, “{terms.name}”, into the catalogue for {terms.price} "
    "coins each",
)
class OfferPublished(OfferChanged, frozen=True):
    """An offer, with all its terms."""

    terms: Terms


@stored_as(
    "offer.restocked",
    zh="{by} 给兑换项 {offer_id} 补充库存 {units} 份",
    en="{by} added {units} units to the stock of the offer {offer_id}",
)
class OfferRestocked(OfferChanged, frozen=True):
    units: Units


@stored_as(
    "offer.repriced",
    zh="{by} 将兑换项 {offer_id} 的价格改为 {price} 枚绿水币",
    en="{by} changed the price of the offer {offer_id} to {price} coins",
)
class OfferRepriced(OfferChanged, frozen=True):
    price: Price


@stored_as(
    "offer.withdrawn",
    zh="{by} 下架兑换项 {offer_id}",
    en="{by} took the offer {offer_id} out of the catalogue",
)
class OfferWithdrawn(OfferChanged, frozen=True):
    """Nobody can ask for it any more; what is held already goes on."""


class Offer(msgspec.Struct, frozen=True):
    """An offer as it stands."""

    offer_id: UUID
    terms: Terms
    withdrawn: bool = False

    @property
    def stock_key(self) -> str:
        """The store's name for how many of it are taken."""
        return stock_key(self.offer_id)

    def open_on(self, day: date) -> bool:
        """Whether it can be asked for on a day."""
        begun = self.terms.valid_from is None or day >= self.terms.valid_from
        over = self.terms.valid_until is not None and day > self.terms.valid_until
        return begun and not over and not self.withdrawn

    def after(self, fact: OfferChanged) -> Offer:
        """The offer after one more fact about it."""
        terms = self.terms
        if isinstance(fact, OfferRestocked) and terms.stock is not None:
            terms = msgspec.structs.replace(terms, stock=terms.stock + fact.units)
        elif isinstance(fact, OfferRepriced):
            terms = msgspec.structs.replace(terms, price=fact.price)
        return Offer(self.offer_id, terms, self.withdrawn or isinstance(fact, OfferWithdrawn))


def stock_key(offer_id: UUID) -> str:
    """As ``Offer.stock_key``, where only the id is at hand."""
    return f"stock/{offer_id}"


class Catalogue(msgspec.Struct):
    """Every offer by id, and the commands that made them so: digest of the body, and version."""

    version: int = 0
    offers: dict[UUID, Offer] = {}
    commands: dict[UUID, tuple[str, int]] = {}

    def with_facts(self, facts: Sequence[Fact]) -> Catalogue:
        offers, commands = dict(self.offers), dict(self.commands)
        for version, fact in enumerate(facts, self.version + 1):
            if isinstance(fact, OfferPublished):
                offers[fact.offer_id] = Offer(fact.offer_id, fact.terms)
            elif isinstance(fact, OfferChanged) and fact.offer_id in offers:
                offers[fact.offer_id] = offers[fact.offer_id].after(fact)
            if isinstance(fact, OfferChanged):
                commands[fact.command_id] = (fact.body_digest, version)
        return Catalogue(self.version + len(facts), offers, commands)

    def offer(self, offer_id: UUID) -> Offer:
        """The offer with this id; raises NotFound."""
        found = self.offers.get(offer_id)
        if found is None:
            raise NotFound
        return found


def manages(actor: Actor, offer: Offer, districts: Sequence[str]) -> bool:
    """Whether an offer is the actor's to change: a merchant's own, an officer's of their place."""
    if actor.role == "merchant":
        return offer.terms.merchant_id == actor.participant_id
    return actor.role == "reward_officer" and within(actor, districts)


def hands_out(actor: Actor, merchant_id: UUID | None, districts: Sequence[str]) -> bool:
    """Whether the actor may hand it out: its merchant; where none is named, any of its place."""
    if merchant_id is not None:
        return actor.role == "merchant" and actor.participant_id == merchant_id
    return actor.role in ("merchant", "reward_officer") and within(actor, districts)
