"""``gwc``: what operators run. Each command is loaded when it is called, so that help is quick."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from scripts.terminal import LANGUAGES, Terminal, explained

# Name -> where it lives, and its line of help in Chinese and English.
COMMANDS = {
    "demo": ("scripts.demo:demo", "演示一座小城市 / play a small city, print it, serve it"),
    "serve": ("scripts.serve:serve", "启动服务 / the web server, follower and notary"),
    "follow": ("scripts.serve:follow", "只运行视图更新 / keep the views up to date, alone"),
    "notary": ("scripts.notary:notary", "公证日志 / publish and sign the log, alone"),
    "witness": ("scripts.witness:witness", "见证日志 / cosign the checkpoints of other logs"),
    "token": ("scripts.tokens:token", "签发、吊销令牌 / issue and revoke bearer tokens"),
    "import": ("scripts.imports:imports", "导入 / rivers, districts, GPX files"),
    "policy": ("scripts.policies:policy", "奖励政策 / publish and show the reward policy"),
    "budget": ("scripts.budgets:budget", "预算 / the coins a district may award for a year"),
    "balances": ("scripts.balances:balances", "余额 / every balance from the log alone, as CSV"),
    "replay": ("scripts.replay:replay", "重算奖励 / recompute every award from the facts"),
    "explain": ("scripts.explain:explain", "逐枚说明 / every coin of a wallet, what became of it"),
    "expire": ("scripts.expire:expire", "到期处理 / write off expired coins, end overdue holds"),
    "erase": ("scripts.erase:erase", "删除个人信息 / erase a person, a household, an account"),
    "hold": ("scripts.holds:hold", "依法保全 / legal holds: nothing behind them is erased"),
    "views": ("scripts.views:views", "视图状态 / version, position, lag, digest of the views"),
    "rebuild": ("scripts.views:rebuild", "重建视图 / rebuild views while the old ones serve"),
    "audit": ("scripts.audit:audit", "审计 / every check; a line per finding"),
    "database": ("scripts.database:database", "数据库角色 / tables, the application's role"),
    "receipt": ("scripts.receipts:receipt", "回执 / check a receipt, or make one without us"),
    "history": ("scripts.history:history", "历史 / every fact in a sentence; filters, live tail"),
    "export": ("scripts.exports:export", "导出 / history, journal, an auditor's bundle"),
    "bench": ("scripts.bench:bench", "性能对比 / measure against the stock library"),
}


class Commands(click.Group):
    """The commands of COMMANDS, imported one by one on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(
        self, ctx: click.Context, cmd_name: str  # noqa: ARG002
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        _speak(command)
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter  # noqa: ARG002
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _choose(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value:
        ctx.ensure_object(Terminal).lang = value


def _lang() -> click.Option:
    return click.Option(
        ["--lang"], type=click.Choice(LANGUAGES), expose_value=False, callback=_choose,
        is_eager=True, help="输出语言 / language of the output",
    )  # fmt: skip


def _speak(command: click.Command) -> None:
    """Let --lang stand behind the command as well as before it."""
    if not any(parameter.name == "lang" for parameter in command.params):
        command.params.append(_lang())
    for inner in getattr(command, "commands", {}).values():
        _speak(inner)


commands = Commands(
    name="gwc",
    params=[_lang()],
    help="绿水币 Green Water Coin。退出码 / exit status: 0 ok, 1 finding or refusal, 2 wrong use.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: list[str] | None = None) -> None:
    """Run one command; an expected failure is one line on stderr and a status, no traceback."""
    terminal = Terminal()
    try:
        status: Any = commands.main(
            arguments, prog_name="gwc", standalone_mode=False, obj=terminal
        )
    except Exception as error:
        explanation = explained(error, terminal)
        if explanation is None:
            raise
        for line in explanation.lines:
            click.echo(line, err=True)
        status = explanation.status
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
