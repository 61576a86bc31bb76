"""Cursors: where the next page of a list begins, as opaque text."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

import msgspec

from ledger.errors import FieldError, InvalidInput
from projections.view import START, Place, Row

LENGTH_MAX = 1_000
MARK_BYTES = 6


class BadCursor(InvalidInput):
    """A cursor this list never gave."""

    code = "bad_cursor"
    zh = "分页游标无效；请从第一页重新开始。"
    en = "This cursor is not one of this list; start again from the first page."

    def __init__(self) -> None:
        super().__init__([FieldError("cursor", self.code, self.zh, self.en)])


def write(listing: str, place: Place) -> str:
    """The cursor of a place in the list named ``listing``."""
    text = msgspec.json.encode((_mark(listing), *place))
    return urlsafe_b64encode(text).decode().rstrip("=")


def read(listing: str, cursor: str | None) -> Place:
    """The place of a cursor, the start for None; raises BadCursor."""
    if cursor is None:
        return START
    if len(cursor) > LENGTH_MAX:
        raise BadCursor
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mark, sort, key = msgspec.json.decode(text, type=tuple[str, str, str])
    except (ValueError, msgspec.MsgspecError):
        raise BadCursor from None
    if mark != _mark(listing) or not (sort + key).isprintable():
        raise BadCursor
    return sort, key


def cut(listing: str, rows: Sequence[Row], limit: int) -> tuple[list[Row], str | None]:
    """Of ``limit`` + 1 rows asked for, the page, and the cursor of the next one if there is one."""
    shown = list(rows[:limit])
    return shown, write(listing, shown[-1].place) if len(rows) > limit and shown else None


def _mark(listing: str) -> str:
    return hashlib.sha256(listing.encode()).hexdigest()[: 2 * MARK_BYTES]
