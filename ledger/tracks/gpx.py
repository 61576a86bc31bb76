"""GPX files (1.0 and 1.1) as tracks: only places, times and heights; all else is passed over."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ledger.tracks.track import MAX_POINTS, Point, Track

MAX_BYTES = 5 * 1024 * 1024
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BOM = b"\xef\xbb\xbf"

PROBLEMS = {
    "too_large": ("文件超过 5 MiB。", "The file is larger than 5 MiB."),
    "not_xml": ("文件不是有效的 XML。", "The file is not valid XML."),
    "unsafe_xml": (
        "文件含有实体或文档类型声明，出于安全不予读取。",
        "The file declares entities or a document type and is not read for safety.",
    ),
    "not_gpx": ("文件不是 GPX。", "The file is not GPX."),
    "no_track": ("文件中没有轨迹。", "There is no track in the file."),
    "bad_point": (
        "有定位点缺少经纬度，或数值无效。",
        "A point lacks its latitude or longitude, or it is not a number.",
    ),
    "too_many_points": (
        f"轨迹超过 {MAX_POINTS} 个定位点。",
        f"The track has more than {MAX_POINTS} points.",
    ),
}


class GpxProblem(ValueError):
    """Why a file cannot be read as a track."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.zh, self.en = PROBLEMS[code]
        super().__init__(self.en)


def read_gpx(data: bytes) -> Track:
    """The tracks of a file one after the other, or its routes when it has no track.

    Points are put in order of time when all have one. Raises GpxProblem.
    """
    root = _root(data)
    points = _points(root, "trkpt") or _points(root, "rtept")
    if not points:
        raise GpxProblem("no_track")
    coordinates = [_place(point) for point in points]
    times = [_time(_text(point, "time")) for point in points]
    heights = [_number(_text(point, "ele")) for point in points]
    order = list(range(len(points)))
    if None not in times:
        order.sort(key=lambda index: times[index] or EPOCH)
    known = any(time is not None for time in times)
    high = any(height is not None for height in heights)
    return Track(
        coordinates=tuple(coordinates[index] for index in order),
        times=tuple(times[index] for index in order) if known else (),
        altitudes=tuple(heights[index] for index in order) if high else (),
    )


def _root(data: bytes) -> Element:
    if len(data) > MAX_BYTES:
        raise GpxProblem("too_large")
    while data.startswith(BOM):
        data = data[len(BOM) :]
    try:
        root = fromstring(data.lstrip(), forbid_dtd=True)
    except DefusedXmlException:
        raise GpxProblem("unsafe_xml") from None
    except (ParseError, ValueError, LookupError):
        raise GpxProblem("not_xml") from None
    if _name(root) != "gpx":
        raise GpxProblem("not_gpx")
    return root


def _points(root: Element, name: str) -> list[Element]:
    points = [element for element in root.iter() if _name(element) == name]
    if len(points) > MAX_POINTS:
        raise GpxProblem("too_many_points")
    return points


def _place(point: Element) -> Point:
    lon, lat = _number(point.get("lon")), _number(point.get("lat"))
    if lon is None or lat is None:
        raise GpxProblem("bad_point")
    return lon, lat


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if isfinite(number) else None


def _time(text: str | None) -> datetime | None:
    """An ISO 8601 time, in UTC where it says nothing else, as GPX has it; None if unreadable."""
    try:
        time = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return time if time.utcoffset() is not None else time.replace(tzinfo=UTC)


def _text(point: Element, name: str) -> str | None:
    return next((child.text for child in point if _name(child) == name), None)


def _name(element: Element) -> str:
    """The name without its namespace, which differs between editions of the format."""
    return str(element.tag).rpartition("}")[2]
