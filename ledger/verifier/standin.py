"""A stand-in for msgspec in plain Python: as much of it as facts and the audit use.

An auditor needs Python alone, so ``verify.py`` carries this file under the name ``msgspec``. It
reads and writes the same bytes and refuses the same ones; its messages have other words. Two
differences, neither in bytes that the ledger writes: of a field that stands twice in an object it
looks at the last one only, and what is not UTF-8 it refuses in unknown fields as well.
"""

from __future__ import annotations

import json as _json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ledger.verifier.shapes import reader
from ledger.verifier.structs import (
    DecodeError,
    Meta,
    MsgspecError,
    Struct,
    ValidationError,
    field,
)
from ledger.verifier.writing import encode

__all__ = [
    "DecodeError", "Meta", "MsgspecError", "Struct", "ValidationError", "convert", "field",
    "json", "structs",
]  # fmt: skip

SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Encoder:
    """Writes JSON."""

    encode = staticmethod(encode)


class Decoder:
    """Reads JSON as a type."""

    def __init__(self, kind: Any = Any) -> None:
        self._kind = kind
        self._read: Callable[[Any], Any] | None = None

    def decode(self, data: bytes | str) -> Any:
        """Raises DecodeError, ValidationError where the JSON is not of the type, or
        UnicodeDecodeError.
        """
        if self._read is None:
            self._read = reader(self._kind)
        return self._read(_parsed(data))


def _decode(data: bytes | str, type: Any = Any) -> Any:
    return Decoder(type).decode(data)


def convert(value: Any, type: Any) -> Any:
    """Plain values as a type; raises ValidationError."""
    return reader(type)(value)


def _replace(struct: Struct, **changes: Any) -> Any:
    return type(struct)(**{**struct.__dict__, **changes})


def _asdict(struct: Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def _parsed(data: bytes | str) -> Any:
    text = data if isinstance(data, str) else data.decode()
    try:
        value = _loads(text)
    except ValueError as error:
        raise DecodeError(str(error)) from None
    if SURROGATE.search(text):
        try:
            _json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise DecodeError("half a surrogate pair") from None
    return value


def _number(text: str) -> float:
    if (value := float(text)) in (float("inf"), float("-inf")):
        raise ValidationError("number out of range")
    return value


def _no_constant(text: str) -> float:
    raise DecodeError(f"{text} is not JSON")


_loads = _json.JSONDecoder(parse_float=_number, parse_constant=_no_constant).decode
json = SimpleNamespace(Decoder=Decoder, Encoder=Encoder, decode=_decode, encode=encode)
structs = SimpleNamespace(replace=_replace, asdict=_asdict)
