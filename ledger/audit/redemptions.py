"""Redemptions again (重新核对兑换): every step, and the voucher right behind what issued it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from ledger import access, identity
from ledger.audit.actors import Actors
from ledger.audit.books import Books
from ledger.audit.findings import Finding, found
from ledger.audit.market import Market
from ledger.audit.spilled import Spilled, SpilledSet
from ledger.days import day_of, month_of
from ledger.facts import Entry, Fact
from ledger.spending.catalogue import stock_key
from ledger.spending.redemptions import (
    DECIDE_DAYS,
    HELD_STATES,
    RETURNING,
    STATES,
    Decided,
    Redemption,
    RedemptionApproved,
    RedemptionCancelled,
    RedemptionCollected,
    RedemptionIssued,
    RedemptionLapsed,
    RedemptionRefused,
    RedemptionRequested,
    VoucherIssued,
    money_of,
)

RIGHTS = access.RIGHTS
# Which states a step may be taken from.
FROM: dict[type[Fact], frozenset[str]] = {
    RedemptionApproved: frozenset({"requested"}),
    RedemptionIssued: frozenset({"requested"}),
    **dict.fromkeys(RETURNING, HELD_STATES),
}


class Redemptions:
    """What is held of which offer, as the facts so far say."""

    def __init__(self, books: Books, actors: Actors, market: Market) -> None:
        self._books, self._actors, self._market = books, actors, market
        self._stock: dict[str, int] = {}
        self._redemptions: Spilled[UUID, Redemption] = Spilled()  # those that hold coins
        self._ended: SpilledSet[UUID] = SpilledSet()
        self._voucher: tuple[int, UUID, UUID] | None = None  # due right behind what issued it
        self._lost = False

    def lost(self) -> None:
        """A row could not be read: it may have been the voucher."""
        self._voucher, self._lost = None, True

    def end(self) -> Iterator[Finding]:
        """The log ends: no voucher may be missing."""
        if self._voucher:
            yield found("REDEMPTION", self._voucher[0] + 1, f"{self._voucher[1]}: no voucher")

    def vouchers(self, entry: Entry) -> Iterator[Finding]:
        """What issued a voucher is followed by its registration, and nothing else is."""
        due, self._voucher = self._voucher, None
        lost, self._lost = self._lost, False
        fact, registers = entry.fact, isinstance(entry.fact, VoucherIssued)
        right = (
            due is not None and isinstance(fact, VoucherIssued)
            and (fact.redemption_id, entry.originator_id) == due[1:]
        )  # fmt: skip
        if (registers or due is not None) and not right and not lost:
            yield found("REDEMPTION", entry.position, f"{fact.topic}: not the voucher due here")

    def check(self, entry: Entry) -> Iterator[Finding]:
        """What is wrong with a step of a redemption."""
        fact, redemption_id, today = entry.fact, entry.originator_id, day_of(entry.recorded_at)
        known = self._redemptions.get(redemption_id) or Redemption()
        if redemption_id in self._ended:
            problem = "it is over"
        elif known.requested is None:
            problem = self._asked(entry, fact)
        else:
            problem = self._step(entry, known)
        if problem:
            yield found("REDEMPTION", entry.position, f"{fact.topic} {redemption_id}: {problem}")
            return
        yield from self._decider(entry, known)
        known.apply(entry)
        if known.state in HELD_STATES:
            self._redemptions[redemption_id] = known
        else:
            self._redemptions.pop(redemption_id, None)
            self._ended.add(redemption_id)
        if known.requested is None:  # It was refused.
            return
        if isinstance(fact, RedemptionIssued):
            voucher = identity.voucher_id(fact.voucher_sha256)
            self._voucher = (entry.position, redemption_id, voucher)
        asked = known.requested
        wallet = self._books.wallet(asked.participant_id)
        money = money_of(redemption_id, fact, asked, wallet, today)
        if money is not None:
            self._books.expect(entry, money)
        key = stock_key(asked.offer_id)
        if isinstance(fact, RedemptionRequested):
            self._stock[key] = self._stock.get(key, 0) + asked.quantity
        elif isinstance(fact, RETURNING):
            self._stock[key] -= asked.quantity

    def _asked(self, entry: Entry, fact: Fact) -> str:
        """Why a redemption could not have been asked for; empty where it could."""
        if STATES[type(fact)] == "refused":
            return ""
        if not isinstance(fact, RedemptionRequested):
            return "nobody asked for it"
        offer, today = self._market.catalogue.offers.get(fact.offer_id), day_of(entry.recorded_at)
        if offer is None or not offer.open_on(today):
            return "the offer is not open"
        terms = offer.terms
        if (fact.price, fact.coins) != (terms.price, terms.price * fact.quantity):
            return f"{fact.quantity} × {fact.price} = {fact.coins}, the price is {terms.price}"
        if fact.quantity < 1 or fact.quantity % terms.multiple:
            return f"{fact.quantity} of {terms.multiple} at a time"
        waits = terms.approval and terms.kind != "donation"
        if fact.decide_by != (today + timedelta(days=DECIDE_DAYS) if waits else None):
            return "its approval is not as the offer wants it"
        places = self._market.places(terms.district)
        if fact.merchant_id != terms.merchant_id or places not in (None, fact.districts):
            return "its merchant or place is not the offer's"
        used = self._stock.get(offer.stock_key, 0) + fact.quantity
        if terms.stock is not None and used > terms.stock:
            return f"{used} taken, {terms.stock} in stock"
        wallet = self._books.wallet(fact.participant_id)
        taken = wallet.taken_in(fact.offer_id, month_of(today)) + fact.quantity
        if terms.per_person_month is not None and taken > terms.per_person_month:
            return f"{taken} this month, {terms.per_person_month} for each person"
        if wallet.available(today) < fact.coins:
            return f"{fact.coins} coins, {wallet.available(today)} available"
        if terms.merchant_id in (fact.by, fact.participant_id):
            return "their own offer"
        if fact.by != fact.participant_id and not self._market.keeps(fact.by, fact.participant_id):
            return "not from their account"
        return ""

    def _step(self, entry: Entry, known: Redemption) -> str:
        """Why a step could not follow; empty where it could."""
        fact, asked, today = entry.fact, known.requested, day_of(entry.recorded_at)
        assert asked is not None
        offer = self._market.catalogue.offers[asked.offer_id]
        donated, waits = offer.terms.kind == "donation", asked.decide_by is not None
        allowed = FROM.get(type(fact), frozenset({"requested" if donated else "issued"}))
        if isinstance(fact, RedemptionRequested) or known.state not in allowed:
            return f"it is {known.state}"
        if isinstance(fact, RedemptionLapsed):
            overdue = known.overdue(fact.as_of) and fact.deadline == known.deadline
            return "" if overdue else "it is not overdue"
        if isinstance(fact, RedemptionApproved | RedemptionCollected) and known.overdue(today):
            return f"its last day was {known.deadline}"
        if isinstance(fact, RedemptionIssued):
            good = today + timedelta(days=offer.terms.collect_days)
            if fact.collect_by != good or known.approved != waits or donated:
                return f"issued until {fact.collect_by}, approved: {known.approved}"
        if isinstance(fact, RedemptionApproved) and (
            known.approved or not waits or fact.by == asked.by or self._owns(fact.by, asked)
        ):
            return "approved twice, without need, or by who asked"
        return ""

    def _owns(self, person: UUID, asked: RedemptionRequested) -> bool:
        """Whether somebody pays for it, or keeps the account that does."""
        if asked.participant_id == asked.by:
            return person == asked.by
        return self._market.keeps(person, asked.participant_id)

    def _decider(self, entry: Entry, known: Redemption) -> Iterator[Finding]:
        """Whoever decided held a role for it."""
        fact, asked = entry.fact, known.requested
        if isinstance(fact, RedemptionRequested | RedemptionRefused):
            yield from self._actors.holder(entry, fact.by, RIGHTS["redemptions.ask"])
        if asked is None or not isinstance(fact, Decided):
            return
        theirs = self._owns(fact.by, asked)
        if isinstance(fact, RedemptionCancelled) or fact.command_id == entry.originator_id:
            if not theirs:
                yield found("ACTOR", entry.position, f"{fact.topic} by {fact.by}")
        elif isinstance(fact, RedemptionCollected):
            places = asked.districts if asked.merchant_id is None else None
            yield from self._actors.holder(entry, fact.by, RIGHTS["redemptions.collect"], places)
            if asked.merchant_id not in (None, fact.by) or theirs or fact.by == asked.by:
                yield found("ACTOR", entry.position, f"{fact.topic} by {fact.by}")
        else:
            right = RIGHTS["redemptions.decide"]
            yield from self._actors.holder(entry, fact.by, right, asked.districts)
