"""``gwc views`` and ``gwc rebuild``."""

from __future__ import annotations

import json

from projections import VIEWS

NAMES = [view.name for view in VIEWS]


def test_views_are_listed_with_position_lag_and_digest(city):
    """After a demo every view is live, at the end of the log, with a digest."""
    lines = json.loads(city("views", "--json"))
    assert [line["name"] for line in lines] == NAMES
    assert {(line["state"], line["lag"]) for line in lines} == {("live", 0)}
    assert all(line["rows"] and len(line["digest"]) == 64 for line in lines)
    assert all(name in city("views") for name in NAMES)


def test_a_rebuild_gives_an_equal_view_in_a_new_generation(city):
    """One view or all are made anew, equal to the live ones."""
    before = json.loads(city("views", "--json"))
    (one,) = json.loads(city("rebuild", "balances", "--json"))
    assert (one["name"], one["equal"], one["digest"]) == ("balances", True, before[0]["digest"])
    assert all(each["equal"] for each in json.loads(city("rebuild", "--all", "--json")))
    after = json.loads(city("views", "--json"))
    assert [line["digest"] for line in after] == [line["digest"] for line in before]
    assert all(a["generation"] != b["generation"] for a, b in zip(after, before, strict=True))
