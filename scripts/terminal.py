"""The operator's terminal: language, tables, progress, and failures told in one line."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import click

if TYPE_CHECKING:
    from api.config import Settings
    from api.services import Services
    from ledger.errors import FieldError
    from ledger.facts import Text

LANGUAGES = ("zh", "en")
INTERRUPTED = 130
PIPE_WIDTH = 200
NO_KEY = bytes(32)
# What SQLite and PostgreSQL say of a disk that is full, broken or closed to writers.
NOT_WRITABLE = (
    "disk i/o error", "disk is full", "readonly database", "no space left", "read-only",
)  # fmt: skip


class Refusal(click.ClickException):
    """Something a command was asked for and cannot do: status 1."""

    exit_code = 1

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code, self.zh, self.en = code, zh, en


class WrongUse(Refusal):
    """Words or settings that make no sense: status 2."""

    exit_code = 2


class NoParticipant(Refusal):
    """A command was given a participant whom nobody registered."""

    def __init__(self, participant: UUID) -> None:
        super().__init__(
            "not_found",
            f"没有参与者 {participant}，请先登记。",
            f"There is no participant {participant}; register them first.",
        )


class Explanation(NamedTuple):
    status: int
    lines: list[str]


class Terminal:
    """Where a command prints; handed to each as click's context object."""

    def __init__(self) -> None:
        self.lang = "zh"

    def choose(self, zh: str, en: str) -> str:
        return zh if self.lang == "zh" else en

    def words(self, text: Text) -> str:
        return self.choose(text.zh, text.en)

    def note(self, zh: str, en: str) -> None:
        """A remark for the person at the terminal; never among what a program reads."""
        click.echo(self.choose(zh, en), err=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
        """Rows as a table on a terminal, plain aligned columns elsewhere."""
        from rich.box import SIMPLE
        from rich.console import Console
        from rich.table import Table

        table = Table(*columns, box=SIMPLE)
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row))
        console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
        if not console.is_terminal:
            console.width = PIPE_WIDTH
        with console.capture() as drawn:
            console.print(table)
        if title:
            click.echo(title)
        lines = [line.rstrip() for line in drawn.get().splitlines()]
        click.echo("\n".join(line for line in lines if line) + "\n")

    @contextmanager
    def progress(self, zh: str, en: str, total: int | None = None) -> Iterator[Any]:
        """A bar on stderr, none where stderr is no terminal; call it with the steps done."""
        from rich.console import Console
        from rich.progress import Progress

        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(self.choose(zh, en), total=total)
            yield lambda steps=1: bar.advance(task, steps)


@contextmanager
def services(settings: Settings | None = None, *, publish: bool = True) -> Iterator[Services]:
    """The services on these settings, else on those of the environment; closed afterwards.

    ``publish``: where no reward policy was published yet, the default one is.
    """
    from api.config import Settings
    from api.services import open_services

    opened = open_services(settings or Settings.from_env(), publish=publish)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def reading() -> Iterator[Services]:
    """The services of a command that only reads the log and the views.

    Nobody gets a policy or a database from it, nor keys: it opens no vault and makes no token.
    """
    import msgspec

    settings = settings_to_read()
    keyless = msgspec.structs.replace(
        settings, given_secret_key=NO_KEY, given_vault_key=NO_KEY
    )
    with services(keyless, publish=False) as opened:
        yield opened


def settings_to_read() -> Settings:
    """The settings of the environment; raises WrongUse where they name a file that is missing."""
    from api.config import Settings

    settings = Settings.from_env()
    path = settings.sqlite_path
    if path is not None and not path.is_file():
        raise WrongUse(
            "no_database",
            f"没有数据库文件 {path}，请检查 GWC_DATABASE_URL。",
            f"There is no database file {path}; see GWC_DATABASE_URL.",
        )
    return settings


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """CSV on stdout with plain newlines, the same bytes on every system."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


def explained(error: BaseException, terminal: Terminal) -> Explanation | None:
    """Status and lines for a failure that is expected to happen; None for a fault of ours."""
    if isinstance(error, click.Abort):
        return Explanation(INTERRUPTED, [])
    if isinstance(error, Refusal):
        line = f"{error.code}: {terminal.choose(error.zh, error.en)}"
        return Explanation(error.exit_code, [line])
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return Explanation(2, [error.format_message()])
    if isinstance(error, click.ClickException):
        return Explanation(2, ["usage: " + " ".join(error.format_message().split())])
    if isinstance(error, BrokenPipeError):
        sys.stderr.close()
        return Explanation(1, [])
    return _by_libraries(error, terminal)


def _by_libraries(error: BaseException, terminal: Terminal) -> Explanation | None:
    import sqlite3

    from eventsourcing.persistence import PersistenceError

    from api.config import ConfigError
    from ledger.errors import LedgerError
    from projections.store import StoreDown

    if isinstance(error, LedgerError):
        lines = [f"{error.code}: {terminal.choose(error.sentence_zh, error.sentence_en)}"]
        return Explanation(1, lines + [f"  {field_line(e, terminal)}" for e in error.errors])
    for kind, code, zh, en in (
        (ConfigError, "config_error", "设置有误：", ""),
        (PersistenceError, "database_unavailable", *_unusable(str(error))),
        (StoreDown, "store_down", "视图所在的库无法访问：", "a store of the views is down: "),
        ((OSError, sqlite3.Error), "file_error",
         "文件无法读写：", "a file cannot be read or written: "),
    ):  # fmt: skip
        if isinstance(error, kind):
            return Explanation(2, [f"{code}: {terminal.choose(zh, en)}{_one_line(error)}"])
    return None


def _unusable(problem: str) -> tuple[str, str]:
    """What to look at first, in Chinese and in English, by what the database said."""
    if any(words in problem.lower() for words in NOT_WRITABLE):
        return ("数据库无法写入，请检查磁盘是否已满、GWC_DATABASE_URL 的文件是否可写：",
                "the database cannot be written; is the disk full, or GWC_DATABASE_URL read-only? ")
    return ("数据库无法使用，请检查 GWC_DATABASE_URL：",
            "the database cannot be used, see GWC_DATABASE_URL: ")


def field_line(error: FieldError, terminal: Terminal) -> str:
    return f"{error.path}: {error.code}: {terminal.choose(error.zh, error.en)}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
