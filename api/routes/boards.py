"""Leaderboards (排行榜): opt-in, under aliases; nobody's id is shown."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routing import Routes, answer
from ledger.days import day_of
from ledger.errors import Erased, FieldError, InvalidInput, NotFound
from ledger.participants import ROLES
from projections.leaderboard import GRANULARITIES, period_of

CONCRETE = (
    ("day", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("week", re.compile(r"\d{4}-W\d{2}")),
    ("month", re.compile(r"\d{4}-\d{2}")),
    ("year", re.compile(r"\d{4}")),
)

routes = Routes("boards", __name__, description="Who did how much, of those who want it shown")


class Query(msgspec.Struct):
    """Which board: of a period and a district, its best or those around oneself."""

    period: Annotated[str, msgspec.Meta(
        max_length=10,
        description="day, week, month, year, all (those of today), or one such as 2026-W48",
    )] = "month"  # fmt: skip
    district: Annotated[Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None,
                        msgspec.Meta(description="The whole city without it")] = None  # fmt: skip
    limit: Annotated[int, msgspec.Meta(ge=1, le=100, description="Lines at most")] = 10
    around: Annotated[Literal["me"] | None,
                      msgspec.Meta(description="The lines around one's own")] = None  # fmt: skip


class Entry(msgspec.Struct):
    """One line of a board; the alias is null for who chose none."""

    rank: int
    alias: str | None
    coins: int
    me: bool


class Board(msgspec.Struct):
    """A board; ``me`` is one's own line where it was asked for and there is one."""

    board: str
    period: str
    district: str | None
    entries: list[Entry]
    me: Entry | None
    position: int


@routes.on("GET", "/v1/leaderboards/<board>", "boards.read", query=Query, answers=Board,
           summary="Who earned most")  # fmt: skip
def get_leaderboard(board: str, query: Query) -> Response:
    """The best of a period and district: of all roles (`board` is `all`) or of one."""
    if board != "all" and board not in ROLES:
        raise NotFound
    here, who = services(), actor().participant_id
    here.ledger.districts.current().check(query.district)
    granularity, period = _period(query.period, day_of(here.clock()))
    found = here.views.board(
        granularity, period, query.district, None if board == "all" else board,
        limit=query.limit, around=who if query.around else None,
    )  # fmt: skip
    mine = found["me"]
    return answer(
        Board(
            board=board, period=period, district=query.district,
            entries=[entry(line, who) for line in found["entries"]],
            me=entry(mine, who) if mine else None, position=found["position"],
        )
    )  # fmt: skip


def entry(line: dict[str, Any], who: UUID) -> Entry:
    participant = UUID(line["participant_id"])
    try:
        alias = services().ledger.alias_of(participant)
    except Erased:
        alias = None
    return Entry(line["rank"], alias, line["coins"], participant == who)


def _period(text: str, today: date) -> tuple[str, str]:
    """The granularity and the concrete period that are meant; raises InvalidInput."""
    if text in GRANULARITIES:
        return text, period_of(text, today)
    for granularity, pattern in CONCRETE:
        if pattern.fullmatch(text) and _exists(granularity, text):
            return granularity, text
    raise InvalidInput(
        [FieldError("period", "malformed", "应为 day、week、month、year、all 或如 2026-W48",
                    "day, week, month, year, all, or one such as 2026-W48")]
    )  # fmt: skip


def _exists(granularity: str, text: str) -> bool:
    first = {"month": f"{text}-01", "year": f"{text}-01-01", "week": f"{text}-1"}
    try:
        date.fromisoformat(first.get(granularity, text))
    except ValueError:
        return False
    return True
