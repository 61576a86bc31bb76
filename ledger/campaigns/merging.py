"""Merging edits (合并修改): which of several people's changes to one visit take effect, pure.

What was recorded first is version 1, every edit makes the next. Of each field the versions count
that nobody has said anything newer on while knowing of them. Where they say the same, that stands;
where they do not, what was there first stands and the others wait for a person to decide. So what
people say at the end, in effect or waiting, does not depend on the order in which edits arrive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

MATERIALS, ANSWERS = "materials.", "answers."


class Version(msgspec.Struct, frozen=True):
    """What one edit said, by field, None for what it emptied; its ``clashes`` wait.

    Its author knew every version up to ``base``, which the server had told, and behind those the
    ``chain`` of edits it was made on top of, in order.
    """

    by: UUID
    base: int
    chain: tuple[int, ...]
    said: Mapping[str, Any]
    clashes: tuple[str, ...] = ()

    def knew(self, number: int) -> bool:
        return number <= self.base or number in self.chain

    @property
    def effective(self) -> dict[str, Any]:
        """What of it takes effect, by field."""
        return {field: value for field, value in self.said.items() if field not in self.clashes}


class Clash(msgspec.Struct, frozen=True):
    """A field that people gave different values: whose value waits, since which version."""

    field: str
    version: int
    by: UUID


class History:
    """The versions of a visit, oldest first, with their values."""

    def __init__(self, first: Mapping[str, Any]) -> None:
        self.first = first
        self.versions: list[Version] = []
        # By field the versions that nobody who knew them has said anything newer on.
        self._newest: dict[str, list[int]] = {}

    def add(self, version: Version) -> None:
        """Take in the next version."""
        self.versions.append(version)
        number = len(self.versions) + 1
        for field in version.said:
            unknown = [one for one in self._newest.get(field, ()) if not version.knew(one)]
            self._newest[field] = [*unknown, number]

    def standing(self, through: int | None = None) -> dict[str, Any]:
        """What is in effect, by field, or was after the version ``through``."""
        found = dict(self.first)
        for version in self.versions[: None if through is None else through - 1]:
            found |= version.effective
        return found

    def known(self, base: int, chain: Sequence[int]) -> dict[str, Any]:
        """The visit as the author saw it who made an edit on these versions."""
        found = self.standing(base)
        for number in chain:
            found |= self.versions[number - 2].said
        return found

    def clashing(
        self, base: int, chain: tuple[int, ...], said: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """Those of the fields said that stand as another value which their author did not know."""
        standing = self.standing()
        return tuple(
            field for field, value in sorted(said.items())
            if not same(field, value, standing.get(field))
            and any(
                one > base and one not in chain and not self._waits(field, one)
                for one in self._newest.get(field, ())
            )
        )  # fmt: skip

    def waiting(self, base: int, chain: Sequence[int]) -> list[str]:
        """The fields of which something waited that an author of these versions knew of."""
        return [
            field for field, numbers in self._newest.items()
            if any((one <= base or one in chain) and self._waits(field, one) for one in numbers)
        ]  # fmt: skip

    def open_clashes(self) -> list[tuple[Clash, Any]]:
        """What waits for a person to decide, by field, each with the value it would have."""
        standing = self.standing()
        found = []
        for field, numbers in sorted(self._newest.items()):
            for number in numbers:
                version = self.versions[number - 2]
                value = version.said[field]
                if self._waits(field, number) and not same(field, value, standing.get(field)):
                    found.append((Clash(field, number, version.by), value))
        return found

    def _waits(self, field: str, number: int) -> bool:
        return field in self.versions[number - 2].clashes


def same(field: str, one: Any, other: Any) -> bool:
    """Whether two values of a field say the same.

    The order of topics and of several choices means nothing; of a material that nobody named
    there are none.
    """
    return bool(_plain(field, one) == _plain(field, other))


def _plain(field: str, value: Any) -> Any:
    if field.startswith(MATERIALS):
        return value or 0
    if isinstance(value, list | tuple):
        unordered = field == "topics" or field.startswith(ANSWERS)
        return sorted(value) if unordered else list(value)
    return value


def parts(fields: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The fields of one prefix without it; those that were emptied are left out."""
    return {
        name.removeprefix(prefix): value for name, value in fields.items()
        if name.startswith(prefix) and value is not None
    }  # fmt: skip
