"""Structs in plain Python, for ``standin.py``: what msgspec makes of a class with annotations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from inspect import get_annotations
from typing import Any, ClassVar, NamedTuple

MISSING: Any = object()


class MsgspecError(Exception):
    """Base of what is wrong with bytes or values."""


class DecodeError(MsgspecError):
    """The bytes are not JSON."""


class ValidationError(DecodeError):
    """The JSON is not of the type."""


class Meta:
    """Bounds of an annotated type, all inclusive; ``pattern`` is searched for."""

    def __init__(
        self, *, ge: float | None = None, le: float | None = None, min_length: int = 0,
        max_length: int | None = None, pattern: str | None = None,
    ) -> None:
        self.ge, self.le, self.min_length, self.max_length = ge, le, min_length, max_length
        self.pattern = None if pattern is None else re.compile(pattern)

    def refuses(self, value: Any) -> bool:
        """Whether a value is out of bounds."""
        if self.ge is not None and value < self.ge:
            return True
        if self.le is not None and value > self.le:
            return True
        if self.pattern is not None and not self.pattern.search(value):
            return True
        if self.min_length and len(value) < self.min_length:
            return True
        return self.max_length is not None and len(value) > self.max_length


class Default:
    """A default that is made anew for every instance."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def field(*, default_factory: Callable[[], Any]) -> Any:
    """A field whose default is what this makes."""
    return Default(default_factory)


class Layout(NamedTuple):
    """What is known of a struct class: its own fields, and all of them as they are passed."""

    own: Mapping[str, Any] = {}  # with defaults; MISSING where there is none
    own_by_name: bool = False  # whether its own fields are passed by name only
    defaults: Mapping[str, Any] = {}  # of all fields
    heads: tuple[tuple[str, str], ...] = ()  # each field, and what is written before its value
    frozen: bool = False
    strict: bool = False  # whether an unknown field is refused


class Struct:
    """Fields by annotation, with their defaults; compared and shown by their values."""

    __struct_fields__: ClassVar[tuple[str, ...]] = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    __layout__: ClassVar[Layout] = Layout()

    def __init_subclass__(
        cls, *, frozen: bool | None = None, kw_only: bool = False,
        forbid_unknown_fields: bool | None = None, gc: bool = True,
    ) -> None:
        above = cls.__layout__
        own = {
            name: cls.__dict__.get(name, MISSING)
            for name, kind in get_annotations(cls).items()
            if "ClassVar" not in str(kind)
        }
        defaults: dict[str, Any] = {}
        by_name: set[str] = set()
        for base in reversed(cls.__mro__[1:]):
            if issubclass(base, Struct):
                _add(defaults, by_name, base.__dict__["__layout__"].own,
                     base.__dict__["__layout__"].own_by_name)  # fmt: skip
        _add(defaults, by_name, own, kw_only)
        for name, default in own.items():
            if default is not MISSING:
                delattr(cls, name)
        order = tuple(name for name in defaults if name not in by_name)
        named = tuple(name for name in defaults if name in by_name)
        cls.__struct_fields__ = fields = (*order, *named)
        setattr(cls, "__match_args__", order)  # noqa: B010 - a type checker takes it for final
        heads = ((name, f"{',' if at else '{'}\"{name}\":") for at, name in enumerate(fields))
        cls.__layout__ = Layout(
            own, kw_only, defaults, tuple(heads),
            above.frozen if frozen is None else frozen,
            above.strict if forbid_unknown_fields is None else forbid_unknown_fields,
        )  # fmt: skip
        if cls.__layout__.frozen:
            cls.__setattr__ = cls.__delattr__ = _immutable  # type: ignore[assignment]
            cls.__hash__ = _hash  # type: ignore[assignment]

    def __init__(self, *values: Any, **named: Any) -> None:
        order, defaults = self.__match_args__, self.__layout__.defaults
        if len(values) > len(order):
            raise TypeError(f"{type(self).__name__} takes {len(order)} values in order")
        given = self.__dict__
        given.update(zip(order, values, strict=False))
        if not (named.keys() <= defaults.keys() and given.keys().isdisjoint(named)):
            raise TypeError(f"{', '.join(named)} are not fields, or are given twice")
        given.update(named)
        if len(given) == len(defaults):
            return
        for name, default in defaults.items():
            if name not in given:
                if default is MISSING:
                    raise TypeError(f"{type(self).__name__} lacks {name}")
                given[name] = fresh(default)

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if type(self) is type(other) else NotImplemented

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({shown})"


def _add(defaults: dict[str, Any], by_name: set[str], own: Mapping[str, Any], named: bool) -> None:
    """The fields of one class behind those of its bases; one that stands again moves back."""
    for name, default in own.items():
        defaults.pop(name, None)
        defaults[name] = default
        (by_name.add if named else by_name.discard)(name)


def _immutable(self: Struct, name: str, *_: object) -> None:
    raise AttributeError(f"immutable type: '{type(self).__name__}'")


def _hash(self: Struct) -> int:
    return hash((type(self), *(getattr(self, name) for name in self.__struct_fields__)))


def fresh(default: Any) -> Any:
    """A default for a new instance: its own copy of whatever can change."""
    if type(default) is Default:
        return default.make()
    return type(default)(default) if type(default) in (dict, list, set) else default
