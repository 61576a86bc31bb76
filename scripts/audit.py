"""``gwc audit``: every check (审计) of the log and of the views, a line per finding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from scripts.database import tell_weaknesses
from scripts.evidence import (
    NOTHING,
    Evidence,
    evidence,
    published_logs,
    tell_unbegun,
    tell_unsigned,
    without_a_log,
)
from scripts.terminal import NO_KEY, Refusal, Terminal, services, settings_to_read

if TYPE_CHECKING:
    from api.config import Settings
    from api.services import Services
    from ledger.audit import Finding
    from ledger.audit.checks import Check


@click.command()
@click.option("--bundle", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False),
              metavar="DIR", help="核对审计包，不用数据库 / check a bundle instead, no database")
@click.option("--checkpoint", "older", type=click.Path(path_type=Path), multiple=True,
              metavar="OLDER", help="自己保存的较早检查点 / an older one you kept, repeatable")
@click.option("--witness-policy", "policy", type=click.Path(path_type=Path), metavar="FILE",
              help="自己的信任策略 / your own trust policy instead of the published one")
@click.option("--json", "as_json", is_flag=True,
              help="JSON 数组 / a list of {code, position, text}")
@click.pass_obj
def audit(
    terminal: Terminal, folder: Path | None, older: tuple[Path, ...], policy: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """核对日志与视图 / recompute everything; CODE position=N text per finding, status 1 on any."""
    findings = []
    brought = evidence(older, policy)
    if folder is not None:
        _of_bundle(folder, older, policy, as_json=as_json)
        return
    with services(_with_the_vaults_key(settings_to_read()), publish=False) as opened:
        head = opened.ledger.head()
        if not head:
            raise Refusal("empty_log", "日志为空，没有可审计的记录；请检查 GWC_DATABASE_URL。",
                          "The log is empty, there is nothing to audit; see GWC_DATABASE_URL.")
        tell_weaknesses(terminal, opened.ledger.store)
        for finding in audited(terminal, opened, head, brought):
            findings.append(finding)
            if not as_json:
                click.echo(str(finding))
    if as_json:
        click.echo(msgspec.json.encode(findings))
    terminal.note(*verdict(len(findings), head))
    if findings:
        raise click.exceptions.Exit(1)


def _of_bundle(
    folder: Path, older: tuple[Path, ...], policy: Path | None, *, as_json: bool
) -> None:
    """What the bundle's own verifier does, by the code of this service."""
    import ledger.application  # noqa: F401 - every fact is registered by now
    from ledger.verifier.main import main

    words = [str(folder), *(f"--checkpoint={path}" for path in older)]
    words += [f"--witness-policy={policy}"] if policy else []
    status = main([*words, *(["--json"] if as_json else [])], "verify.py")
    if status:
        raise click.exceptions.Exit(status)


def verdict(count: int, head: int) -> tuple[str, str]:
    """The last word, in Chinese and in English."""
    if count:
        faults = "fault" if count == 1 else "faults"
        return f"审计发现 {count} 处问题。", f"The audit found {count} {faults}."
    return f"审计通过：{head} 条历史记录核对无误。", f"The audit found no fault in {head} entries."


def _with_the_vaults_key(settings: Settings) -> Settings:
    """No keys but the vault's, and none is made: on SQLite it may lie beside the file, or not."""
    path, key = settings.sqlite_path, settings.given_vault_key
    if path is not None and path.with_name(f"{path.name}.vault-key").is_file():
        key = settings.vault_key
    return msgspec.structs.replace(
        settings, given_secret_key=NO_KEY, given_vault_key=key or NO_KEY
    )


def audited(
    terminal: Terminal, opened: Services, head: int, brought: Evidence = NOTHING
) -> Iterator[Finding]:
    """Findings of the log and of what lies beside it, then those of each store of the views."""
    from ledger.audit import Early, Fences, Orphans, Unreadable, rows_of
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

        keyed = opened.settings.given_vault_key != NO_KEY
        fences = Fences(opened.ledger.store, opened.ledger.vault if keyed else None)
        early = Early()
        beside: list[Check] = [early, fences, Orphans(), *_beside(terminal, opened)]
        checked, others = published_logs(opened, brought)
        rows = others.beside(counted())
        yield from audit_log(rows if checked is None else checked.beside(rows), *beside)
    if checked is not None:
        yield from checked.findings
        tell_unsigned(terminal, checked)
    else:
        yield from without_a_log(brought)
        tell_unbegun(terminal, others)
    yield from others.findings
    if fences.erased:
        at = ", ".join(map(str, fences.erased))
        terminal.note(f"已按要求删除 {len(fences.erased)} 人（户）的个人信息：第 {at} 条。",
                      f"Erased on request: {len(fences.erased)} subjects, at {at}.")
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
