"""Receipts (回执): what a command came to, told from its facts alone.

A first answer and a replay are made by the same code, so they are the same byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from ledger.coins import AwardRefused, CoinsAwarded
from ledger.contributions.base import Assessed, State
from ledger.facts import Entry

# A command saves at most: recorded, assessed, the money fact.
FACTS_PER_COMMAND = 3


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


def facts_of_command(entries: Iterable[Entry], cause: UUID) -> list[Entry]:
    """The facts of one command about ``cause``, from its first on: they stand in a row.

    Behind the first only a verdict and the money fact are of the same command.
    """
    found: list[Entry] = []
    for entry in entries:
        fact = entry.fact
        money = isinstance(fact, CoinsAwarded | AwardRefused) and fact.cause == cause
        own = entry.originator_id == cause and (not found or isinstance(fact, Assessed))
        if not (money or own):
            break
        found.append(entry)
    return found


def receipt_of(kind: str, cause: UUID, entries: Sequence[Entry], balance: int) -> Receipt:
    """The receipt of one command, from its facts and the balance they left."""
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
        kind=kind,
        position=entries[-1].position,
        state=state.state,
        reasons=reasons,
        coins=money.amount if isinstance(money, CoinsAwarded) else 0,
        balance=balance,
        metrics=getattr(state.assessed, "metrics", None),
        rule=money.rule if money else "",
        policy_version=money.policy_version if money else "",
    )
