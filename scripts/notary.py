"""``gwc notary``: publishes the log (公开日志) and signs how far it goes; alone holds its key."""

from __future__ import annotations

import re
import secrets
import signal
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import TYPE_CHECKING

import click
import msgspec

from scripts.terminal import NO_KEY, Terminal, WrongUse, services
from scripts.trust import published_policy

if TYPE_CHECKING:
    from api.services import Services
    from ledger.transparency.notary import Notary
    from ledger.transparency.signing import Signer

STOPPING = (signal.SIGTERM, signal.SIGINT)
POLL_SECONDS = 0.1
PACE_SECONDS, LOOKS = 0.2, 25
FAR_BEHIND = 4_096
AGAIN_SECONDS, AGAIN_SECONDS_MAX = 1.0, 30.0
WITNESSES_AGAIN_SECONDS = 0.5


@click.command()
@click.option("--once", is_flag=True, help="签到日志末尾即退出 / sign what there is and end")
@click.pass_obj
def notary(terminal: Terminal, once: bool) -> None:
    """公证日志 / publish the log as tiles and sign its checkpoints, until SIGTERM."""
    from api.config import Settings

    told: list[int] = []
    for number in STOPPING:
        signal.signal(number, lambda number, _: told.append(number))
    settings = Settings.from_env(keyless=True)
    keyless = msgspec.structs.replace(settings, given_secret_key=NO_KEY, given_vault_key=NO_KEY)
    with services(keyless, publish=False) as opened:
        ours = open_notary(opened)
        if once:
            sign_all(opened, ours)
            return
        stop = Event()
        # In a thread, because a signal must not set an event its own thread waits for.
        thread = Thread(target=keep_signing, args=(terminal, opened, ours, stop))
        thread.start()
        terminal.note("正在公证日志。", "The log is being notarised.")
        while thread.is_alive() and not told:
            thread.join(POLL_SECONDS)
        stop.set()
        thread.join()
    if not told:
        raise click.exceptions.Exit(1)


def open_notary(opened: Services) -> Notary:
    """The notary of these services, its log begun; raises WrongUse without a key."""
    from ledger.transparency.errors import HeadDamaged, OriginDiffers
    from ledger.transparency.merkle import EMPTY_ROOT
    from ledger.transparency.notary import Notary
    from ledger.transparency.notes import name_is_good
    from ledger.transparency.signing import KeyUnreadable, Signer
    from ledger.transparency.tiles import LogFolder

    settings, store = opened.settings, opened.ledger.store
    pem = settings.log_key
    if pem is None:
        raise WrongUse(
            "no_log_key",
            "没有 GWC_LOG_KEY：请指定 Ed25519 私钥的 PEM 文件"
            "（openssl genpkey -algorithm ed25519）。",
            "There is no GWC_LOG_KEY: name the PEM file of an Ed25519 private key"
            " (openssl genpkey -algorithm ed25519).",
        )
    log_id = secrets.token_hex(8)
    head = store.begin_log(log_id, settings.log_origin or f"gwc.local/{log_id}", EMPTY_ROOT)
    if not re.fullmatch(r"[0-9a-f]{16}", head.log_id) or not name_is_good(head.origin):
        raise HeadDamaged(problem=f"{head.log_id!r}, {head.origin!r}")
    if settings.log_origin not in ("", head.origin):
        raise OriginDiffers(origin=head.origin)
    try:
        signer = Signer(head.origin, pem)
    except KeyUnreadable as error:
        raise WrongUse("log_key", f"GWC_LOG_KEY：{error}", f"GWC_LOG_KEY: {error}") from None
    refuse_another(settings.log_dir, head.log_id, signer, chosen=bool(settings.log_origin))
    folder = LogFolder(settings.log_dir / head.log_id)
    cosigners = published_policy(settings.trust_policy, signer.verifier, folder)
    return Notary(opened.ledger, folder, signer, cosigners if settings.trust_policy else None)


def refuse_another(log_dir: Path, log_id: str, signer: Signer, *, chosen: bool) -> None:
    """Raises BegunTwice if another folder holds a log that was signed with this key under this
    name or, unless the name was ``chosen`` (GWC_LOG_ORIGIN), under any.

    A database restored from before its log was begun, or whose log was given another id or name,
    would otherwise begin anew what others hold checkpoints of.
    """
    from ledger.transparency.checkpoints import Checkpoint
    from ledger.transparency.errors import BegunTwice
    from ledger.transparency.notes import Note, NoteInvalid
    from ledger.transparency.signing import verify
    from ledger.transparency.tiles import CHECKPOINT

    for path in sorted(log_dir.glob(f"*/{CHECKPOINT}")):
        try:
            note = Note.parse(path.read_bytes())
            found = Checkpoint.parse(note.text)
            ours = note.signed_by([signer.verifier._replace(name=found.origin)], verify)
        except (NoteInvalid, OSError):
            continue
        counts = found.origin == signer.verifier.name or not chosen
        if ours and counts and path.parent.name != log_id:
            raise BegunTwice(folder=path.parent, size=found.size)


def sign_all(opened: Services, ours: Notary) -> None:
    """Sign up to the end of the log as it is now; raises what the notary refuses for."""
    from ledger.transparency.errors import FolderBusy, HeadMoved

    head, size = opened.ledger.head(), 0
    while size < head:
        try:
            size = ours.step()
        except (HeadMoved, FolderBusy):
            sleep(POLL_SECONDS)


def keep_signing(terminal: Terminal, opened: Services, ours: Notary, stop: Event) -> None:
    """Sign until told to stop; what is refused is told once, and tried again, less and less often.

    A checkpoint may wait for its ``PACE_SECONDS``: one for many entries costs the disk, which the
    log shares, no more than one for each.
    """
    from eventsourcing.persistence import PersistenceError

    from ledger.errors import LedgerError
    from ledger.transparency.errors import FolderBusy, HeadMoved, QuorumMissing

    told, again = "", AGAIN_SECONDS
    while not stop.is_set():
        try:
            size = ours.step()
            told, again = "", AGAIN_SECONDS
            _rest(opened, size, stop)
        except (HeadMoved, FolderBusy):
            stop.wait(POLL_SECONDS)
        except QuorumMissing as error:  # Told once, whoever of the witnesses it is in turn.
            if told != error.code:
                _tell(terminal, error)
                told = error.code
            stop.wait(WITNESSES_AGAIN_SECONDS)
        except (LedgerError, PersistenceError, OSError) as error:
            if str(error) != told:
                _tell(terminal, error)
                told = str(error)
            stop.wait(again)
            again = min(2 * again, AGAIN_SECONDS_MAX)


def _rest(opened: Services, size: int, stop: Event) -> None:
    """Until the log has grown: not at all while far behind, and not for long while idle, since a
    checkpoint that was lost, or a database put back, is seen by stepping alone.
    """
    if opened.ledger.head() - size < FAR_BEHIND:
        for _ in range(LOOKS):
            if stop.wait(PACE_SECONDS) or opened.ledger.head() != size:
                return


def _tell(terminal: Terminal, error: Exception) -> None:
    from ledger.errors import LedgerError

    if isinstance(error, LedgerError):
        zh, en = error.sentence_zh, error.sentence_en
        terminal.note(f"{error.code}: {zh}", f"{error.code}: {en}")
    else:
        terminal.note(f"公证暂停：{error}", f"The notary waits: {error}")
