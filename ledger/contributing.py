"""Contributing and reviewing: the commands that end in coins or in a reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger import access, identity
from ledger.contributions.base import (
    OPEN_STATES,
    Contribution,
    ReviewRefused,
    State,
    Verified,
)
from ledger.days import day_of
from ledger.districts import Districts
from ledger.errors import (
    AlreadyDecided,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    SelfReview,
    SubmissionConflict,
)
from ledger.facts import Entry, Fact, Sealed
from ledger.log import Append
from ledger.participants import Actor
from ledger.policy import KindRules, PolicyBook
from ledger.registers import Registers
from ledger.rivers import RiverMap
from ledger.settlement import policy_for, settle
from ledger.store.errors import FingerprintTaken
from ledger.store.rows import VaultRow
from ledger.wallet import AwardRefused, CoinsAwarded

# A command saves at most: recorded, assessed, the money fact.
FACTS_PER_COMMAND = 3
TIERS = 3
# With these a command of its own begins, even right behind the one it is about.
DECISIONS = (Verified, ReviewRefused)


class Receipt(msgspec.Struct, frozen=True):
    """What a command came to; the same again for the same submission, byte for byte."""

    id: UUID
    kind: str
    position: int
    state: str
    reasons: tuple[str, ...]
    coins: int
    balance: int
    metrics: Any = None
    rule: str = ""
    policy_version: str = ""
    replayed: bool = False


class _Recording:
    """The Context of one submission: what its decision may look at, and the rows it seals."""

    def __init__(
        self, ledger: Contributing, kind: str, actor: Actor, originator_id: UUID, now: datetime,
        *, copied: bool,
    ) -> None:  # fmt: skip
        self.actor, self.now, self.copied = actor, now, copied
        self.rivers: RiverMap = ledger.rivers.current()
        self.districts: Districts = ledger.districts.current()
        self.book = ledger.policies.current()
        self.rows: list[VaultRow] = []
        self._ledger, self._kind, self._originator_id = ledger, kind, originator_id

    def rules(self, day: date) -> KindRules | None:
        policy = policy_for(self.book, day)
        return policy.kinds.get(self._kind) if policy else None

    def policy_version(self, day: date) -> str:
        policy = policy_for(self.book, day)
        return policy.version if policy else ""

    def seal(
        self, field: str, value: Any, *, shelf: str | None = None, unique: bytes | None = None
    ) -> Sealed:
        sealed, row = self._ledger.vault.seal(
            self._originator_id, self.actor.participant_id, field, value, self.now,
            shelf=shelf, unique=unique,
        )  # fmt: skip
        self.rows.append(row)
        return sealed

    def shelf(self, name: str, newest: int) -> Sequence[Any]:
        return [value for _, value in self._ledger.vault.on_shelf(name, newest)]


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
    ) -> Receipt:
        """Record a submission, settle what needs no reviewer, and say what it came to.

        ``request`` is the body as sent: the same again gets the original receipt, another under
        the same ``submission_id`` raises SubmissionConflict. Forbidden for a role that may not.
        """
        if actor.role not in contribution.contributors:
            raise Forbidden
        owner = actor.participant_id
        cause = identity.contribution_id(owner, contribution.kind, submission_id)
        digest = self.vault.fingerprint(owner, msgspec.json.encode(request, order="sorted"))
        copied = False

        def command() -> Receipt:
            nonlocal copied
            state = self.fold(cause, State())
            if state.recorded is not None:
                if state.recorded.body_digest != digest:
                    raise SubmissionConflict
                return self._receipt_at(contribution, cause, state.position, owner)
            context = _Recording(self, contribution.kind, actor, cause, now, copied=copied)
            facts = contribution.record(body, context, digest)
            try:
                return self._decided(
                    contribution, cause, State(), facts, now, context.rows, context.book
                )
            except FingerprintTaken:
                copied = True
                raise

        return self.attempt(command)

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
    ) -> Receipt:
        """Decide a contribution that waits: verified in a ``tier``, or refused where it is None."""
        if tier is not None and not 1 <= tier <= TIERS:
            raise InvalidInput([FieldError("tier", "out_of_range", "应为 1 至 3", "1 to 3")])
        action = "refuse" if tier is None else "verify"
        command_id = identity.command_id(actor.participant_id, f"{action}/{cause}", submission_id)
        digest = self.vault.fingerprint(
            actor.participant_id, msgspec.json.encode([tier, reason], order="sorted")
        )

        def command() -> Receipt:
            state = self.contribution(contribution, cause)
            recorded = state.recorded
            assert recorded is not None
            if not access.reviews(actor, contribution.reviewers, recorded.districts):
                raise NotFound
            if state.decided is not None and state.decided.command_id == command_id:
                if state.decided.body_digest != digest:
                    raise SubmissionConflict
                owner, position = recorded.participant_id, state.decided_position
                return self._receipt_at(contribution, cause, position, owner)
            if recorded.participant_id == actor.participant_id:
                raise SelfReview
            if state.state not in OPEN_STATES:
                raise AlreadyDecided(state=state.state)
            rows: list[VaultRow] = []
            fact: Fact
            if tier is None:
                field = "review"
                sealed, row = self.vault.seal(cause, recorded.participant_id, field, reason, now)
                rows.append(row)
                fact = ReviewRefused(
                    by=actor.participant_id, command_id=command_id, body_digest=digest,
                    sealed=(sealed,),
                )  # fmt: skip
            else:
                fact = Verified(
                    by=actor.participant_id, command_id=command_id, body_digest=digest, tier=tier
                )
            book = self.policies.current()
            return self._decided(contribution, cause, state, [fact], now, rows, book)

        return self.attempt(command)

    def contribution(self, contribution: Contribution, cause: UUID) -> State:
        """A contribution as it stands; raises NotFound for none of this kind."""
        state = self.fold(cause, State())
        if not isinstance(state.recorded, contribution.recorded):
            raise NotFound
        return state

    def _decided(
        self,
        contribution: Contribution,
        cause: UUID,
        state: State,
        facts: Sequence[Fact],
        now: datetime,
        rows: Sequence[VaultRow],
        book: PolicyBook,
    ) -> Receipt:
        """Apply the facts, settle under the policies they were decided by, save in one commit."""
        version = state.version
        for number, fact in enumerate(facts, 1):
            state.apply(Entry(cause, version + number, now, fact))
        assert state.recorded is not None
        owner = state.recorded.participant_id
        wallet = self.wallet(owner)
        money = settle(contribution, state, cause, wallet, book, now)
        account, before = identity.wallet_id(owner), wallet.version
        writes = [Append(cause, version, facts)]
        unchanged = {identity.POLICIES: book.version}
        if money is None:
            unchanged[account] = before
        else:
            writes.append(Append(account, before, [money]))
        entries = self.append(writes, now, vault_rows=rows, unchanged=unchanged)
        if money is not None:
            wallet.apply(entries[-1])
            self.snapshot_if_due(wallet, before, owner, now)
        return _receipt(contribution, cause, entries, wallet.available(day_of(now)))

    def _receipt_at(
        self, contribution: Contribution, cause: UUID, position: int, owner: UUID
    ) -> Receipt:
        """The receipt of a command saved earlier: its facts stand at consecutive positions."""
        rows = self.rows(position - 1, FACTS_PER_COMMAND)
        entries: list[Entry] = []
        for entry in map(self.entry, rows):
            if not _belongs(entry, cause) or (entries and isinstance(entry.fact, DECISIONS)):
                break
            entries.append(entry)
        last = entries[-1]
        wallet = self.wallet_at(owner, last.position)
        balance = wallet.available(day_of(last.recorded_at))
        receipt = _receipt(contribution, cause, entries, balance)
        return msgspec.structs.replace(receipt, replayed=True)


def _belongs(entry: Entry, cause: UUID) -> bool:
    return entry.originator_id == cause or getattr(entry.fact, "cause", None) == cause


def _receipt(
    contribution: Contribution, cause: UUID, entries: Sequence[Entry], balance: int
) -> Receipt:
    """The receipt of one command, from its facts alone."""
    state = State()
    money: CoinsAwarded | AwardRefused | None = None
    for entry in entries:
        state.apply(entry)
        if isinstance(entry.fact, CoinsAwarded | AwardRefused):
            money = entry.fact
    reasons = state.assessed.reasons if state.assessed else ()
    if money is not None:
        reasons = tuple(dict.fromkeys((*reasons, *money.reasons)))
    return Receipt(
        id=cause,
        kind=contribution.kind,
        position=entries[-1].position,
        state=state.state,
        reasons=reasons,
        coins=money.amount if isinstance(money, CoinsAwarded) else 0,
        balance=balance,
        metrics=getattr(state.assessed, "metrics", None),
        rule=money.rule if money else "",
        policy_version=money.policy_version if money else "",
    )


