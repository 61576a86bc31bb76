"""``gwc history``: what happened, a line per fact, filtered, and as it happens."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from itertools import takewhile
from typing import TYPE_CHECKING
from uuid import UUID

import click

from ledger.days import SHANGHAI, from_microseconds
from ledger.errors import InvalidInput
from ledger.history import history_entry, history_line
from scripts.balances import Moment
from scripts.terminal import Terminal, WrongUse, reading

if TYPE_CHECKING:
    from ledger.searching import Found
    from ledger.store.mapper import RecordedFact

STOPPING = (signal.SIGTERM, signal.SIGINT)
LOOK_SECONDS = 0.5


class Beginning(Moment):
    """A day of the city, meaning its beginning, or an RFC 3339 time with an offset."""

    day = time.min


@click.command()
@click.option("--topic", "topics", multiple=True, metavar="NAME",
              help="事实名称，或以点结尾的前缀，可重复 / a stored name, or a prefix like wallet.")
@click.option("--participant", type=click.UUID, metavar="ID",
              help="某人或某账户的，或与其有关的 / of or about a person or an account")
@click.option("--originator", type=click.UUID, metavar="ID",
              help="某一来源的全部事实 / one contribution, wallet, redemption, …")
@click.option("--since", type=Beginning(), help="此日起，或此时起 / recorded from then on")
@click.option("--until", type=Moment(), help="至此日终，或此时 / recorded until then")
@click.option("--after", type=click.IntRange(min=0), metavar="N", default=0,
              help="从日志第 N 条之后开始 / what stands behind the N-th entry of the log")
@click.option("--limit", type=click.IntRange(min=1), metavar="N",
              help="最多显示 N 条 / entries at most")
@click.option("--follow", is_flag=True, help="持续显示新记录 / go on as the log grows")
@click.option("--json", "as_json", is_flag=True, help="每行一个 JSON 对象 / NDJSON")
@click.pass_obj
def history(
    terminal: Terminal, topics: tuple[str, ...], participant: UUID | None,
    originator: UUID | None, since: datetime | None, until: datetime | None, after: int,
    limit: int | None, follow: bool, as_json: bool,
) -> None:  # fmt: skip
    """历史记录，逐条说明 / position, time, originator and a sentence for every fact.

    Every filter given must hold. A participant's are the facts of their own id and wallet, those
    that name them, and decisions on what they began. The last line, on stderr, says where to go on.
    """
    from ledger.searching import Wanted, search, tail

    if since is not None and until is not None and since > until:
        raise WrongUse("usage", "--until 早于 --since。", "--until lies before --since.")
    wanted = Wanted(_named(topics), originator, participant, since, until)
    with reading() as opened, _until_told(follow=follow) as told:
        founds = (
            tail(opened.ledger, wanted, after, LOOK_SECONDS) if follow
            else search(opened.ledger, wanted, after)
        )  # fmt: skip
        going_on = takewhile(lambda _: not told, founds)
        shown, reached = _show(terminal, going_on, after, limit, as_json=as_json)
    terminal.note(
        f"共 {shown} 条，已查到第 {reached} 条；从此处继续：--after {reached}",
        f"{shown} entries, looked at up to {reached}; to go on from here: --after {reached}",
    )


def _show(
    terminal: Terminal, founds: Iterable[Found], after: int, limit: int | None, *, as_json: bool
) -> tuple[int, int]:
    """Print what was found as it comes; how many entries, and how far the log was looked at."""
    shown, away = 0, False
    for found in founds:
        if (found.trouble is not None) != away:
            away = not away
            _tell(terminal, away=away)
        rows = found.rows if limit is None else found.rows[: limit - shown]
        for row in rows:
            sys.stdout.write(_as_json(row) if as_json else _line(terminal, row))
        sys.stdout.flush()
        shown += len(rows)
        if shown == limit:
            return shown, rows[-1].position
        after = found.reached
    return shown, after


def _as_json(row: RecordedFact) -> str:
    return history_line(row).decode()


def _line(terminal: Terminal, row: RecordedFact) -> str:
    moment = from_microseconds(row.recorded_at).astimezone(SHANGHAI)
    sentence = terminal.words(history_entry(row).sentence)
    return f"{row.position:>8}  {moment:%Y-%m-%d %H:%M:%S}  {row.originator_id}  {sentence}\n"


def _tell(terminal: Terminal, *, away: bool) -> None:
    if away:
        terminal.note("数据库无法访问，等待恢复。", "The database is away; waiting for it.")
    else:
        terminal.note("数据库已恢复。", "The database is back.")


def _named(texts: Sequence[str]) -> tuple[str, ...]:
    from ledger.searching import topics_named

    try:
        return topics_named(texts)
    except InvalidInput as error:
        wrong = error.errors[0]
        raise WrongUse(wrong.code, wrong.zh, wrong.en) from None


@contextmanager
def _until_told(*, follow: bool) -> Iterator[list[int]]:
    """What SIGTERM and Ctrl-C said; where nothing is followed they end the command as ever."""
    told: list[int] = []
    before = {}
    for number in STOPPING if follow else ():
        before[number] = signal.signal(number, lambda number, _: told.append(number))
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
