"""The demo's city (演示城市): its river, districts and people, all made up."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from uuid import UUID, uuid5

import msgspec

from ledger.districts import DistrictImported
from ledger.participants import Actor
from ledger.rivers import ReachImported
from ledger.tracks import length_m
from ledger.words import Text
from scripts.demo_walks import Course, Metres, degrees, meander

DEMO = UUID("0c1d9a5e-43f0-5a0e-8f51-7b1e4c5f9a20")  # our own namespace for everything made here
CITY, COUNTY = "990000", "990100"
TOWNS = ("990101", "990102", "990103")
TOWN_NAMES = ("上柳镇", "中柳镇", "下柳镇")
GRIDS = tuple(f"{town}-1" for town in TOWNS)
PARTS = ("上游段", "中游段", "下游段")
REACH_METRES = 2400.0

FAMILY_NAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何林"
GIVEN_NAMES = "水清河源江海波涛泉溪云岚晓静安宁明远"
# Words of an alias (化名), and how the demo says them in English.
ALIAS_FIRST = {
    "护水": "Guarding", "清河": "Clear-river", "巡堤": "Dyke-walking", "观澜": "Wave-watching",
    "听泉": "Spring-hearing", "守望": "Keeping",
}  # fmt: skip
ALIAS_LAST = {
    "白鹭": "Egret", "芦苇": "Reed", "小舟": "Boat", "石桥": "Bridge", "青鱼": "Carp",
    "柳树": "Willow",
}  # fmt: skip

# Role -> how many there are whatever the size of the city.
STAFF = {
    "grid_worker": 12,
    "cleaner": 4,
    "village_chief": 1,
    "enterprise": 1,
    "dispatcher": 1,
    "handler": 1,
    "reward_officer": 1,
    "auditor": 1,
    "approver": 1,
    "merchant": 1,
}
ENTERPRISE_STAFF = 3
CHIEF_SHARE = 10  # every tenth citizen is a civic river chief


class Person(msgspec.Struct, frozen=True):
    """Somebody to be registered; their submission, and so their id, follows from the seed."""

    submission_id: UUID
    role: str
    district: str | None
    name: str
    phone: str
    alias: str | None = None
    employed: bool = False


def alias_text(alias: str) -> Text:
    """An alias of this city in both languages; the log knows the Chinese one."""
    first, last, number = alias[:2], alias[2:4], alias[4:]
    return Text(alias, f"{ALIAS_FIRST[first]} {ALIAS_LAST[last]} {number}")


class City(msgspec.Struct, frozen=True):
    """One made-up city; ``named`` gives every id in it."""

    seed: int
    citizens: int

    def named(self, *words: object) -> UUID:
        return uuid5(DEMO, "/".join(map(str, (self.seed, self.citizens, *words))))

    def rng(self, *words: object) -> Random:
        """Chance that depends on the seed and the words alone."""
        return Random(str(self.named("rng", *words)))  # noqa: S311

    @property
    def founder(self) -> Actor:
        """The administrator (管理员) who gives the offices, and is in no list."""
        return Actor(self.named("founder"), "admin")

    def districts(self) -> list[DistrictImported]:
        """A city, one county, three towns, a grid in each."""
        return [
            DistrictImported(code=CITY, name="清泉市", parent=None, kind="city"),
            DistrictImported(code=COUNTY, name="柳溪县", parent=CITY, kind="county"),
            *(
                DistrictImported(code=code, name=name, parent=COUNTY, kind="town")
                for code, name in zip(TOWNS, TOWN_NAMES, strict=True)
            ),
            *(
                DistrictImported(code=code, name=f"{name}一网格", parent=town, kind="grid")
                for code, town, name in zip(GRIDS, TOWNS, TOWN_NAMES, strict=True)
            ),
        ]

    def courses(self) -> list[Course]:
        """The river in three reaches, one in each town."""
        course, start = [], (-3600.0, 0.0)
        for number in range(len(TOWNS)):
            line: list[Metres] = meander(start, REACH_METRES, 120 + 40 * number, 260.0)
            course.append(Course(line))
            start = (line[-1][0], line[-1][1])
        return course

    def reaches(self) -> list[ReachImported]:
        reaches = []
        for number, course in enumerate(self.courses()):
            line = tuple(degrees(place) for place in course.line)
            reaches.append(ReachImported(
                reach_id=uuid5(DEMO, f"reach/{number}"), name=f"清泉河{PARTS[number]}",
                district=TOWNS[number], official_code=None, length_m=length_m([line]),
                lines=(line,),
            ))  # fmt: skip
        return reaches

    def people(self) -> Iterator[Person]:
        """Citizens and civic river chiefs, then those with an office."""
        for number in range(self.citizens):
            chief = number % CHIEF_SHARE == CHIEF_SHARE - 1
            yield self._person("civic_river_chief" if chief else "citizen", number)
        for role, count in STAFF.items():
            for number in range(count):
                yield self._person(role, number)
        for number in range(ENTERPRISE_STAFF):
            yield self._person("enterprise", number + STAFF["enterprise"], employed=True)

    def _person(self, role: str, number: int, *, employed: bool = False) -> Person:
        rng = self.rng("person", role, number)
        alias = f"{rng.choice([*ALIAS_FIRST])}{rng.choice([*ALIAS_LAST])}{number:03d}"
        opted_in = role in ("citizen", "civic_river_chief", "grid_worker") and rng.random() < 0.6
        city_wide = role in (
            "dispatcher", "handler", "reward_officer", "auditor", "approver", "merchant",
        )
        return Person(
            submission_id=self.named("register", role, number),
            role=role,
            district=None if city_wide else TOWNS[number % len(TOWNS)],
            name=rng.choice(FAMILY_NAMES) + rng.choice(GIVEN_NAMES) + rng.choice(GIVEN_NAMES),
            phone=f"1990000{rng.randrange(10_000):04d}",
            alias=alias if opted_in else None,
            employed=employed,
        )
