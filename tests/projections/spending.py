"""Random spending: redemptions, donations, expiries, reversals, with parts as the rules pick."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from ledger import identity
from ledger.coins import CoinsAwarded, CoinsExpired, total
from ledger.facts import Entry, Fact, Sealed
from ledger.reversals import ReversalConfirmed, ReversalProposed, ReversalRejected, taken_back
from ledger.spending.accounts import DonationMade, moved
from ledger.spending.redemptions import (
    RedemptionApproved,
    RedemptionCancelled,
    RedemptionCollected,
    RedemptionDeclined,
    RedemptionIssued,
    RedemptionLapsed,
    RedemptionRefused,
    RedemptionRequested,
    VoucherIssued,
    money_of,
)
from tests.projections.writing import PATHS, Facts, Writing


class Offer(msgspec.Struct):
    """What can be asked for."""

    offer_id: UUID
    price: int
    merchant_id: UUID | None
    districts: tuple[str, ...]
    approval: bool = False
    donation: bool = False


class Spending(Writing):
    """What people do with coins, and what is done to them."""

    def __init__(self, *given) -> None:
        super().__init__(*given)
        merchants = [self.id(), self.id(), None]
        self.offers = [
            Offer(self.id(), price, merchant, PATHS[price], approval=approval, donation=donation)
            for merchant in merchants
            for price, approval, donation in ((1, False, False), (2, True, False), (3, False, True))
        ]
        self.merchants = merchants
        self.held: dict[UUID, RedemptionRequested] = {}
        self.issued: set[UUID] = set()
        self.awards: list[Entry] = []
        self.proposed: dict[UUID, tuple[Entry, ReversalProposed]] = {}

    def append(self, facts: Facts) -> list[Entry]:
        entries = super().append(facts)
        self.awards += [one for one in entries if isinstance(one.fact, CoinsAwarded)]
        return entries

    def ask(self) -> None:
        """Ask for something, for oneself or a team, whether or not there are coins for it."""
        by, offer = self.random.choice(self.people), self.random.choice(self.offers)
        payer = self.random.choice((by, by, *self.teams))
        redemption_id, quantity = self.id(), self.random.randint(1, 2)
        coins = quantity * offer.price
        if self.wallets[payer].available(self.today) < coins:
            refused = RedemptionRefused(
                participant_id=payer, by=by, offer_id=offer.offer_id, quantity=quantity,
                reason="insufficient_coins", body_digest="",
            )  # fmt: skip
            self.append([(redemption_id, refused)])
            return
        asked = RedemptionRequested(
            participant_id=payer, by=by, offer_id=offer.offer_id, quantity=quantity,
            price=offer.price, coins=coins, merchant_id=offer.merchant_id,
            districts=offer.districts, body_digest="",
            decide_by=self.today + timedelta(days=7) if offer.approval else None,
        )  # fmt: skip
        self.held[redemption_id] = asked
        if offer.donation:
            self._redeem(redemption_id, asked, RedemptionCollected(**self.signed()))
        elif offer.approval:
            self._redeem(redemption_id, asked)
        else:
            self._redeem(redemption_id, asked, self._issued(redemption_id))

    def go_on(self) -> None:
        """Approve, collect or end a redemption that is held, rather of somebody who owes coins."""
        if not self.held:
            return
        owing = [one for one, it in self.held.items() if self.wallets[it.participant_id].debt]
        redemption_id = self.random.choice(owing or list(self.held))
        sealed = (Sealed(field="decline", subject=self.id(), digest="x"),)
        ends: list[Fact] = [
            RedemptionCancelled(**self.signed()),
            RedemptionLapsed(deadline=self.today - timedelta(days=1), as_of=self.today),
        ]  # fmt: skip
        if redemption_id in self.issued:
            ends += [RedemptionCollected(**self.signed())] * 2
        else:
            ends.append(RedemptionDeclined(
                **self.signed(), sealed=self.random.choice((sealed, ()))
            ))  # fmt: skip
            ends.append(RedemptionApproved(**self.signed()))
        end = self.random.choice(ends)
        approved = isinstance(end, RedemptionApproved)
        self._redeem(redemption_id, end, *([self._issued(redemption_id)] if approved else []))

    def _issued(self, redemption_id: UUID) -> RedemptionIssued:
        self.issued.add(redemption_id)
        collect_by = self.today + timedelta(days=30)
        return RedemptionIssued(voucher_sha256=redemption_id.hex, collect_by=collect_by)

    def _redeem(self, redemption_id: UUID, *facts: Fact) -> None:
        """Each fact with what it does to the coins right behind it."""
        asked = self.held[redemption_id]
        purse, wallet = identity.wallet_id(asked.participant_id), self.wallets[asked.participant_id]
        commit: Facts = []
        for fact in facts:
            commit.append((redemption_id, fact))
            money = money_of(redemption_id, fact, asked, wallet, self.today)
            if money is not None:
                commit.append((purse, money))
            if isinstance(fact, RedemptionIssued):
                voucher = VoucherIssued(redemption_id=redemption_id)
                commit.append((identity.voucher_id(fact.voucher_sha256), voucher))
            elif not isinstance(fact, RedemptionRequested | RedemptionApproved):
                del self.held[redemption_id]
        self.append(commit)

    def give(self) -> None:
        """Give some of one's coins to a team."""
        giver, to = self.random.choice(self.people), self.random.choice(self.teams)
        there = self.wallets[giver].available(self.today)
        if not there:
            return
        coins, donation_id = self.random.randint(1, min(there, 6)), self.id()
        made = DonationMade(participant_id=giver, to=to, coins=coins, body_digest="")
        given, received = moved(donation_id, made, self.wallets[giver], self.today)
        self.append([
            (donation_id, made), (identity.wallet_id(giver), given),
            (identity.wallet_id(to), received),
        ])  # fmt: skip

    def expire(self) -> None:
        """Write off what has expired in one wallet."""
        who = self.random.choice(self.everybody)
        if parts := self.wallets[who].due(self.today):
            expired = CoinsExpired(
                participant_id=who, as_of=self.today, amount=total(parts), parts=parts
            )
            self.append([(identity.wallet_id(who), expired)])

    def propose(self) -> None:
        """Propose to take back an award that is still good, rather where its coins are held."""
        good = [one for one in self.awards if one.fact.expires_on >= self.today]
        if not good:
            return
        held = [one for one in good if self.wallets[one.fact.participant_id].holds]
        award = self.random.choice(held or good)
        fact, reversal_id = award.fact, self.id()
        self.awards.remove(award)
        sealed = (Sealed(field="reversal-1", subject=fact.participant_id, digest="x"),)
        proposed = ReversalProposed(
            participant_id=fact.participant_id, cause=fact.cause, lot=award.originator_version,
            reason="fraud", districts=fact.districts, sealed=self.random.choice((sealed, ())),
            **self.signed(),
        )  # fmt: skip
        self.proposed[reversal_id] = award, proposed
        self.append([(reversal_id, proposed)])

    def settle(self) -> None:
        """Confirm a proposed reversal, or reject it, after which another may be proposed."""
        if not self.proposed:
            return
        reversal_id = self.random.choice(list(self.proposed))
        award, proposed = self.proposed.pop(reversal_id)
        if award.fact.expires_on < self.today or self.random.random() < 0.3:
            self.append([(reversal_id, ReversalRejected(**self.signed()))])
            self.awards.append(award)
            return
        owner = award.fact.participant_id
        money = taken_back(reversal_id, proposed, award.fact, self.wallets[owner], self.today)
        confirmed = ReversalConfirmed(**self.signed())
        self.append([(reversal_id, confirmed), (identity.wallet_id(owner), money)])
