"""The tree of districts: kinds go downwards, and stay while households in them are visited."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from uuid import uuid4

import pytest

from ledger.campaigns.campaign import Plan
from ledger.campaigns.listing import NewHousehold
from ledger.districts import DistrictImported, Districts
from ledger.errors import InvalidInput
from tests.ledger.examples import NOW, someone


def district(code: str, parent: str | None, kind: str, name: str = "区") -> DistrictImported:
    return DistrictImported(code=code, name=name, parent=parent, kind=kind)


TREE = [
    district("C", None, "city"), district("K", "C", "county"), district("Z", "K", "zone"),
    district("T", "Z", "town"), district("T2", "C", "town"), district("G", "T", "grid"),
    district("G2", "C", "grid"),
]  # fmt: skip
WRONG = {
    "a grid under a grid": ([district("G3", "G", "grid")], {"G3": "kinds_out_of_order"}),
    "a town under a town": ([district("T3", "T", "town")], {"T3": "kinds_out_of_order"}),
    "a county under a town": ([district("K2", "T", "county")], {"K2": "kinds_out_of_order"}),
    "the city as a grid": ([district("C", None, "grid")], {"C": "kinds_out_of_order"}),
    "a grid as a city": ([district("G", "T", "city")], {"G": "kinds_out_of_order"}),
    "a town as a county": ([district("T", "Z", "county")], {"T": "kinds_out_of_order"}),
    "a circle": ([district("C", "T", "city")], {"C": "kinds_out_of_order"}),
    "a circle of new ones": (
        [district("A", "B", "town"), district("B", "A", "county")],
        {"B": "kinds_out_of_order", "A": "unknown_district"},
    ),
    "below what is refused": (
        [district("T3", "T", "town"), district("G3", "T3", "grid"), district("G4", "T", "grid")],
        {"T3": "kinds_out_of_order", "G3": "unknown_district"},
    ),
    "moved below another": ([district("T", "G2", "town")], {"T": "kinds_out_of_order"}),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_kinds_go_downwards(wrong, ledger):
    """City, county, zone, town, grid: what stands in another order is named, and not imported."""
    assert ledger.import_districts(TREE, NOW) == len(TREE)
    rows, codes = WRONG[wrong]
    assert {code: one.code for code, one in ledger.misfits(rows).items()} == codes
    head = ledger.head()
    with pytest.raises(InvalidInput):
        ledger.import_districts(rows, NOW)
    assert ledger.head() == head


def test_a_tree_may_change_downwards_and_all_at_once(ledger):
    """Parents move and kinds change where what lies around still fits, whatever the order."""
    ledger.import_districts(TREE, NOW)
    changed = [
        district("G", "T2", "grid"), district("Z", "C", "county"), district("T", "K", "zone"),
        district("G2", "T", "town"), district("G5", "G2", "grid"),
    ]  # fmt: skip
    assert ledger.import_districts(changed, NOW) == len(changed)


def test_what_was_imported_out_of_order_once_may_be_sent_again_and_mended():
    """Of a tree from before the rule nothing is refused that changes nothing or mends it."""
    old = [district("1", None, "city"), district("G1", "1", "grid"), district("G2", "G1", "grid")]
    tree = Districts().with_facts(old)
    assert not tree.misfits(old)
    assert not tree.misfits([district("G1", "1", "town")])
    assert not tree.misfits([district("G2", "1", "grid")])


def test_the_kind_of_a_place_stays_while_its_households_are_visited(ledger, open_ledger):
    """From the opening to the closing of a campaign; a name may change, and so may other places."""
    ledger.import_districts(TREE, NOW)
    actor = someone(ledger, "dispatcher")
    campaign = ledger.plan_campaign(actor, Plan(name="走访"), {}, uuid4(), NOW).id
    ledger.list_households(campaign, [NewHousehold("H1", "G")], NOW)
    assert not ledger.misfits([district("G", "C", "town")])
    ledger.open_campaign(actor, campaign, {}, uuid4(), NOW)
    changed = [
        district("G", "C", "town"), district("Z", "C", "county"), district("G2", "C", "town")
    ]  # fmt: skip
    told = open_ledger().misfits(changed)
    assert {code: one.code for code, one in told.items()} == {
        "G": "campaign_open", "Z": "campaign_open"
    }  # fmt: skip
    assert ledger.import_districts([district("G", "T", "grid", "新名")], NOW) == 1
    with pytest.raises(InvalidInput):
        ledger.import_districts(changed, NOW)
    ledger.close_campaign(actor, campaign, {}, uuid4(), NOW)
    assert ledger.import_districts(changed, NOW) == 3


def test_a_campaign_that_is_opened_meanwhile_is_looked_at_again(ledger, monkeypatch):
    """Opened right before the commit, it still keeps the kind."""
    ledger.import_districts(TREE, NOW)
    actor = someone(ledger, "dispatcher")
    campaign = ledger.plan_campaign(actor, Plan(name="走访"), {}, uuid4(), NOW).id
    ledger.list_households(campaign, [NewHousehold("H1", "G")], NOW)
    append = ledger.append

    def late(*words, **more):
        monkeypatch.undo()
        ledger.open_campaign(actor, campaign, {}, uuid4(), NOW)
        return append(*words, **more)

    monkeypatch.setattr(ledger, "append", late)
    with pytest.raises(InvalidInput) as refused:
        ledger.import_districts([district("G", "C", "town")], NOW)
    assert [one.code for one in refused.value.errors] == ["campaign_open"]


def test_an_import_that_is_killed_leaves_no_half_of_it(ledger, monkeypatch):
    """Kinds go downwards in what is left, however many rows it has: all of them, or none."""
    ledger.import_districts([
        district("C", None, "city"), district("A", "C", "town"), district("B", "A", "grid"),
    ], NOW)  # fmt: skip
    more = [district(f"N{number}", "C", "town") for number in range(60)]
    append, calls = ledger.append, count()

    def killed(*words, **more):
        if next(calls):
            raise RuntimeError
        return append(*words, **more)

    monkeypatch.setattr(ledger, "append", killed)
    with suppress(RuntimeError):
        ledger.import_districts(
            [district("B", "A", "town"), *more, district("A", "C", "county")], NOW
        )
    tree = ledger.districts.current()
    kinds = [tree.by_code[one].kind for one in tree.path("B")]
    assert kinds in (["grid", "town", "city"], ["town", "county", "city"])


def test_households_are_read_once_and_only_for_another_kind(ledger, monkeypatch):
    """An import reads the frames of all campaigns only where a district changes its kind."""
    ledger.import_districts(TREE, NOW)
    read, entries = list[str](), ledger.entries
    monkeypatch.setattr(
        ledger, "entries", lambda *, topics: read.extend(topics) or entries(topics=topics)
    )
    more = [district(f"N{number}", "C", "town") for number in range(120)]
    ledger.import_districts(more, NOW)
    assert read == []
    ledger.import_districts([*more, *(district(one.code, "C", "zone") for one in more)], NOW)
    assert read == ["campaign.planned", "campaign.household-listed"]
