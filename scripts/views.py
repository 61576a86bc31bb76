"""``gwc views`` and ``gwc rebuild``: how the views (视图) stand, and making them anew."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from scripts.terminal import Refusal, Terminal, WrongUse, reading

COLUMNS = ("name", "store", "state", "version", "generation", "position", "lag", "rows", "digest")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="同样各列，JSON 数组 / a list of objects")
@click.pass_obj
def views(terminal: Terminal, as_json: bool) -> None:
    """各视图的版本、位置、滞后与摘要 / version, position, lag and digest of every view."""
    with reading() as opened:
        lines = opened.views.status(opened.ledger.head())
    if as_json:
        click.echo(msgspec.json.encode(lines))
    else:
        terminal.table(COLUMNS, [[line[column] for column in COLUMNS] for line in lines])


@click.command()
@click.argument("view", required=False)
@click.option("--all", "every", is_flag=True, help="全部视图 / every view")
@click.option("--quotas", is_flag=True, help="已用额度，而非视图 / what is used of shared amounts")
@click.option("--json", "as_json", is_flag=True, help="重建结果，JSON 数组 / a list of objects")
@click.pass_obj
def rebuild(
    terminal: Terminal, view: str | None, every: bool, quotas: bool, as_json: bool
) -> None:
    """由日志重建视图，旧的照常服务 / rebuild beside the live view, compare, put in its place."""
    from projections import BY_NAME, VIEWS

    if quotas:
        _recount(terminal, as_json)
        return
    if (view is None) == (not every):
        raise WrongUse("usage", "请给出一个视图，或 --all。", "Name one view, or give --all.")
    if view is not None and view not in BY_NAME:
        names = ", ".join(BY_NAME)
        raise WrongUse("unknown_view", f"没有视图 {view}；有 {names}。", f"Views are: {names}.")
    rebuilt = _rebuild(terminal, VIEWS if view is None else [BY_NAME[view]])
    if as_json:
        click.echo(msgspec.json.encode(rebuilt))
    else:
        columns = ("name", "store", "rows", "seconds", "digest", "equal")
        terminal.table(columns, [
            (r.name, r.store, r.rows, f"{r.seconds:.2f}", r.digest,
             {True: "yes", False: "NO", None: "-"}[r.equal])
            for r in rebuilt
        ])  # fmt: skip
    if any(each.equal is False for each in rebuilt):
        raise click.exceptions.Exit(1)


def _recount(terminal: Terminal, as_json: bool) -> None:
    """Set right what is used of budgets, stocks and reversals, and say what was wrong."""
    from ledger.audit.quotas import recount

    with reading() as opened:
        found = recount(opened.ledger, opened.clock())
    rows = [{"key": key, "was": was, "is": right} for key, (was, right) in found.items()]
    if as_json:
        click.echo(msgspec.json.encode(rows))
    elif rows:
        terminal.table(("key", "was", "is"), [tuple(row.values()) for row in rows])
    terminal.note(f"更正 {len(rows)} 项已用额度。", f"{len(rows)} amounts were set right.")


def _rebuild(terminal: Terminal, chosen: Any) -> list[Any]:
    from projections.reading import open_stores
    from projections.rebuild import RebuildOutrun, rebuild_all
    from projections.store import StoreDown

    rebuilt: list[Any] = []
    with reading() as opened, terminal.progress("重建", "rebuilding") as step:
        for store in open_stores(opened.settings.database_url, opened.settings.redis_url):
            try:
                rebuilt += rebuild_all(opened.ledger, [store], chosen, lambda *_: step())
            except StoreDown as problem:
                said = " ".join(str(problem).split())
                raise Refusal(
                    "store_down", f"{store.name} 无法访问：{said}", f"{store.name} is down: {said}"
                ) from None
            except RebuildOutrun as problem:
                raise Refusal(
                    "rebuild_outrun", f"{problem} 正由他人重建，请稍后再试。",
                    f"{problem} is being rebuilt by somebody else; try again later.",
                ) from None
            finally:
                store.close()
    return rebuilt
