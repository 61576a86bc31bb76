"""Looking for markers wherever something is kept, with the vault's key in hand."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from ledger.errors import CommitmentBroken, Erased
from ledger.vault import KEY_BYTES, Vault


class Kept:
    """The tables of one database, as somebody with all its keys has them."""

    def __init__(self, environ: dict[str, str], key: bytes) -> None:
        self._url, self._key = environ["GWC_DATABASE_URL"], key
        assert len(key) == KEY_BYTES

    @property
    def file(self) -> Path | None:
        path = self._url.removeprefix("sqlite:///")
        return Path(path) if path != self._url else None

    def tables(self) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
        """Every table and its rows."""
        if self.file:
            with closing(sqlite3.connect(self.file)) as connection:
                names = "SELECT name FROM sqlite_master WHERE type = 'table'"
                for (name,) in connection.execute(names).fetchall():
                    yield name, connection.execute(f"SELECT * FROM {name}").fetchall()
        else:
            with psycopg.connect(self._url) as connection:
                names = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
                for (name,) in connection.execute(names).fetchall():
                    yield name, connection.execute(f"SELECT * FROM {name}").fetchall()

    def contents(self) -> Iterator[bytes]:
        """Every value of every row as bytes, and what of the vault opens."""
        tables = dict(self.tables())
        for rows in tables.values():
            for row in rows:
                for value in row:
                    if value is not None:
                        yield bytes(value) if isinstance(value, bytes) else str(value).encode()
        yield from self._opened(tables)
        for path in self.files():
            yield path.read_bytes()

    def files(self) -> list[Path]:
        """The file of the database and what lies beside it, its log of writes included."""
        return sorted(self.file.parent.glob(f"{self.file.name}*")) if self.file else []

    def _opened(self, tables: dict[str, list[tuple[Any, ...]]]) -> Iterator[bytes]:
        keys = {UUID(str(subject)): bytes(key) for subject, key in tables["vault_keys"]}
        vault = Vault(None, self._key)  # type: ignore[arg-type]
        for row in tables["vault"]:
            found = Row(UUID(str(row[0])), row[1], UUID(str(row[2])), *map(bytes, row[6:8]))
            with suppress(Erased, CommitmentBroken):
                disclosure = vault._decrypted(found, keys.get(found.subject))  # type: ignore[arg-type]
                yield from values(disclosure)

    def secrets(self, subjects: Iterable[UUID]) -> list[bytes]:
        """Stored bytes that must be nowhere once these are erased: keys, and heads of rows."""
        wanted, tables = set(subjects), dict(self.tables())
        keys = [bytes(key) for one, key in tables["vault_keys"] if UUID(str(one)) in wanted]
        rows = [bytes(row[7])[:48] for row in tables["vault"] if UUID(str(row[2])) in wanted]
        return keys + rows


class Row(msgspec.Struct):
    """What of a vault row opens it."""

    originator_id: UUID
    field: str
    subject: UUID
    nonce: bytes
    ciphertext: bytes


def values(disclosure: bytes) -> Iterator[bytes]:
    """The value of a disclosure as text, and the bytes of a photo in it."""
    padded = disclosure + b"=" * (-len(disclosure) % 4)
    plain = base64.urlsafe_b64decode(padded)
    yield plain
    value = msgspec.json.decode(plain)[2]
    if isinstance(value, dict) and "content" in value:
        yield base64.b64decode(value["content"])


def found(markers: dict[str, bytes], contents: Iterable[bytes]) -> set[str]:
    """Which markers are in there, plain or as JSON, hexadecimal or base64 would have them."""
    forms = {
        what: {marker, marker.hex().encode(), *_escaped(marker), *_base64(marker)}
        for what, marker in markers.items()
    }  # fmt: skip
    seen: set[str] = set()
    for content in contents:
        seen |= {what for what, each in forms.items() if any(one in content for one in each)}
    return seen


def in_folder(folder: Path) -> Iterator[bytes]:
    """Every file of a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.read_bytes()


def in_redis(url: str) -> Iterator[bytes]:
    """Every key of a Redis with its value."""
    import redis

    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter():
            yield key
            with suppress(redis.ResponseError):
                yield client.dump(key)
            read = {b"string": client.get, b"hash": client.hgetall,
                    b"set": client.smembers}.get(client.type(key))  # fmt: skip
            yield repr(read(key)).encode() if read else b""
            if client.type(key) == b"zset":
                yield from client.zrange(key, 0, -1)


def _escaped(marker: bytes) -> list[bytes]:
    text = marker.decode()
    return [text.encode("unicode_escape"), text.encode("utf-16-le")] if not text.isascii() else []


def _base64(marker: bytes) -> list[bytes]:
    """The middle of the marker in base64, for each of the three places it may begin at."""
    return [base64.b64encode(b"\0" * shift + marker)[4:-4] for shift in range(3) if len(marker) > 8]
