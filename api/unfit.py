"""What JSON can write and no text or number can be: half a character, a number beyond range.

A phone that cuts an emoji in two writes ``\\ud83d`` (RFC 8259, section 8.2), and sends it again
for ever: it is told where, and nothing else in the body suffers from it.
"""

from __future__ import annotations

import json
import math
from collections import deque
from typing import Any

import msgspec

BROKEN, BEYOND = "broken_text|", "out_of_range|"


def decoded(content: bytes) -> tuple[Any, bool]:
    """JSON in UTF-8, and whether something unfit may be in it; raises ValueError, RecursionError.

    NaN and Infinity are read as well, so that they are told with their place, too.
    """
    try:
        return msgspec.json.decode(content), False
    except msgspec.MsgspecError:
        # Python's own reader keeps halves of characters, and makes inf of what is beyond range.
        return json.loads(content.decode(), parse_int=_whole), True


def _whole(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # more digits than Python reads
        return math.inf


def misfit(value: Any) -> Any:
    """The outermost thing unfit, as marshmallow's tree: its place, and what it is; else None."""
    left = deque[tuple[tuple[Any, ...], Any]]([((), value)])
    while left:
        place, one = left.popleft()
        inner: list[tuple[Any, Any]] = []
        if isinstance(one, dict):
            inner = list(one.items())
        elif isinstance(one, list):
            inner = list(enumerate(one))
        if _is_broken(one) or any(_is_broken(key) for key, _ in inner):
            return _at(place, BROKEN)
        if isinstance(one, float) and not math.isfinite(one):
            return _at(place, BEYOND)
        left.extend(((*place, key), more) for key, more in inner)
    return None


def whole_text(text: str) -> str:
    """The same with a question mark for every half of a character."""
    return text.encode(errors="replace").decode()


def _is_broken(one: Any) -> bool:
    return isinstance(one, str) and whole_text(one) != one


def _at(place: tuple[Any, ...], told: str) -> Any:
    tree: Any = [told]
    for step in reversed(place):
        tree = {step: tree}
    return tree
