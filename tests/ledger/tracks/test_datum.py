"""GCJ-02 against an independent implementation, published values, and itself reversed."""
from __future__ import annotations

import numpy as np
import prcoords
import pytest

from ledger.tracks.datum import gcj02_from_wgs84, wgs84_from_gcj02
from tests.ledger.tracks.walks import GEOD

CHINA = np.random.default_rng(7).uniform((73, 18), (135, 53), (5000, 2))


@pytest.mark.parametrize(("wgs84", "gcj02"), [      # the test values of eviltransform
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
])
def test_published_values_are_met(wgs84, gcj02):
    """Shanghai, Shenzhen and Beijing come out as published, to 5 cm."""
    ours = gcj02_from_wgs84(np.array([wgs84]))[0]
    assert GEOD.inv(*ours, *gcj02)[2] < 0.05


def test_another_implementation_agrees():
    """prcoords shifts by the same amounts, but for its slip in the length of a meridian degree.

    It multiplies by a factor where the formula divides, up to 2 % of the northward shift.
    """
    ours = gcj02_from_wgs84(CHINA)
    theirs = np.array([prcoords.wgs_gcj((lat, lon))[::-1] for lon, lat in CHINA])
    assert np.abs(ours[:, 0] - theirs[:, 0]).max() < 1e-9
    slip = np.abs(ours[:, 1] - theirs[:, 1]) / np.abs(ours[:, 1] - CHINA[:, 1])
    assert slip.max() < 0.021


def test_the_shift_is_a_few_hundred_metres():
    """Between 20 and 1000 m everywhere in China: forgetting it misses the river."""
    ours = gcj02_from_wgs84(CHINA)
    metres = GEOD.inv(*CHINA.T, *ours.T)[2]
    assert metres.min() > 20
    assert metres.max() < 1000


def test_there_and_back_is_where_one_was():
    """The inverse is exact to 1e-9 degrees, a hundred times better than asked."""
    back = wgs84_from_gcj02(gcj02_from_wgs84(CHINA))
    assert np.abs(back - CHINA).max() < 1e-9


@pytest.mark.parametrize("place", [(14.3, 45.7), (-180.0, 90.0), (0.0, -90.0), (150.0, 30.0)])
def test_outside_china_nothing_is_shifted(place):
    """Elsewhere, the poles included, both ways leave the numbers alone."""
    there = np.array([place])
    assert (gcj02_from_wgs84(there) == there).all()
    assert (wgs84_from_gcj02(there) == there).all()
