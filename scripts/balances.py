"""``gwc balances``: every balance (余额) from the log alone, whatever the views say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from uuid import UUID

import click

from ledger.days import SHANGHAI, day_of
from ledger.facts import Entry
from ledger.wallet import AwardRefused, CoinsAwarded
from scripts.terminal import WrongUse, services, write_csv

MONEY = (CoinsAwarded.topic, AwardRefused.topic)
HEADER = ("participant", "available", "held")


class Moment(click.ParamType[datetime]):
    """A day of the city, meaning its end, or an RFC 3339 time with an offset."""

    name = "T"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            day = date.fromisoformat(str(value))
            return datetime.combine(day, time.max, SHANGHAI)
        except ValueError:
            pass
        try:
            moment = datetime.fromisoformat(str(value))
            if moment.tzinfo is not None:
                return moment
        except ValueError:
            pass
        self.fail(f"{value!r}: YYYY-MM-DD, or RFC 3339 with an offset", param, ctx)


@click.command()
@click.option("--as-of", type=Moment(), help="某日结束时，或某一时刻 / a day's end, or a time")
@click.option("--at-position", type=click.IntRange(min=0), metavar="N")
def balances(as_of: datetime | None, at_position: int | None) -> None:
    """全部余额，只据事件日志 / participant,available,held as CSV, sorted, from the log alone.

    A lot is good through its expiry day: that of --as-of, of entry N's recording, or today.
    """
    if as_of is not None and at_position is not None:
        raise WrongUse("usage", "只能选一个时点。", "Choose --as-of or --at-position, not both.")
    with services() as opened:
        today = day_of(as_of or opened.clock())
        seen: Iterable[Entry] = opened.ledger.entries(topics=MONEY)
        if as_of is not None:
            seen = (entry for entry in seen if entry.recorded_at <= as_of)
        if at_position is not None:
            seen = _through(seen, at_position)
            for entry in opened.ledger.rows(at_position - 1, 1) if at_position else ():
                today = day_of(opened.ledger.entry(entry).recorded_at)
        write_csv(HEADER, balances_of(seen, today))


def balances_of(entries: Iterable[Entry], today: date) -> list[tuple[UUID, int, int]]:
    """(participant, available, held) of everybody with a money fact, by participant id.

    Nothing holds coins yet, so ``held`` is 0.
    """
    coins: dict[UUID, int] = defaultdict(int)
    for entry in entries:
        fact = entry.fact
        if isinstance(fact, CoinsAwarded):
            coins[fact.participant_id] += fact.amount if fact.expires_on >= today else 0
        elif isinstance(fact, AwardRefused):
            coins[fact.participant_id] += 0
    return [(person, coins[person], 0) for person in sorted(coins, key=str)]


def _through(entries: Iterable[Entry], position: int) -> Iterator[Entry]:
    for entry in entries:
        if entry.position > position:
            return
        yield entry
