"""Leaderboards (排行榜): who earned most, in a period, a district and a role.

Nobody is on a board without having consented to it (个人信息保护法 art. 13, 14). The coins of
those who have not are kept in one row of their own, which is in no list: from it a late consent
brings the past coins along, and a withdrawal finds every row that has to go. An award that is
taken back comes off where it counted; nobody stands on a board with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from ledger.coins import AwardReversed, CoinsAwarded
from ledger.errors import FieldError, InvalidInput
from ledger.facts import Entry
from ledger.participants import ConsentGiven, ConsentWithdrawn, ParticipantRegistered
from projections.view import START, Row, Rows, Source, View, ascending, descending

CONSENT = "board"
EVERYWHERE = EVERYBODY = "*"
GRANULARITIES = ("day", "week", "month", "year", "all")
AROUND = 5
ROWS_PER_PAGE = 1_000
BEHIND_ALL = ("~", "")
BOARDS_KEPT = 10_000
NAME = re.compile(r"[\w.*-]{1,64}")


class Day(msgspec.Struct, array_like=True):
    """Coins earned on one day, and the position of the last change to them."""

    coins: int = 0
    position: int = 0


class Earner(msgspec.Struct):
    """One participant's coins: by role and districts (as JSON), then by day."""

    consents: bool = False
    earned: dict[str, dict[date, Day]] = {}


class Score(msgspec.Struct):
    """One line of one board; ``position`` is when the total was reached."""

    participant_id: str
    coins: int = 0
    position: int = 0


_encode = msgspec.json.Encoder().encode
_earner = msgspec.json.Decoder(Earner).decode
_score = msgspec.json.Decoder(Score).decode
_place = msgspec.json.Decoder(tuple[str, ...]).decode


class Leaderboard(View):
    """A private row per participant; for those who consent, a row on each of their boards."""

    name = "leaderboard"
    version = 2
    facts = (CoinsAwarded, AwardReversed, ParticipantRegistered, ConsentGiven, ConsentWithdrawn)

    def touches(self, entry: Entry) -> Iterable[str]:
        fact, who = entry.fact, _participant(entry)
        yield _private(who)
        if isinstance(fact, CoinsAwarded | AwardReversed):
            for board in _boards(fact.earned_on, fact.role, fact.districts):
                yield f"{board}/{who}"

    def fold(self, rows: Rows, entry: Entry) -> None:
        fact, who = entry.fact, _participant(entry)
        row = rows.get(_private(who))
        earner = _earner(row.data) if row else Earner()
        if isinstance(fact, CoinsAwarded | AwardReversed):
            _earned(rows, earner, who, fact, entry.position)
        elif isinstance(fact, ConsentWithdrawn):
            if fact.consent == CONSENT and earner.consents:
                earner.consents = False
                rows.update((f"{board}/{who}", None) for board in _scores(earner, who))
        elif _gives_consent(fact) and not earner.consents:
            earner.consents = True
            for board, score in _scores(earner, who).items():
                if score.coins > 0:
                    rows[f"{board}/{who}"] = _line(board, score)
        if earner.consents or earner.earned:
            rows[_private(who)] = Row(_private(who), _encode(earner))
        elif row is not None:
            rows[_private(who)] = None


LEADERBOARD = Leaderboard()


def _earned(
    rows: Rows, earner: Earner, who: str, fact: CoinsAwarded | AwardReversed, position: int
) -> None:
    """Add an award to the private row and, with consent, to its boards; or take it off them."""
    amount = fact.amount if isinstance(fact, CoinsAwarded) else -fact.amount
    place = _encode((fact.role, *fact.districts)).decode()
    # A day without coins stays, for it still says when the total of its boards was reached.
    day = earner.earned.setdefault(place, {}).setdefault(fact.earned_on, Day())
    day.coins, day.position = day.coins + amount, position
    if not earner.consents:
        return
    for board in _boards(fact.earned_on, fact.role, fact.districts):
        row = rows.get(f"{board}/{who}")
        score = _score(row.data) if row else Score(who)
        score.coins, score.position = score.coins + amount, position
        rows[f"{board}/{who}"] = _line(board, score) if score.coins > 0 else None


def _scores(earner: Earner, who: str) -> dict[str, Score]:
    """A participant's score on every board, from the private row alone."""
    scores: dict[str, Score] = {}
    for place, days in earner.earned.items():
        role, *districts = _place(place)
        for day, earned in days.items():
            for board in _boards(day, role, tuple(districts)):
                score = scores.setdefault(board, Score(who))
                score.coins += earned.coins
                score.position = max(score.position, earned.position)
    return scores


