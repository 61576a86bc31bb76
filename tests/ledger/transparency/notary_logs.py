"""Logs to notarise, notaries whose every signature is kept, and the tree as the RFC writes it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ledger.store.leaf import entry_bytes, leaf_hash
from ledger.store.log_head import LogHead
from ledger.store.mapper import RecordedFact
from ledger.transparency.errors import NotarisationRefused
from ledger.transparency.merkle import EMPTY_ROOT
from ledger.transparency.notary import Notary
from ledger.transparency.notes import Signature
from ledger.transparency.signing import Signer, new_key
from ledger.transparency.tiles import LogFolder
from tests.dba import unprotect
from tests.ledger.store.databases import RECORDED_AT, TOPIC, fact, history

ORIGIN = "log.example/water"
WIDTH = 256
SIGNED, GROWN = 300, 310


class Tree:
    """MTH of RFC 6962 section 2.1 over any part of some leaves, word by word."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = leaves
        self.mth = cache(self._mth)

    def _mth(self, start: int, end: int) -> bytes:
        count = end - start
        if count == 0:
            return sha256().digest()
        if count == 1:
            return self.leaves[start]
        k = 1
        while k * 2 < count:
            k *= 2
        both = self.mth(start, start + k) + self.mth(start + k, end)
        return sha256(b"\x01" + both).digest()

    def root(self, size: int) -> bytes:
        return self.mth(0, size)


def files_of(entries: Sequence[bytes], tree: Tree, size: int) -> dict[str, bytes]:
    """Path and content of every tile and bundle of a tree of this size, from the entries alone."""
    found = {}
    level, span = 0, 1
    while size // span:
        hashes = [tree.mth(i * span, (i + 1) * span) for i in range(size // span)]
        for n in range(0, len(hashes), WIDTH):
            part = hashes[n : n + WIDTH]
            found[_path(str(level), n // WIDTH, len(part))] = b"".join(part)
        level, span = level + 1, span * WIDTH
    for n in range(0, size, WIDTH):
        some = entries[n : min(n + WIDTH, size)]
        content = b"".join(len(one).to_bytes(2, "big") + one for one in some)
        found[_path("entries", n // WIDTH, len(some))] = content
    return found


def _path(level: str, n: int, width: int) -> str:
    name = f"{n % 1000:03}"
    while n := n // 1000:
        name = f"x{n % 1000:03}/{name}"
    return f"tile/{level}/{name}" + (f".p/{width}" if width < WIDTH else "")


class KeepingSigner(Signer):
    """Keeps what it signs before anybody has the signature."""

    def __init__(self, pem: bytes, keep: Callable[[str], None], name: str = ORIGIN) -> None:
        super().__init__(name, pem)
        self._keep = keep

    def sign(self, text: str) -> Signature:
        self._keep(text)
        return super().sign(text)


def parsed(text: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint, read without our parser."""
    _, size, root = text.split("\n")[:3]
    return int(size), base64.b64decode(root)


def published(folder: LogFolder) -> tuple[int, bytes] | None:
    """Size and root of the published checkpoint."""
    content = folder.checkpoint()
    return parsed(content.decode()) if content else None


class Rows:
    """A log of made-up rows in memory; ``count`` of them are there."""

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self.log_head = LogHead("0" * 16, ORIGIN, 0, EMPTY_ROOT)
        self.store: Any = self

    def head(self) -> int:
        return self.count

    def select_notifications(self, start: int, limit: int, stop: int) -> list[RecordedFact]:
        return [row(position) for position in range(start, min(start + limit - 1, stop) + 1)]

    def select_log_head(self) -> LogHead:
        return self.log_head

    def swap_log_head(self, old: LogHead, size: int, root: bytes) -> bool:
        if (old.size, old.root) != (self.log_head.size, self.log_head.root):
            return False
        self.log_head = self.log_head._replace(size=size, root=root)
        return True


@cache
def row(position: int) -> RecordedFact:
    """The made-up row at a position."""
    bare = RecordedFact(
        id=position, originator_id=UUID(int=position), originator_version=1, topic=TOPIC,
        state=b'{"n":%d}' % position, recorded_at=RECORDED_AT, leaf_hash=b"",
    )  # fmt: skip
    return replace(bare, leaf_hash=leaf_hash(bare))


def other(position: int) -> RecordedFact:
    """A row that is right in itself, and not the log's."""
    changed = replace(row(position), topic="wallet.coins-expired")
    return replace(changed, leaf_hash=leaf_hash(changed))


class Desk:
    """A log on a database, its folder, and any number of notaries at it."""

    def __init__(self, log: Any, path: Path, pem: bytes | None = None) -> None:
        self.log, self.store = log, log.store
        self.folder = LogFolder(path)
        self.pem = pem or new_key()
        self.kind = "sqlite" if "SQLite" in type(self.store).__name__ else "postgres"
        self.signed: list[tuple[int, bytes]] = []
        self.store.begin_log("0" * 16, ORIGIN, EMPTY_ROOT)

    def notary(
        self, *, log: Any = None, folder: LogFolder | None = None, pem: bytes | None = None,
        passed: Callable[[str], None] = lambda _: None, cosigners: Any = None,
    ) -> Notary:  # fmt: skip
        """Another notary of this log, as another process would have it."""
        signer = KeepingSigner(pem or self.pem, lambda text: self.signed.append(parsed(text)))
        return Notary(log or self.log, folder or self.folder, signer, cosigners, passed)

    def append(self, count: int) -> None:
        self.store.insert_events([fact() for _ in range(count)])

    def rows(self) -> list[RecordedFact]:
        return history(self.store)

    def tree(self) -> Tree:
        """The tree over the rows as they are now."""
        return Tree([leaf_hash(one) for one in self.rows()])

    def entries(self) -> list[bytes]:
        return [entry_bytes(one) for one in self.rows()]

    def published(self) -> tuple[int, bytes] | None:
        return published(self.folder)

    def tamper(self, sql: str, *values: object) -> None:
        """What somebody with the database's password does; ``?`` marks a value."""
        with self.store._writer.borrow() as connection:
            unprotect(connection)
            marks = sql if self.kind == "sqlite" else sql.replace("?", "%b")
            connection.execute(marks, values)

    def rehash(self, position: int) -> None:
        """Make the stored leaf hash of a row right again."""
        found = leaf_hash(self.store.select_notifications(position, 1, position)[0])
        self.tamper("UPDATE events SET leaf_hash = ? WHERE position = ?", found, position)


def refused(
    desk: Desk, refusal: type[NotarisationRefused], notary: Notary | None = None
) -> NotarisationRefused:
    """Refused every time, and nothing is signed, published or swapped meanwhile."""
    before = len(desk.signed), desk.folder.checkpoint(), desk.store.select_log_head()
    notary = notary or desk.notary()
    for _ in range(2):
        with pytest.raises(refusal) as found:
            notary.step()
    assert (len(desk.signed), desk.folder.checkpoint(), desk.store.select_log_head()) == before
    for sentence in (found.value.sentence_zh, found.value.sentence_en):
        assert "{" not in sentence
    return found.value
