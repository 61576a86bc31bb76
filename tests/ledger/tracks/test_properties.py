"""Whatever a phone sends, it is measured: no crash, whole numbers, sane bounds, no dice."""
from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from ledger.tracks import Rules, Track, judge, measure, sketch
from ledger.tracks.reasons import REASONS
from tests.ledger.tracks import walks

ANYWHERE = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
NEARBY = st.tuples(st.floats(122.09, 122.13), st.floats(30.01, 30.06))
EVER = st.datetimes(timezones=st.sampled_from(
    [UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))]))
TODAY = st.integers(0, 3_000_000_000).map(lambda n: walks.START + timedelta(microseconds=n))
ACCURACY = st.floats(0, 1e6)


@st.composite
def tracks(draw):
    place, moment = draw(st.sampled_from([ANYWHERE, NEARBY])), draw(st.sampled_from([EVER, TODAY]))
    coordinates = draw(st.lists(place, max_size=60).map(tuple))
    count = len(coordinates)
    times = draw(st.lists(st.none() | moment, min_size=count, max_size=count).map(tuple))
    accuracies = draw(st.lists(ACCURACY, min_size=count, max_size=count).map(tuple))
    return Track(
        coordinates,
        draw(st.sampled_from([(), times, tuple(t or walks.START for t in times)])),
        draw(st.sampled_from([(), accuracies])),
        crs=draw(st.sampled_from(["wgs84", "gcj02"])),
        mocked=draw(st.booleans()),
    )


@settings(max_examples=400, deadline=None)
@given(tracks(), tracks())
def test_no_track_is_too_strange_to_be_judged(track, other):
    """Any places, times and accuracies give whole numbers within bounds and known reasons."""
    earlier = [sketch(other), sketch(track)]
    metrics = measure(track, walks.RIVER, earlier, Rules())
    found = asdict(metrics)
    assert all(type(value) is int and value >= -1 for value in found.values())
    assert metrics.used_points <= metrics.points == len(track.coordinates)
    assert metrics.walked_m <= metrics.length_m
    for name in ("near_permille", "coverage_permille", "fast_share_permille",
                 "replay_share_permille"):
        assert 0 <= found[name] <= 1000
    assert metrics.speed_p50_mm_s <= metrics.speed_p90_mm_s <= metrics.speed_p99_mm_s
    assert set(judge(metrics, Rules()).reasons) <= set(REASONS)
    assert measure(track, walks.RIVER, earlier, Rules()) == metrics


@settings(max_examples=60, deadline=None)
@given(st.lists(NEARBY, min_size=2, max_size=60), st.data(), st.integers(0, 10**15))
def test_only_differences_of_time_matter(places, data, shift):
    """Moving every time by the same amount leaves every metric as it was."""
    times = data.draw(st.lists(TODAY, min_size=len(places), max_size=len(places)))
    track = Track(tuple(places), tuple(times))
    later = walks.shifted(track, timedelta(microseconds=shift))
    assert measure(later, walks.RIVER, (), Rules()) == measure(track, walks.RIVER, (), Rules())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=30), st.lists(st.floats()))
def test_even_what_check_refuses_does_not_crash(places, accuracies):
    """Infinities, NaN and lists of other lengths are measured as nothing, not as an error."""
    times = tuple(datetime(1900 + row, 1, 1, tzinfo=UTC) for row in range(len(places)))
    track = Track(tuple(places), times, tuple(accuracies))
    judge(measure(track, walks.RIVER, (), Rules()), Rules())
    track.check(walks.START)


def test_a_swarm_of_fixes_in_one_spot_takes_no_time():
    """20,000 fixes within millimetres and milliseconds are measured in linear time."""
    count = 20_000
    places = tuple((122.1 + (n % 3) * 1e-8, 30.02) for n in range(count))
    times = tuple(walks.START + timedelta(milliseconds=14 * n) for n in range(count))
    began = time.process_time()
    measure(Track(places, times), walks.RIVER, (), Rules())
    # A quadratic pass takes minutes; the margin is for slow machines.
    assert time.process_time() - began < 5


def test_the_largest_track_along_a_long_reach_is_measured_at_once():
    """20,000 fixes against 2,500 vertices do not hold up the desk."""
    line = walks.river(125_000.0)
    walked = walks.honest(1, 26_000, 1.3, 1.0, line=line[0])
    began = time.process_time()
    metrics = measure(walked, line, (), Rules())
    assert time.process_time() - began < 5
    assert (metrics.points, metrics.near_permille) == (20_000, 1000)


def test_rules_left_out_are_the_defaults():
    """A policy that names one threshold changes that one."""
    assert replace(Rules(), min_metres=300).min_minutes == 20
