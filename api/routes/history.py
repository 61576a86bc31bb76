"""History (历史): the log itself, fact by fact, for auditors: paged, streamed, or as it grows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from typing import Annotated
from uuid import UUID

import msgspec
from flask import Response, current_app, request

from api import answers
from api.auth import services, standing
from api.complaints import sentence
from api.moments import time_of
from api.routing import PERSONAL, Routes, answer, link_next
from api.tails import EVENTS, LOOK_SECONDS, NDJSON, Tails
from ledger.application import Ledger
from ledger.errors import FieldError, InvalidInput, NotFound
from ledger.history import history_entry, history_line
from ledger.searching import Wanted, find, search, tail, topics_named

JSON = "application/json"
PAGE_MAX, PAGE = 1_000, 100
TOPICS_MAX = 400
RESUME = "Last-Event-ID"
POSITION_MAX = 2**62
Position = Annotated[int, msgspec.Meta(ge=0, le=POSITION_MAX)]
Time = Annotated[str, msgspec.Meta(max_length=40)]

routes = Routes("history", __name__, description="The event log, for auditors")


class Query(msgspec.Struct):
    """Facts behind a position; every filter that is given must hold."""

    after: Annotated[Position, msgspec.Meta(
        description="Show what stands behind this position"
    )] = 0  # fmt: skip
    limit: Annotated[Annotated[int, msgspec.Meta(ge=1, le=PAGE_MAX)] | None, msgspec.Meta(
        description="Facts at most; without it 100, as x-ndjson and event-stream all of them"
    )] = None  # fmt: skip
    topic: Annotated[Annotated[str, msgspec.Meta(max_length=TOPICS_MAX)] | None, msgspec.Meta(
        description="Stored names, or prefixes that end in a dot, separated by commas:"
        " `wallet.,redemption.issued`"
    )] = None  # fmt: skip
    participant: Annotated[UUID | None, msgspec.Meta(
        description="What is of or about a person or account: their own and their wallet's facts,"
        " those that name them, and decisions on what they began"
    )] = None  # fmt: skip
    originator: Annotated[UUID | None, msgspec.Meta(
        description="Facts of one originator: a contribution, a wallet, a redemption"
    )] = None  # fmt: skip
    since: Annotated[Time | None, msgspec.Meta(
        description="Recorded at this time or later: a day of Shanghai, meaning its beginning, or"
        " an RFC 3339 time"
    )] = None  # fmt: skip
    until: Annotated[Time | None, msgspec.Meta(
        description="Recorded at this time or earlier: a day, meaning its end, or a time"
    )] = None  # fmt: skip
    follow: Annotated[bool, msgspec.Meta(
        description="As x-ndjson or event-stream: go on while the log grows, for some minutes"
    )] = False  # fmt: skip


@routes.on("GET", "/v1/history", "history.read", query=Query, answers=answers.HistoryPage,
           media=(JSON, NDJSON, EVENTS), summary="The log from a position on")  # fmt: skip
def get_history(query: Query) -> Response:
    """Facts in the order of the log; `Accept: application/x-ndjson` gives a line each.

    A page looks at 100,000 positions at most and may so hold fewer facts than asked for, or none,
    while there is a `next`: ask `after` that. `follow=true` as x-ndjson, or
    `Accept: text/event-stream`, sends what is there and then what comes, with signs of life every
    15 s (an empty line; an event without data), and ends after 5 minutes: go on `after` the last
    position, or with `Last-Event-ID`. Where too many follow it is a 503 `too_many_tails`.
    """
    wanted, kind = _wanted(query), _kind(query)
    if kind == JSON:
        return _page(wanted, query)
    ledger, after = services().ledger, _after(query)
    if query.follow or kind == EVENTS:
        tails: Tails = current_app.extensions["gwc-tails"]
        founds = tail(ledger, wanted, after, LOOK_SECONDS)
        response = tails.answer(kind, founds, query.limit, standing())
    else:
        response = Response(_lines(ledger, wanted, after, query.limit), content_type=NDJSON)
    response.headers["Cache-Control"] = PERSONAL
    return response


@routes.on("GET", "/v1/history/<uuid:originator_id>", "history.read",
           answers=answers.HistoryPage, summary="All facts of one originator")  # fmt: skip
def get_history_of_originator(originator_id: UUID) -> Response:
    """Every fact of one originator, in order."""
    rows = services().ledger.store.select_events(originator_id)
    if not rows:
        raise NotFound
    return answer(answers.HistoryPage([history_entry(row) for row in rows], None))


def _page(wanted: Wanted, query: Query) -> Response:
    found = find(services().ledger, wanted, query.after, query.limit or PAGE)
    following = found.reached if found.more else None
    response = answer(answers.HistoryPage([history_entry(row) for row in found.rows], following))
    if following is not None:
        link_next(response, after=following)
    return response


def _lines(ledger: Ledger, wanted: Wanted, after: int, limit: int | None) -> Iterator[bytes]:
    for found in search(ledger, wanted, after):
        rows = found.rows if limit is None else found.rows[:limit]
        yield b"".join(map(history_line, rows))
        limit = None if limit is None else limit - len(rows)
        if limit == 0:
            return


def _wanted(query: Query) -> Wanted:
    """What the query asks for; raises InvalidInput."""
    since = None if query.since is None else time_of(query.since, "since", time.min)
    until = None if query.until is None else time_of(query.until, "until")
    if since is not None and until is not None and since > until:
        raise InvalidInput([
            FieldError("until", "before_since", "结束时间早于开始时间。",
                       "It lies before since.")
        ])  # fmt: skip
    topics = () if query.topic is None else topics_named(query.topic.split(","))
    return Wanted(topics, query.originator, query.participant, since, until)


def _kind(query: Query) -> str:
    """The form that is liked best; a tail has no JSON form."""
    offered = [NDJSON, EVENTS] if query.follow else [JSON, NDJSON, EVENTS]
    kind = request.accept_mimetypes.best_match(offered)
    if kind is None and query.follow:
        raise InvalidInput([
            FieldError("follow", "not_as_json", f"跟随日志请用 Accept: {NDJSON} 或 {EVENTS}。",
                       f"Follow the log with Accept: {NDJSON} or {EVENTS}.")
        ])  # fmt: skip
    return kind or JSON


def _after(query: Query) -> int:
    """The position to go on from: that of the last event a client says it saw, if it does."""
    seen = request.headers.get(RESUME, "")
    if not seen:
        return query.after
    if not (seen.isascii() and seen.isdecimal() and int(seen) <= POSITION_MAX):
        zh, en = sentence("wrong_type", "int")
        raise InvalidInput([FieldError(RESUME, "wrong_type", zh, en)])
    return int(seen)
