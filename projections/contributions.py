"""Contributions (参与记录): a participant's own, and those that wait for a reviewer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger.coins import AwardRefused, AwardReversed, CoinsAwarded
from ledger.contributions import BY_KIND
from ledger.contributions.base import (
    OPEN_STATES,
    Amended,
    Assessed,
    Recorded,
    ReviewRefused,
    Verified,
    Withdrawn,
)
from ledger.facts import Entry, Sealed
from projections.paging import paged, places, queued_in
from projections.view import Row, Rows, Source, View, ascending, descending

# Of these two reasons the first goes once there was room, the second comes with a reversal.
WAITS_FOR_BUDGET, REVERSED = "budget_used_up", "award_reversed"


class Item(msgspec.Struct):
    """One contribution as it stands; ``verdict`` is the machine's, None where none judged it.

    ``review`` commits to a reviewer's words of refusal; the words themselves are in the vault.
    ``version`` counts its amendments from 1 on; ``headline`` is what its kind says of itself in a
    list, as amended.
    """

    id: str
    participant_id: str
    kind: str
    state: str
    role: str
    districts: tuple[str, ...]
    earned_on: str
    recorded_at: datetime
    position: int
    coins: int = 0
    reasons: tuple[str, ...] = ()
    rule: str = ""
    policy_version: str = ""
    verdict: str | None = None
    review: Sealed | None = None
    version: int = 1
    headline: dict[str, Any] = {}


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Item).decode


class Contributions(View):
    """A row per contribution in its participant's list; while it waits, one per district.

    Those that wait are listed by their state.
    """

    name = "contributions"
    version = 4
    facts = (
        Recorded, Assessed, Verified, ReviewRefused, Withdrawn, CoinsAwarded, AwardRefused,
        AwardReversed, Amended,
    )  # fmt: skip

    def touches(self, entry: Entry) -> Iterable[str]:
        return (_cause(entry),)

    def fold(self, rows: Rows, entry: Entry) -> None:
        fact, key = entry.fact, _cause(entry)
        row = rows.get(key)
        if isinstance(fact, Recorded):
            item = _recorded(entry, fact)
        elif row is None:
            return  # Coins for something that is no contribution.
        else:
            item = _decode(row.data)
        before = item.state
        _apply(item, fact)
        data = _encode(item)
        listed = f"of/{item.participant_id}/{item.kind}"
        rows[key] = Row(key, data, listed, descending(item.position))
        for state in OPEN_STATES & {before, item.state}:
            for bucket in _queues(item, state):
                place, waits = f"{bucket}/{key}", state == item.state
                rows[place] = Row(place, data, bucket, ascending(item.position)) if waits else None


CONTRIBUTIONS = Contributions()


def _cause(entry: Entry) -> str:
    fact = entry.fact
    money = isinstance(fact, CoinsAwarded | AwardRefused | AwardReversed)
    return str(fact.cause if money else entry.originator_id)  # type: ignore[attr-defined]


def _recorded(entry: Entry, fact: Recorded) -> Item:
    kind = fact.topic.partition(".")[0]
    return Item(
        id=str(entry.originator_id),
        participant_id=str(fact.participant_id),
        kind=kind,
        state="pending",
        role=fact.role,
        districts=fact.districts,
        earned_on=fact.earned_on.isoformat(),
        recorded_at=entry.recorded_at,
        position=entry.position,
        headline={name: getattr(fact, name) for name in BY_KIND[kind].headline},
    )


def _apply(item: Item, fact: object) -> None:
    """What each later fact changes; the states are those of ``ledger.contributions.base.State``."""
    if isinstance(fact, Assessed):
        item.state = item.verdict = fact.verdict
        item.reasons = fact.reasons
    elif isinstance(fact, Amended):
        item.version += 1
        changed = fact.effective()
        item.headline |= {name: changed[name] for name in item.headline if name in changed}
    elif isinstance(fact, Verified):
        item.state = "verified"
    elif isinstance(fact, Withdrawn):
        item.state = "withdrawn"
    elif isinstance(fact, ReviewRefused):
        item.state = "refused"
        item.review = next(iter(fact.sealed), None)
    elif isinstance(fact, CoinsAwarded | AwardRefused):
        # Settled anew, it waits for no budget any more, unless that is said again.
        before = (code for code in item.reasons if code != WAITS_FOR_BUDGET)
        item.reasons = tuple(dict.fromkeys((*before, *fact.reasons)))
        item.rule, item.policy_version = fact.rule, fact.policy_version
        item.coins = fact.amount if isinstance(fact, CoinsAwarded) else 0
    elif isinstance(fact, AwardReversed):
        item.reasons = tuple(dict.fromkeys((*item.reasons, REVERSED)))
        item.coins = 0


def _queues(item: Item, state: str) -> list[str]:
    return [f"{state}/{item.kind}/{place}" for place in queued_in(item.districts)]


def contributions(
    store: Source,
    participant: UUID,
    cursor: str | None,
    limit: int,
    kinds: Sequence[str] | None = None,
) -> dict[str, Any]:
    """``{items, next, position}``: a participant's own, newest first; ``kinds`` None is all."""
    buckets = [f"of/{participant}/{kind}" for kind in _kinds(kinds)]
    return paged(store, CONTRIBUTIONS, buckets, cursor, limit)


def contribution(store: Source, cause: UUID) -> dict[str, Any] | None:
    """One contribution; None where there is none."""
    _, data = store.fetch(CONTRIBUTIONS, str(cause))
    return msgspec.json.decode(data) if data else None


def waiting(
    store: Source,
    districts: Sequence[str] | None,
    kinds: Sequence[str] | None,
    cursor: str | None,
    limit: int,
    state: str | None = None,
) -> dict[str, Any]:
    """``{items, next, position}``: what waits for a reviewer, oldest first.

    ``districts`` None is the whole city, ``kinds`` None every way to take part, ``state`` None
    every state in which one waits.
    """
    buckets = [
        f"{one}/{kind}/{place}"
        for one in (sorted(OPEN_STATES) if state is None else (state,))
        for kind in _kinds(kinds) for place in places(districts)
    ]  # fmt: skip
    return paged(store, CONTRIBUTIONS, buckets, cursor, limit)


def _kinds(kinds: Sequence[str] | None) -> list[str]:
    return sorted(set(BY_KIND if kinds is None else kinds))
