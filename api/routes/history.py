"""History (历史): the log itself, fact by fact, for auditors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import msgspec
from flask import Response, request

from api import answers
from api.auth import services
from api.routing import PERSONAL, Routes, answer, link_next
from ledger.application import Ledger
from ledger.errors import NotFound
from ledger.history import history_entry, history_line

NDJSON = "application/x-ndjson"
PAGE_MAX = 1_000

routes = Routes("history", __name__, description="The event log, for auditors")


class Query(msgspec.Struct):
    """Facts behind a position; as x-ndjson without ``limit``, all of them."""

    after: Annotated[int, msgspec.Meta(
        ge=0, le=2**62, description="Show what stands behind this position"
    )] = 0  # fmt: skip
    limit: Annotated[Annotated[int, msgspec.Meta(ge=1, le=PAGE_MAX)] | None, msgspec.Meta(
        description="Facts at most; without it 100, as x-ndjson all of them"
    )] = None  # fmt: skip


@routes.on("GET", "/v1/history", "history.read", query=Query, answers=answers.HistoryPage,
           media=("application/json", NDJSON), summary="The log from a position on")  # fmt: skip
def get_history(query: Query) -> Response:
    """Facts in the order of the log; `Accept: application/x-ndjson` gives a line each."""
    ledger = services().ledger
    wanted = request.accept_mimetypes.best_match(["application/json", NDJSON])
    if wanted == NDJSON:
        lines = _lines(ledger, query.after, query.limit)
        return Response(lines, content_type=NDJSON, headers={"Cache-Control": PERSONAL})
    limit = query.limit or 100
    rows = ledger.rows(query.after, limit + 1)
    shown = rows[:limit]
    following = shown[-1].position if len(rows) > limit else None
    response = answer(answers.HistoryPage([history_entry(row) for row in shown], following))
    if following is not None:
        link_next(response, after=following)
    return response


@routes.on("GET", "/v1/history/<uuid:originator_id>", "history.read",
           answers=answers.HistoryPage, summary="All facts of one originator")  # fmt: skip
def get_history_of_originator(originator_id: UUID) -> Response:
    """Every fact of one originator, in order."""
    rows = services().ledger.store.select_events(originator_id)
    if not rows:
        raise NotFound
    return answer(answers.HistoryPage([history_entry(row) for row in rows], None))


def _lines(ledger: Ledger, after: int, limit: int | None) -> Iterator[bytes]:
    left = limit
    while left is None or left > 0:
        rows = ledger.rows(after, PAGE_MAX if left is None else min(left, PAGE_MAX))
        if not rows:
            return
        yield b"".join(map(history_line, rows))
        after, left = rows[-1].position, None if left is None else left - len(rows)
