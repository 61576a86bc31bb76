"""Forging (伪造) a bundle: entries changed, the tree made anew, signed or not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.store.leaf import EntryRow, entry_bytes, parse_entry
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import Frontier, leaf_hash
from ledger.transparency.notes import Note
from ledger.transparency.signing import Signer
from ledger.transparency.tiles import CHECKPOINT, ENTRIES, LogFolder, bundle, tile_path, tiles_at
from ledger.transparency.writing import TileWriter
from ledger.verifier.folder import BALANCES, BOARDS, SHOWN
from ledger.verifier.shown import HEADER

ORIGIN = "example.org/town"


class Forger:
    """Somebody who can write to a bundle."""

    def __init__(self, folder: Path, signer: Signer) -> None:
        self.folder, self.signer, self.log = folder, signer, LogFolder(folder)

    @property
    def checkpoint(self) -> bytes:
        return (self.folder / CHECKPOINT).read_bytes()

    @property
    def head(self) -> Checkpoint:
        return Checkpoint.parse(Note.parse(self.checkpoint).text)

    def rows(self) -> list[EntryRow]:
        """Every entry as a row."""
        return [parse_entry(one) for one in self.log.entries(0, self.head.size)]

    def first(self, topic: str) -> int:
        """The position of the first fact of a kind."""
        return next(row.position for row in self.rows() if row.topic == topic)

    def replace(self, position: int, entry: bytes) -> None:
        """Put an entry in the place of another, and leave every hash as it is."""
        index, size = position - 1, self.head.size
        number = index // 256
        width = min(256, size - number * 256)
        entries = list(self.log.entries(number * 256, number * 256 + width))
        entries[index % 256] = entry
        (self.folder / tile_path(ENTRIES, number, width)).write_bytes(bundle(entries))

    def edit(self, position: int, /, **columns: object) -> None:
        """Change columns of an entry, and leave every hash as it is."""
        row = self.rows()[position - 1]
        self.replace(position, entry_bytes(row._replace(**columns)))

    def rebuild(self, rows: Sequence[EntryRow], *, sign: bool = True) -> None:
        """Another log: these rows, every tile made anew; signed with the true key, or not."""
        entries = [entry_bytes(row) for row in rows]
        leaves, frontier = [leaf_hash(one) for one in entries], Frontier()
        for leaf in leaves:
            frontier.add(leaf)
        shutil.rmtree(self.folder / "tile")
        TileWriter(self.log).extend(0, entries, leaves)
        if sign:
            self.sign(Checkpoint(ORIGIN, len(rows), frontier.root()))

    def rewrite(self, change: Callable[[list[EntryRow]], None], *, sign: bool = True) -> None:
        """Change the list of rows, number them anew, and rebuild."""
        rows = self.rows()
        change(rows)
        self.rebuild(
            [row._replace(position=at) for at, row in enumerate(rows, 1)], sign=sign
        )

    def sign(self, head: Checkpoint, signer: Signer | None = None) -> None:
        """Sign this head, with the log's key or another."""
        text = str(head)
        note = Note(text, ((signer or self.signer).sign(text),))
        (self.folder / CHECKPOINT).write_bytes(bytes(note))

    def show_nothing(self) -> None:
        """Balances and boards as of before the log began: there are none."""
        (self.folder / BALANCES).write_text(f"{HEADER}\n")
        (self.folder / BOARDS).write_text("")
        balances = {"position": 0, "day": "2026-01-01"}
        (self.folder / SHOWN).write_text(
            json.dumps({"balances": balances, "boards": {"position": 0}})
        )

    def tiles(self) -> list[str]:
        """The names of all tiles of hashes."""
        return [tile_path(*one) for one in tiles_at(self.head.size)]
