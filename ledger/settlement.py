"""Settlement (结算): from a decided contribution to what it earns.

Pure on stored facts and the policies published before them, so an auditor can repeat it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from itertools import takewhile
from uuid import UUID

import msgspec

from ledger.awards import REASONS, Claim, award, refused
from ledger.coins import AwardRefused, CoinsAwarded
from ledger.contributions import BY_KIND, CONTRIBUTIONS
from ledger.contributions.base import OPEN_STATES, Contribution, State
from ledger.contributions.credits import Credited, credit_of
from ledger.days import corrected
from ledger.facts import Text
from ledger.policy import DEFAULT_HEAD, Policy, PolicyBook, Refused, parse
from ledger.wallet import Wallet

UNSETTLED = OPEN_STATES | {"withdrawn"}


def default_policy() -> str:
    """The default policy file: the common part, then each contribution's own section."""
    return DEFAULT_HEAD + "".join(one.policy for one in CONTRIBUTIONS)


@lru_cache(maxsize=64)
def parsed(text: str) -> Policy:
    """A policy file read and checked; raises InvalidPolicy."""
    return parse(text, {kind: one.rules for kind, one in BY_KIND.items()})


def policy_for(book: PolicyBook, day: date) -> Policy | None:
    published = book.in_force(day)
    return parsed(published.toml) if published else None


class Settlement(msgspec.Struct, frozen=True):
    """What a contribution comes to: its money fact, and what it counts for from now on."""

    money: CoinsAwarded | AwardRefused
    credited: Credited | None = None


def settle(
    contribution: Contribution,
    state: State,
    cause: UUID,
    wallet: Wallet,
    book: PolicyBook,
    now: datetime,
) -> Settlement | None:
    """What a contribution comes to; None while it waits for a reviewer, and once withdrawn."""
    recorded = state.recorded
    if recorded is None or state.state in UNSETTLED:
        return None
    claim = Claim(
        participant_id=recorded.participant_id,
        kind=contribution.kind,
        cause=cause,
        role=recorded.role,
        held=recorded.held or {recorded.role: ()},
        districts=recorded.districts,
        earned_on=recorded.earned_on,
        began_at=_by_our_clock(recorded.began_at, state),
        ended_at=_by_our_clock(recorded.ended_at, state),
    )
    policy = policy_for(book, recorded.earned_on)
    rules = policy.kinds.get(contribution.kind) if policy else None
    if policy is None or rules is None:
        reason = "no_policy" if policy is None else "kind_not_rewarded"
        return Settlement(refused(claim, "policy", policy.version if policy else "", (reason,)))
    # Its own credit, once it has one, is its place among the others: those behind came later.
    credits = tuple(takewhile(lambda one: one.cause != cause, state.credits))
    own, behind = credit_of(state.credits, cause), state.credits[len(credits) + 1 :]
    granted = (
        Refused(f"{contribution.kind}.review", ("refused_by_reviewer",))
        if state.state == "refused"
        else contribution.reward(
            msgspec.structs.replace(state, credits=credits, behind=behind), rules
        )
    )
    money, credited = award(wallet, claim, granted, policy, now), None
    unpaid = isinstance(granted, Refused) or granted.counts_unpaid
    if (
        granted.credit and (own is None or own.mark != granted.credit)
        and (unpaid or isinstance(money, CoinsAwarded))
    ):  # fmt: skip
        credited = Credited(
            cause=cause, participant_id=recorded.participant_id, mark=granted.credit
        )
    return Settlement(money, credited)


def _by_our_clock(claimed: datetime | None, state: State) -> datetime | None:
    """A claimed time without the skew of the device, so that two phones' times compare."""
    if claimed is None or state.recorded is None or state.received_at is None:
        return claimed
    return corrected(claimed, state.recorded.sent_at, state.received_at)


@lru_cache(maxsize=1)
def reason_texts() -> Mapping[str, Text]:
    """Every reason code and its sentences: those of all awards, and each contribution's own."""
    texts = dict(REASONS)
    for one in CONTRIBUTIONS:
        if double := texts.keys() & one.reasons.keys():
            raise ValueError(f"reasons defined twice: {', '.join(sorted(double))}")
        texts.update(one.reasons)
    return texts


def reason_text(code: str) -> Text:
    """The sentences of a reason code; each kind's own day limit shares one wording."""
    texts = reason_texts()
    return texts.get(code) or (texts["cap_kind"] if code.startswith("cap_") else Text(code, code))
