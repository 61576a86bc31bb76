"""``gwc explain``: where every coin of a wallet (钱包) came from, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import click
import msgspec

from scripts.balances import Moment, one_moment
from scripts.terminal import NoParticipant, Terminal, reading

if TYPE_CHECKING:
    from ledger.explain import Explanation

LOT_FIELDS = ("amount", "available", "held", "spent", "given", "expired", "reversed", "paid_debt")


@click.command()
@click.argument("participant", type=click.UUID)
@click.option("--as-of", type=Moment(), help="某日结束时，或某一时刻 / a day's end, or a time")
@click.option("--at-position", type=click.IntRange(min=0), metavar="N",
              help="到日志第 N 条为止 / up to the N-th entry of the log")
@click.option("--json", "as_json", is_flag=True, help="全部细节 / all details")
@click.pass_obj
def explain(
    terminal: Terminal, participant: UUID, as_of: datetime | None, at_position: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """逐批说明绿水币的来历与去向 / every lot: its cause, rule and policy, and what became of it.

    PARTICIPANT is a participant or an account; the sums of the lots are the balance.
    """
    one_moment(as_of, at_position)
    with reading() as opened:
        ledger = opened.ledger
        known = ledger.participant(participant).registered or ledger.account(participant).opened
        if known is None:
            raise NoParticipant(participant)
        moment = ledger.moment(as_of, at_position, opened.clock())
        explanation = ledger.wallet_as_of(participant, moment)
    if as_json:
        click.echo(msgspec.json.encode(explanation))
    else:
        show(terminal, explanation)


def show(terminal: Terminal, explanation: Explanation) -> None:
    """The lots with their sums, the refusals, and what is owed, as tables."""
    totals = explanation.totals
    rows = [
        (lot.earned_on or lot.recorded_at.date(), _kind(terminal, lot.kind),
         f"{lot.policy_version} {lot.rule}".strip(), lot.expires_on,
         *(getattr(lot, field) or None for field in LOT_FIELDS))
        for lot in explanation.lots
    ]  # fmt: skip
    sums = [getattr(totals, field) for field in LOT_FIELDS]
    columns = terminal.choose(
        "日期 活动 政策与规则 到期日 枚数 可用 冻结 已花 捐出 过期 撤回 抵欠",
        "day what policy/rule expires coins available held spent given expired reversed debt",
    )
    rows.append((terminal.choose("合计", "total"), None, None, None, *sums))
    title = terminal.choose(
        f"可用 {totals.available} 枚，冻结 {totals.held} 枚，尚欠 {totals.debt} 枚"
        f"（截至第 {explanation.position} 条）",
        f"{totals.available} available, {totals.held} held, {totals.debt} owed"
        f" (at position {explanation.position})",
    )
    terminal.table(columns.split(), rows, title)
    _refusals(terminal, explanation)
    _reversals(terminal, explanation)


def _refusals(terminal: Terminal, explanation: Explanation) -> None:
    from ledger.settlement import reason_text

    rows = [
        (one.earned_on, _kind(terminal, one.kind), f"{one.policy_version} {one.rule}",
         " ".join(terminal.words(reason_text(code)) for code in one.reasons))
        for one in explanation.refusals
    ]  # fmt: skip
    if rows:
        columns = terminal.choose("日期 活动 政策与规则 原因", "day what policy/rule reason")
        terminal.table(columns.split(), rows, terminal.choose("未发放的", "What earned nothing"))


def _reversals(terminal: Terminal, explanation: Explanation) -> None:
    from ledger.words import in_words

    rows = [
        (one.recorded_at.date(), terminal.words(in_words("reason", one.reason)), one.amount,
         one.debt, one.cause)
        for one in explanation.reversals
    ]  # fmt: skip
    if rows:
        columns = terminal.choose("日期 原因 撤回 当时欠 原发放", "day why coins owed_then award")
        terminal.table(columns.split(), rows, terminal.choose("被撤回的发放", "Awards taken back"))


def _kind(terminal: Terminal, kind: str) -> str:
    """What it was for, as people say it."""
    from ledger.contributions import BY_KIND
    from ledger.words import in_words

    known = BY_KIND.get(kind)
    return terminal.words(known.name if known else in_words("what", kind))
