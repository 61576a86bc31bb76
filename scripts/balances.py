"""``gwc balances``: every balance (余额) from the log alone, whatever the views say."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import click

from ledger.balances import MONEY, balances_of
from ledger.days import SHANGHAI, day_of
from ledger.store.states import EVER, states
from scripts.expire import Day
from scripts.terminal import WrongUse, reading, settings_to_read, write_csv

HEADER = ("participant", "available", "held")


class Moment(click.ParamType[datetime]):
    """A day of the city, meaning its end, or an RFC 3339 time with an offset."""

    name = "T"
    day = time.max

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        text = str(value)
        try:
            if len(text) == len("2026-03-31"):
                return datetime.combine(date.fromisoformat(text), self.day, SHANGHAI)
            moment = datetime.fromisoformat(text)
            day_of(moment)  # At the very ends of the calendar a moment has no day here.
        except (ValueError, OverflowError):
            moment = None
        if moment is None or moment.tzinfo is None:
            raise click.BadParameter(f"{text}: YYYY-MM-DD, or RFC 3339 with an offset", ctx, param)
        return moment


@click.command()
@click.option("--as-of", type=Moment(), help="某日结束时，或某一时刻 / a day's end, or a time")
@click.option("--at-position", type=click.IntRange(min=0), metavar="N",
              help="到日志第 N 条为止 / up to the N-th entry of the log")
@click.option("--effective", type=Day(),
              help="按生效日截至某日 / how things stood on a day by what is known since")
def balances(as_of: datetime | None, at_position: int | None, effective: date | None) -> None:
    """全部余额，只据事件日志 / participant,available,held as CSV, sorted, from the log alone.

    A lot is good through its expiry day: that of --as-of, of entry N's recording, or today.
    With --effective facts count by the day they take effect, an award from the day it was earned,
    as known by now, or at the moment --as-of or --at-position names.
    """
    one_moment(as_of, at_position)
    settings, through, today = settings_to_read(), EVER, day_of(datetime.now(UTC))
    if as_of is not None or at_position is not None or effective is not None:
        with reading() as opened:
            moment = opened.ledger.moment(as_of, at_position, opened.clock(), effective)
            if moment.effective:
                write_csv(HEADER, opened.ledger.balances_as_of(moment))
                return
        through, today = moment.position, moment.today
    found = states(settings.ledger_env(), MONEY, through=through)
    write_csv(HEADER, balances_of(found, today))


def one_moment(as_of: datetime | None, at_position: int | None) -> None:
    """Raises WrongUse where two moments are asked for at once."""
    if as_of is not None and at_position is not None:
        raise WrongUse("usage", "只能选一个时点。", "Choose --as-of or --at-position, not both.")
