"""What becomes of a redemption (兑换处理): approve, decline, collect, cancel, lapse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from ledger import access, identity
from ledger.days import day_of
from ledger.errors import (
    AlreadyCollected,
    NotFound,
    OtherMerchant,
    OwnOffer,
    RedemptionOver,
    SelfApproval,
    SubmissionConflict,
    VoucherLapsed,
    WrongVoucher,
)
from ledger.facts import Fact
from ledger.participants import Actor
from ledger.spending import vouchers
from ledger.spending.catalogue import hands_out
from ledger.spending.holding import RedemptionReceipt
from ledger.spending.redeeming import Redeeming
from ledger.spending.redemptions import (
    HELD_STATES,
    Redemption,
    RedemptionApproved,
    RedemptionCancelled,
    RedemptionCollected,
    RedemptionDeclined,
    RedemptionIssued,
    RedemptionLapsed,
    RedemptionRequested,
    VoucherIssued,
)
from ledger.store.rows import VaultRow
from ledger.vault import content_of

APPROVERS = frozenset({"approver", "reward_officer"})

Decide = Callable[[Redemption, RedemptionRequested, dict[str, Any]], Sequence[Fact]]


class Deciding(Redeeming):
    """Ending a hold one way or the other; each of these can happen once."""

    def approve(
        self, actor: Actor, redemption_id: UUID, request: Any, submission_id: UUID, now: datetime
    ) -> RedemptionReceipt:
        """Approve a request and issue its voucher; SelfApproval for who asked for it."""

        def decide(
            known: Redemption, asked: RedemptionRequested, signed: dict[str, Any]
        ) -> Sequence[Fact]:
            self._check_approver(actor, known, asked, day_of(now))
            return [RedemptionApproved(**signed), self._voucher_for(redemption_id, asked, now)]

        return self._decide_redemption(
            actor, "approve", redemption_id, request, submission_id, now, decide
        )

    def decline(
        self, actor: Actor, redemption_id: UUID, reason: str, request: Any, submission_id: UUID,
        now: datetime,
    ) -> RedemptionReceipt:  # fmt: skip
        """Decline a request, with the reason in words; the coins come back."""
        rows: list[VaultRow] = []

        def decide(
            known: Redemption, asked: RedemptionRequested, signed: dict[str, Any]
        ) -> Sequence[Fact]:
            self._check_approver(actor, known, asked, day_of(now))
            sealed, row = self.vault.seal(redemption_id, asked.by, "decline", reason, now)
            rows[:] = [row]
            return [RedemptionDeclined(**signed, sealed=(sealed,))]

        return self._decide_redemption(
            actor, "decline", redemption_id, request, submission_id, now, decide, rows
        )

    def collect(
        self, actor: Actor, redemption_id: UUID, voucher: str, request: Any, submission_id: UUID,
        now: datetime,
    ) -> RedemptionReceipt:  # fmt: skip
        """Hand out what was redeemed against its voucher, once; the coins are spent.

        Raises NotFound without the right code at another merchant's counter, OtherMerchant with
        it, WrongVoucher, AlreadyCollected, VoucherLapsed, RedemptionOver, OwnOffer.
        """

        def decide(
            known: Redemption, asked: RedemptionRequested, signed: dict[str, Any]
        ) -> Sequence[Fact]:
            issued = known.issued
            right = issued is not None and vouchers.digest_of(voucher) == issued.voucher_sha256
            if not hands_out(actor, asked.merchant_id):
                raise OtherMerchant if right else NotFound
            if known.state == "collected" and right:
                raise AlreadyCollected
            if known.state != "issued":
                raise _over(known)
            if not right:
                raise WrongVoucher
            if actor.participant_id in (asked.by, asked.participant_id):
                raise OwnOffer
            _check_deadline(known, day_of(now))
            return [RedemptionCollected(**signed)]

        return self._decide_redemption(
            actor, "collect", redemption_id, request, submission_id, now, decide
        )

    def cancel(
        self, actor: Actor, redemption_id: UUID, request: Any, submission_id: UUID, now: datetime
    ) -> RedemptionReceipt:
        """Give up a redemption that is not collected yet; its coins and stock come back."""

        def decide(
            known: Redemption, asked: RedemptionRequested, signed: dict[str, Any]
        ) -> Sequence[Fact]:
            if not self.asked_by(actor, asked):
                raise NotFound
            if known.state == "collected":
                raise AlreadyCollected
            if known.state not in HELD_STATES:
                raise _over(known)
            return [RedemptionCancelled(**signed)]

        return self._decide_redemption(
            actor, "cancel", redemption_id, request, submission_id, now, decide
        )

    def lapse(
        self, redemption_id: UUID, now: datetime, as_of: date | None = None
    ) -> RedemptionReceipt | None:
        """End a hold whose last day was before ``as_of`` (today); None for nothing to end."""
        today = as_of or day_of(now)

        def command() -> RedemptionReceipt | None:
            known = self.redemption(redemption_id)
            if known.deadline is None or not known.overdue(today):
                return None
            lapsed = RedemptionLapsed(deadline=known.deadline, as_of=today)
            wallet = self.wallet(_payer(known))
            return self._save_redemption(redemption_id, known, [lapsed], wallet, now)

        with self.wallet_turns.of(_payer(self.redemption(redemption_id))):
            return self.attempt(command)

    def redemption_of(self, voucher: str) -> UUID:
        """The redemption a voucher belongs to; raises NotFound for no voucher of ours."""
        originator = identity.voucher_id(vouchers.digest_of(voucher))
        for entry in self.events.get(originator, limit=1):
            if isinstance(fact := entry.fact, VoucherIssued):  # type: ignore[attr-defined]
                return fact.redemption_id
        raise NotFound

    def asked_by(self, actor: Actor, asked: RedemptionRequested) -> bool:
        """Whether a redemption is the actor's: they asked for it, or they keep its account."""
        person, payer = actor.participant_id, asked.participant_id
        return person == asked.by or (payer != asked.by and self.account(payer).kept_by(person))

    def _decide_redemption(
        self,
        actor: Actor,
        action: str,
        redemption_id: UUID,
        request: Any,
        submission_id: UUID,
        now: datetime,
        decide: Decide,
        rows: Sequence[VaultRow] = (),
    ) -> RedemptionReceipt:
        by = actor.participant_id
        command_id = identity.command_id(by, f"{action}/{redemption_id}", submission_id)
        digest = self.vault.fingerprint(by, content_of(request))
        signed = {"by": by, "command_id": command_id, "body_digest": digest}

        def command() -> RedemptionReceipt:
            known = self.redemption(redemption_id)
            if earlier := known.commands.get(command_id):
                if earlier[0] != digest:
                    raise SubmissionConflict
                return self._redemption_at(redemption_id, earlier[1])
            assert known.requested is not None
            facts, wallet = decide(known, known.requested, signed), self.wallet(_payer(known))
            return self._save_redemption(
                redemption_id, known, facts, wallet, now, vault_rows=rows
            )

        with self.wallet_turns.of(_payer(self.redemption(redemption_id))):
            return self.attempt(command)

    def _check_approver(
        self, actor: Actor, known: Redemption, asked: RedemptionRequested, today: date
    ) -> None:
        if not access.reviews(actor, APPROVERS, asked.districts):
            raise NotFound
        if self.asked_by(actor, asked):
            raise SelfApproval
        if known.state != "requested":
            raise _over(known)
        _check_deadline(known, today)

    def _voucher_for(
        self, redemption_id: UUID, asked: RedemptionRequested, now: datetime
    ) -> RedemptionIssued:
        offer = self.catalogue.current().offer(asked.offer_id)
        return self._issue(redemption_id, offer.terms.collect_days, day_of(now))


def _payer(known: Redemption) -> UUID:
    assert known.requested is not None
    return known.requested.participant_id


def _over(known: Redemption) -> RedemptionOver:
    return RedemptionOver(state=known.state)


def _check_deadline(known: Redemption, today: date) -> None:
    if known.overdue(today):
        raise VoucherLapsed(deadline=known.deadline)
