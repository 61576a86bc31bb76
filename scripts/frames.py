"""``gwc import households``: the frame of a campaign from a CSV, however long it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from ledger.words import Text
from scripts.reports import AS_JSON, SHOWN_MAX, Report
from scripts.sheets import MALFORMED_ROW, UNREADABLE_ROW, Row, Sheet
from scripts.terminal import Terminal, services

if TYPE_CHECKING:
    from ledger.campaigns.listing import CommitTold, ListedOtherwise, NewHousehold
    from ledger.districts import Districts
    from ledger.errors import FieldError

COLUMNS = ("household", "grid")


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
    """Reads households row by row and tells of each that cannot be taken.

    What is told names the household by its number, and the grid it is listed in, and no other
    value; nor its number where that is none.
    """

    def __init__(
        self, report: Report, district: str | None, districts: Districts, seen: Seen
    ) -> None:
        self._report, self._district, self._districts = report, district, districts
        self._seen = seen
        self._lines: dict[str, int] = {}
        self.read = self.otherwise = 0

    def households(self, rows: Iterator[Row]) -> Iterator[NewHousehold]:
        from ledger.campaigns.listing import NewHousehold

        for line, cells in rows:
            self.read += 1
            household = cells.get("household", "")
            one = NewHousehold(household, cells.get("grid", ""), cells.get("address") or None)
            if problem := self._problem(one) if cells else _unreadable():
                shown = "" if problem.code == "personal_number" else household
                self._refuse(line, shown, problem)
            else:
                self._lines[household] = line
                yield one

    def _problem(self, one: NewHousehold) -> FieldError | None:
        from ledger.campaigns.listing import fault, twice
        from ledger.errors import FieldError

        if one.household and not one.grid:
            return FieldError("grid", "missing_value", "缺少网格。", "The grid is missing.")
        problem = fault(one, self._district, self._districts)
        if problem is None and not self._seen.add(one.household):
            return twice("")
        return problem

    def _refuse(self, line: int, household: str, problem: FieldError) -> None:
        shown = household[:SHOWN_MAX] if household.isprintable() else ""
        self._report.refuse(f"{line} {shown or '-'}", problem.code, problem.zh, problem.en)

    def told(self, step: Callable[[int], None]) -> CommitTold:
        """What hears of each commit: it tells of households that are in the frame otherwise."""

        def hear(read: int, otherwise: Sequence[ListedOtherwise]) -> None:
            for one in otherwise:
                self._report.tell(f"{self._lines[one.household]} {one.household}", *_said(one))
            self.otherwise += len({one.household for one in otherwise})
            self._lines.clear()
            step(read)

        return hear


def _unreadable() -> FieldError:
    from ledger.errors import FieldError

    return FieldError("", MALFORMED_ROW, *UNREADABLE_ROW)


def _said(one: ListedOtherwise) -> tuple[str, str, str]:
    """Code and sentences for a household that stays as it was listed before."""
    if one.field == "grid":
        return ("listed_in_other_grid", f"底册中该户在网格 {one.grid}；未作改动。",
                f"It is listed in the grid {one.grid}, and stays there.")  # fmt: skip
    if one.field == "erased":
        return ("household_erased", "该户的个人信息已删除；户号在底册中，地址不再保存。",
                "It was erased: its number is in the frame, its address is not kept.")  # fmt: skip
    return ("listed_with_other_address", "底册中该户的地址不同；未作改动。",
            "It is listed with another address, which stays.")  # fmt: skip


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--campaign", type=click.UUID, required=True, help="走访活动编号 / of which campaign")
@AS_JSON
@click.pass_obj
def households(terminal: Terminal, file: Path, campaign: UUID, *, as_json: bool) -> None:
    """导入走访底册（CSV：household,grid[,address]）/ households to visit; again adds none.

    A household that is in the frame already stays as it was listed; where the file says otherwise
    a line tells.
    """
    from ledger.campaigns.errors import UnknownCampaign

    report, sheet = Report(terminal, as_json=as_json), Sheet(file, COLUMNS, ("address",))
    with services() as opened, closing(Seen()) as seen:
        ledger = opened.ledger
        planned = ledger.campaigns.current(campaign)
        if planned.planned is None:
            raise UnknownCampaign
        frame = Frame(report, planned.plan.district, ledger.districts.current(), seen)
        with terminal.progress("导入住户", "reading households", sheet.lines) as step:
            new = ledger.list_households(
                campaign, frame.households(sheet.rows()), opened.clock(), frame.told(step)
            )
    read, refused, otherwise = frame.read, report.refused, frame.otherwise
    report.end(
        Text(
            f"读取 {read} 户，新增 {new} 户，未接受 {refused} 户"
            + (f"，与底册不同 {otherwise} 户。" if otherwise else "。"),
            f"{read} read, {new} new, {refused} refused"
            + (f", {otherwise} listed otherwise." if otherwise else "."),
        ),
        read=read, new=new, refused=refused, otherwise=otherwise,
    )  # fmt: skip
