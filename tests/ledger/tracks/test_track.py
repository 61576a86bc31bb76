"""Every problem of shape is found where it is, and nothing else is called a problem."""
from __future__ import annotations

from datetime import datetime, timedelta
from math import inf, nan

import pytest
from msgspec.structs import replace

from ledger.tracks import Track
from tests.ledger.tracks.walks import START

NOW = START + timedelta(hours=2)
GOOD = Track(
    ((122.1, 30.0), (122.2, 30.1), (122.3, 30.2)),
    (START, START + timedelta(minutes=1), START + timedelta(minutes=2)),
    (5.0, 0.0, 60.0), (1.5, None, 2.0))


def found(track: Track) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in track.check(NOW)]


def test_a_good_track_has_no_problem():
    """Times, accuracies and altitudes may all be there, or none of them."""
    assert found(GOOD) == []
    assert found(Track(GOOD.coordinates)) == []


@pytest.mark.parametrize(("changes", "problems"), [
    ({"times": GOOD.times[:2]}, [("track.times", "length_mismatch")]),
    ({"accuracies": (5.0,)}, [("track.accuracies", "length_mismatch")]),
    ({"altitudes": (5.0,)}, [("track.altitudes", "length_mismatch")]),
    ({"coordinates": GOOD.coordinates[:1], "times": (), "accuracies": (), "altitudes": ()},
     [("track.coordinates", "too_few_points")]),
    ({"coordinates": ((122.1, 30.0),) * 20_001, "times": (), "accuracies": (), "altitudes": ()},
     [("track.coordinates", "too_many_points")]),
    ({"coordinates": ((122.1, nan), (inf, 30.1), (122.3, 30.2))},
     [("track.coordinates[0]", "not_finite"), ("track.coordinates[1]", "not_finite")]),
    ({"coordinates": ((181.0, 30.0), (122.2, -90.5), (122.3, 30.2))},
     [("track.coordinates[0]", "out_of_range"), ("track.coordinates[1]", "out_of_range")]),
    ({"coordinates": ((30.0, 122.1), (122.2, 30.1), (122.3, 30.2))},
     [("track.coordinates[0]", "coordinates_swapped")]),
    ({"coordinates": ((30.0, 80.0), (30.1, 80.1), (30.2, 80.2))},
     [("track.coordinates", "coordinates_swapped")]),
    ({"times": (START, START + timedelta(minutes=2), START + timedelta(minutes=1))},
     [("track.times[2]", "not_increasing")]),
    ({"times": (START, NOW + timedelta(minutes=5, seconds=1), None)},
     [("track.times[1]", "future_time")]),
    ({"times": (datetime(2026, 5, 1), None, None)}, [("track.times[0]", "no_offset")]),
    ({"accuracies": (5.0, -1.0, nan)},
     [("track.accuracies[1]", "negative_accuracy"), ("track.accuracies[2]", "not_finite")]),
])
def test_each_problem_is_told_with_its_place(changes, problems):
    """A wrong value is found by path and code, and by nothing else."""
    assert found(replace(GOOD, **changes)) == problems


@pytest.mark.parametrize("changes", [
    {"times": (START, START, START)},
    {"times": (None, None, START)},
    {"times": (START, NOW, NOW + timedelta(minutes=5))},
    {"coordinates": ((-180.0, -90.0), (180.0, 90.0), (0.0, 0.0))},
    {"coordinates": ((30.0, 80.0), (122.2, 30.1), (30.2, 80.2))},      # not swapped throughout
    {"coordinates": ((14.3, 45.7), (14.4, 45.8), (14.5, 45.9))},        # Croatia, either way
])
def test_what_is_only_unusual_is_let_through(changes):
    """Equal times, some missing, the limits themselves, and other countries are no problem."""
    assert found(replace(GOOD, **changes)) == []


def test_at_most_twenty_problems_are_told():
    """A thousand bad points do not make a thousand lines."""
    assert len(Track(((nan, nan),) * 1000).check(NOW)) == 20


def test_every_problem_speaks_both_languages():
    """A problem carries its sentences, so that a form can show them."""
    problem = replace(GOOD, accuracies=(5.0, -1.0, 1.0)).check(NOW)[0]
    assert "精度" in problem.zh
    assert "accuracy" in problem.en


def test_a_track_knows_when_it_began_and_ended():
    """The earliest and latest known times, or none."""
    assert (GOOD.began, GOOD.ended) == (GOOD.times[0], GOOD.times[2])
    assert (Track(GOOD.coordinates).began, Track(GOOD.coordinates).ended) == (None, None)
