"""``gwc hold``: legal holds (依法保全), behind which nothing is erased."""

from __future__ import annotations

from typing import get_args
from uuid import UUID

import click
import msgspec

from ledger.erasure.erasures import HoldBasis, erasure_id
from ledger.words import FIELDS, FIELDS_SAID, in_words
from scripts.erase import actor, whose
from scripts.terminal import Terminal, services, settings_to_read

COLUMNS = ("hold_id", "subject", "basis", "fields", "by", "lifted")


@click.group()
def hold() -> None:
    """依法保全 / legal holds: place, lift, list."""


@hold.command()
@click.argument("subject", metavar="PARTICIPANT", type=click.UUID, required=False)
@click.option("--household", metavar="NUMBER", help="一户，按户号 / a household, by its number")
@click.option("--basis", type=click.Choice(get_args(HoldBasis)), default="investigation",
              show_default=True, help="依据 / why")
@click.option("--field", "fields", multiple=True, type=click.Choice(sorted(FIELDS)), metavar="NAME",
              help=f"只保全这些内容（可多次）/ these alone, else all; repeatable: {FIELDS_SAID}")
@click.option("--by", type=click.UUID, metavar="ID", help="由谁 / who places it")
@click.pass_obj
def place(
    terminal: Terminal, subject: UUID | None, household: str | None, basis: HoldBasis,
    fields: tuple[str, ...], by: UUID | None,
) -> None:  # fmt: skip
    """保全，打印编号 / place a hold; prints its id."""
    with services(settings_to_read()) as opened:
        who = None if by is None else actor(opened, by, "holds.manage")
        found = opened.ledger.place_hold(
            who, whose(subject, household), basis, fields, opened.clock(), household=household
        )
    click.echo(str(found.hold_id))
    terminal.note(f"已保全 {found.subject}。", f"{found.subject} is under a legal hold.")


@hold.command()
@click.argument("hold_id", metavar="HOLD", type=click.UUID)
@click.option("--by", type=click.UUID, metavar="ID", help="由谁 / who lifts it")
@click.pass_obj
def lift(terminal: Terminal, hold_id: UUID, by: UUID | None) -> None:
    """解除，并继续等待中的删除 / lift a hold; an erasure that waited for it goes on."""
    with services(settings_to_read()) as opened:
        who = None if by is None else actor(opened, by, "holds.manage")
        found = opened.ledger.lift_hold(who, hold_id, opened.clock())
        done = opened.ledger.run_erasure(found.subject, opened.clock())
    terminal.note(f"已解除；{found.subject} 的删除：{done.state}。",
                  f"Lifted; the erasure of {found.subject}: {done.state}.")  # fmt: skip


@hold.command("list")
@click.option("--all", "lifted_too", is_flag=True, help="包括已解除的 / lifted ones as well")
@click.option("--json", "as_json", is_flag=True, help="同样各列 / the same columns")
@click.pass_obj
def list_holds(terminal: Terminal, lifted_too: bool, as_json: bool) -> None:
    """在保全中的 / the holds in force, each with its basis, which the vault keeps."""
    with services(settings_to_read(), publish=False) as opened:
        vault = opened.ledger.vault
        found = [
            (one.hold_id, subject, vault.opened(erasure_id(subject), next(iter(one.sealed), None)),
             list(one.fields), one.by, one.hold_id in state.lifted)
            for subject, state in opened.ledger.erasures().items()
            for one in [*state.holds.values(), *(state.lifted.values() if lifted_too else ())]
        ]  # fmt: skip
    if as_json:
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in found]
        click.echo(msgspec.json.encode(rows))
    else:
        columns = terminal.choose("编号 对象 依据 内容 由谁 已解除", " ".join(COLUMNS)).split()
        terminal.table(columns, [
            (hold_id, subject, terminal.words(in_words("basis", basis or "")), " ".join(fields), by,
             terminal.choose("是", "yes") if lifted else "")
            for hold_id, subject, basis, fields, by, lifted in found
        ])  # fmt: skip
