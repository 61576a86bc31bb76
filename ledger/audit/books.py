"""The books (账簿): every wallet refolded, and each money fact held against the one that is due.

A decision and what it does to the coins are saved together, so they stand at neighbouring
positions: right behind a deciding fact must be exactly the money facts it has by the rules, and a
money fact anywhere else has no cause. Expiry alone needs no decision: it must be what was due.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple
from uuid import UUID

from ledger import budgets, identity
from ledger.audit.findings import Finding, found
from ledger.audit.spilled import Spilled, SpilledSet
from ledger.awards import BUDGET, over_budget
from ledger.coins import (
    AwardRefused,
    AwardReversed,
    CoinsAwarded,
    CoinsExpired,
    Movement,
    total,
)
from ledger.facts import Entry
from ledger.journal import postings
from ledger.policy import PolicyBook
from ledger.settlement import policy_for
from ledger.wallet import Wallet

Money = Movement | AwardRefused
WALLETS_KEPT = 5_000


class Granted(NamedTuple):
    """What a reversal must know of an award, as little as can be: there is one for every award."""

    lot: int
    amount: int
    kind: str
    earned_on: date
    expires_on: date
    role: str
    districts: tuple[str, ...]


class Books:
    """Wallets, what is used of budgets, and the sums of all accounts, as the facts so far say."""

    def __init__(self) -> None:
        self.book = PolicyBook()
        self.wallets: Spilled[UUID, Wallet] = Spilled(WALLETS_KEPT)
        self.granted: Spilled[UUID, Granted] = Spilled()  # by cause
        self.settled: SpilledSet[UUID] = SpilledSet()  # causes whose award or refusal stands
        self.waiting: SpilledSet[UUID] = SpilledSet()  # of these, those refused for lack of budget
        self.used: dict[str, int] = {}
        self.accounts: dict[str, int] = {}
        self.latest_award: date | None = None
        self.awards = self.refusals = 0
        self._position = 0
        self._due: list[tuple[Entry, Money]] = []
        self._lost = False

    def wallet(self, person: UUID) -> Wallet:
        """Somebody's wallet as it stands; to look at, for an empty one is not kept."""
        return self.wallets.get(person) or Wallet()

    def expect(self, decided: Entry, *money: Money) -> None:
        """The next entries must be these money facts, in this order."""
        self._due = [(decided, one) for one in money]

    def passed(self, entry: Entry) -> Iterator[Finding]:
        """An entry that is no money fact: whatever is due is missing."""
        for decided, money in self._due:
            code = "AWARD_MISSING" if _of_award(money) else "COINS_MISSING"
            yield found(code, decided.position + 1, _said(money))
            self._keep(decided, money, self.wallet(money.participant_id).version + 1)
        self._due, self._lost, self._position = [], False, entry.position

    def check(self, entry: Entry, fact: Money) -> Iterator[Finding]:
        """A money fact must be the one that is due."""
        self._position = entry.position
        for posting in postings(fact):
            self.accounts[posting.kind] = self.accounts.get(posting.kind, 0) + posting.amount
        if isinstance(fact, CoinsAwarded) and fact.amount < 1:
            yield found("BALANCE", entry.position, f"an award of {fact.amount}")
        if isinstance(fact, CoinsExpired) and not self._due:
            yield from self._expired(entry, fact)
        elif self._due:
            yield from self._held_against(entry, fact, *self._due.pop(0))
        elif self._lost:  # Its cause could not be read, and that was told.
            self._keep(entry, fact, entry.originator_version)
        elif isinstance(fact, CoinsAwarded | AwardRefused) and fact.cause in self.settled:
            yield found("AWARD_TWICE", entry.position, _said(fact))
        else:
            code = "AWARD_UNFOUNDED" if _of_award(fact) else "COINS_UNFOUNDED"
            yield found(code, entry.position, _said(fact))

    def lost(self) -> None:
        """A row could not be read: it may have been the one that is due."""
        for decided, money in self._due:
            self._keep(decided, money, self.wallet(money.participant_id).version + 1)
        self._due, self._lost = [], True

    def end(self) -> Iterator[Finding]:
        """The log ends: nothing may be missing, and the accounts must come to what wallets hold."""
        for decided, money in self._due:
            code = "AWARD_MISSING" if _of_award(money) else "COINS_MISSING"
            yield found(code, decided.position + 1, _said(money))
            self._keep(decided, money, self.wallet(money.participant_id).version + 1)
        right = {"available": 0, "held": 0, "debt": 0, "transfers": 0}
        for one in self.wallets.values():
            right["available"] += sum(sum(lots.values()) for lots in one.lots.values())
            right["held"] += one.held
            right["debt"] -= one.debt
        wrong = [
            f"{kind} {self.accounts.get(kind, 0)} ≠ {coins}" for kind, coins in right.items()
            if self.accounts.get(kind, 0) != coins
        ]  # fmt: skip
        if rest := sum(self.accounts.values()):
            wrong.append(f"the sum is {rest}")
        if wrong:
            yield found("BALANCE", self._position, ", ".join(wrong))

    def _held_against(
        self, entry: Entry, fact: Money, decided: Entry, money: Money
    ) -> Iterator[Finding]:
        if isinstance(money, CoinsAwarded) and _for_budget(fact):
            if not budgets.exceeds(self.used, self.book.budgets, money):
                yield found("BUDGET", entry.position, "refused although there is room")
            money = over_budget(money)
        elif isinstance(money, CoinsAwarded) and fact == money and budgets.exceeds(
            self.used, self.book.budgets, money
        ):
            yield found("BUDGET", entry.position, f"{money.amount} {money.districts}")
        if fact != money:
            code = "AWARD_DIFFERS" if _of_award(money) else "COINS_DIFFER"
            yield found(code, entry.position, f"{_said(fact)} ≠ {_said(money)}")
        elif entry.originator_id != identity.wallet_id(money.participant_id):
            yield found("OUT_OF_PLACE", entry.position, str(entry.originator_id))
        elif entry.recorded_at != decided.recorded_at:
            yield found("OUT_OF_PLACE", entry.position, "recorded_at")
        self._keep(decided, money, entry.originator_version)
        if isinstance(fact, CoinsAwarded) and isinstance(money, CoinsAwarded):
            yield from self._caps(entry, money)

    def _expired(self, entry: Entry, fact: CoinsExpired) -> Iterator[Finding]:
        due = self.wallet(fact.participant_id).due(fact.as_of)
        right = fact.parts and fact.parts == due and fact.amount == total(due)
        if not right or entry.originator_id != identity.wallet_id(fact.participant_id):
            yield found("EXPIRY", entry.position, _said(fact))
        else:
            self._keep(entry, fact, entry.originator_version)

    def _keep(self, decided: Entry, money: Money, version: int) -> None:
        """Go on from the right money fact, so that one fault is one finding."""
        person = money.participant_id
        wallet = self.wallet(person)
        wallet.apply(Entry(identity.wallet_id(person), version, decided.recorded_at, money))
        self.wallets[person] = wallet
        if isinstance(money, CoinsAwarded | AwardRefused):
            self.settled.add(money.cause)
        if isinstance(money, CoinsAwarded):
            self.awards += 1
            self.waiting.discard(money.cause)
            self.latest_award = max(self.latest_award or money.earned_on, money.earned_on)
            self.granted[money.cause] = Granted(
                version, money.amount, money.kind, money.earned_on, money.expires_on, money.role,
                money.districts,
            )  # fmt: skip
            budgets.count(self.used, money, money.amount)
        elif isinstance(money, AwardRefused):
            self.refusals += 1
            keeps = self.waiting.add if _for_budget(money) else self.waiting.discard
            keeps(money.cause)
        elif isinstance(money, AwardReversed):
            budgets.count(self.used, money, -money.amount)

    def _caps(self, entry: Entry, money: CoinsAwarded) -> Iterator[Finding]:
        """Counted without the rule that applies the caps."""
        policy = policy_for(self.book, money.earned_on)
        if policy is None:
            return
        wallet, day = self.wallets[money.participant_id], money.earned_on
        for limit, used in (
            (policy.kinds[money.kind].day_max, wallet.earned_in_day(day, money.kind)),
            (policy.caps.day, wallet.earned_in_day(day)),
            (policy.caps.month, wallet.earned_in_month(day)),
        ):
            if limit is not None and used > limit:
                yield found("CAP_EXCEEDED", entry.position, f"{used} > {limit}")


def _of_award(money: Money) -> bool:
    return isinstance(money, CoinsAwarded | AwardRefused)


def _for_budget(money: Money) -> bool:
    return isinstance(money, AwardRefused) and money.rule == BUDGET


def _said(money: Money) -> str:
    """A money fact in a few words: what, how much, by which rule, for what."""
    words = [money.topic.partition(".")[2], str(getattr(money, "amount", 0))]
    words += [getattr(money, "rule", ""), ",".join(getattr(money, "reasons", ()))]
    for name in ("cause", "redemption_id", "donation_id", "reversal_id", "as_of"):
        if (value := getattr(money, name, None)) is not None:
            words.append(f"{name}={value}")
    return " ".join(word for word in words if word)
