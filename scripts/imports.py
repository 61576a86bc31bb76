"""``gwc import``: files from outside; a line for every item that is refused, with its reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn
from uuid import UUID

import click

from scripts.frames import households
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
@click.pass_obj
def rivers(terminal: Terminal, file: Path, district: str | None) -> None:
    """导入河段（GeoJSON，WGS-84 线）/ reaches from GeoJSON lines; again changes nothing."""
    from ledger.errors import UnknownDistrict
    from ledger.rivers import ReachImported
    from ledger.tracks import RiverProblem, length_m, read_rivers

    try:
        found, unread = read_rivers(file.read_bytes())
    except RiverProblem as problem:
        raise Refusal(problem.code, problem.zh, problem.en) from None
    refused = [RefusedItem(f"{r.index} {r.name or '-'}", r.code, r.zh, r.en) for r in unread]
    reaches = []
    with services() as opened:
        known = opened.ledger.districts.current().known
        if not known(district):
            raise UnknownDistrict(district=district)
        for reach in found:
            place = reach.district or district
            if not known(place):
                error = UnknownDistrict(district=place)
                refused.append(
                    RefusedItem(reach.name, error.code, error.sentence_zh, error.sentence_en)
                )
                continue
            reaches.append(ReachImported(
                reach_id=UUID(reach.reach_id), name=reach.name, district=place,
                official_code=reach.official_code, length_m=length_m(reach.lines),
                lines=reach.lines,
            ))  # fmt: skip
        new = opened.ledger.import_reaches(reaches, opened.clock())
    _report(terminal, len(reaches), new, refused)


@imports.command()
@click.argument("file", type=FILE)
@click.pass_obj
def districts(terminal: Terminal, file: Path) -> None:
    """导入行政区（CSV：code,name,parent,kind）/ districts; parents before or among them."""
    from ledger.districts import DistrictImported

    try:
        table = csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig")))
        rows = list(table)
    except (UnicodeDecodeError, csv.Error):
        raise Refusal("not_csv", "文件不是 UTF-8 的 CSV。", "This is not CSV in UTF-8.") from None
    if missing := [name for name in DISTRICT_COLUMNS if name not in (table.fieldnames or ())]:
        names = ", ".join(missing)
        raise Refusal("missing_column", f"缺少列：{names}。", f"Missing columns: {names}.")
    with services() as opened:
        earlier = set(opened.ledger.districts.current().by_code)
        refused = list(_bad_districts(rows, earlier))
        bad = {item.item for item in refused}
        good = [
            DistrictImported(
                code=row["code"].strip(), name=row["name"].strip(),
                parent=row["parent"].strip() or None, kind=row["kind"].strip(),
            )
            for number, row in enumerate(rows, 2)
            if _line(number, row) not in bad
        ]  # fmt: skip
        new = opened.ledger.import_districts(good, opened.clock())
    _report(terminal, len(good), new, refused)


def _bad_districts(rows: Sequence[dict[str, str]], known: set[str]) -> Iterator[RefusedItem]:
    """Rows that cannot be imported; those below a refused parent cannot either."""
    from ledger.districts import KINDS

    waiting: list[tuple[str, str, str | None]] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, 2):
        item = _line(number, row)
        code, name, parent, kind = ((row[column] or "").strip() for column in DISTRICT_COLUMNS)
        if not code or not name:
            yield RefusedItem(item, "missing_value", "缺少代码或名称。", "Code or name is missing.")
        elif kind not in KINDS:
            kinds = ", ".join(KINDS)
            yield RefusedItem(item, "unknown_kind", f"类型应为 {kinds}。", f"Kinds: {kinds}.")
        elif code in seen:
            yield RefusedItem(item, "duplicate", "代码重复。", "The code stands here twice.")
        else:
            seen.add(code)
            waiting.append((item, code, parent or None))
    accepted = set(known)
    while ready := [each for each in waiting if each[2] is None or each[2] in accepted]:
        accepted.update(code for _, code, _ in ready)
        waiting = [each for each in waiting if each not in ready]
    for item, _, above in waiting:
        zh, en = f"没有上级行政区 {above}。", f"There is no parent district {above}."
        yield RefusedItem(item, "unknown_district", zh, en)


def _line(number: int, row: dict[str, str]) -> str:
    return f"{number} {row['code'] or '-'}"


def _report(
    terminal: Terminal, taken: int, new: int, refused: Sequence[RefusedItem]
) -> None:
    for item in refused:
        click.echo(f"{item.item}\t{item.code}: {terminal.choose(item.zh, item.en)}")
    click.echo(terminal.choose(
        f"读取 {taken} 条，新增或更新 {new} 条，未接受 {len(refused)} 条。",
        f"{taken} read, {new} new or changed, {len(refused)} refused.",
    ))  # fmt: skip
    if refused:
        _end_with_refusals()


def _end_with_refusals() -> NoReturn:
    raise click.exceptions.Exit(1)


imports.add_command(households)


@imports.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--participant", type=click.UUID, required=True,
              help="巡河者的参与者编号 / whose patrols they are")
@click.option("--reach", metavar="ID", help="所属河段；不填则取最近的 / else the nearest one")
@click.pass_obj
def gpx(terminal: Terminal, path: Path, participant: UUID, reach: str | None) -> None:
    """导入巡河轨迹（GPX 文件或文件夹）/ patrols from GPX: name, verdict, coins, length, reasons.

    Columns are separated by tabs. The submission is named by the file's content, so the same
    file again gets the receipt it got before.
    """
    from ledger.errors import NotFound
    from scripts.patrol_files import import_file, patrolling

    files = sorted(path.glob("*.[gG][pP][xX]")) if path.is_dir() else [path]
    if not files:
        raise Refusal("no_files", "文件夹中没有 GPX 文件。", "There is no GPX file in the folder.")
    unusable = False
    with services() as opened, terminal.progress("导入轨迹", "reading tracks", len(files)) as step:
        try:
            actor = patrolling(opened.ledger, participant)
        except NotFound:
            raise NoParticipant(participant) from None
        for file in files:
            outcome = import_file(opened.ledger, file, actor, reach, opened.clock())
            unusable |= outcome.verdict in ("invalid", "unreadable")
            length = "-" if outcome.length_m is None else f"{outcome.length_m} m"
            reasons = "; ".join(f"{code} {terminal.words(t)}" for code, t in outcome.reasons)
            click.echo("\t".join(
                [file.name, outcome.verdict, str(outcome.coins), length, reasons]
            ))  # fmt: skip
            step()
    if unusable:
        _end_with_refusals()
