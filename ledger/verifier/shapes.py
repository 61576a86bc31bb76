"""Plain values as types, in plain Python, for ``standin.py``: strict, as msgspec is.

A reader is made once for each type; it gives the value as the type has it, or raises
ValidationError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from ledger.verifier.structs import MISSING, Meta, Struct, ValidationError, fresh

Read = Callable[[Any], Any]
HEX = "[0-9a-fA-F]"
ID = re.compile(f"{HEX}{{32}}|{HEX}{{8}}(?:-{HEX}{{4}}){{3}}-{HEX}{{12}}", re.ASCII)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?"
    r"(?:([Zz])|([+-])(\d\d):?(\d\d))?",
    re.ASCII,
)


@cache
def reader(kind: Any) -> Read:
    """What reads plain values as this type; raises TypeError for a type facts never have."""
    if kind in SIMPLE:
        return SIMPLE[kind]
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _struct(kind)
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        return _either(arguments)
    if origin is Literal:
        return _one_of(arguments)
    if origin is Annotated:
        return _bounded(arguments[0], arguments[1:])
    if origin is dict:
        return _mapping(*arguments or (Any, Any))
    if origin is tuple and arguments and arguments[-1] is not Ellipsis:
        return _row(arguments)
    if origin in (tuple, list, set, frozenset):
        return _sequence(origin, arguments[0] if arguments else Any)
    raise TypeError(f"the stand-in does not read {kind}")


def _refuse(expected: str, value: Any) -> ValidationError:
    return ValidationError(f"expected {expected}, got {type(value).__name__}")


def _exactly(kind: type) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise _refuse(kind.__name__, value)
        return value

    return read


def _float(value: Any) -> float:
    if type(value) not in (int, float):
        raise _refuse("float", value)
    try:
        return float(value)
    except OverflowError:
        raise ValidationError("number out of range") from None


def _id(value: Any) -> UUID:
    if type(value) is UUID:
        return value
    if type(value) is not str or not ID.fullmatch(value):
        raise _refuse("UUID", value)
    return UUID(value)


def _day(value: Any) -> date:
    if type(value) is date:
        return value
    if type(value) is not str or not DAY.fullmatch(value):
        raise _refuse("date", value)
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _moment(value: Any) -> datetime:
    if type(value) is datetime:
        return value
    found = MOMENT.fullmatch(value) if type(value) is str else None
    if found is None:
        raise _refuse("datetime", value)
    *whole, fraction, zulu, sign, hours, minutes = found.groups()
    digits = (fraction or "")[:7].ljust(7, "0")  # msgspec rounds by the seventh
    try:
        zone = UTC if zulu else _zone(sign, int(hours), int(minutes)) if sign else None
        moment = datetime(*map(int, whole), tzinfo=zone)  # type: ignore[misc,arg-type]
        return moment + timedelta(microseconds=int(digits[:6]) + (digits[6] >= "5"))
    except (ValueError, OverflowError) as error:
        raise ValidationError(str(error)) from None


def _zone(sign: str, hours: int, minutes: int) -> timezone:
    if hours > 23 or minutes > 59:
        raise ValueError("no such offset")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset) if offset else UTC


SIMPLE: dict[Any, Read] = {
    Any: lambda value: value, int: _exactly(int), str: _exactly(str), bool: _exactly(bool),
    NoneType: _exactly(NoneType), None: _exactly(NoneType), float: _float, UUID: _id,
    date: _day, datetime: _moment,
}  # fmt: skip


def _either(kinds: Iterable[Any]) -> Read:
    reads = [reader(kind) for kind in kinds]

    def read(value: Any) -> Any:
        if value is None:
            return none(value)
        for one in others:
            try:
                return one(value)
            except ValidationError as error:
                last = error
        raise last

    nothing = SIMPLE[NoneType]
    others = [one for one in reads if one is not nothing] or reads
    none = nothing if nothing in reads else others[0]
    return read


def _one_of(words: tuple[Any, ...]) -> Read:
    known = {(type(word), word) for word in words}

    def read(value: Any) -> Any:
        if type(value) not in (str, int) or (type(value), value) not in known:
            raise ValidationError(f"{value!r} is none of {words}")
        return value

    return read


def _bounded(kind: Any, marks: Iterable[Any]) -> Read:
    inner, bounds = reader(kind), [mark for mark in marks if isinstance(mark, Meta)]

    def read(value: Any) -> Any:
        found = inner(value)
        if any(bound.refuses(found) for bound in bounds):
            raise ValidationError(f"{value!r} is out of bounds")
        return found

    return read


def _mapping(key_kind: Any, value_kind: Any) -> Read:
    key_of, value_of = reader(key_kind), reader(value_kind)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _refuse("object", value)
        return {key_of(key): value_of(one) for key, one in value.items()}

    return read


def _row(kinds: tuple[Any, ...]) -> Read:
    reads = [reader(kind) for kind in kinds]

    def read(value: Any) -> Any:
        if type(value) not in (list, tuple) or len(value) != len(reads):
            raise _refuse(f"array of length {len(reads)}", value)
        return tuple([one(item) for one, item in zip(reads, value, strict=True)])

    return read


def _sequence(kind: Any, item_kind: Any) -> Read:
    item = reader(item_kind)

    def read(value: Any) -> Any:
        if type(value) not in (list, tuple):
            raise _refuse("array", value)
        return kind([item(one) for one in value])

    return read


def _struct(kind: type[Struct]) -> Read:
    strict, defaults = kind.__layout__.strict, kind.__layout__.defaults
    fields: list[tuple[str, Read, Any]] = []

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _refuse("object", value)
        if not fields and defaults:  # Not before it is needed: annotations may look ahead.
            hints = get_type_hints(kind, include_extras=True)
            fields.extend((name, reader(hints[name]), defaults[name])
                          for name in kind.__struct_fields__)  # fmt: skip
        found, known = {}, 0
        for name, one, default in fields:
            if name in value:
                known += 1
                try:
                    found[name] = one(value[name])
                except ValidationError as error:
                    raise ValidationError(f"{name}: {error}") from None
            elif default is MISSING:
                raise ValidationError(f"{name} is missing")
            else:
                found[name] = fresh(default)
        if strict and known < len(value):
            raise ValidationError(f"unknown fields in {kind.__name__}")
        made = kind.__new__(kind)
        made.__dict__.update(found)
        return made

    return read
