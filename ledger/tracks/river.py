"""Rivers (河流) as GeoJSON files give them, cut into reaches (河段) that fit into the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, isfinite
from typing import Any
from uuid import UUID, uuid5

import msgspec
import numpy as np
from pyproj import Geod

from ledger.tracks.track import Point

Line = tuple[Point, ...]

REACHES = UUID("6f0d6b0e-6c7f-5b0a-9d5e-3f1f0a8f4c21")  # our own namespace for reach ids
MAX_LINES_BYTES = 55_000  # of JSON, so that a reach fits into one entry of the log
DECIMALS = 6  # of a degree: 0.1 m
NAMES = ("name", "name_zh", "NAME", "名称", "name_en")
CODES = ("official_code", "river_code", "code")
WGS84_NAMES = ("CRS84", "4326")
ELLIPSOID = Geod(ellps="WGS84")

PROBLEMS = {
    "not_json": ("文件不是有效的 JSON。", "The file is not valid JSON."),
    "not_a_collection": (
        "文件不是 GeoJSON FeatureCollection。",
        "The file is not a GeoJSON FeatureCollection.",
    ),
    "other_crs": (
        "文件声明了 WGS-84 以外的坐标系，请先转换。",
        "The file declares coordinates other than WGS-84; convert it first.",
    ),
    "not_a_feature": ("不是 GeoJSON Feature。", "This is not a GeoJSON Feature."),
    "not_a_line": (
        "不是线（LineString 或 MultiLineString）。",
        "This is not a line (LineString or MultiLineString).",
    ),
    "no_name": ("没有名称。", "It has no name."),
    "bad_coordinates": (
        "坐标缺失、无效或超出范围（应为经度、纬度）。",
        "Coordinates are missing, invalid or out of range (longitude, latitude).",
    ),
    "too_short": ("线段不足两个不同的点。", "A line has fewer than two different points."),
    "duplicate": ("与前面的一条完全相同。", "It is the same as one before it."),
}


class Reach(msgspec.Struct, frozen=True):
    """A reach's centre line in degrees of WGS-84 (longitude, latitude)."""

    reach_id: str
    name: str
    lines: tuple[Line, ...]
    district: str | None = None
    official_code: str | None = None


class Refused(msgspec.Struct, frozen=True):
    """Why one feature of a file was not read; ``index`` counts from 0."""

    index: int
    name: str | None
    code: str
    zh: str
    en: str


class RiverProblem(ValueError):
    """Why a file, or one feature of it, cannot be read as rivers."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.zh, self.en = PROBLEMS[code]
        super().__init__(self.en)


def length_m(lines: Sequence[Line]) -> int:
    """Length on the WGS-84 ellipsoid, to the nearest metre."""
    ordinates = (np.array(line, dtype=np.float64).T for line in lines)
    return round(sum(float(ELLIPSOID.line_length(lon, lat)) for lon, lat in ordinates))


def read_rivers(data: bytes) -> tuple[list[Reach], list[Refused]]:
    """The reaches of a GeoJSON FeatureCollection (RFC 7946), and what was refused and why.

    The same name and geometry always get the same id. A line too long for one entry of the log
    becomes numbered reaches. Raises RiverProblem when the whole file is unreadable.
    """
    reaches: dict[str, Reach] = {}
    refused: list[Refused] = []
    for index, feature in enumerate(_features(data)):
        name = _name(feature)
        try:
            for reach in _reaches(feature, name):
                if reach.reach_id in reaches:
                    raise RiverProblem("duplicate")
                reaches[reach.reach_id] = reach
        except RiverProblem as problem:
            refused.append(Refused(index, name, problem.code, problem.zh, problem.en))
    return list(reaches.values()), refused


def _features(data: bytes) -> list[Any]:
    try:
        root = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RiverProblem("not_json") from None
    if not isinstance(root, dict) or not isinstance(root.get("features"), list):
        raise RiverProblem("not_a_collection")
    declared = msgspec.json.encode(root.get("crs")).decode()
    if root.get("crs") and not any(name in declared for name in WGS84_NAMES):
        raise RiverProblem("other_crs")
    return list(root["features"])


def _properties(feature: Any) -> dict[str, Any]:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    return properties if isinstance(properties, dict) else {}


def _first_text(properties: dict[str, Any], keys: Sequence[str]) -> str | None:
    values = (properties.get(key) for key in keys)
    return next((v.strip() for v in values if isinstance(v, str) and v.strip()), None)


def _name(feature: Any) -> str | None:
    return _first_text(_properties(feature), NAMES)


def _reaches(feature: Any, name: str | None) -> Iterator[Reach]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise RiverProblem("not_a_feature")
    lines = _lines(feature.get("geometry"))
    if name is None:
        raise RiverProblem("no_name")
    properties = _properties(feature)
    parts = split(lines)
    for number, part in enumerate(parts, start=1):
        title = name if len(parts) == 1 else f"{name} ({number}/{len(parts)})"
        yield Reach(
            reach_id=str(uuid5(REACHES, title + msgspec.json.encode(part).decode())),
            name=title,
            lines=part,
            district=_first_text(properties, ("district",)),
            official_code=_first_text(properties, CODES),
        )


def _lines(geometry: Any) -> tuple[Line, ...]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("LineString", "MultiLineString"):
        raise RiverProblem("not_a_line")
    coordinates = geometry.get("coordinates")
    lines = [coordinates] if kind == "LineString" else coordinates
    if not isinstance(lines, list) or not lines:
        raise RiverProblem("bad_coordinates")
    return tuple(_line(line) for line in lines)


def _line(points: Any) -> Line:
    if not isinstance(points, list):
        raise RiverProblem("bad_coordinates")
    rounded = [_point(point) for point in points]
    different = [p for p, before in zip(rounded, [None, *rounded], strict=False) if p != before]
    if len(different) < 2:
        raise RiverProblem("too_short")
    return tuple(different)


def _point(point: Any) -> Point:
    if not isinstance(point, list) or len(point) < 2:
        raise RiverProblem("bad_coordinates")
    lon, lat = point[:2]
    for value, limit in ((lon, 180), (lat, 90)):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not isfinite(value) or abs(value) > limit:
            raise RiverProblem("bad_coordinates")
    return round(float(lon), DECIMALS), round(float(lat), DECIMALS)


def split(lines: tuple[Line, ...]) -> list[tuple[Line, ...]]:
    """The lines in as few and even parts as fit into an entry; neighbours share their vertex."""
    total = len(msgspec.json.encode(lines))
    if total <= MAX_LINES_BYTES:
        return [lines]
    room = MAX_LINES_BYTES - 1000
    target = total / ceil(total / room)
    parts: list[tuple[Line, ...]] = []
    done: list[Line] = []
    used = 2
    for line in lines:
        if done and used > target:
            parts.append(tuple(done))
            done, used = [], 2
        current: list[Point] = []
        for point in line:
            size = len(msgspec.json.encode(point)) + 1
            # A part ends at a vertex, which begins the next part too.
            if used + size + 3 > target and len(current) > 1:
                parts.append((*done, tuple(current)))
                done, current, used = [], current[-1:], 2 + size + 3
            current.append(point)
            used += size
        done.append(tuple(current))
        used += 3
    return [*parts, tuple(done)]
