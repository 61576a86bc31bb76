"""Putting households into a frame: what the ledger refuses, and what it tells of those listed."""

from __future__ import annotations

from uuid import uuid4

import pytest

from ledger.campaigns.campaign import Plan
from ledger.campaigns.frame import Door, door_id
from ledger.campaigns.listing import ListedOtherwise, NewHousehold
from ledger.districts import DistrictImported
from ledger.errors import InvalidInput
from tests.ledger.examples import NOW, someone

TREE = [
    DistrictImported(code=code, name=code, parent=parent, kind=kind)
    for code, parent, kind in (
        ("1", None, "city"), ("11", "1", "town"), ("111", "11", "grid"), ("12", "1", "grid")
    )
]  # fmt: skip
WRONG = {
    "a mobile number": ("13800138000", "G1", "personal_number"),
    "one behind letters": ("A-13800138000", "G1", "personal_number"),
    "one in groups": ("H138-0013-8000", "G1", "personal_number"),
    "one with 86": ("8613800138000", "G1", "personal_number"),
    "an identity number": ("330106199001011234", "G1", "personal_number"),
    "one that ends in X": ("11010519491231002x", "G1", "personal_number"),
    "other long digits": ("330106001002", "G1", "malformed_household"),
    "a name": ("王家", "G1", "malformed_household"),
    "the city's own row": ("H1", "*", "malformed_code"),
    "a zero byte": ("H1", "a\0b", "malformed_code"),
    "a long grid": ("H1", "g" * 41, "malformed_code"),
    "a grid of words": ("H1", "李四家 13800138000", "malformed_code"),
    "a grid that is a number": ("H1", "李四家13800138000", "personal_number"),
    "no grid": ("H1", "", "malformed_code"),
}


@pytest.fixture
def campaign(ledger):
    """A planned campaign of the whole city."""
    return planned(ledger)


def planned(ledger, district: str | None = None):
    plan = Plan(name="走访", district=district)
    return ledger.plan_campaign(someone(ledger, "dispatcher"), plan, {}, uuid4(), NOW).id


def codes(ledger, campaign, *households: NewHousehold) -> list[tuple[str, str]]:
    """What is refused of households, by field and code; nothing of them may be recorded."""
    head = ledger.head()
    with pytest.raises(InvalidInput) as refused:
        ledger.list_households(campaign, households, NOW)
    assert ledger.head() == head
    return [(one.path, one.code) for one in refused.value.errors]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_must_not_stand_in_the_log_is_refused(wrong, ledger, campaign):
    """Numbers of people and what is no code never get into a frame, whoever lists them."""
    household, grid, code = WRONG[wrong]
    good, bad = NewHousehold("H0", "G1"), NewHousehold(household, grid)
    ((path, told),) = codes(ledger, campaign, good, bad)
    assert (path.split(".")[0], told) == ("households[1]", code)


@pytest.mark.parametrize(
    "household",
    ["1", "H000123", "330106-001-12", "150102-00123", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"],
)
def test_an_opaque_number_passes(household, ledger, campaign):
    """Codes with many digits are no telephone numbers for that."""
    assert ledger.list_households(campaign, [NewHousehold(household, "330106001002")], NOW) == 1


def test_a_household_stands_in_a_grid_of_the_campaign(ledger):
    """Where districts were imported the grid is a lowest one of them, in the campaign's."""
    ledger.import_districts(TREE, NOW)
    campaign = planned(ledger, "11")
    refused = codes(ledger, campaign, *(
        NewHousehold(f"H{number}", grid) for number, grid in enumerate(("9", "11", "12", "111"))
    ), NewHousehold("H3", "111"), NewHousehold("H9", "111", "a\0b"))  # fmt: skip
    assert refused == [
        ("households[0].grid", "unknown_district"), ("households[1].grid", "not_a_grid"),
        ("households[2].grid", "outside_campaign"), ("households[4].household", "duplicate"),
        ("households[5].address", "malformed_address"),
    ]  # fmt: skip
    assert ledger.list_households(campaign, [NewHousehold("H3", "111")], NOW) == 1


def test_districts_that_move_meanwhile_are_looked_at_again(ledger, campaign, monkeypatch):
    """A grid that gets districts below it before the commit is none any more."""
    town = DistrictImported(code="13", name="镇", parent="1", kind="town")
    ledger.import_districts([*TREE, town], NOW)
    append = ledger.append
    below = DistrictImported(code="131", name="格", parent="13", kind="grid")

    def late(*words, **more):
        monkeypatch.undo()
        ledger.import_districts([below], NOW)
        return append(*words, **more)

    monkeypatch.setattr(ledger, "append", late)
    with pytest.raises(InvalidInput) as refused:
        ledger.list_households(campaign, [NewHousehold("H1", "13")], NOW)
    assert [one.code for one in refused.value.errors] == ["not_a_grid"]


def test_what_is_listed_otherwise_is_told_and_stays(ledger, campaign):
    """Another grid or address of a household in the frame is told; the same, or none, is not."""
    told: list[ListedOtherwise] = []
    ledger.list_households(campaign, [
        NewHousehold("A", "G1", "滨河路 1 号"), NewHousehold("B", "G1"), NewHousehold("C", "G1"),
    ], NOW)  # fmt: skip
    new = ledger.list_households(campaign, [
        NewHousehold("A", "G2", "滨河路 2 号"), NewHousehold("B", "G1", "滨河路 3 号"),
        NewHousehold("C", "G1"), NewHousehold("D", "G1"),
    ], NOW, lambda _, otherwise: told.extend(otherwise))  # fmt: skip
    assert new == 1
    assert [(one.household, one.field, one.grid) for one in told] == [
        ("A", "grid", "G1"), ("A", "address", "G1"), ("B", "address", "G1"),
    ]  # fmt: skip
    told.clear()
    again = [NewHousehold("A", "G1", "滨河路 1 号"), NewHousehold("A2", "G1")]
    ledger.list_households(campaign, again, NOW, lambda _, otherwise: told.extend(otherwise))
    assert told == []
    assert ledger.address_of(campaign, "A") == "滨河路 1 号"
    listed = ledger.fold(door_id(campaign, "A"), Door()).listed
    assert listed is not None
    assert listed.grid == "G1"
