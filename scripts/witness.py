"""``gwc witness``: cosigns checkpoints of logs that only grow; on another organisation's host."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scripts.evidence import content_of
from scripts.terminal import Refusal, Terminal, WrongUse

if TYPE_CHECKING:
    from ledger.transparency.notes import VerifierKey
    from ledger.transparency.signing import Signer
    from ledger.transparency.witness_state import WitnessState

BIND = "127.0.0.1:8100"
KEY, VERIFIER, STATE = "witness-key.pem", "verifier-key", "cosigned.db"
OWN_FILES_ONLY = 0o077


class NamedFolder(click.Path):
    """A folder that was named: an empty variable of a shell is not the current one."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        if not str(value):
            raise WrongUse("no_folder", "--dir 的文件夹名称为空。", "--dir names no folder.")
        return super().convert(value, param, ctx)


@click.command()
@click.option("--dir", "folder", required=True, type=NamedFolder(path_type=Path, file_okay=False),
              help="密钥与状态的文件夹 / the folder of its key and of what it cosigned")
@click.option("--log", "given", multiple=True, metavar="VKEY",
              help="所见证日志的验证公钥 / verifier key of a log to cosign for")
@click.option("--logs", "listed", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="文件，每行一个公钥 / a file with such a key a line")
@click.option("--name", default="", help="见证人名称，如 audit.city.example/witness，首次使用后不变"
              " / its name, for good once it is used")
@click.option("--bind", default=BIND, show_default=True, help="监听地址 / the address to listen on")
@click.option("--show-key", is_flag=True, help="打印验证公钥即退出 / print its public key and end")
@click.option("--begin", is_flag=True,
              help="状态丢失后仍重新开始 / begin anew although what it cosigned is lost")
@click.pass_obj
def witness(
    terminal: Terminal, folder: Path, given: tuple[str, ...], listed: Path | None, name: str,
    bind: str, show_key: bool, begin: bool,
) -> None:  # fmt: skip
    """见证 / cosign the checkpoints of logs that only add to what they showed before."""
    from api.config import bind_address

    os.umask(OWN_FILES_ONLY)
    bind_address(bind, "--bind")
    signer = open_key(folder, name)
    open_state(folder, begin).close()
    if show_key:
        click.echo(str(signer.verifier))
        return
    logs = read_keys([*given, *(_lines(listed) if listed else ())])
    from api.witness import WitnessServer
    from ledger.transparency.witness import Witness

    terminal.note(
        f"见证 {len(logs)} 个日志；验证公钥 {signer.verifier}",
        f"Witnessing {len(logs)} log(s); the verifier key is {signer.verifier}",
    )
    WitnessServer(bind, lambda: Witness(open_state(folder), signer, logs)).run()


def open_key(folder: Path, name: str) -> Signer:
    """The witness's key and name, made on first use; raises WrongUse if they do not fit."""
    from ledger.transparency.notes import WITNESS_KEY, NoteInvalid, VerifierKey, name_is_good
    from ledger.transparency.signing import KeyUnreadable, Signer, new_key
    from ledger.transparency.tiles import LogFolder
    from ledger.transparency.witness_state import WitnessState

    if name and not name_is_good(name):
        raise WrongUse("bad_name", "--name 含空格或加号。", "--name takes no space and no plus.")
    if not any((folder / one).exists() for one in (KEY, VERIFIER)):
        WitnessState(folder_made(folder) / STATE, begin=True).close()
        pem, name = new_key(), name or f"gwc.local/witness/{secrets.token_hex(8)}"
        verifier = Signer(name, pem, WITNESS_KEY).verifier
        LogFolder(folder).write(VERIFIER, f"{verifier}\n".encode())
        LogFolder(folder).write(KEY, pem)
    try:
        kept = VerifierKey.parse((folder / VERIFIER).read_text().strip())
        signer = Signer(name or kept.name, (folder / KEY).read_bytes(), WITNESS_KEY)
    except (KeyUnreadable, NoteInvalid, UnicodeDecodeError) as error:
        raise WrongUse("witness_key", f"{folder}：{error}", f"{folder}: {error}") from None
    if signer.verifier != kept:
        raise WrongUse(
            "witness_key",
            f"名称或密钥与 {folder / VERIFIER} 不符；见证人的名称不能更改，新名称请用新的文件夹。",
            f"Name or key is not that of {folder / VERIFIER}; a witness keeps its name, so take"
            " another folder for a new one.",
        )
    return signer


def folder_made(folder: Path) -> Path:
    """The folder, made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def open_state(folder: Path, begin: bool = False) -> WitnessState:
    """What the witness cosigned; raises Refusal if that is lost and it is not to begin anew."""
    from ledger.transparency.witness_state import StateLost, WitnessState

    try:
        return WitnessState(folder / STATE, begin=begin)
    except StateLost as lost:
        raise Refusal(
            "state_lost",
            f"密钥还在，而已见证的记录 {lost} 不见了；从空白开始可能与先前的见证相矛盾。请换新的"
            "文件夹和密钥，或确认此密钥从未见证过后使用 --begin；切勿恢复旧备份。",
            f"The key is there and what it cosigned ({lost}) is gone; from nothing it could"
            " contradict itself. Take a new folder and key, or --begin if the key never cosigned"
            " anything; never restore an older copy.",
        ) from None


def _lines(listed: Path) -> list[str]:
    try:
        return content_of(listed).decode().splitlines()
    except UnicodeDecodeError:
        raise WrongUse("log_key", f"{listed} 不是文本文件，应为每行一个公钥。",
                       f"{listed} is no text; it should have a key a line.") from None


def read_keys(lines: list[str]) -> list[VerifierKey]:
    """The verifier keys of logs; empty lines and those with ``#`` are passed over."""
    from ledger.transparency.notes import LOG_KEY, NoteInvalid, VerifierKey

    keys = []
    for line in filter(None, (line.partition("#")[0].strip() for line in lines)):
        try:
            key = VerifierKey.parse(line)
        except NoteInvalid as error:
            raise WrongUse("log_key", f"{line}：{error}", f"{line}: {error}") from None
        if key.kind != LOG_KEY:
            raise WrongUse("log_key", f"{line}：不是日志的公钥", f"{line}: not the key of a log")
        keys.append(key)
    if not keys:
        raise WrongUse(
            "no_log",
            "请用 --log 给出要见证的日志的验证公钥（在其 trust-policy 文件的 log 行）。",
            "Name the verifier key of a log with --log; it is in the log line of its trust-policy.",
        )
    return keys
