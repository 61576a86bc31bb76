"""Lengths, durations and speeds against the geodesic of WGS-84, and noise against the truth."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from msgspec.structs import asdict, replace

from ledger.tracks import Rules, Track, measure
from ledger.tracks.datum import gcj02_from_wgs84
from tests.ledger.tracks import walks
from tests.ledger.tracks.walks import CANAL, RIVER, assessed


@pytest.mark.parametrize("every", [1, 10, 30, 60])
@pytest.mark.parametrize(("metres", "verdict"), [
    (500, "valid"), (499, "rejected"), (1300, "valid"), (2000, "valid")])
def test_a_clean_walk_measures_to_the_metre(metres, verdict, every):
    """A walk of 500 m by the geodesic measures 500 and is valid; one of 499 m is too short."""
    metrics, found, reasons = assessed(walks.clean(metres, 1200, every), CANAL)
    assert (metrics.length_m, metrics.duration_s, found) == (metres, 1200, verdict)
    assert reasons == (() if verdict == "valid" else ("too_short",))


@pytest.mark.parametrize(("seconds", "reasons"), [
    (1199, ("too_brief",)), (1199.999, ("too_brief",)), (1200, ())])
def test_a_patrol_lasts_to_the_second(seconds, reasons):
    """20 minutes are enough and a thousandth of a second less is not."""
    metrics, _, found = assessed(walks.clean(1000, seconds, 13), CANAL)
    assert (metrics.duration_s, found) == (int(seconds), reasons)


@pytest.mark.parametrize("every", [5, 10, 20])
def test_a_clean_walk_along_bends_measures_its_chords(every):
    """Bends are not taken for jitter: every fix of a noise-free path counts."""
    walked = walks.clean(1700, 1500, every, RIVER[0], begin=400)
    chords = walks.GEOD.line_length(*zip(*walked.coordinates, strict=True))
    metrics, verdict, _ = assessed(walked)
    assert (metrics.length_m, verdict) == (round(chords), "valid")


@pytest.mark.parametrize("seed", range(5))
def test_fixes_at_the_corners_of_a_winding_path_all_count(seed):
    """Bends to random sides at every fix are a path as well, not noise to be smoothed away."""
    rng = np.random.default_rng(seed)
    points, bearing = [walks.HOME], 30.0
    for _ in range(40):
        bearing += rng.uniform(-45, 45)
        points.append(walks.GEOD.fwd(*points[-1], bearing, rng.uniform(40, 80))[:2])
    walked = walks.track(np.array(points), np.arange(41) * 60.0)
    chords = walks.GEOD.line_length(*zip(*points, strict=True))
    assert assessed(walked, (tuple(points),))[0].length_m == round(chords)


@pytest.mark.parametrize("every", [7, 10, 11])
def test_constant_accuracies_do_not_shorten_a_straight_walk(every):
    """A constant 5.0 m on every fix of a straight line leaves 500 m and a valid verdict."""
    walked = walks.clean(500, 1200, every)
    walked = replace(walked, accuracies=(5.0,) * len(walked.coordinates))
    metrics, verdict, _ = assessed(walked, CANAL)
    assert (metrics.length_m, metrics.too_perfect, verdict) == (500, 1, "valid")


def test_coordinates_rounded_to_six_decimals_change_nothing():
    """What a phone rounds away does not cost a metre."""
    walked = walks.clean(500, 1200, 10)
    rounded = tuple((round(lon, 6), round(lat, 6)) for lon, lat in walked.coordinates)
    assert assessed(replace(walked, coordinates=rounded), CANAL)[0].length_m == 500


@pytest.mark.parametrize("white", [False, True])
@pytest.mark.parametrize("accuracy", [None, 6.0])
@pytest.mark.parametrize("every", [1, 3, 10])
@pytest.mark.parametrize("sigma", [3.0, 8.0])
def test_honest_noisy_walks_are_valid(sigma, every, accuracy, white):
    """Noise of 3 to 8 m, drifting or jumping, with or without accuracies, is no offence."""
    for seed in range(3):
        walked = walks.honest(seed, 1700, 1.25, every, sigma, white, accuracy)
        metrics, verdict, reasons = assessed(walked)
        assert (verdict, reasons) == ("valid", ()), metrics
        assert 1300 <= metrics.length_m <= 3400


@pytest.mark.parametrize("white", [False, True])
@pytest.mark.parametrize("accuracy", [None, 5.0])
@pytest.mark.parametrize("every", [1, 5, 10, 30])
def test_who_stands_still_walks_nowhere(every, accuracy, white):
    """25 minutes of jitter on a bench are not a patrol, however often the phone looks."""
    for seed in range(3):
        walked = walks.standing(seed, 25, every, 5.0, accuracy, white)
        metrics, verdict, reasons = assessed(walked)
        assert verdict == "rejected"
        assert metrics.length_m < 100
        assert "too_short" in reasons


def test_pacing_a_yard_is_not_patrolling():
    """1.3 km in circles of 40 m radius add up to a distance, and to nowhere."""
    angle = np.arange(0, 1300, 5) / 40.0
    centre = np.repeat(walks.along(RIVER[0], np.array([700.0])), len(angle), axis=0)
    points = walks.moved(centre, 40 * np.cos(angle), 40 * np.sin(angle))
    assert assessed(walks.track(points, np.arange(len(angle)) * 5.0))[1:] == (
        "rejected", ("stationary",))


def test_standing_does_not_lengthen_a_walk():
    """200 m walked and 25 minutes stood stay about 200 m."""
    stood = walks.standing(4, 25, 5.0)
    walked = walks.honest(4, 200, every=5.0, begin=700.0, start=stood.times[-1])
    both = Track(stood.coordinates + walked.coordinates[1:], stood.times + walked.times[1:])
    metrics, verdict, reasons = assessed(both)
    assert (verdict, reasons) == ("rejected", ("too_short",))
    assert metrics.length_m < 320


@pytest.mark.parametrize("metres", [400.0, 5_000.0, 300_000.0])
@pytest.mark.parametrize("row", [0, 1, 77, -1])
def test_one_spike_counts_for_nothing(row, metres):
    """A single fix far away, at an end or within, changes neither length nor speed nor verdict."""
    walked = walks.honest(5, 1700, every=5.0)
    before = assessed(walked)[0]
    metrics, verdict, _ = assessed(walks.with_spike(walked, row, metres))
    assert verdict == "valid"
    assert abs(metrics.length_m - before.length_m) < 30
    assert abs(metrics.speed_p90_mm_s - before.speed_p90_mm_s) < 100


def test_a_long_silence_is_not_patrolling():
    """A gap of 34 minutes splits the walk; neither its time nor its distance is counted."""
    first = walks.clean(800, 900, 10, begin=0)
    second = walks.clean(800, 900, 10, begin=2000, start=walks.START + timedelta(seconds=2940))
    both = Track(first.coordinates + second.coordinates, first.times + second.times)
    metrics, verdict, _ = assessed(both, CANAL)
    assert (metrics.gaps, metrics.duration_s, metrics.length_m) == (1, 1800, 1600)
    assert verdict == "valid"


@pytest.mark.parametrize(("silence", "gaps", "seconds"), [(300, 0, 1500), (301, 1, 1200)])
def test_a_silence_of_five_minutes_is_the_last_that_counts(silence, gaps, seconds):
    """300 seconds without a fix still count; 301 do not."""
    at = np.array([0.0, 300, 600, 600 + silence, 900 + silence, 1200 + silence])
    metrics = measure(walks.track(walks.along(CANAL[0], at), at), CANAL, (), Rules())
    assert (metrics.gaps, metrics.duration_s) == (gaps, seconds)


def test_a_minute_of_ferry_is_forgiven_and_not_paid():
    """60 s at 9 m/s in a walk are valid, but those metres are no metres on foot."""
    metrics, verdict, _ = assessed(walks.at_paces([(600, 1.2), (60, 9.0), (660, 1.2)]))
    assert verdict == "valid"
    assert metrics.fast_run_s <= 60
    assert metrics.walked_m == pytest.approx(1512, abs=180)


@pytest.mark.parametrize(("legs", "main"), [
    ([(1300, 11.0)], "too_fast"),
    ([(1300, 4.2)], "too_fast"),
    ([(1300, 3.2)], "too_fast"),
    ([(1200, 1.2), (120, 12.0), (1200, 1.2)], "fast_part"),
])
def test_rides_are_refused(legs, main):
    """A car, a bicycle, and a walk with two minutes of car in it are told from walking."""
    _, verdict, reasons = assessed(walks.at_paces(legs, line=walks.river(20_000)[0]),
                                   walks.river(20_000))
    assert verdict == "rejected"
    assert reasons[0] == main


def test_a_jogger_may_patrol():
    """2.3 m/s, with noise, stays under the limit for walking."""
    assert assessed(walks.at_paces([(1300, 2.3)]))[1] == "valid"


def test_a_minute_of_riding_is_measured_to_the_second():
    """Of noise-free fixes the longest fast run is exact, so the 60 s of the rule are 60 s."""
    walked = walks.at_paces([(600, 1.0), (60, 9.0), (600, 1.0)], every=10, sigma=0, line=CANAL[0])
    assert measure(walked, CANAL, (), Rules()).fast_run_s == 60


def test_fixes_without_time_or_accuracy_are_left_out():
    """Some undated fixes and some beyond 50 m do not spoil a walk."""
    walked = walks.honest(7, 1700, every=5.0)
    times = tuple(None if row % 9 == 4 else time for row, time in enumerate(walked.times))
    accuracies = tuple(90.0 if row % 11 == 3 else a for row, a in enumerate(walked.accuracies))
    metrics, verdict, _ = assessed(replace(walked, times=times, accuracies=accuracies))
    assert verdict == "valid"
    assert metrics.used_points < metrics.points - 40


def test_duplicate_times_are_harmless():
    """Every fix twice under the same time measures like every fix once."""
    walked = walks.honest(8, 1700)
    rows = [row for row in range(len(walked.coordinates)) for _ in range(2)]
    once, twice = assessed(walked)[0], assessed(walks.kept(walked, rows))[0]
    assert (twice.length_m, twice.duration_s) == (once.length_m, once.duration_s)
    assert twice.identical_times == 0


@pytest.mark.parametrize(("times", "reason"), [
    ((), "no_times"),
    (lambda row, time: time if row in (0, 9) else None, "no_times"),
    (lambda row, time: walks.START, "identical_times"),
    (lambda row, time: datetime(1901, 1, 1, tzinfo=UTC) + timedelta(microseconds=300 * row),
     "clock_off"),
    (lambda row, time: walks.START + timedelta(microseconds=300 * row), "clock_off"),
    (lambda row, time: time - timedelta(days=365 * 100), "clock_off"),
])
def test_a_broken_clock_is_its_own_reason(times, reason):
    """No times, one time for all, a century off, steps below a millisecond: each is told."""
    walked = walks.honest(9, 1700)
    dated = times and tuple(times(row, time) for row, time in enumerate(walked.times))
    _, verdict, reasons = assessed(replace(walked, times=dated))
    assert (verdict, reasons[0]) == ("rejected", reason)
    assert "too_brief" not in reasons


def test_the_wrong_river_is_refused():
    """A good walk two kilometres from the reach is not a patrol of it."""
    elsewhere = tuple(tuple((lon + 0.02, lat) for lon, lat in line) for line in RIVER)
    metrics, verdict, reasons = assessed(walks.honest(3, 1700), elsewhere)
    assert (metrics.near_permille, metrics.coverage_permille) == (0, 0)
    assert (verdict, reasons) == ("rejected", ("not_near_river",))


def test_no_river_at_all_is_not_near_a_river():
    """Without a reach the walk is measured and refused with a reason."""
    assert assessed(walks.honest(3, 1700), None)[1:] == ("rejected", ("not_near_river",))


def test_near_reaches_100_metres_and_the_accuracy_of_the_fix():
    """A path 104 m beside the river is near with accuracies of 5 m, and not without."""
    lon, lat, _ = walks.GEOD.fwd(*CANAL[0][0], 135.0, 104.0)
    far, near = walks.GEOD.fwd(lon, lat, 45.0, 6000.0)[:2]
    walked = walks.clean(1500, 1500, 10, ((lon, lat), (far, near)))
    assert measure(walked, CANAL, (), Rules()).near_permille == 0
    walked = replace(walked, accuracies=(5.0,) * len(walked.coordinates))
    assert measure(walked, CANAL, (), Rules()).near_permille == 1000


def test_coverage_is_the_share_of_the_reach_that_was_seen():
    """1500 m of 6000 m are a quarter, and a little for the 100 m one sees ahead."""
    assert 250 <= measure(walks.clean(1500, 1500, 10), CANAL, (), Rules()).coverage_permille <= 280


def test_all_reasons_are_told_the_main_one_first():
    """A car far from any river hears of both."""
    away = walks.river(20_000)
    walked = walks.at_paces([(1300, 11.0)], line=away[0])
    elsewhere = tuple(tuple((lon + 1, lat) for lon, lat in line) for line in RIVER)
    reasons = assessed(walked, elsewhere)[2]
    assert reasons[0] == "too_fast"
    assert "not_near_river" in reasons


def test_a_teleport_is_no_distance():
    """A leap to a place far away is a break in the path, not kilometres walked."""
    first = walks.clean(800, 800, 10)
    second = walks.clean(800, 800, 10, begin=4000, start=walks.START + timedelta(seconds=810))
    both = Track(first.coordinates + second.coordinates, first.times + second.times)
    metrics = measure(both, CANAL, (), Rules())
    assert (metrics.jumps, metrics.length_m) == (1, 1600)


def test_both_datums_measure_the_same_walk():
    """Sent as GCJ-02, a walk has the same length within a metre and the same share near."""
    walked = walks.honest(11, 1700)
    shifted = gcj02_from_wgs84(np.array(walked.coordinates))
    as_gcj = replace(walked, coordinates=tuple(map(tuple, shifted.tolist())), crs="gcj02")
    ours, theirs = assessed(walked)[0], assessed(as_gcj)[0]
    assert abs(ours.length_m - theirs.length_m) <= 1
    assert ours.near_permille == theirs.near_permille == 1000
    undeclared = assessed(replace(as_gcj, crs="wgs84"))[2]
    assert "not_near_river" in undeclared       # the shift is real


def test_a_shift_in_time_changes_no_metric():
    """The same walk a year and 17 microseconds later measures exactly the same."""
    walked = walks.honest(12, 1700)
    later = walks.shifted(walked, timedelta(days=365, microseconds=17))
    assert asdict(assessed(walked)[0]) == asdict(assessed(later)[0])


def test_metrics_are_whole_numbers():
    """Only integers are stored, so a verdict can be recomputed anywhere, exactly."""
    assert all(type(value) is int for value in asdict(assessed(walks.honest(1))[0]).values())
