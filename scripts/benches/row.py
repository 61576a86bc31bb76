"""A row of the benchmark: two ways to do the same, measured in turns in one run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Literal

import msgspec

Measured = Callable[[], float]


class Skipped(Exception):
    """A row that cannot be measured here; the message says why."""


class Samples(msgspec.Struct):
    """What both sides needed or reached, round by round."""

    ours: list[float]
    theirs: list[float]


class Bench(msgspec.Struct, frozen=True):
    """How a row is measured.

    ``unit`` is ``/s`` (more is better) or ``s`` (less is better); the ratio is above 1 where ours
    is the better one. ``measure`` gets a folder and whether to be quick; it returns the samples
    and a note on what exactly was measured, or raises Skipped.
    """

    name: str
    title: str
    unit: Literal["/s", "s"]
    goal: float
    measure: Callable[[Path, bool], tuple[Samples, str]]


class Row(msgspec.Struct, frozen=True):
    """A row measured: the medians, their ratio, and every sample behind them."""

    name: str
    title: str
    unit: str
    ours: float | None
    theirs: float | None
    ratio: float | None
    goal: float
    samples: Samples
    note: str = ""
    skipped: str | None = None


def measured(bench: Bench, folder: Path, quick: bool) -> Row:
    """Measure a row; one that cannot be measured says why in ``skipped``."""
    try:
        samples, note = bench.measure(folder, quick)
    except Skipped as reason:
        return Row(
            bench.name, bench.title, bench.unit, None, None, None, bench.goal, Samples([], []),
            skipped=str(reason),
        )  # fmt: skip
    ours, theirs = median(samples.ours), median(samples.theirs)
    ratio = ours / theirs if bench.unit == "/s" else theirs / ours
    return Row(bench.name, bench.title, bench.unit, ours, theirs, ratio, bench.goal, samples, note)


def alternate(rounds: int, ours: Measured, theirs: Measured, *, warm: bool = True) -> Samples:
    """Both sides in turns, so that what else the machine does falls on both.

    ``warm`` runs one round before those that count.
    """
    samples = Samples([], [])
    for number in range(-1 if warm else 0, rounds):
        pair = ours(), theirs()
        if number >= 0:
            samples.ours.append(pair[0])
            samples.theirs.append(pair[1])
    return samples
