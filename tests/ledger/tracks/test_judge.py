"""Verdicts from stored numbers alone, at every threshold."""
from __future__ import annotations

import msgspec
import pytest

from ledger.tracks import Metrics, Rules, judge
from ledger.tracks.reasons import REASONS

GOOD = {"points": 100, "used_points": 100, "timed_points": 100, "duration_s": 1200,
        "length_m": 500, "speed_p90_mm_s": 2500, "fast_run_s": 60, "near_permille": 600}


def verdict(rules: Rules | None = None, **found):
    judgement = judge(Metrics(**{**GOOD, **found}), rules or Rules())
    return judgement.verdict, *judgement.reasons


def test_every_threshold_met_exactly_is_valid():
    """The limits themselves are on the good side."""
    assert verdict() == ("valid",)


@pytest.mark.parametrize(("found", "reason"), [
    ({"duration_s": 1199}, "too_brief"),
    ({"length_m": 499}, "too_short"),
    ({"fast_length_m": 1}, "too_short"),
    ({"speed_p90_mm_s": 2501}, "too_fast"),
    ({"fast_run_s": 61}, "fast_part"),
    ({"near_permille": 599}, "not_near_river"),
    ({"stationary": 1}, "stationary"),
    ({"replay_share_permille": 200}, "replayed_track"),
    ({"no_times": 1}, "no_times"),
    ({"clock_off": 1}, "clock_off"),
    ({"identical_times": 1}, "identical_times"),
])
def test_one_step_beyond_is_rejected_for_that_reason(found, reason):
    """Each rule refuses by itself, with its own code."""
    assert verdict(**found) == ("rejected", reason)


@pytest.mark.parametrize(("found", "reasons"), [
    ({"mocked": 1}, ("mocked_location",)),
    ({"mocked": 1, "too_perfect": 1}, ("mocked_location", "too_perfect")),
    ({"replay_distance_dm": 30}, ("similar_track",)),
    ({"replay_distance_dm": 0}, ("similar_track",)),
    ({"jumps": 3}, ("jumps",)),
])
def test_what_is_only_odd_goes_to_a_person(found, reasons):
    """Signs that prove nothing are for review, never a rejection."""
    assert verdict(**found) == ("review", *reasons)


@pytest.mark.parametrize("found", [
    {"too_perfect": 1}, {"replay_distance_dm": 31}, {"replay_share_permille": 199}, {"jumps": 2}])
def test_lesser_signs_change_nothing(found):
    """A perfect track alone, or likeness below the rules, is valid."""
    assert verdict(**found) == ("valid",)


def test_coverage_counts_when_a_city_asks_for_it():
    """The share of the reach is judged only with a minimum above zero."""
    assert verdict(Rules(min_coverage_percent=30), coverage_permille=300) == ("valid",)
    assert verdict(Rules(min_coverage_percent=30), coverage_permille=299) == (
        "rejected", "low_coverage")


def test_poor_reception_explains_and_does_not_accuse():
    """Few usable fixes are named beside another reason only."""
    assert verdict(used_points=40) == ("valid",)
    assert verdict(used_points=40, length_m=10) == ("rejected", "too_short", "poor_signal")


def test_an_auditor_judges_the_same_from_the_stored_bytes():
    """Metrics survive JSON, and the verdict with them."""
    metrics = Metrics(**GOOD, mocked=1)
    stored = msgspec.json.decode(msgspec.json.encode(metrics), type=Metrics)
    assert judge(stored, Rules()) == judge(metrics, Rules())


def test_every_reason_speaks_both_languages():
    """Each code a verdict can hold has a Chinese and an English sentence."""
    everything = Metrics(points=9, used_points=1, timed_points=9, no_times=1, clock_off=1,
                         identical_times=1, replay_share_permille=1000, speed_p90_mm_s=9999,
                         fast_run_s=999, stationary=1, mocked=1, too_perfect=1)
    odd = Metrics(replay_distance_dm=1, jumps=9)
    told = {*judge(everything, Rules(min_coverage_percent=1)).reasons, *judge(odd, Rules()).reasons}
    assert told == set(REASONS)
    for text in REASONS.values():
        assert any("\u4e00" <= character <= "\u9fff" for character in text.zh)
        assert text.en.isascii()
