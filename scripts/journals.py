"""``gwc export journal``: every movement of coins for bookkeeping programs that are not ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from ledger.audit.bookings import Booking, Bookings
from ledger.audit.journal_beancount import beancount
from ledger.audit.journal_text import hledger
from ledger.balances import MONEY
from scripts.terminal import Terminal, reading
from scripts.whole_files import OUT, written

FORMATS: dict[str, Callable[[Iterable[Booking], int], Iterator[str]]] = {
    "hledger": hledger,
    "beancount": beancount,
}


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help=OUT)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="hledger",
              help="hledger 格式 ledger 也能读 / ledger reads that of hledger as well")
@click.option("--at-position", type=click.IntRange(min=0), metavar="N",
              help="到日志第 N 条为止 / up to the N-th entry of the log")
@click.pass_obj
def journal(terminal: Terminal, out: Path, form: str, at_position: int | None) -> None:
    """复式记账，供 hledger、ledger、beancount 核对 / every movement of coins, double entry.

    Coins past their last day are in their wallet until `gwc expire` has written them off.
    """
    with reading() as opened:
        ledger = opened.ledger
        head = ledger.head()
        if at_position is not None:
            head = ledger.moment(None, at_position, opened.clock()).position
        with written(out) as file, terminal.progress("导出账目", "exporting", head) as step:
            rows = ledger.rows_through(head, 0, MONEY)
            counted = Counted(Bookings().of(rows), step)
            for piece in FORMATS[form](counted, head):
                file.write(piece.encode())
    terminal.note(
        f"已导出 {counted.transactions} 笔，至日志第 {head} 条。",
        f"{counted.transactions} transactions exported, up to position {head} of the log.",
    )


class Counted:
    """Bookings, counted as they pass where they move coins."""

    def __init__(self, bookings: Iterable[Booking], step: Callable[[int], None]) -> None:
        self._bookings, self._step = bookings, step
        self.transactions = 0

    def __iter__(self) -> Iterator[Booking]:
        told = 0
        for booking in self._bookings:
            self._step(booking.position - told)
            told = booking.position
            self.transactions += bool(booking.legs)
            yield booking
