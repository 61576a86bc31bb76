"""What becomes of a redemption (兑换处理): approve, decline, collect, cancel, lapse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from ledger import access, identity
from ledger.codes import digest_of
from ledger.commands import Decision, signature
from ledger.days import day_of
from ledger.errors import (
    AlreadyCollected,
    NotFound,
    OtherMerchant,
    OwnOffer,
    RedemptionOver,
    SelfApproval,
    VoucherLapsed,
    WrongVoucher,
)
from ledger.participants import Actor
from ledger.spending.catalogue import hands_out, stock_key
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
from ledger.store.rows import Quota

APPROVERS = frozenset({"approver", "reward_officer"})

Decide = Callable[[Redemption, RedemptionRequested, dict[str, Any]], Decision]


class Deciding(Redeeming):
    """Ending a hold one way or the other; each of these can happen once."""

    def approve(
        self, actor: Actor, redemption_id: UUID, request: Any, submission_id: UUID, now: datetime
    ) -> RedemptionReceipt:
        """Approve a request and issue its voucher; SelfApproval for who asked for it."""

        def decide(
            known: Redemption, asked: RedemptionRequested, signed: dict[str, Any]
        ) -> Decision:
            unchanged = self._check_approver(actor, known, asked, day_of(now))
            issued = self._voucher_for(redemption_id, asked, now)
            return Decision([RedemptionApproved(**signed), issued], unchanged=unchanged)

        return self._decide_redemption(
            actor, "approve", redemption_id, request, submission_id, now, decide
        )

    def decline(
        self, actor: Actor, redemption_id: UUID, reason: str, request: Any, submission_id: UUID,
        now: datetime,
    ) -> RedemptionReceipt:  # fmt: skip
        """Decline a request, with the reason in words; the coins come back."""

        def decide(
            known: Redemption, asked: RedemptionRequested, signed: dict[str, Any]
        ) -> Decision:
            unchanged = self._check_approver(actor, known, asked, day_of(now))
            sealed, rows = self.vault.seal_words(redemption_id, asked.by, "decline", reason, now)
            declined = RedemptionDeclined(**signed, sealed=sealed)
            return Decision(
                [declined], rows=rows, quotas=_returned(asked), unchanged=unchanged
            )

        return self._decide_redemption(
            actor, "decline", redemption_id, request, submission_id, now, decide
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
        ) -> Decision:
            issued = known.issued
            right = issued is not None and digest_of(voucher) == issued.voucher_sha256
            if not hands_out(actor, asked.merchant_id, asked.districts):
                raise OtherMerchant if right else NotFound
            if known.state == "collected" and right:
                raise AlreadyCollected
            if known.state != "issued":
                raise _over(known)
            if not right:
                raise WrongVoucher
            owners, unchanged = self._owners(asked)
            if actor.participant_id in (asked.by, *owners):
                raise OwnOffer
            _check_deadline(known, day_of(now))
            return Decision([RedemptionCollected(**signed)], unchanged=unchanged)

        return self._decide_redemption(
            actor, "collect", redemption_id, request, submission_id, now, decide
        )

    def cancel(
        self, actor: Actor, redemption_id: UUID, request: Any, submission_id: UUID, now: datetime
    ) -> RedemptionReceipt:
        """Give up a redemption that is not collected yet; its coins and stock come back."""

        def decide(
            known: Redemption, asked: RedemptionRequested, signed: dict[str, Any]
        ) -> Decision:
            owners, unchanged = self._owners(asked)
            if actor.participant_id not in owners:
                raise NotFound
            if known.state == "collected":
                raise AlreadyCollected
            if known.state not in HELD_STATES:
                raise _over(known)
            cancelled = RedemptionCancelled(**signed)
            return Decision([cancelled], quotas=_returned(asked), unchanged=unchanged)

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
            assert known.requested is not None
            lapsed = RedemptionLapsed(deadline=known.deadline, as_of=today)
            decided = Decision([lapsed], quotas=_returned(known.requested))
            wallet = self.wallet(_payer(known))
            return self._save_redemption(redemption_id, known, decided, wallet, now)

        with self.wallet_turns.of(_payer(self.redemption(redemption_id))):
            return self.attempt(command)

    def redemption_of(self, voucher: str) -> UUID:
        """The redemption a voucher belongs to; raises NotFound for no voucher of ours."""
        originator = identity.voucher_id(digest_of(voucher))
        for entry in self.events.get(originator, limit=1):
            if isinstance(fact := entry.fact, VoucherIssued):  # type: ignore[attr-defined]
                return fact.redemption_id
        raise NotFound

    def _owners(self, asked: RedemptionRequested) -> tuple[set[UUID], dict[UUID, int]]:
        """Whose a redemption is now, and the version of the account that says so."""
        if asked.participant_id == asked.by:
            return {asked.by}, {}
        account = self.account(asked.participant_id)
        keepers = {person for person, keeps in account.members.items() if keeps}
        return keepers, {asked.participant_id: account.version}

    def _decide_redemption(
        self,
        actor: Actor,
        action: str,
        redemption_id: UUID,
        request: Any,
        submission_id: UUID,
        now: datetime,
        decide: Decide,
    ) -> RedemptionReceipt:
        signed = signature(
            self.vault, actor.participant_id, f"{action}/{redemption_id}", submission_id, request
        )

        def command() -> RedemptionReceipt:
            known = self.redemption(redemption_id)
            if earlier := signed.earlier(known.commands):
                return self._redemption_at(redemption_id, earlier)
            assert known.requested is not None
            decided = decide(known, known.requested, signed.fields)
            wallet = self.wallet(_payer(known))
            return self._save_redemption(redemption_id, known, decided, wallet, now)

        with self.wallet_turns.of(_payer(self.redemption(redemption_id))):
            return self.attempt(command)

    def _check_approver(
        self, actor: Actor, known: Redemption, asked: RedemptionRequested, today: date
    ) -> dict[UUID, int]:
        """Somebody else than whose it is may decide; what says whose it is must not change."""
        owners, unchanged = self._owners(asked)
        if not access.reviews(actor, APPROVERS, asked.districts):
            raise NotFound
        if actor.participant_id in (asked.by, *owners):
            raise SelfApproval
        if known.state != "requested":
            raise _over(known)
        _check_deadline(known, today)
        return unchanged

    def _voucher_for(
        self, redemption_id: UUID, asked: RedemptionRequested, now: datetime
    ) -> RedemptionIssued:
        offer = self.catalogue.current().offer(asked.offer_id)
        return self._issue(redemption_id, offer.terms.collect_days, day_of(now))


def _payer(known: Redemption) -> UUID:
    assert known.requested is not None
    return known.requested.participant_id


def _returned(asked: RedemptionRequested) -> list[Quota]:
    """The stock that comes back with the coins."""
    return [Quota(stock_key(asked.offer_id), -asked.quantity, None)]


def _over(known: Redemption) -> RedemptionOver:
    return RedemptionOver(state=known.state)


def _check_deadline(known: Redemption, today: date) -> None:
    if known.overdue(today):
        raise VoucherLapsed(deadline=known.deadline)
