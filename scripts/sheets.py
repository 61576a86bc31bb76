"""Tables (表格) as spreadsheets write them: CSV in UTF-8, row by row, in bounded memory."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from scripts.terminal import Refusal

LINE_BYTES_MAX = 16_384
LINES_PER_ROW_MAX = 20
MALFORMED_ROW = "malformed_row"
UNREADABLE_ROW = ("这一行不是 UTF-8 的 CSV，或列数、长度不对。",
                  "Not CSV in UTF-8, or of other columns, or too long.")  # fmt: skip
UNREADABLE = b'"" x'


class Row(NamedTuple):
    """A row and the line it begins on; no cells where it cannot be read as the others."""

    line: int
    cells: dict[str, str]


class Sheet:
    """The rows of a file; a row that cannot be read spoils no other.

    A cell may go on for some lines, as Excel writes it, and reads as one; but none of the ``keys``
    does: what looks so is a quote that was left open, and spoils its own line alone.
    """

    def __init__(self, file: Path, keys: Sequence[str], others: Sequence[str] = ()) -> None:
        """Raises Refusal for what is no such table: the ``keys`` are columns that must be there.

        Neither of them nor of the ``others``, which are read too, may one be there twice.
        """
        self._file, self._keys = file, keys
        with file.open("rb") as content:
            self._header = _header(next(_lines(content), b""), keys, others)
        self.lines = _counted(file)
        """How many lines there are, for a progress bar."""

    def rows(self) -> Iterator[Row]:
        """Row by row, but for those without anything in them."""
        with self._file.open("rb") as content:
            ahead, lines, number = deque[bytes](), _lines(content), 2
            next(lines, None)
            while _looked(ahead, lines, 1):
                cells, taken = self._row(ahead, lines)
                for _ in range(taken):
                    ahead.popleft()
                if cells is None or any(cells):
                    yield Row(number, dict(zip(self._header, cells or (), strict=bool(cells))))
                number += taken

    def _row(self, ahead: deque[bytes], lines: Iterator[bytes]) -> tuple[list[str] | None, int]:
        """The cells of the next row and how many lines it takes; None of a line that is none."""
        whole = b""
        for taken in range(1, LINES_PER_ROW_MAX + 1):
            if len(whole) > LINE_BYTES_MAX or not _looked(ahead, lines, taken):
                break
            whole += ahead[taken - 1]
            if whole.count(b'"') % 2 == 0:
                cells = self._cells(whole)
                return cells, taken if cells is not None else 1
        return None, 1

    def _cells(self, whole: bytes) -> list[str] | None:
        try:
            (cells,) = csv.reader([whole.decode()], strict=True)
        except (UnicodeDecodeError, csv.Error, ValueError):
            return None if whole.strip() else []
        if len(cells) != len(self._header):
            return None if any(map(str.strip, cells)) else []
        for name, cell in zip(self._header, cells, strict=True):
            if name in self._keys and len(cell.strip().splitlines()) > 1:
                return None
        return [" ".join(cell.split()) for cell in cells]


def _looked(ahead: deque[bytes], lines: Iterator[bytes], count: int) -> bool:
    """Look at so many lines ahead; whether there are as many."""
    while len(ahead) < count:
        line = next(lines, None)
        if line is None:
            return False
        ahead.append(line)
    return True


def _lines(content: BinaryIO) -> Iterator[bytes]:
    """Line by line; of one that is longer than any row nothing but that it cannot be read."""
    while line := content.readline(LINE_BYTES_MAX):
        whole = line
        while len(line) == LINE_BYTES_MAX and not line.endswith(b"\n"):
            whole, line = UNREADABLE, content.readline(LINE_BYTES_MAX)
        yield whole


def _header(line: bytes, keys: Sequence[str], others: Sequence[str]) -> list[str]:
    """The names of the columns."""
    try:
        ((*cells,),) = csv.reader([line.decode("utf-8-sig")])
    except (UnicodeDecodeError, csv.Error, ValueError):
        raise _no_csv() from None
    names = [cell.strip() for cell in cells]
    if missing := ", ".join(name for name in keys if name not in names):
        raise Refusal("missing_column", f"缺少列：{missing}。", f"Missing columns: {missing}.")
    if twice := ", ".join(one for one in (*keys, *others) if names.count(one) > 1):
        raise Refusal("duplicate_column", f"列重复：{twice}。", f"Columns twice: {twice}.")
    return names


def _counted(file: Path) -> int:
    """How many lines a file has; raises Refusal where most of what is no ASCII is no UTF-8."""
    lines = in_utf8 = in_another = 0
    with file.open("rb") as content:
        for line in _lines(content):
            lines += 1
            if not line.isascii():
                try:
                    line.decode()
                    in_utf8 += 1
                except UnicodeDecodeError:
                    in_another += 1
    if in_another > in_utf8:
        raise _no_csv()
    return lines


def _no_csv() -> Refusal:
    return Refusal(
        "not_csv", "文件不是 UTF-8 的 CSV；请在表格软件中另存为“CSV UTF-8（逗号分隔）”。",
        "This is not CSV in UTF-8; in the spreadsheet, save it as “CSV UTF-8 (comma delimited)”.",
    )  # fmt: skip
