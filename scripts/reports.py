"""What an import tells (导入结果): a line for every item with something to say, then the sum."""

from __future__ import annotations

from collections.abc import Mapping

import click
import msgspec

from ledger.words import Text
from scripts.terminal import Terminal

SHOWN_MAX = 40  # letters of a name that stands in a file
AS_JSON = click.option("--json", "as_json", is_flag=True,
                       help="每行一个 JSON 对象，最后是合计 / NDJSON, the sum last")  # fmt: skip


class Report:
    """Prints item by item, so that memory does not grow with the file."""

    def __init__(self, terminal: Terminal, *, as_json: bool) -> None:
        self._terminal, self._as_json = terminal, as_json
        self.refused = 0
        self._all_taken = True

    def refuse(self, item: str, code: str, zh: str, en: str) -> None:
        """An item that was not taken, and why."""
        self.refused += 1
        self.tell(item, code, zh, en)

    def tell(self, item: str, code: str, zh: str, en: str) -> None:
        """Something to know of an item that was not taken as it stands in the file."""
        self._all_taken = False
        if self._as_json:
            self._object({"item": item, "code": code, "zh": zh, "en": en})
        else:
            click.echo(f"{item}\t{code}: {self._terminal.choose(zh, en)}")

    def line(self, cells: list[str], told: Mapping[str, object], *, refused: bool) -> None:
        """What became of an item, whatever it was."""
        self.refused += refused
        self._all_taken &= not refused
        if self._as_json:
            self._object(told)
        else:
            click.echo("\t".join(cells))

    def end(self, words: Text | None, **numbers: int) -> None:
        """The sum, also in words where there are any; status 1 unless all was taken."""
        if self._as_json:
            self._object(numbers)
        elif words:
            click.echo(self._terminal.words(words))
        if not self._all_taken:
            raise click.exceptions.Exit(1)

    def _object(self, told: Mapping[str, object]) -> None:
        click.echo(msgspec.json.encode(told).decode())
