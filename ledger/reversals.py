"""Reversals (撤回): an award is taken back by two people, once, with a reason.

Coins of the award that are already spent are made up from what else the wallet has; what is then
still missing is a debt that later awards pay first. No lot ever goes below zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from ledger.coins import AwardReversed, CoinsAwarded, Part, total
from ledger.commands import Signed
from ledger.facts import Entry, Sealed, stored_as
from ledger.store.rows import Quota
from ledger.wallet import Wallet, first

ReversalReason = Literal["fraud", "duplicate", "mistake", "other"]
# Reasons that say what was awarded did not happen; the others let it stand, and take the coins.
INVENTED = frozenset({"fraud"})


class ReversalStep(Signed, frozen=True):
    """Base of the facts of a reversal."""


@stored_as(
    "reversal.proposed",
    zh="{by} 提议撤回 {participant_id} 因 {cause} 获得的绿水币（撤回 {originator}），"
    "原因：{reason}",
    en="{by} proposed to take back what {participant_id} was awarded for {cause} (reversal "
    "{originator}): {reason}",
)
class ReversalProposed(ReversalStep, frozen=True):
    """A reward officer found an award to be wrong; the words are sealed under its owner's key."""

    participant_id: UUID
    cause: UUID
    lot: int
    reason: str
    districts: tuple[str, ...]
    sealed: tuple[Sealed, ...] = ()


@stored_as(
    "reversal.confirmed",
    zh="{by} 确认撤回 {originator}",
    en="{by} confirmed the reversal {originator}",
)
class ReversalConfirmed(ReversalStep, frozen=True):
    """By somebody else than who proposed it; the coins go in the same commit.

    ``revokes``: what was awarded did not happen, so what it counted for goes with them. Reversals
    from before there was this field left it standing.
    """

    revokes: bool = False


@stored_as(
    "reversal.rejected",
    zh="{by} 不同意撤回 {originator}，发放维持不变",
    en="{by} did not agree to the reversal {originator}; the award stands",
)
class ReversalRejected(ReversalStep, frozen=True):
    """The award stands; another reversal may be proposed on other grounds."""


class Reversal(msgspec.Struct):
    """A reversal as it stands: proposed, confirmed or rejected."""

    version: int = 0
    state: str = "unknown"
    proposed: ReversalProposed | None = None
    commands: dict[UUID, tuple[str, int]] = {}
    revokes: bool = False

    def apply(self, entry: Entry) -> None:
        fact, self.version = entry.fact, entry.originator_version
        if isinstance(fact, ReversalProposed):
            self.proposed, self.state = fact, "proposed"
        elif isinstance(fact, ReversalConfirmed):
            self.state, self.revokes = "confirmed", fact.revokes
        elif isinstance(fact, ReversalRejected):
            self.state = "rejected"
        if isinstance(fact, ReversalStep):
            self.commands[fact.command_id] = (fact.body_digest, entry.position)


def claim(cause: UUID, amount: int) -> Quota:
    """One reversal of an award at a time, none once it is confirmed; a rejected one gives back."""
    return Quota(claim_key(cause), amount, 1)


def claim_key(cause: UUID) -> str:
    """The store's name for how many reversals of an award are open or confirmed."""
    return f"reversal/{cause}"


def taken_back(
    reversal_id: UUID, proposed: ReversalProposed, award: CoinsAwarded, wallet: Wallet, today: date
) -> AwardReversed:
    """What confirming does to the wallet; pure, so that an auditor can repeat it."""
    lot = proposed.lot
    parts = first(_own_first(award, lot, wallet, today), award.amount)
    return AwardReversed(
        participant_id=award.participant_id, reversal_id=reversal_id, cause=award.cause, lot=lot,
        amount=award.amount, parts=parts, debt=award.amount - total(parts), kind=award.kind,
        earned_on=award.earned_on, role=award.role, districts=award.districts,
        reason=proposed.reason,
    )  # fmt: skip


def _own_first(
    award: CoinsAwarded, lot: int, wallet: Wallet, today: date
) -> Iterator[Part]:
    """What is left of the award itself, then every other good lot, first expiring first."""
    own = wallet.left_of(lot, award.expires_on)
    if own:
        yield Part(lot, own, award.expires_on)
    yield from (part for part in wallet.good(today) if part.lot != lot)
