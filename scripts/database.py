"""``gwc database``: the tables and the application's role (数据库角色), by the owner of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from scripts.terminal import Refusal, Terminal, WrongUse

if TYPE_CHECKING:
    from ledger.store.immutable import Weakness
    from ledger.store.postgres import Connection
    from ledger.store.recorder import LogRecorder

COMMAND = "gwc database prepare --app-role ROLE"


@click.group()
def database() -> None:
    """数据库角色 / tables, and what the application's role may do with them."""


@database.command()
@click.option("--app-role", required=True, help="服务所用的数据库角色 / the role gwc runs as")
@click.option("--json", "as_json", is_flag=True, help="同样两列，JSON 数组 / a list of objects")
@click.pass_obj
def prepare(terminal: Terminal, app_role: str, as_json: bool) -> None:
    """建表并授权，升级后再运行 / by the owner's URL: make tables, grant; again after an upgrade.

    The role gets SELECT and INSERT on events, and nothing there besides: what was recorded can
    then be changed by the owner alone, as whom no service should run.
    """
    from api.config import Settings

    settings = Settings.from_env(keyless=True)
    if settings.sqlite_path is not None:
        raise WrongUse(
            "no_roles", "SQLite 没有角色；请把 GWC_DATABASE_URL 设为所有者的 postgresql://…。",
            "SQLite has no roles; set GWC_DATABASE_URL to the owner's postgresql://….",
        )  # fmt: skip
    rights = _prepared(settings.database_url, settings.unsafe_test_server, app_role)
    rows = [{"table": table, "rights": words} for table, words in rights.items()]
    if as_json:
        click.echo(msgspec.json.encode(rows))
    else:
        terminal.table(("table", "rights"), [tuple(row.values()) for row in rows])
    terminal.note(
        f"角色 {app_role} 可以写入、不能更改历史；请让服务以它连接。",
        f"{app_role} can add to the history and not change it; let the services connect as it.",
    )


def _prepared(url: str, unsafe: str | None, role: str) -> dict[str, str]:
    """Makes tables and triggers, gives the role its rights; the rights by table."""
    import psycopg

    from ledger.store import postgres, roles
    from ledger.store.errors import NotTheOwner, RoleTooStrong, as_persistence_error
    from ledger.store.schema import relations
    from projections.store_sql_postgres import POSTGRES_TABLES, PostgresStore

    tables = relations(postgres.TABLES + POSTGRES_TABLES, "TABLE")
    try:
        with postgres.connect(url, postgres.WRITE_SECONDS_MAX) as connection:
            _check(connection, role)
            roles.check_owner(connection, tables)
            recorder = postgres.PostgresRecorder(url, unsafe_server=unsafe == "yes")
            store = PostgresStore(url)
            try:
                recorder.assert_durable()
                store.heads()
            finally:
                recorder.close()
                store.close()
            return roles.grant(connection, role, tables)
    except RoleTooStrong:
        raise Refusal(
            "role_too_strong",
            f"角色 {role} 是超级用户、表或模式的所有者，或是这类角色的成员，或可在模式或"
            "数据库中新建对象，仍能更改历史；请另建一个普通角色，"
            "并 REVOKE CREATE ON SCHEMA … FROM PUBLIC。",
            f"{role} is a superuser, owns the tables or their schema, is a member of such a role,"
            " or may make objects in the schema or the database, and could change the history even"
            " so; make a plain role of its own, and REVOKE CREATE ON SCHEMA … FROM PUBLIC.",
        ) from None
    except NotTheOwner:
        raise Refusal(
            "not_owner", "GWC_DATABASE_URL 的角色不是这些表的所有者，不能授权；请用所有者的地址。",
            "The role of GWC_DATABASE_URL does not own the tables and cannot grant; use the"
            " owner's URL.",
        ) from None  # fmt: skip
    except psycopg.Error as error:
        raise as_persistence_error(error) from error


def _check(connection: Connection, role: str) -> None:
    from ledger.store import roles

    if not roles.exists(connection, role):
        raise Refusal(
            "no_role", f"没有角色 {role}；请先 CREATE ROLE {role} LOGIN PASSWORD '…'。",
            f"There is no role {role}; first CREATE ROLE {role} LOGIN PASSWORD '…'.",
        )  # fmt: skip


def tell_weaknesses(terminal: Terminal, store: LogRecorder[Any]) -> None:
    """Say, where it is so, that the database would let what is recorded be changed."""
    for weakness in store.weaknesses():
        terminal.note(*_words(weakness))


def _words(weakness: Weakness) -> tuple[str, str]:
    from ledger.store.immutable import Weakness

    if weakness is Weakness.ROLE:
        zh = f"注意：此数据库角色可以更改 events 表；请为服务另设角色：{COMMAND}。"
        en = "Mind: the events table can be changed by this role; give the services another"
        return zh, f"{en}: {COMMAND}."
    zh = "注意：events 表的防改触发器曾缺失或被停用；由所有者打开时会重新建立。请运行 gwc audit。"
    en = "Mind: the triggers that refuse changes of the events table were missing or off"
    return zh, f"{en}; they are put back where its owner opens the log. Run gwc audit."
