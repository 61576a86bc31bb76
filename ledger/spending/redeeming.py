"""Asking for an offer (申请兑换): coins and stock are held in one commit, or it says why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from ledger import identity
from ledger.codes import digest_of
from ledger.coins import total
from ledger.commands import Decision
from ledger.days import day_of, month_of
from ledger.errors import (
    FieldError,
    InvalidInput,
    OwnOffer,
    PriceChanged,
    RedemptionRefusal,
    SubmissionConflict,
    UnknownAccount,
    UnknownOffer,
)
from ledger.facts import Fact
from ledger.log import Append
from ledger.participants import Actor
from ledger.spending import vouchers
from ledger.spending.catalogue import Offer
from ledger.spending.holding import Holding, RedemptionReceipt
from ledger.spending.redemptions import (
    DECIDE_DAYS,
    Redemption,
    RedemptionCollected,
    RedemptionIssued,
    RedemptionRefused,
    RedemptionRequested,
)
from ledger.store.rows import Quota
from ledger.vault import content_of
from ledger.wallet import Wallet, first

REFUSALS = {cls.code: cls for cls in RedemptionRefusal.__subclasses__()}


class Order(msgspec.Struct, frozen=True):
    """What somebody asks for: an offer, how many, and from which account (their own: None).

    ``price`` is what they were told one costs; None takes whatever it costs now.
    """

    offer_id: UUID
    quantity: int = 1
    account_id: UUID | None = None
    price: int | None = None


class Redeeming(Holding):
    """Asking for what the catalogue offers."""

    def redeem(
        self, actor: Actor, order: Order, request: Any, submission_id: UUID, now: datetime
    ) -> RedemptionReceipt:
        """Hold coins and stock, and issue the voucher where no approval is wanted.

        Raises a RedemptionRefusal, which is stored: the same submission is refused again, a new
        one is looked at anew. Raises UnknownOffer, UnknownAccount, OwnOffer, PriceChanged,
        InvalidInput.
        """
        redemption_id = identity.redemption_id(actor.participant_id, submission_id)
        return self._redeem(redemption_id, actor, order, request, now)

    def _redeem(
        self, redemption_id: UUID, actor: Actor, order: Order, request: Any, now: datetime
    ) -> RedemptionReceipt:
        by = actor.participant_id
        digest = self.vault.fingerprint(by, content_of(request))

        def command() -> RedemptionReceipt:
            known = self.fold(redemption_id, Redemption())
            if known.version:
                return self._asked_before(redemption_id, known, digest)
            catalogue = self.catalogue.current()
            offer = _offer_for(actor, order, catalogue.offers.get(order.offer_id))
            unchanged = {
                identity.CATALOGUE: catalogue.version,
                identity.DISTRICTS: self.districts.current().version,
                **self._payer(actor, order),
            }
            if reason := self._unavailable(actor, order, offer, day_of(now)):
                still = _still_refused(reason, order, offer, unchanged)
                return self._refuse_redemption(
                    redemption_id, actor, order, digest, reason, still, now
                )
            # One look at the wallet decides and is saved with: a second one might see more holds.
            wallet = self.wallet(order.account_id or by)
            if reason := _too_much(order, offer, wallet, day_of(now)):
                purse = identity.wallet_id(order.account_id or by)
                still = Decision([], unchanged={**unchanged, purse: wallet.version})
                return self._refuse_redemption(
                    redemption_id, actor, order, digest, reason, still, now
                )
            decided = Decision(
                self._facts(redemption_id, actor, order, offer, digest, day_of(now)),
                quotas=[Quota(offer.stock_key, order.quantity, offer.terms.stock)],
                unchanged=unchanged,
            )
            return self._save_redemption(redemption_id, known, decided, wallet, now)

        with self.wallet_turns.of(order.account_id or by):
            return self.attempt(command)

    def _asked_before(
        self, redemption_id: UUID, known: Redemption, digest: str
    ) -> RedemptionReceipt:
        earlier = known.requested or known.refused
        # Without either it is a gift to an account that was sent in under this number.
        if earlier is None or earlier.body_digest != digest:
            raise SubmissionConflict
        if isinstance(earlier, RedemptionRefused):
            refusal = REFUSALS[earlier.reason]()
            refusal.replayed = True
            raise refusal
        (first,) = self.events.get(redemption_id, lte=1)
        return self._redemption_at(redemption_id, first.position)  # type: ignore[attr-defined]

    def _payer(self, actor: Actor, order: Order) -> Mapping[UUID, int]:
        """Whoever asks may spend from the account, and still may when it is saved."""
        if order.account_id is None:
            return {}
        account = self.account(order.account_id)
        if not account.kept_by(actor.participant_id):
            raise UnknownAccount
        return {order.account_id: account.version}

    def _unavailable(
        self, actor: Actor, order: Order, offer: Offer, today: date
    ) -> str | None:
        """Why nobody like the asker can have it now; asked first, for a rush asks nothing else."""
        terms = offer.terms
        if not offer.open_on(today):
            return "offer_closed"
        path = self.districts.current().path(actor.district)
        if terms.district is not None and actor.district and terms.district not in path:
            return "offer_elsewhere"
        used = self.store.select_used(offer.stock_key)
        if terms.stock is not None and used + order.quantity > terms.stock:
            return "sold_out"
        return None

    def _refuse_redemption(
        self, redemption_id: UUID, actor: Actor, order: Order, digest: str, reason: str,
        still: Decision, now: datetime,
    ) -> RedemptionReceipt:  # fmt: skip
        """Store why it was refused, which must ``still`` be so when it is stored."""
        refused = RedemptionRefused(
            participant_id=order.account_id or actor.participant_id, by=actor.participant_id,
            offer_id=order.offer_id, quantity=order.quantity, reason=reason, body_digest=digest,
        )  # fmt: skip
        self.append(
            [Append(redemption_id, 0, [refused])], now, unchanged=still.unchanged,
            quotas=still.quotas,
        )  # fmt: skip
        raise REFUSALS[reason]

    def _facts(
        self, redemption_id: UUID, actor: Actor, order: Order, offer: Offer, digest: str,
        today: date,
    ) -> list[Fact]:  # fmt: skip
        terms, by = offer.terms, actor.participant_id
        waits = terms.approval and terms.kind != "donation"
        asked = RedemptionRequested(
            participant_id=order.account_id or by, by=by, offer_id=offer.offer_id,
            quantity=order.quantity, price=terms.price, coins=order.quantity * terms.price,
            merchant_id=terms.merchant_id,
            districts=self.districts.current().path(terms.district), body_digest=digest,
            decide_by=today + timedelta(days=DECIDE_DAYS) if waits else None,
        )  # fmt: skip
        if waits:
            return [asked]
        if terms.kind == "donation":
            given = RedemptionCollected(by=by, command_id=redemption_id, body_digest=digest)
            return [asked, given]
        return [asked, self._issue(redemption_id, terms.collect_days, today)]

    def _issue(self, redemption_id: UUID, days: int, today: date) -> RedemptionIssued:
        code = vouchers.voucher_of(self._secret_key, redemption_id)
        return RedemptionIssued(
            voucher_sha256=digest_of(code), collect_by=today + timedelta(days=days)
        )


def _offer_for(actor: Actor, order: Order, offer: Offer | None) -> Offer:
    """The offer, if it is there, as the asker was told of it, and not their own."""
    if offer is None:
        raise UnknownOffer
    if order.price not in (None, offer.terms.price):
        raise PriceChanged(price=offer.terms.price)
    if offer.terms.merchant_id == actor.participant_id:
        raise OwnOffer
    if order.quantity % offer.terms.multiple:
        multiple = offer.terms.multiple
        raise InvalidInput([
            FieldError("quantity", "not_a_multiple", f"应为 {multiple} 的整数倍",
                       f"it must be a multiple of {multiple}")
        ])  # fmt: skip
    return offer


def _too_much(order: Order, offer: Offer, wallet: Wallet, today: date) -> str | None:
    """Why this wallet cannot have it; None where it can."""
    terms = offer.terms
    taken = wallet.taken_in(offer.offer_id, month_of(today)) + order.quantity
    if terms.per_person_month is not None and taken > terms.per_person_month:
        return "monthly_limit"
    coins = order.quantity * terms.price
    if wallet.available(today) < coins:
        return "insufficient_coins"
    return "too_many_lots" if total(first(wallet.good(today), coins)) < coins else None


def _still_refused(
    reason: str, order: Order, offer: Offer, unchanged: Mapping[UUID, int]
) -> Decision:
    """What a refusal stands on: the catalogue, and for one that is sold out its stock."""
    sold_out = Quota(offer.stock_key, order.quantity, offer.terms.stock, full=True)
    return Decision([], quotas=[sold_out] if reason == "sold_out" else [], unchanged=unchanged)
