"""Tracks (轨迹) of patrols: what they measure, and whether that is a patrol (巡河)."""

from ledger.tracks.gpx import GpxProblem, read_gpx
from ledger.tracks.judge import Judgement, judge
from ledger.tracks.measure import measure
from ledger.tracks.metrics import Metrics
from ledger.tracks.nearest import nearest_reach
from ledger.tracks.replay import sketch
from ledger.tracks.river import (
    Reach,
    Refused,
    RiverProblem,
    length_m,
    read_rivers,
)
from ledger.tracks.rules import Rules
from ledger.tracks.track import Track

__all__ = [
    "GpxProblem",
    "Judgement",
    "Metrics",
    "Reach",
    "Refused",
    "RiverProblem",
    "Rules",
    "Track",
    "judge",
    "length_m",
    "measure",
    "nearest_reach",
    "read_gpx",
    "read_rivers",
    "sketch",
]
