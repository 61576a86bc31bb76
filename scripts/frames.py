"""``gwc import households``: the frame of a campaign from a CSV, however long it is."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click
import msgspec

from scripts.terminal import Refusal, Terminal, services

if TYPE_CHECKING:
    from ledger.campaigns.campaign import Plan
    from ledger.campaigns.listing import NewHousehold
    from ledger.districts import Districts

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
    """Reads households line by line and prints a line for each that cannot be taken.

    A line is a row: a quote that was left open spoils its own line, and nothing of the others is
    printed. What is printed tells the number of the household and no other value.
    """

    def __init__(
        self, terminal: Terminal, districts: Districts, campaign: Plan, seen: Seen
    ) -> None:
        self._terminal, self._districts, self._plan = terminal, districts, campaign
        self._seen = seen
        self.read = self.refused = 0

    def households(self, lines: Iterable[bytes], header: list[str]) -> Iterator[NewHousehold]:
        from ledger.campaigns.listing import NewHousehold

        for number, line in enumerate(lines, 2):
            if not line.strip():
                continue
            self.read += 1
            row = _row(line, header)
            household = row.get("household", "")
            grid, address = row.get("grid", ""), row.get("address") or None
            problem = self._problem(household, grid, address, row)
            if problem is None:
                yield NewHousehold(household, grid, address)
            else:
                self.refused += 1
                shown = household[:40] if household.isprintable() else ""
                click.echo(f"{number} {shown or '-'}\t{problem}")

    def _problem(
        self, household: str, grid: str, address: str | None, row: dict[str, str]
    ) -> str | None:
        from ledger.campaigns.frame import Household

        if not row or len(address or "") > ADDRESS_MAX:
            return self._said("malformed_row", "这一行不是 UTF-8 的 CSV，或列数、地址长度不对。",
                              "Not CSV in UTF-8, or of other columns, or too long.")  # fmt: skip
        try:
            msgspec.convert(household, Household)
        except msgspec.ValidationError:
            return self._said("malformed_household", "户号应为不含个人信息的字母数字编号。",
                              "A household is an opaque number of letters and digits.")  # fmt: skip
        if not grid:
            return self._said("missing_value", "缺少网格。", "The grid is missing.")
        if problem := self._misplaced(grid):
            return problem
        if not self._seen.add(household):
            return self._said("duplicate", "户号重复。", "The household stands here twice.")
        return None

    def _misplaced(self, grid: str) -> str | None:
        """What is wrong with the grid; where no districts were imported any will do."""
        if not self._districts.known(grid):
            return self._said("unknown_district", "没有这个网格。", "There is no such grid.")
        if not self._districts.is_lowest(grid):
            return self._said("not_a_grid", "这不是最下一级的网格。", "It has districts below it.")
        own = self._plan.district
        if own and self._districts.by_code and own not in self._districts.path(grid):
            return self._said("other_district", "该网格不在活动所在的行政区内。",
                              "The grid is not in the campaign's district.")  # fmt: skip
        return None

    def _said(self, code: str, zh: str, en: str) -> str:
        return f"{code}: {self._terminal.choose(zh, en)}"


def _header(line: bytes) -> list[str]:
    """The names of the columns; raises Refusal where this is no such file."""
    try:
        ((*names,),) = csv.reader([line.decode("utf-8-sig")], strict=True)
    except (UnicodeDecodeError, csv.Error, ValueError):
        raise Refusal("not_csv", "文件不是 UTF-8 的 CSV。", "This is not CSV in UTF-8.") from None
    if missing := [name for name in COLUMNS if name not in names]:
        columns = ", ".join(missing)
        raise Refusal("missing_column", f"缺少列：{columns}。", f"Missing columns: {columns}.")
    return [name.strip() for name in names]


def _row(line: bytes, header: list[str]) -> dict[str, str]:
    """The columns of one line by name; nothing for a line that cannot be read as the others."""
    try:
        (cells,) = csv.reader([line.decode()], strict=True)
    except (UnicodeDecodeError, csv.Error, ValueError):
        return {}
    if len(cells) != len(header):
        return {}
    return {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--campaign", type=click.UUID, required=True, help="走访活动编号 / of which campaign")
@click.pass_obj
def households(terminal: Terminal, file: Path, campaign: UUID) -> None:
    """导入走访底册（CSV：household,grid[,address]）/ households to visit; again adds none."""
    from ledger.campaigns.errors import UnknownCampaign

    with services() as opened, file.open("rb") as lines, closing(Seen()) as seen:
        header = _header(lines.readline())
        ledger = opened.ledger
        planned = ledger.campaigns.current(campaign)
        if planned.planned is None:
            raise UnknownCampaign
        frame = Frame(terminal, ledger.districts.current(), planned.plan, seen)
        with terminal.progress("导入住户", "reading households", _lines(file)) as step:
            new = ledger.list_households(
                campaign, frame.households(lines, header), opened.clock(), step
            )
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
