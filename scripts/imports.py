"""``gwc import``: files from outside; a line for every item that is refused, with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import click

from ledger.words import Text
from scripts.frames import households
from scripts.reports import AS_JSON, SHOWN_MAX, Report
from scripts.sheets import MALFORMED_ROW, UNREADABLE_ROW, Row, Sheet
from scripts.terminal import NoParticipant, Refusal, Terminal, services

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DISTRICT_COLUMNS = ("code", "name", "parent", "kind")


class RefusedItem(NamedTuple):
    """One item of a file that was not imported."""

    item: str
    code: str
    zh: str
    en: str


@click.group("import")
def imports() -> None:
    """导入文件 / bring files in; a line per refused item."""


@imports.command()
@click.argument("file", type=FILE)
@click.option("--district", metavar="CODE", help="河段所属行政区 / for reaches that name none")
@AS_JSON
@click.pass_obj
def rivers(terminal: Terminal, file: Path, district: str | None, *, as_json: bool) -> None:
    """导入河段（GeoJSON，WGS-84 线）/ reaches from GeoJSON lines; again changes nothing."""
    from ledger.errors import InvalidInput
    from ledger.rivers import ReachImported
    from ledger.tracks import RiverProblem, length_m, read_rivers

    try:
        found, unread = read_rivers(file.read_bytes())
    except RiverProblem as problem:
        raise Refusal(problem.code, problem.zh, problem.en) from None
    refused = [RefusedItem(f"{r.index} {r.name or '-'}", r.code, r.zh, r.en) for r in unread]
    reaches = []
    with services() as opened:
        tree = opened.ledger.districts.current()
        tree.check(district)
        for reach in found:
            place = reach.district or district
            try:
                tree.check(place)
            except InvalidInput as error:
                (why,) = error.errors
                refused.append(RefusedItem(reach.name, why.code, why.zh, why.en))
                continue
            reaches.append(ReachImported(
                reach_id=UUID(reach.reach_id), name=reach.name, district=place,
                official_code=reach.official_code, length_m=length_m(reach.lines),
                lines=reach.lines,
            ))  # fmt: skip
        new = opened.ledger.import_reaches(reaches, opened.clock())
    _report(Report(terminal, as_json=as_json), len(reaches), new, refused)


@imports.command()
@click.argument("file", type=FILE)
@AS_JSON
@click.pass_obj
def districts(terminal: Terminal, file: Path, *, as_json: bool) -> None:
    """导入行政区（CSV：code,name,parent,kind）/ districts; parents before or among them."""
    from ledger.districts import DistrictImported

    rows = list(Sheet(file, DISTRICT_COLUMNS).rows())
    with services() as opened:
        refused = list(_bad_districts(rows))
        bad = {item.item for item in refused}
        read = {
            _line(line, cells): DistrictImported(
                code=cells["code"], name=cells["name"], parent=cells["parent"] or None,
                kind=cells["kind"],
            )
            for line, cells in rows
            if _line(line, cells) not in bad
        }  # fmt: skip
        misfits = opened.ledger.misfits(list(read.values()))
        refused += [
            RefusedItem(item, why.code, why.zh, why.en)
            for item, one in read.items() if (why := misfits.get(one.code))
        ]  # fmt: skip
        good = [one for one in read.values() if one.code not in misfits]
        new = opened.ledger.import_districts(good, opened.clock())
    _report(Report(terminal, as_json=as_json), len(good), new, refused)


def _bad_districts(rows: Sequence[Row]) -> Iterator[RefusedItem]:
    """Rows that could not be imported whatever the tree they are to go into."""
    from ledger.districts import fault

    seen: set[str] = set()
    for line, cells in rows:
        item = _line(line, cells)
        code, name, _, kind = (cells.get(column, "") for column in DISTRICT_COLUMNS)
        if not cells:
            yield RefusedItem(item, MALFORMED_ROW, *UNREADABLE_ROW)
        elif problem := fault(code, name, kind):
            yield RefusedItem(item, problem.code, problem.zh, problem.en)
        elif code in seen:
            yield RefusedItem(item, "duplicate", "代码重复。", "The code stands here twice.")
        else:
            seen.add(code)


def _line(line: int, cells: dict[str, str]) -> str:
    return f"{line} {cells.get('code', '')[:SHOWN_MAX] or '-'}"


def _report(report: Report, taken: int, new: int, refused: Sequence[RefusedItem]) -> None:
    for item in refused:
        report.refuse(*item)
    read = taken + len(refused)
    report.end(
        Text(f"读取 {read} 条，新增或更新 {new} 条，未接受 {report.refused} 条。",
             f"{read} read, {new} new or changed, {report.refused} refused."),
        read=read, new=new, refused=report.refused,
    )  # fmt: skip


imports.add_command(households)


@imports.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--participant", type=click.UUID, required=True,
              help="巡河者的参与者编号 / whose patrols they are")
@click.option("--reach", metavar="ID", help="所属河段；不填则取最近的 / else the nearest one")
@AS_JSON
@click.pass_obj
def gpx(
    terminal: Terminal, path: Path, participant: UUID, reach: str | None, *, as_json: bool
) -> None:
    """导入巡河轨迹（GPX 文件或文件夹）/ patrols from GPX: name, verdict, coins, length, reasons.

    Columns are separated by tabs. The submission is named by the file's content, so the same
    file again gets the receipt it got before.
    """
    from ledger.errors import NotFound
    from scripts.patrol_files import import_file, patrolling

    files = sorted(path.glob("*.[gG][pP][xX]")) if path.is_dir() else [path]
    if not files:
        raise Refusal("no_files", "文件夹中没有 GPX 文件。", "There is no GPX file in the folder.")
    report = Report(terminal, as_json=as_json)
    with services() as opened, terminal.progress("导入轨迹", "reading tracks", len(files)) as step:
        try:
            actor = patrolling(opened.ledger, participant)
        except NotFound:
            raise NoParticipant(participant) from None
        for file in files:
            outcome = import_file(opened.ledger, file, actor, reach, opened.clock())
            length = "-" if outcome.length_m is None else f"{outcome.length_m} m"
            reasons = "; ".join(f"{code} {terminal.words(t)}" for code, t in outcome.reasons)
            report.line([file.name, outcome.verdict, str(outcome.coins), length, reasons], {
                "file": file.name, "verdict": outcome.verdict, "coins": outcome.coins,
                "length_m": outcome.length_m,
                "reasons": [{"code": code, "zh": t.zh, "en": t.en} for code, t in outcome.reasons],
            }, refused=outcome.verdict in ("invalid", "unreadable"))  # fmt: skip
            step()
    report.end(None, read=len(files), refused=report.refused)
