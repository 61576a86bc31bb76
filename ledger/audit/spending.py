"""Spending again (重新核对兑换): every step of catalogue, redemptions, accounts and reversals.

Each step must have been possible when it was taken; what it does to the coins is then due from the
books, right behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger import access, identity
from ledger.audit.actors import Actors
from ledger.audit.books import Books
from ledger.audit.findings import Finding, found
from ledger.coins import CoinsAwarded
from ledger.days import day_of, month_of
from ledger.facts import Entry, Fact
from ledger.reversals import (
    Reversal,
    ReversalConfirmed,
    ReversalProposed,
    ReversalRejected,
    Signed,
    taken_back,
)
from ledger.spending.accounts import Account, AccountChanged, AccountOpened, DonationMade
from ledger.spending.catalogue import Catalogue, OfferChanged, OfferPublished, stock_key
from ledger.spending.donating import moved
from ledger.spending.redemptions import (
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
    RedemptionRequested,
    money_of,
)

# Which states a step may be taken from.
FROM: dict[type[Fact], frozenset[str]] = {
    RedemptionApproved: frozenset({"requested"}),
    RedemptionIssued: frozenset({"requested"}),
    **dict.fromkeys(RETURNING, HELD_STATES),
}
RIGHTS = access.RIGHTS


class Spending:
    """The catalogue, the holds, the accounts and the open reversals, as the facts so far say."""

    def __init__(self, books: Books, actors: Actors) -> None:
        self._books, self._actors = books, actors
        self._catalogue = Catalogue()
        self._stock: dict[str, int] = {}
        self._redemptions: dict[UUID, Redemption] = {}
        self._accounts: dict[UUID, Account] = {}
        self._reversals: dict[UUID, Reversal] = {}
        self._claimed: set[UUID] = set()  # causes whose reversal is open or confirmed
        self._unreadable: set[UUID] = set()

    def check(self, entry: Entry) -> Iterator[Finding]:
        """What is wrong with a step of spending; nothing for other facts."""
        fact = entry.fact
        if entry.originator_id in self._unreadable:
            return
        if isinstance(fact, OfferChanged):
            yield from self._offer(entry, fact)
        elif type(fact) in STATES:
            yield from self._redemption(entry)
        elif isinstance(fact, AccountChanged):
            yield from self._account(entry, fact)
        elif isinstance(fact, DonationMade):
            yield from self._donation(entry, fact)
        elif isinstance(fact, Signed):
            yield from self._reversal(entry, fact)

    def lost(self, originator: UUID) -> None:
        """A fact of this originator could not be read: nothing can be said of its later ones."""
        self._unreadable.add(originator)

    def _offer(self, entry: Entry, fact: OfferChanged) -> Iterator[Finding]:
        published = isinstance(fact, OfferPublished)
        known = fact.offer_id in self._catalogue.offers
        if entry.originator_id != identity.CATALOGUE or published == known:
            yield found("OFFER", entry.position, f"{fact.topic} {fact.offer_id}")
            return
        yield from self._actors.holder(entry, fact.by, RIGHTS["catalogue.manage"])
        self._catalogue = self._catalogue.with_facts([fact])

    def _redemption(self, entry: Entry) -> Iterator[Finding]:
        fact, redemption_id, today = entry.fact, entry.originator_id, day_of(entry.recorded_at)
        known = self._redemptions.setdefault(redemption_id, Redemption())
        problem = self._asked(entry, fact) if known.requested is None else self._step(entry, known)
        if problem:
            yield found("REDEMPTION", entry.position, f"{fact.topic} {redemption_id}: {problem}")
            return
        yield from self._decider(entry, known)
        known.apply(entry)
        if known.requested is None:  # It was refused.
            del self._redemptions[redemption_id]
            return
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
        offer, today = self._catalogue.offers.get(fact.offer_id), day_of(entry.recorded_at)
        if offer is None or not offer.open_on(today):
            return "the offer is not open"
        terms = offer.terms
        if (fact.price, fact.coins) != (terms.price, terms.price * fact.quantity):
            return f"{fact.quantity} × {fact.price} = {fact.coins}, the price is {terms.price}"
        if fact.quantity < 1 or fact.quantity % terms.multiple:
            return f"{fact.quantity} of {terms.multiple} at a time"
        if (fact.decide_by is not None) != (terms.approval and terms.kind != "donation"):
            return "its approval is not as the offer wants it"
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
        if fact.by != fact.participant_id and not self._keeps(fact.by, fact.participant_id):
            return "not from their account"
        return ""

    def _step(self, entry: Entry, known: Redemption) -> str:
        """Why a step could not follow; empty where it could."""
        fact, asked, today = entry.fact, known.requested, day_of(entry.recorded_at)
        assert asked is not None
        offer = self._catalogue.offers[asked.offer_id]
        donated = offer.terms.kind == "donation"
        allowed = FROM.get(type(fact), frozenset({"requested" if donated else "issued"}))
        if isinstance(fact, RedemptionRequested) or known.state not in allowed:
            return f"it is {known.state}"
        if isinstance(fact, RedemptionLapsed):
            overdue = known.overdue(fact.as_of) and fact.deadline == known.deadline
            return "" if overdue else "it is not overdue"
        if isinstance(fact, RedemptionApproved | RedemptionCollected) and known.overdue(today):
            return f"its last day was {known.deadline}"
        if isinstance(fact, RedemptionApproved) and fact.by in (asked.by, asked.participant_id):
            return "approved by who asked"
        return ""

    def _decider(self, entry: Entry, known: Redemption) -> Iterator[Finding]:
        """Whoever decided held a role for it."""
        fact, asked = entry.fact, known.requested
        if isinstance(fact, RedemptionRequested):
            yield from self._actors.holder(entry, fact.by, RIGHTS["redemptions.ask"])
        if asked is None or not isinstance(fact, Decided):
            return
        theirs = fact.by == asked.by or self._keeps(fact.by, asked.participant_id)
        if isinstance(fact, RedemptionCancelled) or fact.command_id == entry.originator_id:
            if not theirs:
                yield found("ACTOR", entry.position, f"{fact.topic} by {fact.by}")
        elif isinstance(fact, RedemptionCollected):
            yield from self._actors.holder(entry, fact.by, RIGHTS["redemptions.collect"])
            if asked.merchant_id not in (None, fact.by) or theirs:
                yield found("ACTOR", entry.position, f"{fact.topic} by {fact.by}")
        else:
            right = RIGHTS["redemptions.decide"]
            yield from self._actors.holder(entry, fact.by, right, asked.districts)

    def _account(self, entry: Entry, fact: AccountChanged) -> Iterator[Finding]:
        account = self._accounts.setdefault(entry.originator_id, Account())
        opens = isinstance(fact, AccountOpened)
        if opens != (account.opened is None):
            yield found("ACCOUNT", entry.position, fact.topic)
            return
        if opens or not account.kept_by(fact.by):
            yield from self._actors.holder(entry, fact.by, RIGHTS["accounts.open"])
        account.apply(entry)

    def _keeps(self, person: UUID, account_id: UUID) -> bool:
        return self._accounts.get(account_id, Account()).kept_by(person)

    def _donation(self, entry: Entry, fact: DonationMade) -> Iterator[Finding]:
        wallet, today = self._books.wallet(fact.participant_id), day_of(entry.recorded_at)
        if fact.to not in self._accounts or not 0 < fact.coins <= wallet.available(today):
            yield found("ACCOUNT", entry.position, f"{fact.coins} coins to {fact.to}")
            return
        self._books.expect(entry, *moved(entry.originator_id, fact, wallet, today))

    def _reversal(self, entry: Entry, fact: Signed) -> Iterator[Finding]:
        reversal_id, today = entry.originator_id, day_of(entry.recorded_at)
        known = self._reversals.setdefault(reversal_id, Reversal())
        proposed = fact if isinstance(fact, ReversalProposed) else known.proposed
        award = self._award(proposed)
        proposes = isinstance(fact, ReversalProposed)
        possible = proposed is not None and award is not None and proposed.lot == award[0]
        fits = known.state == ("unknown" if proposes else "proposed")
        twice = isinstance(fact, ReversalProposed) and fact.cause in self._claimed
        if not possible or not fits or twice:
            yield found("REVERSAL", entry.position, f"{fact.topic} {reversal_id}")
            return
        assert proposed is not None
        assert award is not None
        right = RIGHTS["reversals.propose" if proposes else "reversals.decide"]
        yield from self._actors.holder(entry, fact.by, right, proposed.districts)
        if not proposes and fact.by in (proposed.by, proposed.participant_id):
            yield found("REVERSAL", entry.position, f"{fact.topic} by who proposed it or earned it")
        known.apply(entry)
        if proposes:
            self._claimed.add(proposed.cause)
        elif isinstance(fact, ReversalRejected):
            self._claimed.discard(proposed.cause)
        if isinstance(fact, ReversalConfirmed):
            wallet = self._books.wallet(proposed.participant_id)
            self._books.expect(entry, taken_back(reversal_id, award[1], award[0], wallet, today))

    def _award(self, proposed: ReversalProposed | None) -> tuple[int, CoinsAwarded] | None:
        """The award that is to be taken back, and its lot."""
        granted = self._books.granted.get(proposed.cause) if proposed else None
        if proposed is None or granted is None:
            return None
        return granted.lot, CoinsAwarded(
            participant_id=proposed.participant_id, amount=granted.amount, cause=proposed.cause,
            kind=granted.kind, rule="", policy_version="", earned_on=granted.earned_on,
            expires_on=granted.expires_on, role=granted.role, districts=granted.districts,
        )  # fmt: skip
