"""What a trail shall be, as somebody sends it in, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

import msgspec

from ledger.codes import digest_of, plain
from ledger.days import backwards
from ledger.districts import DistrictCode
from ledger.errors import FieldError, InvalidInput
from ledger.tracks.apart import in_wgs84
from ledger.trails.trails import Circle, Order, Plan, Point, Radius
from ledger.words import PUBLIC

POINTS_MAX = 60

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=PUBLIC)]
PointId = Annotated[str, msgspec.Meta(pattern=r"^(?!.*\d{7})[\w.-]{1,40}$(?!\n)")]
# Long enough that nobody finds it from its SHA-256 by trying; dashes do not count.
CODE_LENGTH_MIN = 12
Code = Annotated[
    str, msgspec.Meta(min_length=CODE_LENGTH_MIN, max_length=200, pattern=r"^\S+$(?!\n)")
]


class Around(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Within so many metres of a place."""

    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    radius_m: Radius
    crs: Literal["wgs84", "gcj02"] = "wgs84"


class NewPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A point to check in at: within ``place``, or with ``code``, one of ours if ``make_code``.

    Without ``id`` it is known by its number, from 1.
    """

    name: Name
    id: PointId | None = None
    place: Around | None = None
    code: Code | None = None
    make_code: bool = False


class NewTrail(msgspec.Struct, frozen=True, kw_only=True):
    """A trail; without ``finish_at`` it is finished at all of its points.

    Without ``district`` it is for the whole of one's own; its days are the first and the last.
    """

    name: Name
    points: Annotated[tuple[NewPoint, ...], msgspec.Meta(min_length=1, max_length=POINTS_MAX)]
    order: Order = "any"
    finish_at: Annotated[int, msgspec.Meta(ge=1, le=POINTS_MAX)] | None = None
    district: DistrictCode | None = None
    starts_on: date | None = None
    ends_on: date | None = None


def planned(wanted: NewTrail, district: str | None, codes: Mapping[str, str]) -> Plan:
    """The plan as it is stored: places in WGS-84, of codes their digests.

    ``codes`` are those made, by point. Raises InvalidInput per field.
    """
    points = tuple(
        _point(name, one, codes.get(name, one.code))
        for name, one in zip(ids_of(wanted), wanted.points, strict=True)
    )
    if problems := [*_faults(wanted), *_twice(points)]:
        raise InvalidInput(problems)
    return Plan(
        name=wanted.name, points=points, finish_at=wanted.finish_at or len(points),
        order=wanted.order, district=district, starts_on=wanted.starts_on,
        ends_on=wanted.ends_on,
    )  # fmt: skip


def ids_of(wanted: NewTrail) -> list[str]:
    """What the points are known by: as they say, else their number."""
    return [one.id or str(number) for number, one in enumerate(wanted.points, 1)]


def _point(point_id: str, wanted: NewPoint, code: str | None) -> Point:
    circle = None
    if wanted.place is not None:
        place = wanted.place
        lon, lat = in_wgs84((place.lon, place.lat), place.crs)
        circle = Circle(round(lon, 7), round(lat, 7), place.radius_m)
    return Point(
        id=point_id, name=wanted.name, circle=circle,
        code_sha256=digest_of(code) if code is not None else None,
    )  # fmt: skip


def _faults(wanted: NewTrail) -> list[FieldError]:
    """What is wrong with a trail beyond the shape of its fields."""
    found = []
    for number, one in enumerate(wanted.points):
        path = f"points[{number}]"
        if one.place is None and one.code is None and not one.make_code:
            found.append(FieldError(path, "no_way_to_check_in", "打卡点须有位置范围或打卡码。",
                                    "A point needs a place or a code."))  # fmt: skip
        if one.code is not None and one.make_code:
            found.append(FieldError(f"{path}.make_code", "code_given", "已填写打卡码，无需生成。",
                                    "A code is given, so none is to be made."))  # fmt: skip
        if one.code is not None and len(plain(one.code)) < CODE_LENGTH_MIN:
            found.append(FieldError(f"{path}.code", "too_short", "打卡码至少 12 位，连字符不计。",
                                    "A code has 12 characters, dashes not counted."))  # fmt: skip
    if wanted.finish_at is not None and wanted.finish_at > len(wanted.points):
        found.append(FieldError("finish_at", "out_of_range", "完成所需点数多于打卡点总数。",
                                "There are not so many points."))  # fmt: skip
    return [*found, *backwards(wanted.starts_on, wanted.ends_on)]


def _twice(points: tuple[Point, ...]) -> list[FieldError]:
    """Ids and codes that two points share."""
    found, ids, codes = [], set[str](), set[str | None]({None})
    for number, one in enumerate(points):
        if one.id in ids:
            found.append(FieldError(f"points[{number}].id", "duplicate", "与前面的打卡点编号重复。",
                                    "Another point has this id."))  # fmt: skip
        if one.code_sha256 in codes - {None}:
            found.append(FieldError(f"points[{number}].code", "duplicate", "与前面的打卡码重复。",
                                    "Another point has this code."))  # fmt: skip
        ids.add(one.id)
        codes.add(one.code_sha256)
    return found
