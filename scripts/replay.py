"""``gwc replay``: every award (奖励) recomputed, as it was decided or under another policy."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from scripts.terminal import Refusal, Terminal, WrongUse, reading


@click.command()
@click.option("--policy", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="假设一直适用此政策 / as if this policy file had been in force all along")
@click.option("--json", "as_json", is_flag=True,
              help="假设推演的结果 / with --policy: {policy, people, awarded, would, difference}")
@click.pass_obj
def replay(terminal: Terminal, file: Path | None, as_json: bool) -> None:
    """由事实重算全部奖励 / recompute every award; a line per difference, status 1 on any.

    With --policy: what everybody would have been awarded, and the sum; that is no fault, status 0.
    """
    if as_json and file is None:
        raise WrongUse("usage", "--json 须与 --policy 同用。", "--json goes with --policy.")
    if file is not None:
        _what_if(terminal, file, as_json)
    elif _differences(terminal):
        raise click.exceptions.Exit(1)


def _differences(terminal: Terminal) -> int:
    from ledger.audit import Settling

    settling, differences = Settling(), 0
    with reading() as opened:
        head = opened.ledger.head()
        with terminal.progress("重算奖励", "replaying", head) as step:
            for entry in opened.ledger.entries():
                for finding in settling.check(entry):
                    click.echo(str(finding))
                    differences += 1
                step()
        for finding in settling.end():
            click.echo(str(finding))
            differences += 1
    awards, refusals = settling.books.awards, settling.books.refusals
    click.echo(terminal.choose(
        f"重算 {awards} 次发放、{refusals} 次不予发放；差异 {differences} 处。",
        f"{awards} awards and {refusals} refusals recomputed; {differences} differences.",
    ))  # fmt: skip
    return differences


def _what_if(terminal: Terminal, file: Path, as_json: bool) -> None:
    from ledger.audit.whatif import WhatIf
    from ledger.settlement import parsed

    try:
        toml = file.read_bytes().decode()
    except UnicodeDecodeError:
        raise Refusal("invalid_policy", "文件不是 UTF-8。", "The file is not UTF-8.") from None
    what_if, version = WhatIf(toml), parsed(toml).version
    with reading() as opened, terminal.progress(
        "假设推演", "replaying", opened.ledger.head()
    ) as step:  # fmt: skip
        for entry in opened.ledger.entries():
            what_if.add(entry)
            step()
    awarded, would = what_if.totals()
    found = [
        {"participant_id": one.participant_id, "awarded": one.awarded, "would": one.would,
         "difference": one.difference}
        for one in what_if.differences()
    ]  # fmt: skip
    if as_json:
        click.echo(msgspec.json.encode({
            "policy": version, "people": found, "awarded": awarded, "would": would,
            "difference": would - awarded,
        }))  # fmt: skip
        return
    rows = [(*one.values(),) for one in found]
    columns = terminal.choose("参与者 已发放 按此政策 差异", "participant awarded would difference")
    title = terminal.choose(
        f"若一直适用政策 {version}：{len(rows)} 人的发放会不同",
        f"Had policy {version} been in force all along: {len(rows)} people differ",
    )
    total = terminal.choose("合计", "total")
    terminal.table(columns.split(), [*rows, (total, awarded, would, would - awarded)], title)
