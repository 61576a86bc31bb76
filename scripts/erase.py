"""``gwc erase``: erase somebody's personal data (删除个人信息), or go on with what was begun."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, get_args
from uuid import UUID

import click
import msgspec

from ledger.erasure.erasures import Basis
from scripts.terminal import Refusal, Terminal, WrongUse, services, settings_to_read

if TYPE_CHECKING:
    from api.services import Services
    from ledger.erasure.asking import ErasureReceipt
    from ledger.participants import Actor

STEPS = {
    "fenced": ("围栏已设：此前保存的都将销毁", "fenced: all that was kept until now is to go"),
    "access_ended": ("令牌、角色与同意已终止", "tokens, roles and consents have ended"),
    "destroyed": ("密钥与内容已销毁", "key and rows are destroyed"),
    "scrubbed": ("残留字节已清除", "their bytes are scrubbed"),
    "checked": ("自查：已无残留", "checked: nothing is left"),
    "limited": ("完成，依法保全的除外", "done, but for what is under a legal hold"),
    "completed": ("完成", "completed"),
}


@click.command()
@click.argument("subject", metavar="PARTICIPANT", type=click.UUID, required=False)
@click.option("--household", metavar="NUMBER", help="一户，按户号 / a household, by its number")
@click.option("--basis", type=click.Choice(get_args(Basis)), default="consent_withdrawn",
              show_default=True, help="依据（个人信息保护法第四十七条） / why (PIPL art. 47)")
@click.option("--by", type=click.UUID, metavar="ID", help="由谁提出或批准 / who asks or approves")
@click.option("--approve", is_flag=True, help="作为第二人批准 / the second person's yes")
@click.option("--pending", is_flag=True,
              help="列出未办结的，并继续可继续的 / list what is open; go on with what can")
@click.option("--yes", is_flag=True, help="不再询问 / do not ask")
@click.option("--json", "as_json", is_flag=True,
              help="结果 / {id, subject, state, position, keys, rows, photos, tokens, kept}")
@click.pass_obj
def erase(
    terminal: Terminal, subject: UUID | None, household: str | None, basis: Basis,
    by: UUID | None, approve: bool, pending: bool, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """删除一人（户、账户）的个人信息，不能撤销 / erase a participant, a household, an account.

    What was awarded and spent stays. Somebody who held an office takes a second person: --approve
    --by an approver. Behind a legal hold nothing is erased.
    """
    with services(settings_to_read()) as opened:
        if pending:
            show_pending(terminal, opened, as_json)
            return
        subject = whose(subject, household)
        if not yes and sys.stdin.isatty():
            click.confirm(terminal.choose(
                f"删除 {subject} 的个人信息，不能撤销。继续？",
                f"Erase the personal data of {subject}? This cannot be undone.",
            ), abort=True, err=True)  # fmt: skip
        ask(opened, subject, household, basis, by, approve=approve)
        done = opened.ledger.run_erasure(
            subject, opened.clock(), lambda step: terminal.note(*STEPS[step])
        )
    tell(terminal, done, as_json)


def whose(subject: UUID | None, household: str | None) -> UUID:
    """The subject that is meant; raises WrongUse for none, or for two."""
    from ledger.campaigns.frame import household_subject

    if household is not None and subject is None:
        return household_subject(household)
    if subject is None or household is not None:
        raise WrongUse("usage", "请给出 PARTICIPANT，或 --household 户号。",
                       "Give PARTICIPANT, or --household NUMBER.")  # fmt: skip
    return subject


def actor(opened: Services, person: UUID, right: str) -> Actor:
    """Somebody in whichever of their roles has a right; raises Forbidden."""
    from ledger.access import RIGHTS
    from ledger.errors import Forbidden
    from ledger.participants import Actor

    roles = opened.ledger.participant(person).roles
    for role, district in roles.items():
        if role in RIGHTS[right]:
            return Actor(person, role, district)
    raise Forbidden


def ask(
    opened: Services, subject: UUID, household: str | None, basis: Basis, by: UUID | None, *,
    approve: bool,
) -> None:  # fmt: skip
    """Ask for it unless it is asked for already; or say the second person's yes."""
    from ledger.erasure.asking import erasure_id

    ledger, now = opened.ledger, opened.clock()
    state = ledger.erasure(subject)
    if approve:
        if by is None:
            raise WrongUse("usage", "--approve 须注明 --by。", "--approve wants --by.")
        second = actor(opened, by, "erasures.decide")
        ledger.approve_erasure(second, erasure_id(subject), None, None, now)
    elif not (state.due or state.frozen or state.waits_for_second) or state.step == "unknown":
        who = None
        if by is not None:
            who = actor(opened, by, "me.erase" if by == subject else "erasures.ask")
        ledger.ask_erasure(who, subject, basis, now, household=household)


def show_pending(terminal: Terminal, opened: Services, as_json: bool) -> None:
    """Go on with what can be, then list what is open: for whom it waits, and since when."""
    ledger = opened.ledger
    for done in ledger.resume_erasures(opened.clock()):
        terminal.note(f"{done.subject}：已继续（{done.state}）", f"{done.subject}: {done.state}")
    rows = [
        (subject, state.state, state.position, " ".join(state.kept))
        for subject, state in ledger.erasures().items()
        if state.step in ("requested", "approved", "fenced", "limited")
    ]
    if as_json:
        click.echo(msgspec.json.encode([
            dict(zip(("subject", "state", "position", "kept"), row, strict=True)) for row in rows
        ]))  # fmt: skip
    else:
        columns = terminal.choose("对象 状态 位置 保全", "subject state position kept")
        terminal.table(columns.split(), rows)


def tell(terminal: Terminal, done: ErasureReceipt, as_json: bool) -> None:
    """The counts; status 1 for an erasure that waits, with whom it waits for."""
    if as_json:
        told = msgspec.structs.asdict(done)
        del told["hold_id"], told["replayed"]
        click.echo(msgspec.json.encode(told))
    elif done.state in ("completed", "limited"):
        click.echo(terminal.choose(
            f"第 {done.position} 条：密钥 {done.keys}、内容 {done.rows}（照片 {done.photos}）、"
            f"令牌 {done.tokens}",
            f"position {done.position}: {done.keys} keys, {done.rows} rows"
            f" ({done.photos} photos), {done.tokens} tokens",
        ))  # fmt: skip
    if done.state == "held":
        raise Refusal("held", "依法保全中，未删除；解除后自动继续。",
                      "Under a legal hold: nothing was erased; it goes on once that is lifted.")
    if done.state == "requested":
        command = f"gwc erase {done.subject} --approve --by …"
        raise Refusal("approval_needed", f"须由第二人批准：{command}",
                      f"A second person decides: {command}")  # fmt: skip
