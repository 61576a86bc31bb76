"""Settling again (重新结算): verdicts and awards recomputed from their causes, one by one.

A decision and its money fact are saved together, so they stand at neighbouring positions: after
every deciding fact the next row must be exactly the money fact that settling again gives, and a
money fact anywhere else has no cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from ledger import identity
from ledger.audit.actors import Actors
from ledger.audit.findings import Finding, found
from ledger.contributions import CONTRIBUTIONS
from ledger.contributions.base import (
    OPEN_STATES,
    Assessed,
    Contribution,
    Recorded,
    ReviewRefused,
    State,
    Verified,
)
from ledger.days import day_of
from ledger.errors import InvalidPolicy
from ledger.facts import Entry
from ledger.policy import PolicyBook, PolicyPublished
from ledger.settlement import parsed, policy_for, settle
from ledger.wallet import AwardRefused, CoinsAwarded, Wallet

Money = CoinsAwarded | AwardRefused
SETTLED = State(state="settled")


class Settling:
    """What the facts so far make of policies, roles, wallets and contributions."""

    def __init__(self) -> None:
        self.book, self.actors = PolicyBook(), Actors()
        self.wallets: dict[UUID, Wallet] = {}
        # A settled contribution needs no more than the mark that it is.
        self.contributions: dict[UUID, tuple[Contribution | None, State]] = {}
        self.latest_award: date | None = None
        self.awards = self.refusals = self.issued = 0
        self._position = 0
        self._due: tuple[Entry, Money] | None = None
        self._lost = False

    def check(self, entry: Entry) -> Iterator[Finding]:
        """What is wrong with the next entry of the log."""
        fact, self._position = entry.fact, entry.position
        if isinstance(fact, CoinsAwarded | AwardRefused):
            yield from self._money(entry, fact)
        else:
            yield from self._overdue(entry)
            if isinstance(fact, Recorded | Assessed | Verified | ReviewRefused):
                yield from self._contribution(entry)
            elif isinstance(fact, PolicyPublished):
                yield from self._policy(entry, fact)
            else:
                yield from self.actors.check(entry)
        self._lost = False

    def end(self) -> Iterator[Finding]:
        """The log ends: nothing may be missing."""
        if self._due:
            yield found("AWARD_MISSING", self._due[0].position + 1, _said(self._due[1]))
        held = sum(sum(wallet.coins.values()) for wallet in self.wallets.values())
        if held != self.issued:
            yield found("BALANCE", self._position, f"issued {self.issued}, in wallets {held}")

    def lost(self, originator: UUID | None) -> None:
        """A row could not be read: it may have been the one that is due."""
        if originator is not None:
            self.actors.lost(originator)
        if self._due:
            self._keep(self._due[0], self._due[1])
        self._due, self._lost = None, True

    def _overdue(self, entry: Entry) -> Iterator[Finding]:
        if self._due:
            decided, money = self._due
            yield found("AWARD_MISSING", decided.position + 1, _said(money))
            self._keep(decided, money)

    def _keep(self, decided: Entry, money: Money) -> None:
        """Go on from the right money fact, so that one fault is one finding."""
        wallet = self.wallets.setdefault(money.participant_id, Wallet())
        wallet.apply(Entry(identity.wallet_id(money.participant_id), 0, decided.recorded_at, money))
        self.contributions[money.cause] = (None, SETTLED)
        self._due = None
        if isinstance(money, CoinsAwarded):
            self.awards += 1
            self.latest_award = max(self.latest_award or money.earned_on, money.earned_on)
        else:
            self.refusals += 1

    def _money(self, entry: Entry, fact: Money) -> Iterator[Finding]:
        if isinstance(fact, CoinsAwarded):
            self.issued += fact.amount
            if fact.amount < 1:
                yield found("BALANCE", entry.position, f"an award of {fact.amount}")
        if self._due is None and self._lost:
            self._keep(entry, fact)  # Its cause could not be read, and that was told.
            return
        if self._due is None:
            known = self.contributions.get(fact.cause)
            twice = known is not None and known[1] is SETTLED
            yield found("AWARD_TWICE" if twice else "AWARD_UNFOUNDED", entry.position, _said(fact))
            return
        decided, money = self._due
        if fact != money:
            yield found("AWARD_DIFFERS", entry.position, f"{_said(fact)} ≠ {_said(money)}")
        elif entry.originator_id != identity.wallet_id(money.participant_id):
            yield found("OUT_OF_PLACE", entry.position, str(entry.originator_id))
        elif entry.recorded_at != decided.recorded_at:
            yield found("OUT_OF_PLACE", entry.position, "recorded_at")
        self._keep(decided, money)
        if isinstance(fact, CoinsAwarded):
            yield from self._caps(entry, money)

    def _caps(self, entry: Entry, money: Money) -> Iterator[Finding]:
        """Counted without the rule that applies the caps."""
        policy = policy_for(self.book, money.earned_on)
        if policy is None or not isinstance(money, CoinsAwarded):
            return
        wallet, day = self.wallets[money.participant_id], money.earned_on
        kind = policy.kinds[money.kind].day_max
        for limit, used in (
            (kind, wallet.earned_in_day(day, money.kind)),
            (policy.caps.day, wallet.earned_in_day(day)),
            (policy.caps.month, wallet.earned_in_month(day)),
        ):
            if limit is not None and used > limit:
                yield found("CAP_EXCEEDED", entry.position, f"{used} > {limit}")

    def _contribution(self, entry: Entry) -> Iterator[Finding]:
        fact, cause = entry.fact, entry.originator_id
        contribution, state = self.contributions.get(cause, (None, State()))
        if isinstance(fact, Recorded):
            contribution = next((one for one in CONTRIBUTIONS if type(fact) is one.recorded), None)
        first = isinstance(fact, Recorded)
        if contribution is None or first != (state.recorded is None) or not _may(fact, state):
            yield found("OUT_OF_PLACE", entry.position, f"{fact.topic}: {state.state}")
            return
        state.apply(entry)
        self.contributions[cause] = (contribution, state)
        assert state.recorded is not None
        owner, places = state.recorded.participant_id, state.recorded.districts
        if isinstance(fact, Recorded):
            yield from self.actors.contributor(entry, fact, contribution)
        elif isinstance(fact, Assessed):
            yield from self._verdict(entry, fact, contribution, state)
        elif isinstance(fact, Verified | ReviewRefused):
            if fact.by == owner:
                yield found("SELF_REVIEW", entry.position, str(owner))
            yield from self.actors.reviewer(entry, fact, contribution, places)
        wallet = self.wallets.get(owner) or Wallet()
        try:
            money = settle(contribution, state, cause, wallet, self.book, entry.recorded_at)
        except (AssertionError, ArithmeticError, LookupError) as error:
            # Facts that no decision of ours could have left behind.
            yield found("OUT_OF_PLACE", entry.position, f"{fact.topic}: {error!r}")
            return
        self._due = None if money is None else (entry, money)

    def _verdict(
        self, entry: Entry, fact: Assessed, contribution: Contribution, state: State
    ) -> Iterator[Finding]:
        recorded = state.recorded
        if recorded is None or contribution.verdict is None:
            yield found("OUT_OF_PLACE", entry.position, f"{fact.topic}: no machine judges this")
            return
        policy = policy_for(self.book, recorded.earned_on)
        rules = policy.kinds.get(contribution.kind) if policy else None
        right = contribution.verdict(recorded, fact, rules, entry.recorded_at)
        if right != (fact.verdict, fact.reasons):
            seen = f"{fact.verdict} {','.join(fact.reasons)} ≠ {right[0]} {','.join(right[1])}"
            yield found("VERDICT", entry.position, seen)
        if fact.policy_version != (policy.version if policy else ""):
            yield found("VERDICT", entry.position, f"policy {fact.policy_version}")

    def _policy(self, entry: Entry, fact: PolicyPublished) -> Iterator[Finding]:
        """A file that parses, is what the fact says, is new, and rewrites no award."""
        problem = ""
        try:
            policy = parsed(fact.toml)
            if (policy.version, policy.effective_from) != (fact.version, fact.effective_from):
                problem = "version or date is not the file's"
        except InvalidPolicy as error:
            problem = str(error)
        if self.book.named(fact.version):
            problem = f"version {fact.version} was published before"
        past = fact.effective_from <= day_of(entry.recorded_at)
        if past and self.latest_award and self.latest_award >= fact.effective_from:
            problem = f"back-dated to {fact.effective_from}, awards reach {self.latest_award}"
        if entry.originator_id != identity.POLICIES:
            problem = "not in the register of policies"
        if problem:
            yield found("POLICY", entry.position, problem)
            return
        self.book = self.book.with_facts([fact])


def _may(fact: object, state: State) -> bool:
    """Whether a contribution in this state may get this fact."""
    if isinstance(fact, Recorded):
        return state.state == "unknown"
    if isinstance(fact, Assessed):
        return state.state == "pending" and state.assessed is None
    return state.state in OPEN_STATES


def _said(money: Money) -> str:
    coins = money.amount if isinstance(money, CoinsAwarded) else 0
    return f"{coins} {money.rule} {','.join(money.reasons)} cause={money.cause}".replace("  ", " ")
