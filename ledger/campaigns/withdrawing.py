"""Taking visits back (撤回走访): by who logged one, within the hours; or by a reviewer's no."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ledger import access, identity
from ledger.campaigns.amending import Amending, AmendReceipt, of_visit
from ledger.campaigns.edits import Visit
from ledger.campaigns.errors import (
    EarlierItemMissing,
    VisitIsDecided,
    VisitIsWithdrawn,
    WithdrawWindowOver,
)
from ledger.commands import Signature
from ledger.contributions.base import OPEN_STATES, Times
from ledger.contributions.visit import VisitRules
from ledger.contributions.visits import VisitAnnulled, VisitWithdrawn, withdrawn_at
from ledger.errors import Forbidden, NotFound
from ledger.facts import Fact, Sealed
from ledger.participants import Actor
from ledger.recording import Basis
from ledger.settlement import policy_for


class Withdrawing(Amending):
    """Withdrawals of visits, and what their refusal takes back."""

    def withdraw_visit(
        self, actor: Actor, visit_id: UUID, request: Mapping[str, Any], submission_id: UUID,
        now: datetime,
    ) -> AmendReceipt:  # fmt: skip
        """Take one's own visit back before it was reviewed, within the policy's hours.

        Raises Forbidden, NotFound, VisitIsDecided, WithdrawWindowOver, VisitIsWithdrawn,
        SubmissionConflict.
        """
        signed = self._amends(actor, "withdraw", visit_id, submission_id, request)
        try:
            return self.attempt(lambda: self.withdraw_once(signed, actor, visit_id, now, Times()))
        except EarlierItemMissing:  # Nothing is on its way to somebody who asks online.
            raise NotFound from None

    def withdraw_once(
        self, signed: Signature, actor: Actor, visit_id: UUID, now: datetime, times: Times
    ) -> AmendReceipt:
        """Decide and append a withdrawal once; EarlierItemMissing while there is no such visit.

        ``times`` are a phone's: what was withdrawn in time may come in late.
        """
        visit = self._arrived(visit_id)
        if visit.recorded.participant_id != actor.participant_id:
            raise NotFound
        if (fact := visit.withdrawn) is not None:
            if signed.earlier({fact.command_id: (fact.body_digest, 1)}) is None:
                raise VisitIsWithdrawn
            return AmendReceipt(
                visit_id, visit.withdrawn_position, visit.number, "withdrawn", replayed=True
            )
        if not access.allowed(actor, "visits.log"):
            raise Forbidden
        basis = Basis(self.policies.current())
        _may_withdraw(basis, visit, times, now)
        fact = VisitWithdrawn(
            by=actor.participant_id, command_id=signed.command_id, body_digest=signed.body_digest,
            sealed=self._taken_back(basis, visit_id, visit, now), **of_visit(visit.recorded),
            claimed_at=times.recorded_at, sent_at=times.sent_at,
        )  # fmt: skip
        position = self._save(visit_id, visit, fact, basis, now)
        return AmendReceipt(visit_id, position, visit.number, "withdrawn")

    def annulling(self, cause: UUID, basis: Basis, now: datetime) -> list[Fact]:
        """A visit of a campaign that is not accepted leaves its coverage and its survey."""
        visit = self.fold(cause, Visit())
        if visit.first is None or visit.first.household is None:
            return []
        sealed = self._taken_back(basis, cause, visit, now)
        return [VisitAnnulled(sealed=sealed, **of_visit(visit.recorded))]

    def _taken_back(
        self, basis: Basis, visit_id: UUID, visit: Visit, now: datetime
    ) -> tuple[Sealed, ...]:
        """What it handed out goes back into the stocks, its answers out of the survey."""
        handed = visit.recorded.materials
        self._restock(basis, visit.recorded, {kind: -count for kind, count in handed.items()})
        standing = self.history_of(visit_id, visit, basis).standing()
        return self.recount(basis, visit_id, visit, standing, {}, now)


def _may_withdraw(basis: Basis, visit: Visit, times: Times, now: datetime) -> None:
    """Raises VisitIsDecided and, by the policy of its day, WithdrawWindowOver."""
    state, recorded = visit.state, visit.recorded
    if state.state not in OPEN_STATES:
        raise VisitIsDecided(state=state.state)
    basis.unchanged[identity.POLICIES] = basis.book.version
    policy = policy_for(basis.book, recorded.earned_on)
    rules = policy.kinds.get("visit") if policy else None
    hours = rules.withdraw_hours if isinstance(rules, VisitRules) else 0
    assert state.received_at is not None
    moment = withdrawn_at(times.recorded_at, times.sent_at, now, state.received_at)
    if moment > state.received_at + timedelta(hours=hours):
        raise WithdrawWindowOver(hours=hours)
