"""A redemption (兑换): coins and stock are held until it is collected, or come back.

``requested → issued → collected``, or ``lapsed``, ``cancelled``, ``declined``, where everything
that was held comes back, once and whole. Each hold has a deadline. What was refused is kept as
well, because somebody may ask later why.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from ledger.coins import CoinsHeld, CoinsReleased, CoinsSpent, total
from ledger.commands import Signed
from ledger.facts import Entry, Fact, Sealed, stored_as
from ledger.wallet import Wallet, first

DECIDE_DAYS = 7  # how long a request may wait for its approval
HELD_STATES = frozenset({"requested", "issued"})


@stored_as(
    "redemption.requested",
    zh="{by} 申请兑换 {quantity} 份兑换项 {offer_id}，冻结 {participant_id} 的 {coins} "
    "枚绿水币（兑换 {originator}）",
    en="{by} asked for {quantity} of the offer {offer_id}, for {coins} coins of "
    "{participant_id} (redemption {originator})",
)
class RedemptionRequested(Fact, frozen=True):
    """Somebody asked for so many of an offer at its price then; ``participant_id`` pays.

    ``by`` is who asked, for themselves or for their team. ``decide_by`` is the last day for an
    approval, where the offer wants one.
    """

    participant_id: UUID
    by: UUID
    offer_id: UUID
    quantity: int
    price: int
    coins: int
    merchant_id: UUID | None
    districts: tuple[str, ...]
    body_digest: str
    decide_by: date | None = None


@stored_as(
    "redemption.refused",
    zh="{by} 为 {participant_id} 申请兑换 {quantity} 份兑换项 {offer_id}，未受理：{reason}",
    en="{by} asked for {quantity} of the offer {offer_id} for {participant_id} and was refused: "
    "{reason}",
)
class RedemptionRefused(Fact, frozen=True):
    """Why it was refused when it was asked for; nothing was held."""

    participant_id: UUID
    by: UUID
    offer_id: UUID
    quantity: int
    reason: str
    body_digest: str


class Decided(Signed, frozen=True):
    """Base of what somebody decides about a redemption."""


@stored_as(
    "redemption.approved",
    zh="{by} 批准兑换 {originator}",
    en="{by} approved the redemption {originator}",
)
class RedemptionApproved(Decided, frozen=True):
    """By somebody else than whoever asked for it."""


@stored_as(
    "redemption.declined",
    zh="{by} 未批准兑换 {originator}",
    en="{by} did not approve the redemption {originator}",
)
class RedemptionDeclined(Decided, frozen=True):
    """The reason in words is sealed under the key of whoever asked."""

    sealed: tuple[Sealed, ...] = ()


@stored_as(
    "redemption.issued",
    zh="兑换 {originator} 发出兑换券，有效至 {collect_by}",
    en="A voucher for the redemption {originator} was issued, good through {collect_by}",
)
class RedemptionIssued(Fact, frozen=True):
    """The voucher is known here by its SHA-256 alone."""

    voucher_sha256: str
    collect_by: date


@stored_as(
    "redemption.collected",
    zh="{by} 核销兑换 {originator}",
    en="{by} handed out what the redemption {originator} was for",
)
class RedemptionCollected(Decided, frozen=True):
    """Once; the coins are spent. A donation is collected by its giver at once."""


@stored_as(
    "redemption.cancelled",
    zh="{by} 取消兑换 {originator}",
    en="{by} cancelled the redemption {originator}",
)
class RedemptionCancelled(Decided, frozen=True):
    """By whoever asked for it."""


@stored_as(
    "redemption.lapsed",
    zh="兑换 {originator} 超过期限 {deadline}，自动失效",
    en="The redemption {originator} lapsed: its last day was {deadline}",
)
class RedemptionLapsed(Fact, frozen=True):
    """Its deadline, the last good day, had passed as of a day."""

    deadline: date
    as_of: date


@stored_as(
    "voucher.issued",
    zh="登记兑换 {redemption_id} 的兑换券 {originator}",
    en="The voucher {originator} of the redemption {redemption_id} was registered",
)
class VoucherIssued(Fact, frozen=True):
    """Finds the redemption of a voucher by the voucher's hash."""

    redemption_id: UUID


STATES: dict[type[Fact], str] = {
    RedemptionRequested: "requested",
    RedemptionRefused: "refused",
    RedemptionApproved: "requested",
    RedemptionDeclined: "declined",
    RedemptionIssued: "issued",
    RedemptionCollected: "collected",
    RedemptionCancelled: "cancelled",
    RedemptionLapsed: "lapsed",
}
# With these the held coins and the stock come back.
RETURNING = (RedemptionDeclined, RedemptionCancelled, RedemptionLapsed)


class Redemption(msgspec.Struct):
    """A redemption as it stands. ``commands``: digest of the body and position of the fact."""

    version: int = 0
    state: str = "unknown"
    requested: RedemptionRequested | None = None
    refused: RedemptionRefused | None = None
    issued: RedemptionIssued | None = None
    approved: bool = False
    position: int = 0  # of the last fact
    commands: dict[UUID, tuple[str, int]] = {}

    def apply(self, entry: Entry) -> None:
        fact = entry.fact
        self.version, self.position = entry.originator_version, entry.position
        self.state = STATES.get(type(fact), self.state)
        if isinstance(fact, RedemptionRequested):
            self.requested = fact
        elif isinstance(fact, RedemptionRefused):
            self.refused = fact
        elif isinstance(fact, RedemptionIssued):
            self.issued = fact
        elif isinstance(fact, RedemptionApproved):
            self.approved = True
        if isinstance(fact, Decided):
            self.commands[fact.command_id] = (fact.body_digest, entry.position)

    @property
    def deadline(self) -> date | None:
        """The last day of the hold, None once it is over."""
        if self.state == "issued" and self.issued:
            return self.issued.collect_by
        if self.state == "requested" and self.requested:
            return self.requested.decide_by
        return None

    def overdue(self, today: date) -> bool:
        """Whether the hold should have ended before ``today``."""
        return self.deadline is not None and today > self.deadline


def money_of(
    redemption_id: UUID, fact: Fact, asked: RedemptionRequested, wallet: Wallet, today: date
) -> CoinsHeld | CoinsSpent | CoinsReleased | None:
    """What a fact of a redemption does to the wallet; pure, so that an auditor can repeat it.

    A request holds coins first expiring first, collecting spends all of them, and with anything in
    RETURNING all come back to their lots, where those still good pay what is owed first.
    """
    common: dict[str, Any] = {
        "participant_id": asked.participant_id,
        "redemption_id": redemption_id,
        "offer_id": asked.offer_id,
    }
    if isinstance(fact, RedemptionRequested):
        parts = first(wallet.good(today), asked.coins)
        return CoinsHeld(quantity=asked.quantity, amount=total(parts), parts=parts, **common)
    if isinstance(fact, RedemptionCollected):
        return CoinsSpent(amount=asked.coins, **common)
    if isinstance(fact, RETURNING):
        hold = wallet.holds.get(redemption_id)
        parts = hold.parts if hold else ()
        good = (part for part in parts if part.expires_on >= today)
        owed = first(good, wallet.debt)
        return CoinsReleased(amount=total(parts), parts=parts, debt_parts=owed, **common)
    return None


def begins_anew(redemption_id: UUID, fact: Fact) -> bool:
    """Whether a fact is the first of a command of its own, right behind an earlier one's.

    A donation is collected by the command that asked for it, which signs with the redemption's id.
    """
    if isinstance(fact, Decided):
        return fact.command_id != redemption_id
    return isinstance(fact, RedemptionLapsed)
