"""Taking awards back (撤回发放): one person proposes, another confirms or rejects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import IntegrityError

from ledger import access, identity
from ledger.budgets import shares
from ledger.coins import CoinsAwarded
from ledger.commands import Decision, signature
from ledger.contributing import Contributing
from ledger.contributions import BY_KIND
from ledger.contributions.base import State
from ledger.contributions.credits import Credits, credit_of, revoked
from ledger.days import day_of
from ledger.errors import (
    AlreadyReversed,
    AwardExpired,
    NotFound,
    NothingToReverse,
    ReversalOver,
    SelfApproval,
)
from ledger.facts import Entry
from ledger.log import Append
from ledger.participants import Actor
from ledger.recording import Basis
from ledger.reversals import (
    INVENTED,
    Reversal,
    ReversalConfirmed,
    ReversalProposed,
    ReversalReason,
    ReversalRejected,
    claim,
    claim_key,
    taken_back,
)


class ReversalReceipt(msgspec.Struct, frozen=True):
    """A reversal right after a command: its state, and what confirming it came to."""

    id: UUID
    cause: UUID
    participant_id: UUID
    state: str
    amount: int
    debt: int
    position: int
    replayed: bool = False


class Reversing(Contributing):
    """The commands of reward officers and approvers on an award."""

    def propose_reversal(
        self, actor: Actor, cause: UUID, reason: ReversalReason, words: str, request: Any,
        submission_id: UUID, now: datetime,
    ) -> ReversalReceipt:  # fmt: skip
        """Propose to take back what was awarded for ``cause``.

        Raises NotFound for what is not there or lies in another district, NothingToReverse,
        AlreadyReversed, AwardExpired.
        """
        reversal_id = identity.reversal_id(actor.participant_id, submission_id)

        def decide(known: Reversal, signed: dict[str, Any]) -> Decision:
            lot, award = self._award_for(cause)
            if not access.within(actor, award.districts):
                raise NotFound
            if self.store.select_used(claim_key(cause)):
                if self.reversal(reversal_id).version:  # This very proposal was faster.
                    raise IntegrityError(f"{reversal_id} was proposed meanwhile")
                raise AlreadyReversed
            _check_expiry(award, now)
            sealed, rows = self.vault.seal_words(
                reversal_id, award.participant_id, "reversal", words, now
            )
            fact = ReversalProposed(
                participant_id=award.participant_id, cause=cause, lot=lot, reason=reason,
                districts=award.districts, sealed=sealed, **signed,
            )  # fmt: skip
            return Decision([fact], rows=rows, quotas=[claim(cause, 1)])

        return self._decide_reversal(
            actor, "propose", reversal_id, request, submission_id, now, decide
        )

    def confirm_reversal(
        self, actor: Actor, reversal_id: UUID, request: Any, submission_id: UUID, now: datetime
    ) -> ReversalReceipt:
        """Take the coins back; by somebody else than who proposed it, and not their own.

        Where the reason says that what was awarded never happened, it counts no more either.
        """

        def decide(known: Reversal, signed: dict[str, Any]) -> Decision:
            proposed = self._check_second(actor, known)
            _check_expiry(self._award_for(proposed.cause)[1], now)
            revokes = proposed.reason in INVENTED
            return Decision([ReversalConfirmed(**signed, revokes=revokes)])

        return self._decide_reversal(
            actor, "confirm", reversal_id, request, submission_id, now, decide
        )

    def reject_reversal(
        self, actor: Actor, reversal_id: UUID, request: Any, submission_id: UUID, now: datetime
    ) -> ReversalReceipt:
        """Let the award stand."""

        def decide(known: Reversal, signed: dict[str, Any]) -> Decision:
            proposed = self._check_second(actor, known)
            rejected = ReversalRejected(**signed)
            return Decision([rejected], quotas=[claim(proposed.cause, -1)])

        return self._decide_reversal(
            actor, "reject", reversal_id, request, submission_id, now, decide
        )

    def reversal(self, reversal_id: UUID) -> Reversal:
        """A reversal as it stands."""
        return self.fold(reversal_id, Reversal())

    def _check_second(self, actor: Actor, known: Reversal) -> ReversalProposed:
        proposed = known.proposed
        if proposed is None or not access.within(actor, proposed.districts):
            raise NotFound
        if actor.participant_id in (proposed.by, proposed.participant_id):
            raise SelfApproval
        if known.state != "proposed":
            raise ReversalOver(state=known.state)
        return proposed

    def _decide_reversal(
        self, actor: Actor, action: str, reversal_id: UUID, request: Any, submission_id: UUID,
        now: datetime, decide: Callable[[Reversal, dict[str, Any]], Decision],
    ) -> ReversalReceipt:  # fmt: skip
        signed = signature(
            self.vault, actor.participant_id, f"{action}/{reversal_id}", submission_id, request
        )

        def command() -> ReversalReceipt:
            known = self.reversal(reversal_id)
            if earlier := signed.earlier(known.commands):
                return self._reversal_at(reversal_id, earlier)
            decided = decide(known, signed.fields)
            write = Append(reversal_id, known.version, decided.facts)
            known.apply(Entry(reversal_id, known.version + 1, now, decided.facts[0]))
            if known.state == "confirmed":
                return self._take_back(reversal_id, known, write, now)
            entries = self.append(
                [write], now, vault_rows=decided.rows, quotas=decided.quotas
            )
            return _told(reversal_id, known, 0, 0, entries[-1].position)

        return self.attempt(command)

    def _take_back(
        self, reversal_id: UUID, known: Reversal, confirmed: Append, now: datetime
    ) -> ReversalReceipt:
        """Save the confirmation together with what it does to the coins and the budgets."""
        proposed = known.proposed
        assert proposed is not None
        _, award = self._award_for(proposed.cause)
        owner, basis = award.participant_id, Basis(self.policies.current())
        annulled, revokes = self._uncounted(reversal_id, known, award, basis, now)
        wallet = self.wallet(owner)
        before = wallet.version
        money = taken_back(reversal_id, proposed, award, wallet, day_of(now))
        # The money fact stands right behind the confirmation; a receipt is told from both.
        writes = [*annulled, confirmed, Append(identity.wallet_id(owner), before, [money]),
                  *revokes]  # fmt: skip
        entries = basis.save(
            self, writes, now, unchanged={identity.POLICIES: basis.book.version},
            quotas=shares(basis.book.budgets, award.districts, award.earned_on, -award.amount),
        )  # fmt: skip
        taken = next(entry for entry in entries if entry.fact is money)
        wallet.apply(taken)
        self.snapshot_if_due(wallet, before, owner, now)
        return _told(reversal_id, known, money.amount, money.debt, taken.position)

    def _uncounted(
        self, reversal_id: UUID, known: Reversal, award: CoinsAwarded, basis: Basis, now: datetime
    ) -> tuple[list[Append], list[Append]]:
        """What goes with the coins of what never happened: all it counted for, and its credit.

        Whoever is decided at the same place meanwhile is outrun, or outruns this.
        """
        if not known.revokes:
            return [], []
        state = self.fold(award.cause, State())
        facts = self.annulling(award.cause, basis, now)
        annulled = [Append(award.cause, state.version, facts)] if facts else []
        shares_with = BY_KIND[award.kind].shared
        place = shares_with(state.recorded) if shares_with else None
        if place is None:
            return annulled, []
        credits = self.fold(place, Credits())
        if (own := credit_of(credits.found, award.cause)) is None:
            return annulled, []
        return annulled, [Append(place, credits.version, [revoked(own, reversal_id)])]

    def _reversal_at(self, reversal_id: UUID, position: int) -> ReversalReceipt:
        """What a command saved earlier at ``position`` came to."""
        known = Reversal()
        for entry in self.events.get(reversal_id):
            if entry.position <= position:  # type: ignore[attr-defined]
                known.apply(entry)  # type: ignore[arg-type]
        amount = debt = 0
        if known.state == "confirmed":
            position += 1
            (row,) = self.rows(position - 1, 1)
            fact: Any = self.entry(row).fact
            amount, debt = fact.amount, fact.debt
        receipt = _told(reversal_id, known, amount, debt, position)
        return msgspec.structs.replace(receipt, replayed=True)

    def _award_for(self, cause: UUID) -> tuple[int, CoinsAwarded]:
        """The award for a contribution, and the version of its fact in the wallet."""
        recorded = self.fold(cause, State()).recorded
        if recorded is None:
            if self.recorder.select_events(cause, limit=1):
                raise NothingToReverse
            raise NotFound
        for entry in self.events.get(identity.wallet_id(recorded.participant_id)):
            fact = entry.fact  # type: ignore[attr-defined]
            if isinstance(fact, CoinsAwarded) and fact.cause == cause:
                return entry.originator_version, fact
        raise NothingToReverse


def _check_expiry(award: CoinsAwarded, now: datetime) -> None:
    if award.expires_on < day_of(now):
        raise AwardExpired(expires_on=award.expires_on)


def _told(
    reversal_id: UUID, known: Reversal, amount: int, debt: int, position: int
) -> ReversalReceipt:
    proposed = known.proposed
    assert proposed is not None
    return ReversalReceipt(
        reversal_id, proposed.cause, proposed.participant_id, known.state, amount, debt, position
    )
