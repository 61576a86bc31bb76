"""``gwc token``: bearer tokens (访问令牌) for people and for other systems."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import click
import msgspec

from ledger.participants import ROLES
from scripts.terminal import NoParticipant, Refusal, Terminal, services, write_csv

THREADS = 16
TOKEN = re.compile(r"-[\w-]{20,}")  # longer than any option, for those that begin with a dash


class Issued(msgspec.Struct):
    """What is printed of a token."""

    token: str
    participant_id: UUID
    role: str
    district: str | None


@click.group()
def token() -> None:
    """签发、吊销访问令牌 / issue and revoke bearer tokens."""


@token.command()
@click.option("--role", type=click.Choice(ROLES), required=True,
              help="令牌的角色 / the role it is for")
@click.option("--participant", type=click.UUID, help="不填则新登记 / else a new one")
@click.option("--district", metavar="CODE",
              help="角色所在行政区 / the district of the role; none: the whole city")
@click.option("--count", type=click.IntRange(1, 100_000), default=1, show_default=True,
              help="签发几个，各给一位新参与者 / how many, each for somebody new")
@click.option("--json", "as_json", is_flag=True,
              help="{token, participant_id, role, district}；多个则为数组 / a list for several")
@click.option("--csv", "as_csv", is_flag=True, help="同样各列，一行一个 / the same columns as CSV")
@click.pass_obj
def issue(
    terminal: Terminal,
    role: str,
    participant: UUID | None,
    district: str | None,
    count: int,
    as_json: bool,
    as_csv: bool,
) -> None:
    """签发令牌，只显示这一次 / print a token, this once: only its hash is kept."""
    from ledger.errors import NotFound

    with services() as opened, ThreadPoolExecutor(min(count, THREADS)) as threads:

        def one(_: int) -> Issued:
            try:
                registration = opened.ledger.issue_token(
                    role, opened.clock(), participant=participant, district=district
                )
            except NotFound:
                assert participant is not None
                raise NoParticipant(participant) from None
            return Issued(registration.token, registration.participant_id, role, district)

        issued = list(threads.map(one, range(count)))
    if as_csv:
        write_csv(
            Issued.__struct_fields__,
            [(each.token, each.participant_id, role, district or "") for each in issued],
        )
    elif as_json:
        click.echo(msgspec.json.encode(issued if count > 1 else issued[0]))
    else:
        for each in issued:
            click.echo(each.token)
            terminal.note(f"参与者 {each.participant_id}", f"participant {each.participant_id}")


class OfToken(click.Command):
    """A command on a token, which may begin with a dash and is no option then."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        tokens = [one for one in args if TOKEN.fullmatch(one)]
        return super().parse_args(ctx, [*(one for one in args if one not in tokens), "--", *tokens])


@token.command(cls=OfToken)
@click.argument("bearer", metavar="TOKEN")
@click.pass_obj
def revoke(terminal: Terminal, bearer: str) -> None:
    """吊销令牌，20 毫秒内处处失效 / end a token: within 20 ms no worker knows it any more."""
    from ledger.errors import NotFound

    with services() as opened:
        try:
            opened.ledger.revoke_token(bearer, opened.clock())
        except NotFound:
            raise Refusal("not_found", "没有这个令牌。", "There is no such token.") from None
    terminal.note("令牌已吊销。", "The token is revoked.")
