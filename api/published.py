"""Where the published log (公开日志) is read from, with the database and without it."""

from __future__ import annotations

from threading import Lock
from time import monotonic

from eventsourcing.persistence import PersistenceError
from flask import Flask, current_app

from api.services import Opening
from ledger.errors import LedgerError, NotFound
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import ProofInvalid
from ledger.transparency.notes import Note, NoteInvalid
from ledger.transparency.tiles import CHECKPOINT, LogFolder, TileDamaged
from projections.store import StoreDown

AGAIN_SECONDS = 5.0
# What shows that a published file is not as it must be.
DAMAGED = (TileDamaged, NoteInvalid, ProofInvalid)


class NothingPublished(NotFound):
    code = "nothing_published"
    zh = "日志尚未公布：公证程序还没有签出第一个检查点。"
    en = "Nothing is published yet: the notary has not signed a first checkpoint."


class LogUnready(LedgerError):
    """Base: of what is published something cannot be had at the moment."""


class NotYetSigned(LogUnready):
    code = "not_yet_signed"
    retry_after_seconds = 2
    zh = "这条记录已入账，但尚未签名；签名应在入账后 60 秒内完成，请稍后再试；逾期请告知管理员。"
    en = (
        "This entry is recorded and not signed yet; that is promised within 60 seconds of its"
        " recording. Try again in a moment, and tell the operator if it takes longer."
    )


class LogDamaged(LogUnready):
    code = "log_damaged"
    zh = "公开日志的文件暂时无法使用；请稍后再试，或将 instance 一项的编号告诉管理员。"
    en = (
        "A file of the published log cannot be used; try again in a moment, or tell the operator"
        " the number under `instance`."
    )


class Published:
    """Finds the folder of this database's log: asked of the database once, then known.

    A worker that starts while the database is away takes the one log that lies in GWC_LOG_DIR; of
    several it cannot tell which is the published one, and answers as if there was none.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._known: LogFolder | None = None
        self._away_until = 0.0
        self._lock = Lock()

    def folder(self) -> LogFolder | None:
        """The folder; None before a notary began the log."""
        # While the database is away one request asks for it, and no other waits for that.
        if self._known is None and self._lock.acquire(blocking=not self._away_until):
            try:
                self._ask()
            finally:
                self._lock.release()
        return self._known or (self._only_one() if self._away_until else None)

    def checkpoint(self) -> tuple[bytes, int] | None:
        """The signed head and its size; None before the first. Raises NoteInvalid."""
        folder = self.folder()
        content = None if folder is None else folder.checkpoint()
        if content is None:
            return None
        return content, Checkpoint.parse(Note.parse(content).text).size

    def signed(self) -> int:
        """The last position that is signed and published; 0 where none can be read."""
        try:
            found = self.checkpoint()
        except (NoteInvalid, OSError):
            return 0
        return found[1] if found else 0

    def _ask(self) -> None:
        if self._known is not None or monotonic() < self._away_until:
            return
        try:
            self._known = self._opening.services().published_log()
            self._away_until = 0.0
        except (PersistenceError, StoreDown, OSError):
            self._away_until = monotonic() + AGAIN_SECONDS

    def _only_one(self) -> LogFolder | None:
        found = list(self._opening.settings.log_dir.glob(f"*/{CHECKPOINT}"))
        return LogFolder(found[0].parent) if len(found) == 1 else None


def register(app: Flask, opening: Opening) -> None:
    """Have the published log at hand in every request."""
    app.extensions["gwc-log"] = Published(opening)


def published() -> Published:
    """Where this worker finds the published log."""
    found: Published = current_app.extensions["gwc-log"]
    return found


def published_log() -> tuple[LogFolder, bytes, int]:
    """The folder, its checkpoint and how many entries that covers; raises NothingPublished."""
    here = published()
    folder, found = here.folder(), here.checkpoint()
    if folder is None or found is None:
        raise NothingPublished
    return folder, *found