def _line(board: str, score: Score) -> Row:
    """More coins stand first; of the same number those reached first; then the smaller id."""
    sort = descending(score.coins) + ascending(score.position)
    return Row(f"{board}/{score.participant_id}", _encode(score), board, sort)


@lru_cache(maxsize=BOARDS_KEPT)
def _boards(day: date, role: str, districts: tuple[str, ...]) -> tuple[str, ...]:
    """Every board that coins count on."""
    return tuple(
        _board(granularity, period_of(granularity, day), district, one)
        for granularity in GRANULARITIES
        for district in dict.fromkeys((EVERYWHERE, *districts))
        for one in (EVERYBODY, role)
    )


def _board(granularity: str, period: str, district: str, role: str) -> str:
    return f"{granularity}:{period}:{district}:{role}"


def period_of(granularity: str, day: date) -> str:
    """The period a day is in: 2025-07-01, 2025-W27 (ISO 8601), 2025-07, 2025 or all."""
    if granularity == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    lengths = {"day": 10, "month": 7, "year": 4}
    return day.isoformat()[: lengths[granularity]] if granularity in lengths else "all"


def _participant(entry: Entry) -> str:
    return str(getattr(entry.fact, "participant_id", entry.originator_id))


def _private(who: str) -> str:
    return f"earner/{who}"


def _gives_consent(fact: object) -> bool:
    if isinstance(fact, ParticipantRegistered):
        return CONSENT in fact.consents
    return isinstance(fact, ConsentGiven) and fact.consent == CONSENT


def board(
    store: Source,
    granularity: str,
    period: str,
    district: str | None = None,
    role: str | None = None,
    *,
    limit: int = 10,
    around: UUID | None = None,
) -> dict[str, Any]:
    """``{entries, me, position}``: the best ``limit``, or the five on either side of ``around``.

    An entry is ``{rank, participant_id, coins}``; ``me`` is the entry of ``around``, None for
    one who is not on the board. No district is the whole city, no role all of them.
    """
    names = (granularity, period, district or EVERYWHERE, role or EVERYBODY)
    if granularity not in GRANULARITIES or not all(map(NAME.fullmatch, names)):
        problem = FieldError("period", "unknown_board", "没有这个榜单", "no such board")
        raise InvalidInput([problem])
    bucket = _board(*names)
    if around is None:
        position, rows = store.page(LEADERBOARD, bucket, START, limit)
        return {"entries": _ranked(rows, 1), "me": None, "position": position}
    return _around(store, bucket, f"{bucket}/{around}")


def shown(row: Row) -> tuple[str, int, int]:
    """Whose line of a board a row is, their coins, and when the total was reached."""
    score = _score(row.data)
    return score.participant_id, score.coins, score.position


def consenting(store: Source) -> set[UUID]:
    """Everybody on the board of all time: who consented to boards, and has earned something."""
    bucket, place = _board("all", period_of("all", date.max), EVERYWHERE, EVERYBODY), BEHIND_ALL
    found: set[UUID] = set()
    while True:
        # From the last one up: whoever earns meanwhile moves to where was not looked yet.
        _, rows = store.page(LEADERBOARD, bucket, place, ROWS_PER_PAGE, backwards=True)
        found.update(UUID(_score(row.data).participant_id) for row in rows)
        if len(rows) < ROWS_PER_PAGE:
            return found
        place = rows[-1].place


def _around(store: Source, bucket: str, key: str) -> dict[str, Any]:
    position, data = store.fetch(LEADERBOARD, key)
    if data is None:
        return {"entries": [], "me": None, "position": position}
    mine = _line(bucket, _score(data))
    _, before = store.rank(LEADERBOARD, bucket, mine.place)
    _, above = store.page(LEADERBOARD, bucket, mine.place, AROUND, backwards=True)
    _, below = store.page(LEADERBOARD, bucket, mine.place, AROUND)
    above = above[: min(before, AROUND)]
    entries = _ranked([*reversed(above), mine, *below], before + 1 - len(above))
    return {"entries": entries, "me": entries[len(above)], "position": position}


def _ranked(rows: Iterable[Row], first: int) -> list[dict[str, Any]]:
    scores = map(_score, (row.data for row in rows))
    return [
        {"rank": rank, "participant_id": one.participant_id, "coins": one.coins}
        for rank, one in enumerate(scores, first)
    ]
