"""``gwc policy``: the reward policy (奖励政策) as a file; what show prints, publish takes."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from scripts.balances import Moment
from scripts.terminal import Refusal, Terminal, reading, services


@click.group()
def policy() -> None:
    """奖励政策 / the reward policy as versioned data."""


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def publish(terminal: Terminal, file: Path) -> None:
    """发布一版政策 / publish a version; the same file again changes nothing."""
    try:
        # By bytes: reading as text would change line ends, and the file is kept as it reads.
        toml = file.read_bytes().decode()
    except UnicodeDecodeError:
        raise Refusal("invalid_policy", "文件不是 UTF-8。", "The file is not UTF-8.") from None
    # A city's own first policy needs no other before it.
    with services(publish=False) as opened:
        published = opened.ledger.publish_policy(toml, None, opened.clock())
    terminal.note(
        f"政策 {published.version} 已发布，自 {published.effective_from} 起生效。",
        f"Policy {published.version} is published, effective from {published.effective_from}.",
    )


@policy.command()
@click.option("--as-of", type=Moment(), help="某日生效的政策 / in force on a day; default today")
def show(as_of: datetime | None) -> None:
    """现行政策，原文 / the policy in force, exactly as it was published."""
    from ledger.days import day_of

    with reading() as opened:
        day = day_of(as_of or opened.clock())
        found = opened.ledger.policies.current().in_force(day)
    if found is None:
        raise Refusal("no_policy", f"{day} 没有生效的政策。", f"No policy is in force on {day}.")
    sys.stdout.buffer.write(found.toml.encode())
