"""``gwc bench``: ours and the other side in turns, in one run; numbers, never a pass mark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec

from scripts.benches.campaign import sized
from scripts.benches.row import Row, measured
from scripts.benches.rows import BENCHES
from scripts.terminal import Terminal

NAMES = [bench.name for bench in BENCHES]
COLUMNS = ("", "ours", "theirs", "unit", "ratio", "goal", "")


@click.command()
@click.argument("name", required=False, type=click.Choice(NAMES), metavar="[NAME]")
@click.option("--quick", is_flag=True, help="一分钟以内 / all rows in less than a minute")
@click.option("--json", "as_json", is_flag=True, help="含全部样本 / with all samples")
@click.option("--households", type=click.IntRange(1_000), help="走访户数 / doors of a campaign")
@click.option("--visits", type=click.IntRange(1_000), help="走访次数 / visits of a campaign")
@click.pass_obj
def bench(
    terminal: Terminal, name: str | None, quick: bool, as_json: bool, households: int | None,
    visits: int | None,
) -> None:  # fmt: skip
    """性能对比 / measure all rows, or one; TMPDIR names the disk that is measured on.

    Both sides take turns; shown are the medians, their ratio (above 1: ours is faster) and the
    goal of the ratio. A row that cannot be measured here says why.
    """
    wanted = [sized(one, households, visits) for one in BENCHES if name in (None, one.name)]
    rows: list[Row] = []
    with TemporaryDirectory(prefix="gwc-bench-") as folder:
        for number, one in enumerate(wanted, 1):
            click.echo(f"[{number}/{len(wanted)}] {one.name}: {one.title}", err=True)
            rows.append(measured(one, Path(folder), quick))
    if as_json:
        click.echo(msgspec.json.encode({"rows": rows}))
    else:
        terminal.table(COLUMNS, [_cells(row) for row in rows])


def _cells(row: Row) -> Sequence[str]:
    if row.ours is None or row.theirs is None or row.ratio is None:
        return (row.name, "", "", row.unit, "", f"{row.goal:.2f}", f"skipped: {row.skipped}")
    return (
        row.name, _figure(row.ours), _figure(row.theirs), row.unit, f"{row.ratio:.2f}",
        f"{row.goal:.2f}", row.note,
    )  # fmt: skip


def _figure(value: float) -> str:
    """Three or four digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"
