"""What the service shows (服务所示), written out for auditors: balances, and boards.

Both are read from the live views while these stand still, so each is as of one position; they are
put in order on the disk.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

from ledger.verifier.boards import GRANULARITIES, Line
from ledger.verifier.folder import BALANCES, BOARDS, SHOWN
from ledger.verifier.shown import HEADER
from projections.balances import BALANCES as BALANCES_VIEW
from projections.balances import shown as balance_of
from projections.leaderboard import LEADERBOARD
from projections.leaderboard import shown as line_of
from projections.store import Store, ViewNotReady, live
from projections.view import Row, View

ATTEMPTS = 50


def write_shown(store: Store, day: date, out: Path) -> int:
    """Write BALANCES, BOARDS and SHOWN; the position they need.

    Raises ViewNotReady where a view is not built, or never stood still.
    """

    def balances(row: Row) -> Iterator[tuple[str, str]]:
        available, held = balance_of(row, day)
        yield row.key, f"{row.key},{available},{held}\n"

    def boards(row: Row) -> Iterator[tuple[str, str]]:
        if row.bucket.partition(":")[0] in GRANULARITIES:
            line = Line(row.bucket, *line_of(row))
            yield f"{line.board}\n{line.participant_id}", f"{line.text()}\n"

    of_balances = _write(store, BALANCES_VIEW, balances, out / BALANCES, f"{HEADER}\n")
    of_boards = _write(store, LEADERBOARD, boards, out / BOARDS, "")
    times = {"balances": {"position": of_balances, "day": day.isoformat()},
             "boards": {"position": of_boards}}  # fmt: skip
    (out / SHOWN).write_text(json.dumps(times, indent=2) + "\n")
    return max(of_balances, of_boards)


def _write(
    store: Store, view: View, lines: Callable[[Row], Iterator[tuple[str, str]]], path: Path,
    first: str,
) -> int:
    for _ in range(ATTEMPTS):
        head = live(store.heads(), view.name)
        if head is None or head.version != view.version:
            break
        with closing(sqlite3.connect("", isolation_level=None)) as file:
            file.execute("PRAGMA journal_mode = OFF")
            file.execute("CREATE TABLE lines (key, line)")
            file.execute("BEGIN")
            for row in store.scan(head):
                file.executemany("INSERT INTO lines VALUES (?, ?)", lines(row))
            if live(store.heads(), view.name) != head:
                continue
            with open(path, "w", encoding="utf-8", newline="") as text:
                text.write(first)
                text.writelines(
                    line for line, in file.execute("SELECT line FROM lines ORDER BY key")
                )
        return head.position
    raise ViewNotReady
