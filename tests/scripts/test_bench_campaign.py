"""The row of a whole campaign measures what it says, on as many households as are asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scripts.benches import campaign
from scripts.benches.campaign import sized
from scripts.benches.campaign_site import Size, opened
from scripts.benches.memory import Child
from scripts.benches.parcels import Walker
from scripts.benches.rows import BENCHES
from tests.conftest import ROOT

CAMPAIGN = next(one for one in BENCHES if one.name == "campaign-sqlite")


@pytest.mark.timeout(240)
def test_a_small_campaign_goes_all_the_way(tmp_path, monkeypatch, capsys):
    """Every figure is told; one side is asked about all visits, the other about the first."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(campaign, "ASKED_PER_ROUND", 2)
    visits: list[int] = []
    compared = campaign._compared

    def spied(*sides_and_more):
        for site in sides_and_more[:2]:
            with opened(site._settings) as services:
                visits.append(services.views.coverage(sides_and_more[0].campaign, None)[1].visits)
        return compared(*sides_and_more)

    monkeypatch.setattr(campaign, "_compared", spied)
    samples, note = campaign.on_sqlite(tmp_path, True, Size(400, 600, 100))
    assert len(samples.ours) == len(samples.theirs) == 5
    assert all(seconds > 0 for seconds in (*samples.ours, *samples.theirs))
    said = note.split("; ")
    assert said[0] == "400 households, 600 visits"
    begins = ["import with addresses", "import without addresses", "sync", "following", "sync",
              "following", *(f"coverage by {by}" for by in campaign.BREAKDOWNS)]  # fmt: skip
    assert [one.startswith(begin) for one, begin in zip(said[1:], begins, strict=True)] == (
        [True] * len(begins)
    )
    assert capsys.readouterr().err.count("\n") == len(begins)
    assert visits == [600, 100]


@pytest.mark.parametrize(("households", "visits", "size"), [
    (500_000, 600_000, Size(500_000, 600_000, 10_000)),
    (2_000, None, Size(2_000, 60_000, 10_000)),
    (None, 3_000, Size(40_000, 3_000, 600)),
])  # fmt: skip
def test_a_campaign_is_as_large_as_asked_for(households, visits, size):
    """What is left out stays as usual, and the beginning is a part of all."""
    assert sized(CAMPAIGN, households, visits).measure.keywords == {"size": size}


def test_other_rows_have_no_size():
    """Households and visits change the rows of campaigns alone."""
    other = BENCHES[0]
    assert sized(other, 500_000, 600_000) is other
    assert sized(CAMPAIGN, None, None) is CAMPAIGN


def test_memory_that_grows_is_told(tmp_path):
    """The most a process has needed in the end, beside what it had needed at one fifth."""
    child = Child({}, tmp_path / "log", "--help")
    with child:
        child._peaks = [(0.0, 2**20), (1.0, 50 * 2**20), (2.1, 60 * 2**20), (10.0, 100 * 2**20)]
        assert child.told() == "100 MB, 2.00 of that at one fifth"


def test_a_command_that_fails_ends_the_measurement(tmp_path, monkeypatch):
    """What it said is in the error."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with (
        pytest.raises(RuntimeError, match="GWC_NONSENSE"),
        Child({"GWC_NONSENSE": "1"}, tmp_path / "log", "views") as child,
    ):
        child.ended()


def test_a_walker_knocks_at_every_door_before_any_again():
    """Visits go round the doors of the walker's own town."""
    walker = Walker(0, "", "", range(10, 14))
    items = walker.parcel(range(6), datetime.now(UTC))["items"]
    assert [one["body"]["household"] for one in items] == [
        "H0000010", "H0000011", "H0000012", "H0000013", "H0000010", "H0000011",
    ]  # fmt: skip
