"""Districts (行政区): city → county or functional zone → town → grid, as an imported register."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

import msgspec

from ledger.facts import Fact, stored_as

KINDS = ("city", "county", "zone", "town", "grid")
DEPTH_MAX = 8
CODE = re.compile(r"[\w.-]{1,40}\Z")


@stored_as(
    "district.imported",
    zh="{by} 导入行政区 {code} {name}",
    en="{by} imported the district {code} {name}",
)
class DistrictImported(Fact, frozen=True):
    """A district as the city's list names it; importing it again replaces name and parent."""

    code: str
    name: str
    parent: str | None
    kind: str
    by: UUID | None = None


class Districts(msgspec.Struct):
    """The tree of districts by code."""

    version: int = 0
    by_code: dict[str, DistrictImported] = {}

    def with_facts(self, facts: Sequence[Fact]) -> Districts:
        imported = {fact.code: fact for fact in facts if isinstance(fact, DistrictImported)}
        return Districts(self.version + len(facts), self.by_code | imported)

    def known(self, code: str | None) -> bool:
        """Whether ``code`` may be used; where none were imported, any may, and none is needed."""
        return code is None or not self.by_code or code in self.by_code

    def path(self, code: str | None) -> tuple[str, ...]:
        """``code`` and the districts above it, lowest first; empty for None."""
        path: list[str] = []
        while code is not None and code not in path and len(path) < DEPTH_MAX:
            path.append(code)
            found = self.by_code.get(code)
            code = found.parent if found else None
        return tuple(path)

    def is_lowest(self, code: str) -> bool:
        """Whether no district lies below one: a grid, as far as is known."""
        return all(one.parent != code for one in self.by_code.values())

    def circular(self) -> str | None:
        """A district that is above itself; None in a proper tree."""
        for code in self.by_code:
            above = self.by_code[code].parent
            for _ in range(DEPTH_MAX):
                if above is None:
                    break
                if above == code:
                    return code
                found = self.by_code.get(above)
                above = found.parent if found else None
        return None
