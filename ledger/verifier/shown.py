"""What the service shows (服务所示): balances and boards of a bundle are what a replay gives.

``shown.json`` says as of which position, and balances as of which day, they were read from the
service's views. Both files are in order, so nothing but a line of each is in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import TypeVar
from uuid import UUID

import msgspec

from ledger.audit.books import Books
from ledger.audit.findings import Finding, found
from ledger.facts import Entry
from ledger.verifier.boards import Boards, Line
from ledger.verifier.folder import BALANCES, BOARDS, NOTE_BYTES_MAX, SHOWN, Folder, Unfit

HEADER = "participant,available,held"
NOTHING = (0, 0)
T = TypeVar("T")


class AsOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to which position of the log."""

    position: int


class OfDay(AsOf, frozen=True):
    """Up to which position, and for which day: what is good that day can be spent."""

    day: date


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of ``shown.json``: a bundle shows both, or it hides one."""

    balances: OfDay
    boards: AsOf


class Shown:
    """Compares what is shown with the books of a log of ``size``, and with boards added up here."""

    def __init__(self, folder: Folder, books: Books, size: int) -> None:
        self._folder, self._books, self._size = folder, books, size
        self._boards = Boards()
        self._problem = ""
        self._last = 0
        self.times: Times | None = None
        try:
            self.times = msgspec.json.decode(folder.read(SHOWN, NOTE_BYTES_MAX), type=Times)
        except Unfit as problem:
            self._problem = str(problem)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._problem = f"{SHOWN}: {error}"
        self._balances_at = self.times.balances if self.times else None
        self._boards_at = self.times.boards if self.times else None

    def check(self, entry: Entry) -> Iterator[Finding]:
        """Add up, and compare as soon as a position is reached."""
        self._last = entry.position
        if self._boards_at is not None:
            self._boards.add(entry)
        yield from self._compare()

    def lost(self, originator: UUID | None) -> None:
        """What an unreadable fact moved nobody can say."""

    def end(self) -> Iterator[Finding]:
        """What is shown of a log that is longer than this one."""
        if self._problem:
            yield found("BUNDLE", 0, self._problem)
        for name, at in ((BALANCES, self._balances_at), (BOARDS, self._boards_at)):
            if at is not None and at.position > self._size:
                yield found("VIEW", self._size, f"{name} is of position {at.position}")
        self._last = 2**63
        yield from self._compare()

    def _compare(self) -> Iterator[Finding]:
        if self._balances_at is not None and self._balances_at.position <= self._last:
            at, self._balances_at = self._balances_at, None
            yield from self._differences(
                BALANCES, at.position, self._balances(at.day), self._shown_balances()
            )
        if self._boards_at is not None and self._boards_at.position <= self._last:
            position, self._boards_at = self._boards_at.position, None
            ours = (((one.board, one.participant_id), one[2:]) for one in self._boards.lines())
            yield from self._differences(BOARDS, position, ours, self._shown_boards())

    def _differences(
        self, name: str, position: int, ours: Iterator[tuple[T, tuple[int, int]]],
        theirs: Iterator[tuple[T, tuple[int, int]]],
    ) -> Iterator[Finding]:
        try:
            for key, right, shown in _merged(ours, theirs):
                if right != shown:
                    yield found("VIEW", position, f"{name}: {key} {shown} ≠ {right}")
        except (Unfit, ValueError, TypeError, RecursionError) as problem:
            text = str(problem) if isinstance(problem, Unfit) else f"{name}: {problem}"
            yield found("BUNDLE", position, text)

    def _balances(self, day: date) -> Iterator[tuple[str, tuple[int, int]]]:
        for key, wallet in self._books.wallets.items():
            has = wallet.available(day), wallet.held
            if has != NOTHING:
                yield str(UUID(bytes=key)), has

    def _shown_balances(self) -> Iterator[tuple[str, tuple[int, int]]]:
        lines = self._folder.lines(BALANCES)
        if next(lines, "") != HEADER:
            raise Unfit(f"{BALANCES}: the first line is not {HEADER}")
        for line in lines:
            person, available, held = line.split(",")
            has = int(available), int(held)
            _written_here(BALANCES, line, f"{person},{has[0]},{has[1]}")
            yield person, has

    def _shown_boards(self) -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
        for text in self._folder.lines(BOARDS):
            line = Line(**json.loads(text))
            _written_here(BOARDS, text, line.text())
            yield (line.board, line.participant_id), (line.coins, line.position)


def _written_here(name: str, text: str, right: str) -> None:
    """Raises Unfit for a line that another program may read as something else."""
    if text != right:
        raise Unfit(f"{name}: {text!r} should be {right!r}")


def _merged(
    ours: Iterator[tuple[T, tuple[int, int]]], theirs: Iterator[tuple[T, tuple[int, int]]]
) -> Iterator[tuple[T, tuple[int, int], tuple[int, int]]]:
    """Key, right and shown; nobody who is not listed has anything. Raises ValueError unordered."""
    mine, shown = next(ours, None), next(theirs, None)
    while mine is not None or shown is not None:
        if shown is None or (mine is not None and mine[0] < shown[0]):  # type: ignore[operator]
            assert mine is not None
            yield mine[0], mine[1], NOTHING
            mine = next(ours, None)
            continue
        same = mine is not None and mine[0] == shown[0]
        yield shown[0], mine[1] if mine is not None and same else NOTHING, shown[1]
        if same:
            mine = next(ours, None)
        before, shown = shown, next(theirs, None)
        if shown is not None and not before[0] < shown[0]:  # type: ignore[operator]
            raise ValueError(f"{shown[0]} stands behind {before[0]}")
