"""Explaining a wallet (明细解释): every coin, its cause and rule, and what became of it.

Folded from the facts of one wallet alone, so it can be asked as of any position. The sums of the
lots are the balance: ``amount = available + held + spent + given + expired + reversed + paid_debt``
for each lot, where coins past their last day count as expired whether or not that was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

import msgspec

from ledger.coins import (
    AwardRefused,
    AwardReversed,
    CoinsAwarded,
    CoinsExpired,
    CoinsGiven,
    CoinsHeld,
    CoinsReceived,
    CoinsReleased,
    CoinsSpent,
    Part,
)
from ledger.facts import Entry

DONATED = "donation"


class Use(msgspec.Struct):
    """What became of some coins of a lot: ``what``, how many, for what, and the entry it was."""

    what: str  # held, spent, returned, given, expired, reversed, paid_debt
    amount: int
    of: UUID | None
    offer_id: UUID | None
    position: int
    recorded_at: datetime


class Lot(msgspec.Struct, kw_only=True):
    """Coins that were granted together, for one cause under one rule, or came as a donation."""

    lot: int
    cause: UUID
    kind: str
    rule: str
    policy_version: str
    earned_on: date | None
    expires_on: date
    reasons: tuple[str, ...]
    position: int
    recorded_at: datetime
    amount: int
    available: int
    held: int = 0
    spent: int = 0
    given: int = 0
    expired: int = 0
    reversed: int = 0
    paid_debt: int = 0
    uses: list[Use] = []


class Refusal(msgspec.Struct, kw_only=True):
    """An award that was refused, and why."""

    cause: UUID
    kind: str
    rule: str
    policy_version: str
    earned_on: date
    reasons: tuple[str, ...]
    position: int
    recorded_at: datetime


class TakenBack(msgspec.Struct, kw_only=True):
    """An award that was reversed: of its coins ``debt`` could not be found and are owed."""

    reversal_id: UUID
    cause: UUID
    reason: str
    amount: int
    debt: int
    position: int
    recorded_at: datetime


class Totals(msgspec.Struct):
    """The sums over all lots; ``debt`` is what is still owed."""

    amount: int = 0
    available: int = 0
    held: int = 0
    spent: int = 0
    given: int = 0
    expired: int = 0
    reversed: int = 0
    paid_debt: int = 0
    debt: int = 0


class Explanation(msgspec.Struct):
    """All of one wallet; lots first expiring first, the rest in the order of the log."""

    participant_id: UUID
    position: int
    totals: Totals
    lots: list[Lot]
    refusals: list[Refusal]
    reversals: list[TakenBack]


Key = tuple[int, date]


class _Explaining:
    """The lots of one wallet while its facts go by."""

    def __init__(self) -> None:
        self.lots: dict[Key, Lot] = {}
        self.refusals: list[Refusal] = []
        self.reversals: list[TakenBack] = []
        self.holds: dict[UUID, tuple[Part, ...]] = {}
        self.debt = 0

    def add(self, entry: Entry) -> None:
        fact = entry.fact
        match fact:
            case CoinsAwarded():
                self._award(fact, entry)
            case CoinsReceived():
                for lot in fact.lots:
                    self._received(fact, lot.expires_on, lot.amount, entry)
            case AwardRefused():
                self.refusals.append(_refusal(fact, entry))
            case CoinsHeld(redemption_id=of, parts=parts):
                self.holds[of] = parts
                self._use(parts, "held", of, entry)
            case CoinsSpent(redemption_id=of):
                self._leave_hold(of, "spent", entry)
            case CoinsReleased(redemption_id=of, debt_parts=paid):
                self._leave_hold(of, "returned", entry)
                self._pay(paid, of, entry)
            case CoinsExpired(parts=parts):
                self._use(parts, "expired", None, entry)
            case CoinsGiven(donation_id=of, parts=parts):
                self._use(parts, "given", of, entry)
            case AwardReversed(reversal_id=of, parts=parts, debt=debt):
                self._use(parts, "reversed", of, entry)
                self.debt += debt
                self.reversals.append(TakenBack(
                    reversal_id=of, cause=fact.cause, reason=fact.reason, amount=fact.amount,
                    debt=debt, position=entry.position, recorded_at=entry.recorded_at,
                ))  # fmt: skip

    def _award(self, fact: CoinsAwarded, entry: Entry) -> None:
        lot = Lot(
            lot=entry.originator_version, cause=fact.cause, kind=fact.kind, rule=fact.rule,
            policy_version=fact.policy_version, earned_on=fact.earned_on,
            expires_on=fact.expires_on, reasons=fact.reasons, position=entry.position,
            recorded_at=entry.recorded_at, amount=fact.amount, available=fact.amount,
        )  # fmt: skip
        self.lots[lot.lot, lot.expires_on] = lot
        if fact.to_debt:
            self._pay((Part(lot.lot, fact.to_debt, lot.expires_on),), None, entry)

    def _received(
        self, fact: CoinsReceived, expires_on: date, amount: int, entry: Entry
    ) -> None:
        self.lots[entry.originator_version, expires_on] = Lot(
            lot=entry.originator_version, cause=fact.donation_id, kind=DONATED, rule=DONATED,
            policy_version="", earned_on=None, expires_on=expires_on, reasons=(),
            position=entry.position, recorded_at=entry.recorded_at, amount=amount,
            available=amount,
        )  # fmt: skip

    def _pay(self, parts: tuple[Part, ...], of: UUID | None, entry: Entry) -> None:
        self._use(parts, "paid_debt", of, entry)
        self.debt -= sum(part.amount for part in parts)

    def _use(
        self, parts: tuple[Part, ...], what: str, of: UUID | None, entry: Entry
    ) -> None:
        for part in parts:
            lot = self.lots[part.lot, part.expires_on]
            lot.available -= part.amount
            setattr(lot, what, getattr(lot, what) + part.amount)
            lot.uses.append(_use(what, part, of, entry))

    def _leave_hold(self, of: UUID, what: str, entry: Entry) -> None:
        for part in self.holds.pop(of, ()):
            lot = self.lots[part.lot, part.expires_on]
            lot.held -= part.amount
            to = "spent" if what == "spent" else "available"
            setattr(lot, to, getattr(lot, to) + part.amount)
            lot.uses.append(_use(what, part, of, entry))


def explain(
    participant: UUID, entries: Iterable[Entry], today: date, position: int
) -> Explanation:
    """Explain the wallet whose facts these are, as of ``position``, on ``today``."""
    folded = _Explaining()
    for entry in entries:
        folded.add(entry)
    lots = sorted(folded.lots.values(), key=lambda lot: (lot.expires_on, lot.lot))
    totals = Totals(debt=folded.debt)
    for lot in lots:
        if lot.expires_on < today:
            lot.expired, lot.available = lot.expired + lot.available, 0
        for field in Totals.__struct_fields__:
            if field != "debt":
                setattr(totals, field, getattr(totals, field) + getattr(lot, field))
    return Explanation(
        participant, position, totals, lots, folded.refusals, folded.reversals
    )


def _use(what: str, part: Part, of: UUID | None, entry: Entry) -> Use:
    offer: UUID | None = getattr(entry.fact, "offer_id", None)
    return Use(what, part.amount, of, offer, entry.position, entry.recorded_at)


def _refusal(fact: AwardRefused, entry: Entry) -> Refusal:
    return Refusal(
        cause=fact.cause, kind=fact.kind, rule=fact.rule, policy_version=fact.policy_version,
        earned_on=fact.earned_on, reasons=fact.reasons, position=entry.position,
        recorded_at=entry.recorded_at,
    )  # fmt: skip
