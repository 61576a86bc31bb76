"""Contributing and reviewing: the commands that end in coins or in a reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from ledger import access, identity
from ledger.awards import over_budget
from ledger.batch import NotInABatch
from ledger.budgets import shares
from ledger.coins import AwardRefused, CoinsAwarded
from ledger.contributions.base import (
    OPEN_STATES,
    Contribution,
    ReviewRefused,
    State,
    Times,
    Verified,
)
from ledger.contributions.credits import Credits
from ledger.days import day_of
from ledger.errors import (
    AlreadyDecided,
    FieldError,
    Forbidden,
    InvalidInput,
    LedgerError,
    NotFound,
    SelfReview,
    SubmissionConflict,
)
from ledger.facts import Entry, Fact
from ledger.log import Append
from ledger.participants import Actor, Participant
from ledger.receipts import FACTS_PER_COMMAND, Receipt, facts_of_command, receipt_of
from ledger.recording import Basis, Recording
from ledger.registers import Registers
from ledger.settlement import settle
from ledger.store.errors import FingerprintTaken, QuotaExceeded
from ledger.store.rows import Quota
from ledger.submissions import Submission

TIERS = 3


class ChangedSince(LedgerError):
    code = "changed_since"
    zh = "您查看之后，这份内容又有修改（现为第 {version} 版）；请重新查看后再审核。"
    en = "It was edited after you looked (it is at version {version}); look again, then decide."


class Contributing(Registers):
    """Recording what people do, and reviewing it."""

    def contribute(
        self,
        contribution: Contribution,
        actor: Actor,
        body: Any,
        request: Any,
        submission_id: UUID,
        now: datetime,
        times: Times = Times(),  # noqa: B008 - it is frozen
    ) -> Receipt:
        """Record a submission, settle what needs no reviewer, and say what it came to.

        ``request`` is the body as sent: the same again gets the original receipt, another under
        the same ``submission_id`` raises SubmissionConflict. Forbidden for a role that may not.
        ``times`` are a phone's, of something that is sent in later.
        """
        submission = Submission(contribution, actor, body, request, submission_id, times)
        with self.wallet_turns.of(actor.participant_id):
            return self.attempt(partial(self.submit, submission, now))

    def submit(self, submission: Submission, now: datetime) -> Receipt:
        """Decide and append a submission once, with whatever else it raises in the same commit.

        Whoever calls it holds the turn of the actor's wallet and tries again where it is outrun.
        """
        if not submission.others:
            return self._submit(submission, now)
        with self.together() as batch:
            receipt = self._submit(submission, now)
            for other in submission.others:
                self._submit(other, now)
        if receipt.replayed or batch is self.batch:  # A batch that goes on has no positions yet.
            return receipt
        return msgspec.structs.replace(receipt, position=batch.position(receipt.position))

    def _submit(self, submission: Submission, now: datetime) -> Receipt:
        contribution, actor = submission.contribution, submission.actor
        owner, cause = actor.participant_id, submission.cause
        # Before their key: whoever is erased behind this has no role left when it is saved.
        person = self.fold(owner, Participant())
        digests = (self.vault.fingerprint(owner, one) for one in submission.contents)
        digest, state = next(digests), self.fold(cause, State())
        if state.recorded is not None:
            if state.recorded.body_digest not in (digest, *digests):
                raise SubmissionConflict
            return self._receipt_at(contribution, cause, state.position, owner)
        if actor.role not in contribution.contributors:
            raise Forbidden
        with Recording(
            self, submission, now
        ) as context:
            first, *others = contribution.record(submission.body, context, digest)
            facts = [msgspec.structs.replace(first, held=self._held(person)), *others]
            context.basis.unchanged[owner] = person.version
            try:
                return self._decided(contribution, cause, state, facts, now, context.basis)
            except FingerprintTaken:
                submission.copied = True
                raise

    def review(
        self,
        contribution: Contribution,
        actor: Actor,
        cause: UUID,
        submission_id: UUID,
        now: datetime,
        *,
        tier: int | None,
        reason: str,
        seen: int | None = None,
    ) -> Receipt:
        """Decide a contribution that waits: verified in a ``tier``, or refused where it is None.

        ``seen`` is the version it is decided on; raises ChangedSince where there is a newer one.
        """
        if tier is not None and not 1 <= tier <= TIERS:
            raise InvalidInput([FieldError("tier", "out_of_range", "应为 1 至 3", "1 to 3")])
        command_id = identity.command_id(actor.participant_id, f"review/{cause}", submission_id)
        said = [tier, reason] if seen is None else [tier, reason, seen]
        digest = self.vault.fingerprint(
            actor.participant_id, msgspec.json.encode(said, order="sorted")
        )

        def command() -> Receipt:
            state = self.contribution(contribution, cause)
            recorded = state.recorded
            assert recorded is not None
            # Whoever has moved since still gets the answer they got.
            if state.decided is not None and state.decided.command_id == command_id:
                if state.decided.body_digest != digest:
                    raise SubmissionConflict
                owner, position = recorded.participant_id, state.decided_position
                return self._receipt_at(contribution, cause, position, owner)
            if not access.reviews(actor, contribution.reviewers, recorded.districts):
                raise NotFound
            if actor.participant_id in state.hands:
                raise SelfReview
            if state.state not in OPEN_STATES:
                raise AlreadyDecided(state=state.state)
            if seen not in (None, state.edition):
                raise ChangedSince(version=state.edition)
            basis = Basis(self.policies.current())
            signed: dict[str, Any] = {
                "by": actor.participant_id, "command_id": command_id, "body_digest": digest,
            }  # fmt: skip
            fact: Fact
            if tier is not None:
                fact = Verified(**signed, tier=tier, seen=seen)
            else:
                owner = recorded.participant_id
                sealed, rows = self.vault.seal_words(cause, owner, "review", reason, now)
                basis.rows += rows
                fact = ReviewRefused(**signed, sealed=sealed, seen=seen)
            facts = [fact] if tier is not None else [*self.annulling(cause, basis, now), fact]
            return self._decided(contribution, cause, state, facts, now, basis)

        with self.wallet_turns.of(self._owner(contribution, cause)):
            return self.attempt(command)

    def annulling(self, cause: UUID, basis: Basis, now: datetime) -> list[Fact]:
        """What goes before a refusal, where a contribution counts for more than coins."""
        return []

    def contribution(self, contribution: Contribution, cause: UUID) -> State:
        """A contribution as it stands; raises NotFound for none of this kind."""
        state = self.fold(cause, State())
        if not isinstance(state.recorded, contribution.recorded):
            raise NotFound
        return state

    def _held(self, person: Participant) -> dict[str, tuple[str, ...]]:
        """Every role somebody holds, with the path of its district: a duty is a person's."""
        districts = self.districts.current()
        return {role: districts.path(code) for role, code in person.roles.items()}

    def _owner(self, contribution: Contribution, cause: UUID) -> UUID:
        recorded = self.contribution(contribution, cause).recorded
        assert recorded is not None
        return recorded.participant_id

    def _decided(
        self,
        contribution: Contribution,
        cause: UUID,
        state: State,
        facts: Sequence[Fact],
        now: datetime,
        basis: Basis,
        *,
        only_if_paid: bool = False,
    ) -> Receipt:
        """Apply the facts, settle under the policies they were decided by, save in one commit.

        An award beyond a budget is refused instead; ``only_if_paid``: nothing is saved then, and
        QuotaExceeded is raised.
        """
        version = state.version
        for number, fact in enumerate(facts, 1):
            state.apply(Entry(cause, version + number, now, fact))
        recorded = state.recorded
        assert recorded is not None
        owner = recorded.participant_id
        wallet = self.wallet(owner)
        shared = contribution.shared(recorded) if contribution.shared else None
        credits = self.fold(shared, Credits()) if shared else Credits()
        state.credits = credits.found
        settled = settle(contribution, state, cause, wallet, basis.book, now)

        def save(money: CoinsAwarded | AwardRefused | None, quotas: Sequence[Quota]) -> Receipt:
            writes, before = [Append(cause, version, facts)], wallet.version
            unchanged = {identity.POLICIES: basis.book.version}
            # A review elsewhere does not undo a whole parcel: its balances are as they were read.
            if money is None and self.batch is None:
                unchanged[identity.wallet_id(owner)] = before
            elif money is not None:
                writes.append(Append(identity.wallet_id(owner), before, [money]))
            if shared and settled and settled.credited:
                writes.append(Append(shared, credits.version, [settled.credited]))
            elif shared and settled:
                unchanged[shared] = credits.version
            entries = basis.save(self, writes, now, unchanged=unchanged, quotas=quotas)
            if money is not None:
                wallet.apply(entries[len(facts)])
                self.snapshot_if_due(wallet, before, owner, now)
            balance = wallet.available(day_of(now))
            told = entries[: len(facts) + (money is not None)]
            return receipt_of(contribution.kind, cause, told, balance)

        money = settled.money if settled else None
        budgets = (
            shares(basis.book.budgets, money.districts, money.earned_on, money.amount)
            if isinstance(money, CoinsAwarded) else ()
        )  # fmt: skip
        try:
            return save(money, budgets)
        except QuotaExceeded as exceeded:
            if only_if_paid or not isinstance(money, CoinsAwarded):
                raise
            full = [
                msgspec.structs.replace(one, full=True) for one in budgets
                if one.key == exceeded.key
            ]  # fmt: skip
            return save(over_budget(money), full)

    def _receipt_at(
        self, contribution: Contribution, cause: UUID, position: int, owner: UUID
    ) -> Receipt:
        """The receipt of a command saved earlier, whose first fact stands at ``position``."""
        if self.batch is not None and self.batch.of(cause):
            raise NotInABatch  # It was decided in this very batch, and has no position yet.
        rows = self.rows(position - 1, FACTS_PER_COMMAND)
        entries = facts_of_command(map(self.entry, rows), cause)
        last = entries[-1]
        balance = self.wallet_at(owner, last.position).available(day_of(last.recorded_at))
        receipt = receipt_of(contribution.kind, cause, entries, balance)
        return msgspec.structs.replace(receipt, replayed=True)
