"""``gwc expire``: deadlines (期限) written down: coins that expired, holds nobody collected."""

from __future__ import annotations

import sys
from datetime import date

import click
import msgspec

from scripts.terminal import Terminal, reading, services, settings_to_read


class Day(click.ParamType[date]):
    """A calendar day of the city."""

    name = "DATE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            raise click.BadParameter(f"{value}: YYYY-MM-DD", ctx, param) from None


@click.command()
@click.option("--as-of", type=Day(), help="以此日为准；默认今天 / as of this day; default today")
@click.option("--notices", is_flag=True,
              help="只列出 30 天、7 天内到期的 / only list what expires within 30 and 7 days")
@click.option("--json", "as_json", is_flag=True, help="JSON 数组 / a list of objects")
@click.pass_obj
def expire(terminal: Terminal, as_of: date | None, notices: bool, as_json: bool) -> None:
    """过期的批次记账，逾期的兑换退回 / write off expired coins, end holds past their last day.

    A lot is good through its expiry day. Run twice, the second time there is nothing to write.
    """
    from ledger.days import day_of

    if notices:
        with reading() as opened:
            found = opened.ledger.notices(as_of or day_of(opened.clock()))
        columns = ("participant_id", "amount", "expires_on", "days")
        _print(terminal, columns, [msgspec.structs.asdict(one) for one in found], as_json)
        return
    with services(settings_to_read()) as opened:
        now = opened.clock()
        today = as_of or day_of(now)
        if today > day_of(now):
            terminal.note(
                f"注意：{today} 尚未到，仍有效的绿水币和兑换券也会按该日处理。",
                f"Mind: {today} is still to come; coins and vouchers good until then go as well.",
            )
            if sys.stdin.isatty():
                click.confirm(terminal.choose("仍要继续？", "Go on all the same?"), abort=True)
        lapsed = list(opened.ledger.lapse_all(now, today))
        expired = list(opened.ledger.expire_all(today, now))
    rows = [
        {"participant_id": str(one.participant_id), "expired": one.amount} for one in expired
    ]
    _print(terminal, ("participant_id", "expired"), rows, as_json)
    coins = sum(one.amount for one in expired)
    terminal.note(
        f"{len(expired)} 人共 {coins} 枚绿水币过期；{len(lapsed)} 笔兑换逾期退回。",
        f"{coins} coins of {len(expired)} people expired; {len(lapsed)} redemptions lapsed.",
    )


def _print(
    terminal: Terminal, columns: tuple[str, ...], rows: list[dict[str, object]], as_json: bool
) -> None:
    if as_json:
        click.echo(msgspec.json.encode(rows))
    elif rows:
        terminal.table(columns, [[row[column] for column in columns] for row in rows])
