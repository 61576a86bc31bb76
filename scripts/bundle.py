"""``gwc export bundle``: what an auditor takes home (审计包), verifier included."""

from __future__ import annotations

import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.terminal import Refusal, Terminal, reading
from scripts.whole_files import drafted

if TYPE_CHECKING:
    from api.services import Services
    from ledger.policy import PolicyPublished
    from ledger.transparency.tiles import LogFolder

# How long a notary may take to sign what the views show already.
WAIT_SECONDS, POLL_SECONDS = 15.0, 0.2
ARCHIVE = ".archive"


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help="新文件夹，或 .tar.gz 文件 / a new folder, or a .tar.gz file")
@click.pass_obj
def bundle(terminal: Terminal, out: Path) -> None:
    """审计包：记录、检查点、政策、余额和核对程序 / all an auditor needs, verifier included.

    It is of the checkpoint the notary published last; to check it: python3 -I verify.py
    """
    from ledger.transparency.tiles import TileDamaged
    from ledger.verifier.bundling import write_log, write_policies, write_program

    _refuse_existing(out)
    with reading() as opened, _whole(out) as folder:
        log = _published(opened)
        position = _shown(opened, folder)
        checkpoint, size = _checkpoint(log, position)
        with terminal.progress("生成审计包", "writing the bundle", size) as step:
            try:
                write_log(log, checkpoint, size, folder, step)
            except TileDamaged as error:
                raise Refusal("log_damaged", f"{log.path} 中的文件有损坏：{error}",
                              f"A file in {log.path} is damaged: {error}") from None
        write_policies(_policies(opened, size), folder)
        digest = write_program(folder)
    terminal.note(f"已生成 {out}：{size} 条记录；verify.py 的 SHA-256 为 {digest}。",
                  f"{out} was written: {size} entries; verify.py has the SHA-256 {digest}.")


def _refuse_existing(out: Path) -> None:
    if os.path.lexists(out):
        raise Refusal("exists", f"{out} 已存在，未作改动。", f"{out} exists and was left alone.")


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A folder to write into, which becomes ``out`` when all is there, packed if its name says."""
    with drafted(out) as draft:
        draft.mkdir(parents=True)
        yield draft
        whole = _packed(draft, out) if out.name.endswith(".tar.gz") else draft
        _refuse_existing(out)  # Another export may have been quicker.
        whole.rename(out)


def _packed(folder: Path, out: Path) -> Path:
    """An archive of the folder by the name of ``out``, made in it; itself it leaves out."""
    archived = folder / ARCHIVE
    with tarfile.open(archived, "w:gz") as archive:
        archive.add(folder, out.name.removesuffix(".tar.gz"))
    return archived


def _shown(opened: Services, folder: Path) -> int:
    """Write what the views show, as of the position returned; raises Refusal."""
    from ledger.days import day_of
    from projections.reading import open_stores
    from projections.showing import write_shown
    from projections.store import ViewNotReady

    store = open_stores(opened.settings.database_url)[0]
    try:
        return write_shown(store, day_of(opened.clock()), folder)
    except ViewNotReady as error:
        raise Refusal(
            error.code,
            "视图尚未建立或正在变化；请先运行 gwc serve 或 gwc follow，再导出。",
            "The views are not built yet, or are changing; run gwc serve or gwc follow, and then"
            " export.",
        ) from None
    finally:
        store.close()


def _published(opened: Services) -> LogFolder:
    """The folder of the published log; raises Refusal where there is none."""
    from ledger.transparency.tiles import TRUST_POLICY, LogFolder

    head = opened.ledger.store.select_log_head()
    log = LogFolder(opened.settings.log_dir / (head.log_id if head else ""))
    if head is None or log.checkpoint() is None or not (log.path / TRUST_POLICY).is_file():
        raise Refusal(
            "nothing_published",
            f"{log.path} 中还没有公开的日志；请先运行 gwc notary，或检查 GWC_LOG_DIR。",
            f"No log was published in {log.path} yet; run gwc notary first, or see GWC_LOG_DIR.",
        )
    return log


def _checkpoint(log: LogFolder, position: int) -> tuple[bytes, int]:
    """The published checkpoint and its size, once it holds a position; raises Refusal."""
    from ledger.transparency.checkpoints import Checkpoint
    from ledger.transparency.notes import Note, NoteInvalid

    end = time.monotonic() + WAIT_SECONDS
    while True:
        content = log.checkpoint() or b""
        try:
            size = Checkpoint.parse(Note.parse(content).text).size
        except NoteInvalid as error:
            raise Refusal("checkpoint", f"检查点无法读取：{error}",
                          f"The checkpoint cannot be read: {error}") from None
        if size >= position:
            return content, size
        if time.monotonic() > end:
            raise Refusal(
                "notary_behind",
                f"检查点只到第 {size} 条，视图已到第 {position} 条；请运行 gwc notary 后重试。",
                f"The checkpoint is of {size} entries, the views are at {position}; run gwc"
                " notary and try again.",
            )
        time.sleep(POLL_SECONDS)


def _policies(opened: Services, size: int) -> Iterator[PolicyPublished]:
    """Every policy the log published up to this size."""
    from ledger.policy import PolicyPublished

    ledger = opened.ledger
    for row in ledger.rows_through(size, 0, [PolicyPublished.topic]):
        fact = ledger.entry(row).fact
        assert isinstance(fact, PolicyPublished)
        yield fact
