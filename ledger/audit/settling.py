"""Settling again (重新结算): verdicts and awards recomputed from their causes, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger import identity
from ledger.audit.actors import Actors
from ledger.audit.amendments import Amendments
from ledger.audit.books import Books
from ledger.audit.campaigns import Campaigns
from ledger.audit.credits import Credits
from ledger.audit.erasures import AuditedErasures
from ledger.audit.findings import Finding, found
from ledger.audit.spending import Spending
from ledger.audit.spilled import Spilled
from ledger.budgets import CITY, BudgetSet
from ledger.coins import MONEY
from ledger.contributions import BY_KIND, CONTRIBUTIONS
from ledger.contributions.base import (
    OPEN_STATES,
    Amended,
    Assessed,
    AwardReopened,
    Contribution,
    Recorded,
    ReviewRefused,
    State,
    Verified,
    Withdrawn,
)
from ledger.contributions.evidence import PHOTO_FIELD, PhotosAdded
from ledger.contributions.visits import VisitAnnulled
from ledger.devices import ItemsReceived
from ledger.errors import InvalidPolicy
from ledger.facts import Entry
from ledger.policy import PolicyPublished
from ledger.settlement import parsed, policy_for, settle

CONTRIBUTION_FACTS = (
    Recorded, Assessed, Verified, ReviewRefused, AwardReopened, Amended, Withdrawn,
)  # fmt: skip


class Settling:
    """What the facts so far make of policies, roles, wallets, contributions and redemptions."""

    def __init__(self) -> None:
        self.books, self.actors, self.credits = Books(), Actors(), Credits()
        self._amendments = Amendments(self.books, self.actors)
        self.spending = Spending(self.books, self.actors, self.credits, self._amendments)
        self._campaigns = Campaigns(self.actors, self.spending.market.tree)
        self._erasures = AuditedErasures(self.actors)
        # By kind, those that wait: for a reviewer, or for a budget.
        self.contributions: Spilled[UUID, tuple[str, State]] = Spilled()
        self._owners: Spilled[UUID, UUID] = Spilled()  # of all, for photos come at any time

    def check(self, entry: Entry) -> Iterator[Finding]:
        """What is wrong with the next entry of the log."""
        fact = entry.fact
        if isinstance(fact, MONEY):
            yield from self.books.check(entry, fact)  # type: ignore[arg-type]
            cause: UUID | None = getattr(fact, "cause", None)
            settled = cause is not None and cause in self.books.settled
            if cause and settled and cause not in self.books.waiting:
                self.contributions.pop(cause, None)
            return
        yield from self.books.passed(entry)
        yield from self._amendments.next(entry)
        yield from self.credits.check(entry)
        yield from self.spending.check(entry)
        yield from self._campaigns.check(entry)
        yield from self._erasures.check(entry)
        if isinstance(fact, VisitAnnulled):
            _, state = self.contributions.get(entry.originator_id, ("", State()))
            self._amendments.annulled(entry, fact, state)
        elif isinstance(fact, CONTRIBUTION_FACTS):
            yield from self._contribution(entry)
        elif isinstance(fact, PhotosAdded):
            yield from self._photos(entry, fact)
        elif isinstance(fact, ItemsReceived):
            if fact.participant_id not in self.actors.roles:
                yield found("ACTOR", entry.position, f"{fact.participant_id}")
        elif isinstance(fact, PolicyPublished):
            yield from self._policy(entry, fact)
        elif isinstance(fact, BudgetSet):
            yield from self._budget(entry, fact)
        else:
            yield from self.actors.check(entry)

    def end(self) -> Iterator[Finding]:
        """The log ends: nothing may be missing."""
        yield from self.spending.end()
        yield from self.books.end()
        yield from self.credits.end()
        yield from self._amendments.end()

    def lost(self, originator: UUID | None) -> None:
        """A row could not be read: it may have been the one that is due."""
        if originator is not None:
            self.actors.lost(originator)
        self.spending.lost(originator)
        self._campaigns.lost(originator)
        self._erasures.lost(originator)
        self.books.lost()
        self.credits.lost()
        self._amendments.lost()

    def _contribution(self, entry: Entry) -> Iterator[Finding]:
        fact, cause = entry.fact, entry.originator_id
        kind, state = self.contributions.get(cause) or ("", self._over(cause))
        contribution = BY_KIND.get(kind)
        if isinstance(fact, Amended | Withdrawn):
            yield from self._amendments.check(entry, state)
            state.apply(entry)
            return
        if isinstance(fact, Recorded):
            contribution = next((one for one in CONTRIBUTIONS if type(fact) is one.recorded), None)
        first = isinstance(fact, Recorded)
        if (
            contribution is None
            or first != (state.recorded is None)
            or not self._may(fact, cause, state)
        ):
            yield found("OUT_OF_PLACE", entry.position, f"{fact.topic}: {state.state}")
            return
        state.apply(entry)
        self.contributions[cause] = (contribution.kind, state)
        assert state.recorded is not None
        places = state.recorded.districts
        if isinstance(fact, Recorded):
            self._owners[cause] = fact.participant_id
            yield from self.actors.contributor(entry, fact, contribution)
        elif isinstance(fact, Assessed):
            yield from self._verdict(entry, fact, contribution, state)
        elif isinstance(fact, Verified | ReviewRefused):
            if fact.by in state.hands:
                yield found("SELF_REVIEW", entry.position, str(fact.by))
            if fact.seen not in (None, state.edition):
                yield found("VISIT", entry.position, f"reviewed as {fact.seen} of {state.edition}")
            if isinstance(fact, ReviewRefused):
                yield from self._amendments.refused(entry, state.recorded)
            yield from self.actors.reviewer(entry, fact, contribution, places)
        yield from self._settle(entry, contribution, state)

    def _over(self, cause: UUID) -> State:
        """The state of what does not wait: settled, or never recorded."""
        settled = cause in self.books.settled and cause not in self.books.waiting
        return State(state="settled") if settled else State()

    def _settle(
        self, entry: Entry, contribution: Contribution, state: State
    ) -> Iterator[Finding]:
        cause, recorded = entry.originator_id, state.recorded
        assert recorded is not None
        wallet = self.books.wallet(recorded.participant_id)
        shared = contribution.shared(recorded) if contribution.shared else None
        state.credits = self.credits.at(shared)
        try:
            settled = settle(
                contribution, state, cause, wallet, self.books.book, entry.recorded_at
            )
        except (AssertionError, ArithmeticError, LookupError) as error:
            # Facts that no decision of ours could have left behind.
            yield found("OUT_OF_PLACE", entry.position, f"{entry.fact.topic}: {error!r}")
            return
        if settled is not None:
            self.books.expect(entry, settled.money)
            self.credits.expect(entry, shared, settled.credited)

    def _photos(self, entry: Entry, fact: PhotosAdded) -> Iterator[Finding]:
        """Photos are added to something by whose it is; those that are kept are named as well."""
        cause = entry.originator_id
        _, state = self.contributions.get(cause, ("", State()))
        owner = self._owners.get(cause)
        if owner is None and cause not in self.books.settled:
            yield found("OUT_OF_PLACE", entry.position, f"{fact.topic}: to nothing")
        elif owner not in (None, fact.by):
            yield found("ACTOR", entry.position, f"{fact.topic} by {fact.by}")
        elif state.state == "withdrawn":
            yield found("OUT_OF_PLACE", entry.position, f"{fact.topic}: {state.state}")
        if not {one.field for one in fact.sealed} <= {PHOTO_FIELD + one for one in fact.photos}:
            yield found("VAULT", entry.position, f"{fact.topic}: kept, and not named")

    def _may(self, fact: object, cause: UUID, state: State) -> bool:
        """Whether a contribution in this state may get this fact."""
        if isinstance(fact, Recorded):
            return state.state == "unknown"
        if isinstance(fact, Assessed):
            return state.state == "pending" and state.assessed is None
        if isinstance(fact, AwardReopened):
            return cause in self.books.waiting
        return state.state in OPEN_STATES

    def _verdict(
        self, entry: Entry, fact: Assessed, contribution: Contribution, state: State
    ) -> Iterator[Finding]:
        recorded = state.recorded
        if recorded is None or contribution.verdict is None:
            yield found("OUT_OF_PLACE", entry.position, f"{fact.topic}: no machine judges this")
            return
        policy = policy_for(self.books.book, recorded.earned_on)
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
        if self.books.book.named(fact.version):
            problem = f"version {fact.version} was published before"
        latest = self.books.latest_award
        if latest and latest >= fact.effective_from:
            problem = f"back-dated to {fact.effective_from}, awards reach {latest}"
        if entry.originator_id != identity.POLICIES:
            problem = "not in the register of policies"
        if problem:
            yield found("POLICY", entry.position, problem)
            return
        self.books.book = self.books.book.with_facts([fact])

    def _budget(self, entry: Entry, fact: BudgetSet) -> Iterator[Finding]:
        """A budget stands with the policies, and whoever set it may."""
        if entry.originator_id != identity.POLICIES or fact.coins < 0:
            yield found("BUDGET", entry.position, f"{fact.district} {fact.year} {fact.coins}")
            return
        if fact.by is not None:  # At the terminal nobody is named.
            places = () if fact.district == CITY else self.spending.market.places(fact.district)
            yield from self.actors.holder(entry, fact.by, frozenset({"reward_officer"}), places)
        self.books.book = self.books.book.with_facts([fact])
