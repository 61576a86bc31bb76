"""Which rows of the log are asked for (筛选): every condition that is given must hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from ledger.store.schema import Question

# How the ledger writes it: compact JSON, the field by its name.
OWN = b'"participant_id":'
# A scalar, which no planner turns into a pass over the whole table.
FIRST = (
    "(SELECT {holds} FROM events AS first WHERE first.originator_id = events.originator_id"
    " AND first.originator_version = 1)"
)


class Match(msgspec.Struct, frozen=True):
    """``topics`` are exact names, times microseconds since 1970 UTC, both inclusive.

    A row is a ``participant``'s if its originator is the participant, if its state names the id
    anywhere, or if it names no ``participant_id`` of its own and the first fact of its originator
    names theirs: the verdict on their patrol, the approval of their redemption.
    """

    topics: tuple[str, ...] = ()
    originator: UUID | None = None
    participant: UUID | None = None
    since: int | None = None
    until: int | None = None


class Words(msgspec.Struct, frozen=True):
    """How one database is asked: an id as a parameter, one of several names, bytes within bytes."""

    key: Callable[[UUID], Any]
    topics: Callable[[tuple[str, ...]], Question]
    holds: str
    """True where the column ``{0}`` holds the bytes of the one parameter."""


def select_matching(match: Match, after: int, through: int, limit: int, words: Words) -> Question:
    """The rows of ``after`` < position <= ``through`` that match, in order, at most ``limit``.

    One originator's are found through its own index, everything else along the positions.
    """
    position = "position" if match.originator is None else "+position"
    clauses, values = [f"{position} > ? AND {position} <= ?"], [after, through]

    def add(clause: str, *parameters: Any) -> None:
        clauses.append(clause)
        values.extend(parameters)

    if match.topics:
        clause, parameters = words.topics(match.topics)
        add(clause, *parameters)
    if match.originator is not None:
        add("originator_id = ?", words.key(match.originator))
    if match.since is not None:
        add("recorded_at >= ?", match.since)
    if match.until is not None:
        add("recorded_at <= ?", match.until)
    if match.participant is not None:
        add(*_of(match.participant, words))
    where = " AND ".join(clauses)
    return f"SELECT * FROM events WHERE {where} ORDER BY {position} LIMIT ?", [*values, limit]


def _of(participant: UUID, words: Words) -> tuple[Any, ...]:
    name = str(participant).encode()
    named, own = words.holds.format("state"), words.holds.format("state")
    first = FIRST.format(holds=words.holds.format("first.state"))
    clause = f"(originator_id = ? OR {named} OR (NOT {own} AND {first}))"
    return clause, words.key(participant), name, OWN, OWN + b'"' + name + b'"'
