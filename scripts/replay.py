"""``gwc replay``: every award (奖励) recomputed from the facts, under the policy then in force."""

from __future__ import annotations

import click

from scripts.terminal import Terminal, reading


@click.command()
@click.pass_obj
def replay(terminal: Terminal) -> None:
    """由事实重算全部奖励 / recompute every award; a line per difference, status 1 on any."""
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
    click.echo(terminal.choose(
        f"重算 {settling.awards} 次发放、{settling.refusals} 次不予发放；差异 {differences} 处。",
        f"{settling.awards} awards and {settling.refusals} refusals recomputed;"
        f" {differences} differences.",
    ))  # fmt: skip
    if differences:
        raise click.exceptions.Exit(1)
