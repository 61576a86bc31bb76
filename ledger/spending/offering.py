"""Managing the catalogue (兑换商城管理): publish, restock, reprice, withdraw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger import access, identity
from ledger.commands import Decision, signature
from ledger.errors import (
    FieldError,
    Forbidden,
    InvalidInput,
    OfferClosed,
    UnknownOffer,
)
from ledger.log import Append
from ledger.participants import Actor
from ledger.spending.catalogue import (
    Catalogue,
    Offer,
    OfferPublished,
    OfferRepriced,
    OfferRestocked,
    OfferWithdrawn,
    Terms,
    manages,
)
from ledger.tokens import Tokens


class OfferReceipt(msgspec.Struct, frozen=True):
    """An offer right after a command, and the position of its fact."""

    offer: Offer
    position: int
    replayed: bool = False


class Offering(Tokens):
    """Commands of merchants and reward officers on the catalogue."""

    def publish_offer(
        self, actor: Actor, terms: Terms, request: Any, submission_id: UUID, now: datetime
    ) -> OfferReceipt:
        """Put an offer into the catalogue; a merchant's is their own, for their own district."""
        offer_id = identity.offer_id(actor.participant_id, submission_id)

        def decide(_: Offer | None, signed: dict[str, Any]) -> Decision:
            own, unchanged = self._placed(actor, terms)
            return Decision([OfferPublished(terms=own, **signed)], unchanged=unchanged)

        return self._change_offer(
            actor, "publish", offer_id, request, submission_id, now, decide
        )

    def _placed(self, actor: Actor, terms: Terms) -> tuple[Terms, dict[UUID, int]]:
        """The terms as this actor may set them, and the version of the merchant they name."""
        if actor.role == "merchant":
            if terms.merchant_id not in (None, actor.participant_id):
                raise Forbidden
            terms = msgspec.structs.replace(terms, merchant_id=actor.participant_id)
        if terms.district is None:
            terms = msgspec.structs.replace(terms, district=actor.district)
        self._check_district(terms.district)
        if not access.within(actor, self.districts.current().path(terms.district)):
            raise Forbidden
        if terms.merchant_id is None:
            return terms, {}
        merchant = self.participant(terms.merchant_id)
        if "merchant" not in merchant.roles:
            problem = FieldError(
                "merchant_id", "not_a_merchant", "没有这个商户", "no such merchant"
            )
            raise InvalidInput([problem])
        return terms, {terms.merchant_id: merchant.version}

    def restock(
        self, actor: Actor, offer_id: UUID, units: int, request: Any, submission_id: UUID,
        now: datetime,
    ) -> OfferReceipt:  # fmt: skip
        """Add units to the stock; raises InvalidInput where there is no end of them anyway."""

        def decide(offer: Offer | None, signed: dict[str, Any]) -> Decision:
            if offer is not None and offer.terms.stock is None:
                problem = FieldError("units", "unlimited", "这项兑换不限数量，无需补货",
                                     "there is no end of these anyway")  # fmt: skip
                raise InvalidInput([problem])
            return Decision([OfferRestocked(units=units, **signed)])

        return self._change_offer(
            actor, "restock", offer_id, request, submission_id, now, decide
        )

    def reprice(
        self, actor: Actor, offer_id: UUID, price: int, request: Any, submission_id: UUID,
        now: datetime,
    ) -> OfferReceipt:  # fmt: skip
        """Change the price for whoever asks from now on."""
        return self._change_offer(
            actor, "reprice", offer_id, request, submission_id, now,
            lambda _, signed: Decision([OfferRepriced(price=price, **signed)]),
        )  # fmt: skip

    def withdraw(
        self, actor: Actor, offer_id: UUID, request: Any, submission_id: UUID, now: datetime
    ) -> OfferReceipt:
        """Take an offer out of the catalogue for good; what is held goes on."""
        return self._change_offer(
            actor, "withdraw", offer_id, request, submission_id, now,
            lambda _, signed: Decision([OfferWithdrawn(**signed)]),
        )  # fmt: skip

    def stock_left(self, offer: Offer) -> int | None:
        """How many can still be asked for; None where there is no end of them."""
        if offer.terms.stock is None:
            return None
        used: int = self.store.select_used(offer.stock_key)
        return offer.terms.stock - used

    def _change_offer(
        self,
        actor: Actor,
        action: str,
        offer_id: UUID,
        request: Any,
        submission_id: UUID,
        now: datetime,
        decide: Callable[[Offer | None, dict[str, Any]], Decision],
    ) -> OfferReceipt:
        signed = signature(
            self.vault, actor.participant_id, f"{action}/{offer_id}", submission_id, request
        )

        def command() -> OfferReceipt:
            catalogue, tree = self.catalogue.current(), self.districts.current()
            if earlier := signed.earlier(catalogue.commands):
                return self._changed_before(offer_id, earlier)
            offer = catalogue.offers.get(offer_id)
            if action != "publish" and (offer is None or not self._manages(actor, offer)):
                raise UnknownOffer
            if offer is not None and offer.withdrawn:
                raise OfferClosed
            decided = decide(offer, {"offer_id": offer_id, **signed.fields})
            write = Append(identity.CATALOGUE, catalogue.version, decided.facts)
            (entry,) = self.append(
                [write], now, unchanged={identity.DISTRICTS: tree.version, **decided.unchanged}
            )
            changed = catalogue.with_facts(decided.facts).offers[offer_id]
            return OfferReceipt(changed, entry.position)

        return self.attempt(command)

    def _manages(self, actor: Actor, offer: Offer) -> bool:
        return manages(actor, offer, self.districts.current().path(offer.terms.district))

    def _changed_before(self, offer_id: UUID, version: int) -> OfferReceipt:
        entries = list(self.events.get(identity.CATALOGUE, lte=version))
        facts = [entry.fact for entry in entries]  # type: ignore[attr-defined]
        offer = Catalogue().with_facts(facts).offers[offer_id]
        position: int = entries[-1].position  # type: ignore[attr-defined]
        return OfferReceipt(offer, position, replayed=True)
