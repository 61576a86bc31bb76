"""How much of a track lies by the river, and how much of the river it saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely

from ledger.tracks.fixes import Fixes
from ledger.tracks.plane import Ints, Metres, Plane, distances, within

Line = Sequence[tuple[float, float]]

SECTION_METRES = 50.0  # sub-sections of a reach that are counted as seen (CN111190975A)


class Nearness(NamedTuple):
    share_permille: int = 0  # of the used fixes
    length_m: int = 0  # of the path
    coverage_permille: int = 0  # of the reach's 50 m sub-sections


def nearness_of(
    fixes: Fixes, path: Metres, segments: Ints, lines: Sequence[Line], near_metres: int
) -> Nearness:
    """``path`` and its ``segments`` are in metres; ``lines`` the reach in degrees of WGS-84."""
    flat = _flat(lines, fixes.plane)
    if not len(fixes.metres) or not flat:
        return Nearness()
    river = shapely.MultiLineString(flat)
    accuracy = 0.0 if fixes.accuracy is None else fixes.accuracy
    near = within(fixes.metres, near_metres + accuracy, river)
    steps = distances(path[:-1], path[1:])
    by_river = within(path, near_metres, river)
    counted = by_river[1:] & by_river[:-1] & (segments[1:] == segments[:-1])
    return Nearness(
        share_permille=1000 * int(np.count_nonzero(near)) // len(near),
        length_m=round(float(steps[counted].sum())),
        coverage_permille=_coverage(flat, path, segments, near_metres),
    )


def _flat(lines: Sequence[Line], plane: Plane) -> list[Metres]:
    """The lines on the plane; what is too far away to matter falls out."""
    flat = [plane.metres(np.array(line, dtype=np.float64).reshape(-1, 2)) for line in lines]
    kept = [line[np.isfinite(line).all(axis=1)] for line in flat]
    return [line for line in kept if len(line) > 1]


def _coverage(flat: list[Metres], path: Metres, segments: Ints, near_metres: int) -> int:
    # A segment of a single fix is a line as well, if one without length.
    parts = np.split(path, np.flatnonzero(np.diff(segments)) + 1)
    walked = shapely.MultiLineString([np.repeat(p, 2, axis=0) if len(p) < 2 else p for p in parts])
    middles = np.concatenate([_section_middles(line) for line in flat])
    touched = within(middles, near_metres, walked)
    return 1000 * int(np.count_nonzero(touched)) // len(touched)


def _section_middles(line: Metres) -> Metres:
    passed = np.concatenate(([0.0], np.cumsum(distances(line[:-1], line[1:]))))
    sections = max(1, round(passed[-1] / SECTION_METRES))
    at = (np.arange(sections) + 0.5) * (passed[-1] / sections)
    return np.column_stack((np.interp(at, passed, line[:, 0]), np.interp(at, passed, line[:, 1])))
