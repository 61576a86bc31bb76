"""The board of balances (余额榜): who has most, at any moment; opt-in, under aliases."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.moments import Past, moment_of
from api.routes.boards import Entry, entry
from api.routing import Routes, answer
from projections.leaderboard import AROUND

routes = Routes("balances", __name__, description="Who has most, of those who want it shown")


class Query(Past):
    """Which moment, and its best or those around oneself."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=100, description="Lines at most")] = 10
    around: Annotated[Literal["me"] | None,
                      msgspec.Meta(description="The lines around one's own")] = None  # fmt: skip


class BalanceBoard(msgspec.Struct):
    """The board of a moment: ``day`` decides what has expired, ``position`` what had happened."""

    board: str
    day: date
    entries: list[Entry]
    me: Entry | None
    position: int


@routes.on("GET", "/v1/leaderboards/balance", "boards.read", query=Query, answers=BalanceBoard,
           summary="Who has most coins to spend")  # fmt: skip
def get_balance_board(query: Query) -> Response:
    """Available coins of those who want to be shown today, at the moment that is asked for."""
    here, who = services(), actor().participant_id
    moment = moment_of(query)
    shown = {str(one) for one in here.views.consenting()}
    balances = here.ledger.balances_as_of(moment)
    standing = sorted(
        (-available, person) for person, available, _ in balances
        if available > 0 and person in shown
    )  # fmt: skip
    first, last, mine = 0, query.limit, None
    if query.around:
        mine = next((at for at, one in enumerate(standing) if one[1] == str(who)), None)
        first, last = (0, 0) if mine is None else (max(mine - AROUND, 0), mine + AROUND + 1)
    lines = [_line(rank, *one, who) for rank, one in enumerate(standing[first:last], first + 1)]
    me = None if mine is None else lines[mine - first]
    return answer(BalanceBoard("balance", moment.today, lines, me, moment.position))


def _line(rank: int, negated: int, person: str, who: UUID) -> Entry:
    return entry({"rank": rank, "participant_id": person, "coins": -negated}, who)
