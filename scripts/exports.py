"""``gwc export``: the log in open formats."""

from __future__ import annotations

from pathlib import Path

import click

from scripts.bundle import bundle
from scripts.journals import journal
from scripts.terminal import Terminal, reading
from scripts.whole_files import OUT, written


@click.group()
def export() -> None:
    """导出 / the log in open formats."""


export.add_command(bundle)
export.add_command(journal)


@export.command()
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help=OUT)
@click.pass_obj
def history(terminal: Terminal, out: Path) -> None:
    """全部历史，每行一条（NDJSON）/ every entry of the log, one JSON object a line."""
    from ledger.history import history_line

    with reading() as opened:
        head, after = opened.ledger.head(), 0
        with written(out) as file, terminal.progress("导出历史", "exporting", head) as step:
            while rows := opened.ledger.rows(after):
                for row in rows:
                    file.write(history_line(row))
                after = rows[-1].position
                step(len(rows))
    terminal.note(f"已导出 {after} 条。", f"{after} entries exported.")
