"""``gwc import households``: the frame of a campaign from a CSV, however long it is."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click
import msgspec

from scripts.terminal import Refusal, Terminal, services

if TYPE_CHECKING:
    from ledger.campaigns.planning import NewHousehold

COLUMNS = ("household", "grid")
ADDRESS_MAX = 200


class Seen:
    """The numbers read so far, in a file without a name: memory must not grow with the frame."""

    def __init__(self) -> None:
        self._numbers = sqlite3.connect("", isolation_level=None)
        self._numbers.execute("CREATE TABLE seen (household TEXT PRIMARY KEY) WITHOUT ROWID")
        self._numbers.execute("BEGIN")

    def add(self, household: str) -> bool:
        """Whether it was not there yet."""
        added = self._numbers.execute("INSERT OR IGNORE INTO seen VALUES (?)", (household,))
        return added.rowcount > 0

    def close(self) -> None:
        self._numbers.close()


class Frame:
    """Reads households row by row and prints a line for each that cannot be taken."""

    def __init__(self, terminal: Terminal, known: frozenset[str], seen: Seen) -> None:
        self._terminal, self._known, self._seen = terminal, known, seen
        self.read = self.refused = 0

    def households(self, rows: csv.DictReader[str]) -> Iterator[NewHousehold]:
        from ledger.campaigns.frame import Household
        from ledger.campaigns.planning import NewHousehold

        for row in rows:
            self.read += 1
            household, grid = (str(row[name] or "").strip() for name in COLUMNS)
            address = str(row.get("address") or "").strip() or None
            problem = self._problem(household, grid, address, row, Household)
            if problem is None:
                yield NewHousehold(household, grid, address)
            else:
                self.refused += 1
                click.echo(f"{rows.line_num} {household[:40] or '-'}\t{problem}")

    def _problem(
        self, household: str, grid: str, address: str | None, row: dict[str, str], shape: object
    ) -> str | None:
        try:
            msgspec.convert(household, shape)
        except msgspec.ValidationError:
            return self._said("malformed_household", "户号应为不含个人信息的字母数字编号。",
                              "A household is an opaque number of letters and digits.")  # fmt: skip
        if not grid:
            return self._said("missing_value", "缺少网格。", "The grid is missing.")
        if self._known and grid not in self._known:
            return self._said("unknown_district", f"没有网格 {grid}。", f"No grid {grid}.")
        if None in row or (address and len(address) > ADDRESS_MAX):
            return self._said("malformed_row", "这一行的列数或地址长度不对。",
                              "Too many columns, or too long an address.")  # fmt: skip
        if not self._seen.add(household):
            return self._said("duplicate", "户号重复。", "The household stands here twice.")
        return None

    def _said(self, code: str, zh: str, en: str) -> str:
        return f"{code}: {self._terminal.choose(zh, en)}"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--campaign", type=click.UUID, required=True, help="走访活动编号 / of which campaign")
@click.pass_obj
def households(terminal: Terminal, file: Path, campaign: UUID) -> None:
    """导入走访底册（CSV：household,grid[,address]）/ households to visit; again adds none."""
    with (
        services() as opened, file.open(encoding="utf-8-sig", newline="") as text,
        closing(Seen()) as seen,
    ):  # fmt: skip
        rows = csv.DictReader(text)
        try:
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                names = ", ".join(missing)
                raise Refusal("missing_column", f"缺少列：{names}。", f"Missing columns: {names}.")
            ledger = opened.ledger
            frame = Frame(terminal, frozenset(ledger.districts.current().by_code), seen)
            with terminal.progress("导入住户", "reading households", _lines(file)) as step:
                new = ledger.list_households(
                    campaign, frame.households(rows), opened.clock(), step
                )
        except (UnicodeDecodeError, csv.Error):
            raise Refusal(
                "not_csv", "文件不是 UTF-8 的 CSV；之前的行已导入。",
                "This is not CSV in UTF-8; the rows before were imported.",
            ) from None
    click.echo(terminal.choose(
        f"读取 {frame.read} 户，新增 {new} 户，未接受 {frame.refused} 户。",
        f"{frame.read} read, {new} new, {frame.refused} refused.",
    ))  # fmt: skip
    if frame.refused:
        raise click.exceptions.Exit(1)


def _lines(file: Path) -> int:
    """How many rows a file has at most, for the progress bar."""
    with file.open("rb") as content:
        return sum(block.count(b"\n") for block in iter(lambda: content.read(1 << 20), b""))
