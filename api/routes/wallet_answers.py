"""What wallets, statements and explanations look like."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from api.answers import Reason, reasons
from ledger import explain
from ledger.words import in_words


class Lot(msgspec.Struct):
    """Coins of one award that expire together; ``lot`` tells it from the wallet's others."""

    amount: int
    expires_on: date
    cause: UUID
    rule: str
    policy_version: str
    position: int
    lot: int


class Wallet(msgspec.Struct):
    """A balance, lot by lot, as of a position of the log."""

    participant_id: UUID
    available: int
    held: int
    debt: int
    lots: list[Lot]
    position: int


class StatementLine(msgspec.Struct, kw_only=True):
    """A movement or a refusal: by how much what is available changed, and its running total.

    ``what`` is awarded, refused, held, spent, returned, expired, reversed, given or received;
    ``coins`` its own amount; ``of`` the redemption, donation or reversal it belongs to.
    """

    amount: int
    total: int
    what: str
    coins: int
    of: UUID | None
    offer_id: UUID | None
    cause: UUID | None
    kind: str
    rule: str
    policy_version: str
    reasons: list[Reason]
    earned_on: date | None
    expires_on: date | None
    recorded_at: datetime
    position: int


class StatementPage(msgspec.Struct):
    """A page of a statement, newest first."""

    items: list[StatementLine]
    next: str | None
    position: int


class ExplainedLot(msgspec.Struct, kw_only=True):
    """Coins granted together for one cause, and what became of each of them.

    ``amount = available + held + spent + given + expired + reversed + paid_debt``; coins past
    their last day count as expired whether or not that is written already.
    """

    lot: int
    cause: UUID
    kind: str
    rule: str
    policy_version: str
    earned_on: date | None
    expires_on: date
    reasons: list[Reason]
    position: int
    recorded_at: datetime
    amount: int
    available: int
    held: int
    spent: int
    given: int
    expired: int
    reversed: int
    paid_debt: int
    uses: list[explain.Use]


class RefusedAward(msgspec.Struct, kw_only=True):
    """An award that was refused, and why."""

    cause: UUID
    kind: str
    rule: str
    policy_version: str
    earned_on: date
    reasons: list[Reason]
    position: int
    recorded_at: datetime


class TakenBack(msgspec.Struct, kw_only=True):
    """An award that was taken back, and why; of its coins ``debt`` could not be found."""

    reversal_id: UUID
    cause: UUID
    reasons: list[Reason]
    amount: int
    debt: int
    position: int
    recorded_at: datetime


class ExplanationPage(msgspec.Struct, kw_only=True):
    """A wallet explained: its lots, first expiring first, then refusals, then reversals.

    ``totals`` are of the whole wallet on every page, and all pages are of one ``position``.
    """

    participant_id: UUID
    position: int
    totals: explain.Totals
    lots: list[ExplainedLot]
    refusals: list[RefusedAward]
    reversals: list[TakenBack]
    next: str | None


def wallet(explained: explain.Explanation) -> Wallet:
    """The balance that an explanation comes to."""
    lots = [
        Lot(lot.available, lot.expires_on, lot.cause, lot.rule, lot.policy_version, lot.position,
            lot.lot)
        for lot in explained.lots if lot.available
    ]  # fmt: skip
    totals = explained.totals
    return Wallet(
        explained.participant_id, totals.available, totals.held, totals.debt, lots,
        explained.position,
    )  # fmt: skip


def explained_lot(lot: explain.Lot) -> ExplainedLot:
    """A lot with its reasons in words."""
    return ExplainedLot(**msgspec.structs.asdict(lot) | {"reasons": reasons(lot.reasons)})


def coded(reason: str) -> Reason:
    """Why an award was taken back, in words."""
    words = in_words("reason", reason)
    return Reason(reason, words.zh, words.en)


def taken_back(reversal: explain.TakenBack) -> TakenBack:
    """A reversal with its reason in words."""
    fields = msgspec.structs.asdict(reversal)
    return TakenBack(reasons=[coded(fields.pop("reason"))], **fields)


def refused_award(refusal: explain.Refusal) -> RefusedAward:
    """A refusal with its reasons in words."""
    return RefusedAward(**msgspec.structs.asdict(refusal) | {"reasons": reasons(refusal.reasons)})
