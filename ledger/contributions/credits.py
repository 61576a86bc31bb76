"""Credits (计入): what counts for something that several contributions share and that pays once."""

from __future__ import annotations

from uuid import UUID

import msgspec

from ledger.facts import Entry, Fact, stored_as


@stored_as(
    "contribution.credited",
    zh="{participant_id} 的 {cause} 计为{mark}",
    en="{cause} of {participant_id} counts as {mark}",
)
class Credited(Fact, frozen=True):
    """A contribution counts for something that several may be made for, and which pays once.

    It stands at what they share (a household in a campaign, a route somebody walks), so that the
    store's unique key decides who was first; ``mark`` says what for. Another one of the same cause
    takes its place: what was before it had never happened.
    """

    cause: UUID
    participant_id: UUID
    mark: str


@stored_as(
    "contribution.credit-revoked",
    zh="{participant_id} 的 {cause} 不再计为{mark}（撤回 {reversal_id}）",
    en="{cause} of {participant_id} no longer counts as {mark} (reversal {reversal_id})",
)
class CreditRevoked(Fact, frozen=True):
    """What was credited never happened: its award was taken back, and its place is free again.

    It stands where the credit does, in the commit that confirmed the reversal.
    """

    cause: UUID
    participant_id: UUID
    mark: str
    reversal_id: UUID


class Credits(msgspec.Struct):
    """What is credited at something shared; other facts of its originator are passed over."""

    version: int = 0
    found: tuple[Credited, ...] = ()

    def apply(self, entry: Entry) -> None:
        self.version = entry.originator_version
        if isinstance(entry.fact, Credited | CreditRevoked):
            self.found = counted(self.found, entry.fact)


def counted(before: tuple[Credited, ...], fact: Credited | CreditRevoked) -> tuple[Credited, ...]:
    """What counts with one more fact, in order; whose mark changes keeps its place."""
    own = credit_of(before, fact.cause)
    if isinstance(fact, CreditRevoked):
        return tuple(one for one in before if one is not own)
    if own is None:
        return (*before, fact)
    return tuple(fact if one is own else one for one in before)


def credit_of(credits: tuple[Credited, ...], cause: UUID) -> Credited | None:
    """What a contribution is credited as, if it is."""
    return next((one for one in credits if one.cause == cause), None)


def revoked(credited: Credited, reversal_id: UUID) -> CreditRevoked:
    """The fact that a credit counts no more."""
    return CreditRevoked(
        cause=credited.cause, participant_id=credited.participant_id, mark=credited.mark,
        reversal_id=reversal_id,
    )  # fmt: skip
