"""Rivers (河流) as reaches (河段) with our own ids; official codes are optional attributes."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from ledger.facts import Fact, stored_as

Line = tuple[tuple[float, float], ...]


@stored_as(
    "river.reach-imported",
    zh="{by} 导入河段 {reach_id}“{name}”，长 {length_m} 米",
    en="{by} imported the reach {reach_id}, “{name}”, {length_m} m long",
)
class ReachImported(Fact, frozen=True):
    """A reach's centre line, WGS-84 (longitude, latitude); again under the same id replaces it."""

    reach_id: UUID
    name: str
    district: str | None
    official_code: str | None
    length_m: int
    lines: tuple[Line, ...]
    by: UUID | None = None


class RiverMap(msgspec.Struct):
    """All reaches by id."""

    version: int = 0
    reaches: dict[UUID, ReachImported] = {}

    def with_facts(self, facts: Sequence[Fact]) -> RiverMap:
        imported = {fact.reach_id: fact for fact in facts if isinstance(fact, ReachImported)}
        return RiverMap(self.version + len(facts), self.reaches | imported)
