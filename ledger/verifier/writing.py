"""Values as JSON in plain Python, for ``standin.py``: byte by byte what msgspec writes."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from ledger.verifier.structs import Struct

FLOAT = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?")
_quoted = json.encoder.encode_basestring


def encode(value: Any) -> bytes:
    """A value as JSON in UTF-8, as compact as can be; TypeError for what facts never hold."""
    return _text(value).encode()


def _text(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return _quoted(value)
    if kind is int:
        return str(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if isinstance(value, Struct):
        return _struct(value)
    if kind in (tuple, list, set, frozenset):
        return "[" + ",".join(map(_text, value)) + "]"
    if kind is dict:
        pairs = (f"{_quoted(_key(key))}:{_text(one)}" for key, one in value.items())
        return "{" + ",".join(pairs) + "}"
    if kind is float:
        return _float(value)
    return _quoted(_key(value))


def _struct(value: Struct) -> str:
    values, heads = value.__dict__, value.__layout__.heads
    return "".join([head + _text(values[name]) for name, head in heads]) + "}" if heads else "{}"


def _key(value: Any) -> str:
    """What stands between quotation marks: texts, ids, days, moments, and numbers as keys."""
    if isinstance(value, datetime):
        zone, moment = value.utcoffset(), value.replace(tzinfo=None).isoformat()
        return moment if zone is None else moment + _zone(zone)
    if isinstance(value, str | int | UUID | date):
        return str(value)
    raise TypeError(f"the stand-in does not write {type(value).__name__}")


def _zone(offset: timedelta) -> str:
    minutes = offset // timedelta(minutes=1)
    if not minutes:
        return "Z"
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def _float(value: float) -> str:
    """Shortest digits that read back the same, as Python has them, with msgspec's exponents."""
    found = FLOAT.fullmatch(repr(value))
    if found is None:
        return "null"  # infinite, or no number
    sign, whole, part, exponent = found.groups()
    if exponent is None:
        return repr(value)
    if exponent == "-05":
        return f"{sign}0.0000{whole}{part or ''}"
    return f"{sign}{whole}{'.' + part if part else ''}e{int(exponent)}"
