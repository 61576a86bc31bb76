"""``gwc audit``: every check (审计) of the log and of the views, a line per finding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import msgspec

from scripts.terminal import NO_KEY, Refusal, Terminal, services, settings_to_read

if TYPE_CHECKING:
    from api.config import Settings
    from api.services import Services
    from ledger.audit import Finding
    from ledger.audit.checks import Check


@click.command()
@click.option("--json", "as_json", is_flag=True,
              help="JSON 数组 / a list of {code, position, text}")
@click.pass_obj
def audit(terminal: Terminal, as_json: bool) -> None:
    """核对日志与视图 / recompute everything; CODE position=N text per finding, status 1 on any."""
    findings = []
    with services(_with_the_vaults_key(settings_to_read()), publish=False) as opened:
        head = opened.ledger.head()
        if not head:
            raise Refusal("empty_log", "日志为空，没有可审计的记录；请检查 GWC_DATABASE_URL。",
                          "The log is empty, there is nothing to audit; see GWC_DATABASE_URL.")
        for finding in audited(terminal, opened, head):
            findings.append(finding)
            if not as_json:
                click.echo(str(finding))
    if as_json:
        click.echo(msgspec.json.encode(findings))
    terminal.note(*verdict(len(findings), head))
    if findings:
        raise click.exceptions.Exit(1)


def verdict(count: int, head: int) -> tuple[str, str]:
    """The last word, in Chinese and in English."""
    if count:
        return f"审计发现 {count} 处问题。", f"The audit found {count} faults."
    return f"审计通过：{head} 条历史记录核对无误。", f"The audit found no fault in {head} entries."


def _with_the_vaults_key(settings: Settings) -> Settings:
    """No keys but the vault's, and none is made: on SQLite it may lie beside the file, or not."""
    path, key = settings.sqlite_path, settings.given_vault_key
    if path is not None and path.with_name(f"{path.name}.vault-key").is_file():
        key = settings.vault_key
    return msgspec.structs.replace(
        settings, given_secret_key=NO_KEY, given_vault_key=key or NO_KEY
    )


def audited(terminal: Terminal, opened: Services, head: int) -> Iterator[Finding]:
    """Findings of the log and of what lies beside it, then those of each store of the views."""
    from ledger.audit import Early, Unreadable, rows_of
    from ledger.audit import audit as audit_log
    from ledger.store.mapper import RecordedFact
    from projections import VIEWS
    from projections.check import check_views
    from projections.reading import open_stores
    from projections.store import StoreDown

    with terminal.progress("核对日志", "checking the log", head) as step:

        def counted() -> Iterator[RecordedFact | Unreadable]:
            for row in rows_of(opened.ledger):
                yield row
                step()

        early = Early()
        yield from audit_log(counted(), early, *_beside(terminal, opened))
    if early.coins or early.holds:
        terminal.note(
            f"注意：{early.coins} 枚绿水币、{early.holds} 笔兑换在最后一天之前就被注销。",
            f"Mind: {early.coins} coins and {early.holds} holds were ended before their last day.",
        )
    for store in open_stores(opened.settings.database_url, opened.settings.redis_url):
        try:
            yield from check_views(opened.ledger, store, VIEWS)
        except StoreDown as problem:
            terminal.note(f"{store.name} 无法访问，未核对其视图：{problem}",
                          f"{store.name} does not answer, its views are unchecked: {problem}")
        finally:
            store.close()


def _beside(terminal: Terminal, opened: Services) -> Iterator[Check]:
    """Snapshots, what is used of shared amounts, and the vault where its key is at hand."""
    from ledger.audit import Disclosures, Quotas, Snapshots, snapshots_of

    ledger = opened.ledger
    yield Snapshots(snapshots_of(ledger))
    head, used = ledger.store.select_quotas_at()
    yield Quotas(used, head)
    if opened.settings.given_vault_key != NO_KEY:
        yield Disclosures(ledger.vault, ledger.store)
    else:
        terminal.note("没有保险库密钥，未核对保险库。",
                      "There is no vault key here, so the vault is unchecked.")
