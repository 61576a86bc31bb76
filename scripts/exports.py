"""``gwc export``: the log in open formats."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from scripts.terminal import Terminal, reading


@click.group()
def export() -> None:
    """导出 / the log in open formats."""


@export.command()
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help="写入的文件，- 为标准输出 / the file to write; - is stdout")
@click.pass_obj
def history(terminal: Terminal, out: Path) -> None:
    """全部历史，每行一条（NDJSON）/ every entry of the log, one JSON object a line."""
    from ledger.history import history_line

    with reading() as opened:
        head, after = opened.ledger.head(), 0
        with _written(out) as file, terminal.progress("导出历史", "exporting", head) as step:
            while rows := opened.ledger.rows(after):
                for row in rows:
                    file.write(history_line(row))
                after = rows[-1].position
                step(len(rows))
    terminal.note(f"已导出 {after} 条。", f"{after} entries exported.")


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """The file, which appears under its name only when it is complete; ``-`` is stdout."""
    if str(path) == "-":
        yield sys.stdout.buffer
        return
    partial = path.with_name(path.name + ".partial")
    try:
        with open(partial, "wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
