"""``gwc budget``: the most coins (预算) a district may award for a year."""

from __future__ import annotations

import click
import msgspec

from scripts.terminal import Terminal, reading, services, settings_to_read

COLUMNS = ("district", "year", "coins", "used")


@click.group()
def budget() -> None:
    """预算 / the most coins a district, or the city, may award for a year."""


@budget.command(name="set")
@click.option("--year", type=click.IntRange(2020, 2100), required=True,
              help="奖励日所在年份 / the year of the reward days")
@click.option("--coins", type=click.IntRange(0, 10**12), required=True,
              help="枚数 / how many coins")
@click.option("--district", metavar="CODE", help="行政区；不填为全市 / none: the whole city")
@click.pass_obj
def set_budget(terminal: Terminal, year: int, coins: int, district: str | None) -> None:
    """设定预算，并补发等待的 / set it; what waited for it is paid, the first refused first."""
    with services(settings_to_read()) as opened:
        opened.ledger.set_budget(None, district, year, coins, opened.clock())
        paid = opened.ledger.pay_waiting(opened.clock())
    terminal.note(
        f"预算已设定；补发 {paid} 笔等待的奖励。",
        f"The budget is set; {paid} awards that waited were paid.",
    )


@budget.command()
@click.option("--json", "as_json", is_flag=True, help="同样各列，JSON 数组 / a list of objects")
@click.pass_obj
def show(terminal: Terminal, as_json: bool) -> None:
    """各项预算与已用 / every budget and what is used of it."""
    with reading() as opened:
        found = opened.ledger.budgets()
    rows = [{name: getattr(one, name) for name in COLUMNS} for one in found]
    if as_json:
        click.echo(msgspec.json.encode(rows))
    else:
        everywhere = terminal.choose("全市", "the whole city")
        terminal.table(
            COLUMNS,
            [(row["district"] or everywhere, *list(row.values())[1:]) for row in rows],
        )
