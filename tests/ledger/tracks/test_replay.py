"""Copies of earlier tracks are known again; honest walks of the same way are not accused."""
from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import pytest

from ledger.tracks import Rules, sketch
from tests.ledger.tracks import walks
from tests.ledger.tracks.walks import assessed

LATER = timedelta(days=3, seconds=41)


def part(track, first, last):
    count = len(track.coordinates)
    return walks.kept(track, list(range(int(count * first), int(count * last))))


COPIES = {
    "same": lambda track, seed: track,
    "shifted": lambda track, seed: walks.shifted(track, LATER),
    "truncated": lambda track, seed: part(track, 0.05, 0.85),
    "interpolated": lambda track, seed: walks.interpolated(track),
    "thinned": lambda track, seed: walks.kept(track, list(range(0, len(track.coordinates), 3))),
}
NEAR_COPIES = {
    "shaken": lambda track, seed: walks.shaken(walks.shifted(track, LATER), seed),
    "shaken and truncated": lambda track, seed: walks.shaken(part(track, 0.1, 0.9), seed),
}
OTHERS = [sketch(walks.honest(5000 + seed, 1900)) for seed in range(20)]


def original(seed):
    """A walk long enough that four fifths of it would still be paid."""
    return walks.honest(seed, 2100, 1.25, (1.0, 4.0, 8.0)[seed % 3], (3.0, 5.0)[seed % 2])


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_rejected(kind):
    """Whoever sends it and whenever, a track made of another's very fixes is refused."""
    for seed in range(12):
        first = original(seed)
        copy = COPIES[kind](first, seed)
        verdict, reasons = assessed(copy, earlier=[*OTHERS, sketch(first)])[1:]
        assert (verdict, reasons[0]) == ("rejected", "replayed_track"), seed


@pytest.mark.parametrize("kind", NEAR_COPIES)
def test_near_copies_go_to_a_person(kind):
    """Two metres of noise on every fix do not hide whose walk it was (at most 1 of 24 does)."""
    found = []
    for seed in range(24):
        first = original(seed)
        copy = NEAR_COPIES[kind](first, seed)
        found.append(assessed(copy, earlier=[*OTHERS, sketch(first)])[1:])
    assert set(found) <= {("review", ("similar_track",)), ("valid", ())}
    assert found.count(("valid", ())) <= 1


def test_honest_walks_of_the_same_way_are_never_accused():
    """200 people walk the same bank at the same time of day, each against 20 others: no alarm."""
    accused = [
        seed for seed in range(200)
        if assessed(walks.honest(seed, 1700, every=(2.0, 5.0, 10.0)[seed % 3],
                                 sigma=(3.0, 5.0, 8.0)[seed % 3]), earlier=OTHERS)[1] != "valid"
    ]
    assert accused == []


@pytest.mark.parametrize("metres", [0.5, 1.0, 2.0])
def test_steady_strangers_on_one_line_are_not_accused(metres):
    """At one pace along one line people keep side by side; only the same noise makes a copy."""
    def stranger(seed):
        return walks.shaken(walks.clean(1500, 1300, 5, walks.RIVER[0]), seed, metres)
    earlier = [sketch(stranger(seed)) for seed in range(1, 20)]
    assert assessed(stranger(0), earlier=earlier)[1] == "valid"


def test_tracks_drawn_with_a_ruler_are_not_compared():
    """Two noise-free walks on one line share their fixes by construction; both are valid."""
    long, short = walks.clean(2000, 1600, 10), walks.clean(1500, 1200, 10)
    metrics, verdict, _ = assessed(short, walks.CANAL, [sketch(long)])
    assert (metrics.replay_share_permille, metrics.replay_distance_dm) == (0, -1)
    assert verdict == "valid"


def test_the_very_same_coordinates_are_known_by_their_identity():
    """Even a noise-free track is refused when its coordinates were already sent in."""
    first, again = walks.clean(1500, 1200), walks.shifted(walks.clean(1500, 1200), LATER)
    assert first.identity() == again.identity() != walks.clean(1501, 1200).identity()
    assert assessed(again, walks.CANAL, copied=True)[1:] == ("rejected", ("replayed_track",))


def test_a_sketch_is_small_and_survives_json():
    """At most 1.6 kB whatever the length of the walk, and base64 of it compares the same."""
    first = original(0)
    small = sketch(first)
    assert len(small) <= 1600
    copy = walks.shifted(first, LATER)
    rules = Rules()
    assert assessed(copy, earlier=[b64encode(small).decode()], rules=rules) == assessed(
        copy, earlier=[small], rules=rules)


def test_an_empty_sketch_compares_with_nothing():
    """A track without a usable fix leaves a sketch that harms nobody."""
    empty = sketch(walks.track(walks.along(walks.CANAL[0], walks.np.array([0.0])),
                               walks.np.array([0.0]), accuracies=(99.0,)))
    assert assessed(original(1), earlier=[empty, b""])[1] == "valid"
