"""Walks for the demo: honest ones with the noise of a phone, and the ways people cheat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import cos, hypot, radians, sin
from random import Random

from ledger.contributions.patrol import TrackBody

Metres = tuple[float, float]
Degrees = tuple[float, float]

# The made-up city lies around this point; metres are east and north of it.
CENTRE: Degrees = (113.2, 29.6)
METRES_PER_DEGREE = 111_195.0
INTERVAL_SECONDS = 10
# Error of one fix, of which most stays from fix to fix, as a phone's filter leaves it.
NOISE_METRES = (2.0, 5.0)
NOISE_KEPT = 0.9


def degrees(place: Metres) -> Degrees:
    """(longitude, latitude) of a place, to a tenth of a metre."""
    lon = CENTRE[0] + place[0] / (METRES_PER_DEGREE * cos(radians(CENTRE[1])))
    return round(lon, 6), round(CENTRE[1] + place[1] / METRES_PER_DEGREE, 6)


class Course:
    """A line in metres that can be walked up and down."""

    def __init__(self, line: Sequence[Metres]) -> None:
        self.line = tuple(line)
        self.passed = [0.0]
        for (x, y), (east, north) in pairwise(line):
            self.passed.append(self.passed[-1] + hypot(east - x, north - y))
        self.length = self.passed[-1]

    def at(self, metres: float) -> Metres:
        """The place so far along; beyond an end the course turns back."""
        along = metres % (2 * self.length)
        along = min(along, 2 * self.length - along)
        low, high = 0, len(self.passed) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.passed[middle] <= along else (low, middle)
        share = (along - self.passed[low]) / (self.passed[high] - self.passed[low])
        (x, y), (east, north) = self.line[low], self.line[high]
        return x + share * (east - x), y + share * (north - y)


def meander(
    start: Metres, length: float, bend: float, wave: float, step: float = 30.0
) -> list[Metres]:
    """A made-up river running east, swinging ``bend`` metres to either side."""
    count = int(length / step)
    return [
        (
            start[0] + number * step,
            start[1]
            + bend * sin(number * step / wave)
            + bend / 3 * sin(number * step / wave * 2.7),
        )
        for number in range(count + 1)
    ]


def _track(
    places: Sequence[Metres], began: datetime, rng: Random, seconds: float = INTERVAL_SECONDS
) -> TrackBody:
    """Fixes at even intervals around the true places."""
    noise = rng.uniform(*NOISE_METRES)
    fresh = noise * (1 - NOISE_KEPT**2) ** 0.5
    east, north = rng.gauss(0, noise), rng.gauss(0, noise)
    fixes = []
    for x, y in places:
        fixes.append(degrees((x + east, y + north)))
        east = NOISE_KEPT * east + rng.gauss(0, fresh)
        north = NOISE_KEPT * north + rng.gauss(0, fresh)
    return TrackBody(
        coordinates=tuple(fixes),
        times=tuple(began + timedelta(seconds=n * seconds) for n in range(len(fixes))),
        accuracies=tuple(round(noise + rng.uniform(1, 3), 1) for _ in fixes),
    )


def _along(
    course: Course, rng: Random, minutes: float, pace: tuple[float, float]
) -> list[Metres]:
    """Places every 10 s at a pace of metres a second that wavers, on one bank."""
    at, usual = rng.uniform(0, course.length), rng.uniform(*pace)
    bank = rng.choice((-1, 1)) * rng.uniform(5, 25)
    places = []
    for _ in range(int(minutes * 60 / INTERVAL_SECONDS) + 1):
        x, y = course.at(at)
        places.append((x, y + bank))
        at += INTERVAL_SECONDS * max(usual + rng.gauss(0, 0.15), 0.2)
    return places


def honest(course: Course, began: datetime, rng: Random) -> TrackBody:
    """A walk of 20 to 33 minutes, some 700 to 2,000 metres."""
    return _track(_along(course, rng, rng.uniform(20.5, 33), (0.6, 1.1)), began, rng)


def by_car(course: Course, began: datetime, rng: Random) -> TrackBody:
    return _track(_along(course, rng, 22, (8, 14)), began, rng)


def teleporting(course: Course, began: datetime, rng: Random) -> TrackBody:
    """A walk that is twice somewhere else for a few minutes."""
    places = _along(course, rng, 30, (1.0, 1.3))
    part = len(places) // 8
    away = {2, 5}
    return _track(
        [(x, y + 9000 * (n // part in away)) for n, (x, y) in enumerate(places)], began, rng
    )


def too_short(course: Course, began: datetime, rng: Random) -> TrackBody:
    return _track(_along(course, rng, 6, (0.9, 1.2)), began, rng)


def standing(course: Course, began: datetime, rng: Random) -> TrackBody:
    place = course.at(rng.uniform(0, course.length))
    return _track([place] * 151, began, rng)


def elsewhere(course: Course, began: datetime, rng: Random) -> TrackBody:
    """An honest walk far from the water."""
    away = Course([(x, y + 1500) for x, y in course.line])
    return honest(away, began, rng)


def without_times(course: Course, began: datetime, rng: Random) -> TrackBody:
    track = honest(course, began, rng)
    return TrackBody(track.coordinates, None, track.accuracies)


def clock_off(course: Course, began: datetime, rng: Random) -> TrackBody:
    """A phone that believes it is 1904."""
    return honest(course, began.replace(year=1904), rng)


CHEATS: dict[str, Callable[[Course, datetime, Random], TrackBody]] = {
    "car": by_car,
    "teleport": teleporting,
    "short": too_short,
    "standing": standing,
    "elsewhere": elsewhere,
    "no-times": without_times,
    "clock-off": clock_off,
}
