"""A track (轨迹) as the phone declared it, and what can be wrong with its shape."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from math import isfinite
from typing import Literal

import msgspec

from ledger.errors import FieldError

MAX_POINTS = 20_000
MAX_PROBLEMS = 20
CLOCK_TOLERANCE = timedelta(minutes=5)
CHINA = (73.0, 3.0, 136.0, 54.0)  # longitude and latitude of the south-west, then the north-east

Point = tuple[float, float]

SENTENCES = {
    "too_few_points": ("轨迹至少需要 2 个定位点。", "A track needs at least 2 fixes."),
    "too_many_points": (
        f"轨迹最多 {MAX_POINTS} 个定位点，请降低采样频率或分次提交。",
        f"A track holds at most {MAX_POINTS} fixes; record fewer or send it in parts.",
    ),
    "length_mismatch": (
        "必须与坐标一一对应，数量相同。",
        "There must be exactly one for each coordinate.",
    ),
    "not_finite": ("不是有限的数值。", "This is not a finite number."),
    "out_of_range": (
        "经度应在 ±180、纬度应在 ±90 之间。",
        "Longitude must be within ±180 and latitude within ±90.",
    ),
    "coordinates_swapped": (
        "经纬度颠倒：应先经度、后纬度。",
        "Longitude and latitude are swapped; longitude comes first.",
    ),
    "not_increasing": (
        "时间早于前一个定位点，请按时间顺序提交。",
        "The time is earlier than that of a fix before it; send the fixes in order.",
    ),
    "no_offset": ("时间缺少时区。", "The time has no offset from UTC."),
    "future_time": (
        "时间晚于现在五分钟以上，请校准手机时钟。",
        "The time lies more than 5 minutes in the future; set the phone's clock.",
    ),
    "negative_accuracy": ("定位精度不能为负数。", "An accuracy cannot be negative."),
}


class Track(msgspec.Struct, frozen=True):
    """Fixes in order: (longitude, latitude) in degrees of ``crs``, aware times, metres.

    ``times``, ``accuracies`` and ``altitudes`` are empty when nothing of the kind is known.
    """

    coordinates: tuple[Point, ...]
    times: tuple[datetime | None, ...] = ()
    accuracies: tuple[float, ...] = ()
    altitudes: tuple[float | None, ...] = ()
    crs: Literal["wgs84", "gcj02"] = "wgs84"
    mocked: bool = False

    @property
    def began(self) -> datetime | None:
        """The earliest time of a fix."""
        return min((time for time in self.times if time is not None), default=None)

    @property
    def ended(self) -> datetime | None:
        """The latest time of a fix."""
        return max((time for time in self.times if time is not None), default=None)

    def identity(self) -> bytes:
        """SHA-256 of where the track goes, whenever and by whomever it was walked.

        Places are told apart to a millionth of a degree, 0.1 m.
        """
        text = ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in self.coordinates)
        return hashlib.sha256(f"{self.crs}:{text}".encode()).digest()

    def check(self, now: datetime) -> list[FieldError]:
        """The first 20 problems of shape, for an API to refuse; empty for a track to measure."""
        return [
            FieldError(f"track.{path}", code, *SENTENCES[code])
            for path, code in islice(self._problems(now), MAX_PROBLEMS)
        ]

    def _problems(self, now: datetime) -> Iterator[tuple[str, str]]:
        count = len(self.coordinates)
        if count < 2:
            yield "coordinates", "too_few_points"
        if count > MAX_POINTS:
            yield "coordinates", "too_many_points"
            return
        for name in ("times", "accuracies", "altitudes"):
            if len(getattr(self, name)) not in (0, count):
                yield name, "length_mismatch"
        yield from self._place_problems()
        yield from self._time_problems(now)
        for index, metres in enumerate(self.accuracies):
            if not isfinite(metres):
                yield f"accuracies[{index}]", "not_finite"
            elif metres < 0:
                yield f"accuracies[{index}]", "negative_accuracy"
        for index, altitude in enumerate(self.altitudes):
            if altitude is not None and not isfinite(altitude):
                yield f"altitudes[{index}]", "not_finite"

    def _place_problems(self) -> Iterator[tuple[str, str]]:
        for index, (first, second) in enumerate(self.coordinates):
            path = f"coordinates[{index}]"
            if not (isfinite(first) and isfinite(second)):
                yield path, "not_finite"
            elif abs(first) > 180 or abs(second) > 90:
                swapped = abs(first) <= 90 < abs(second) <= 180
                yield path, "coordinates_swapped" if swapped else "out_of_range"
        # Within range both ways round: swapped only if that explains every single point.
        if self.coordinates and all(
            not in_china((first, second)) and in_china((second, first)) and abs(second) <= 90
            for first, second in self.coordinates
        ):
            yield "coordinates", "coordinates_swapped"

    def _time_problems(self, now: datetime) -> Iterator[tuple[str, str]]:
        latest: datetime | None = None
        for index, time in enumerate(self.times):
            path = f"times[{index}]"
            if time is None:
                continue
            if time.utcoffset() is None:
                yield path, "no_offset"
                continue
            if time > now + CLOCK_TOLERANCE:
                yield path, "future_time"
            if latest is not None and time < latest:
                yield path, "not_increasing"
            else:
                latest = time


def in_china(point: Point) -> bool:
    """Whether (longitude, latitude) lies in the box around China."""
    west, south, east, north = CHINA
    return west <= point[0] <= east and south <= point[1] <= north
