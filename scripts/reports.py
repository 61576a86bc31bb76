"""What an import tells (导入结果): a line for every item with something to say, then the sum."""

from __future__ import annotations

from collections.abc import Mapping

import click
import msgspec

from scripts.terminal import Terminal

AS_JSON = click.option("--json", "as_json", is_flag=True,
                       help="每行一个 JSON 对象，最后是合计 / NDJSON, the sum last")  # fmt: skip


class Report:
    """Prints item by item, so that memory does not grow with the file."""

    def __init__(self, terminal: Terminal, *, as_json: bool) -> None:
        self._terminal, self._as_json = terminal, as_json
        self.refused = 0

    def refuse(self, item: str, code: str, zh: str, en: str) -> None:
        """An item that was not taken, and why."""
        self.refused += 1
        self.tell(item, code, zh, en)

    def tell(self, item: str, code: str, zh: str, en: str) -> None:
        """Something to know of an item."""
        if self._as_json:
            self._object({"item": item, "code": code, "zh": zh, "en": en})
        else:
            click.echo(f"{item}\t{code}: {self._terminal.choose(zh, en)}")

    def line(self, cells: list[str], told: Mapping[str, object]) -> None:
        """What became of an item, whatever it was."""
        if self._as_json:
            self._object(told)
        else:
            click.echo("\t".join(cells))

    def end(self, zh: str, en: str, **numbers: int) -> None:
        """The sum."""
        if self._as_json:
            self._object(numbers)
        else:
            click.echo(self._terminal.choose(zh, en))

    def _object(self, told: Mapping[str, object]) -> None:
        click.echo(msgspec.json.encode(told).decode())
