"""Two processes at one campaign: stock is allotted beside a visit, reviews beside a parcel."""

from __future__ import annotations

from uuid import uuid4

import pytest

from ledger.audit import Quotas, audit, rows_of
from ledger.districts import DistrictImported
from ledger.errors import InvalidInput
from tests.ledger.campaigns import a_campaign, a_door_visit, an_item, send
from tests.ledger.examples import NOW, contribute, someone, verify


@pytest.fixture
def grid(ledger) -> str:
    """A grid of its own."""
    district = DistrictImported(code="111", name="格", parent=None, kind="grid")
    ledger.import_districts([district], NOW)
    return "111"


def test_stock_is_not_allotted_below_what_is_handed_out(ledger, open_ledger, grid, monkeypatch):
    """A visit in another process takes four more right before the allotment is saved: it is
    decided again, on eight, and five are refused."""
    dispatcher, worker = someone(ledger, "dispatcher"), someone(ledger, "grid_worker")
    campaign = a_campaign(ledger, {"H0": grid, "H1": grid}, by=dispatcher)
    four = {"booklet": 4}
    contribute(ledger, "visit", worker, a_door_visit(campaign, materials=four))
    other, used = open_ledger(), ledger.store.select_used

    def slow(key: str) -> int:
        found = used(key)
        if key.endswith(f"/{grid}"):
            monkeypatch.setattr(ledger.store, "select_used", used)
            contribute(other, "visit", worker, a_door_visit(campaign, "H1", materials=four))
        return found

    monkeypatch.setattr(ledger.store, "select_used", slow)
    with pytest.raises(InvalidInput) as refused:
        ledger.allot_stock(dispatcher, campaign, grid, "booklet", 5, {}, uuid4(), NOW)
    assert "8" in refused.value.errors[0].zh
    told = ledger.allot_stock(dispatcher, campaign, grid, "booklet", 8, {}, uuid4(), NOW)
    assert told.campaign.allotted == {(grid, "booklet"): 8}
    head, stored = ledger.store.select_quotas_at()
    assert list(audit(rows_of(ledger), Quotas(stored, head))) == []


def test_reviews_elsewhere_do_not_break_a_parcel(ledger, open_ledger, monkeypatch):
    """Each time a parcel is saved another process has paid an earlier visit: it is one commit."""
    dispatcher, worker = someone(ledger, "dispatcher"), someone(ledger, "grid_worker")
    campaign = a_campaign(ledger, by=dispatcher)
    before = [contribute(ledger, "visit", worker, a_door_visit(campaign, f"H{n}")) for n in (0, 1)]
    other, insert, calls = open_ledger(), ledger.store.insert_events, []

    def behind(*args, **more):
        calls.append(len(args[0]))
        if before:
            assert verify(other, before.pop(), dispatcher).coins == 2
        return insert(*args, **more)

    monkeypatch.setattr(ledger.store, "insert_events", behind)
    items = [an_item("visit", a_door_visit(campaign, f"H{n}", remark="记"), n) for n in range(2, 8)]
    results = send(ledger, worker, *items)
    assert {one.status for one in results} == {"created"}
    assert len(calls) == 1
    assert list(audit(rows_of(ledger))) == []
