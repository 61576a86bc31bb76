"""POST /v1/sync: what a phone recorded without signal, each item for itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.api.campaigning import Campaigning, statuses
from tests.ledger.examples import a_report, a_walk


@pytest.fixture
def campaign(services, caller) -> Campaigning:
    return Campaigning(services, caller, starts_on=services.clock().date().isoformat())


def codes(answer) -> list[str | None]:
    """The code of each result: of its first field where fields are named, else its own."""
    return [
        one["errors"][0]["code"] if one.get("errors") else one.get("code")
        for one in answer.json["results"]
    ]


def test_a_parcel_is_recorded_in_one_commit_and_replayed(campaign, monkeypatch):
    """Mixed items are one call of the store in their order; sent again nothing more is recorded."""
    items = [campaign.item(n, **campaign.visit(f"A{n}")) for n in range(1, 6)]
    items.append(campaign.item(6, "report", **a_report()))
    store, calls = campaign.services.ledger.store, []
    insert = store.insert_events
    monkeypatch.setattr(store, "insert_events", lambda *a, **k: calls.append(1) or insert(*a, **k))
    head = campaign.services.ledger.head()
    made = campaign.sync(*items)
    assert statuses(made) == ["created"] * 6
    assert len(calls) == 1
    positions = [one["position"] for one in made.json["results"]]
    assert positions == list(range(head + 1, head + 7))
    again = campaign.sync(*items)
    assert statuses(again) == ["replayed"] * 6
    told = [{**one, "status": "replayed"} for one in made.json["results"]]
    assert again.json["results"] == told
    assert campaign.services.ledger.head() == head + 7  # The last one notes the phone's numbers.


def test_every_kind_of_bad_item_has_its_code_and_the_rest_lands(campaign, services):
    """Each wrong item is told what is wrong with it in both languages; the good ones are kept."""
    year, now = timedelta(days=365), services.clock()
    ahead = campaign.item(**campaign.visit("A1"))
    ahead["recorded_at"] = (now + year).isoformat()
    behind = campaign.item(**campaign.visit("A2"))
    behind["recorded_at"] = (now - year).isoformat()
    no_id = campaign.item(**campaign.visit())
    del no_id["body"]["submission_id"]
    bad = {
        "unknown_household": campaign.item(**campaign.visit("A99")),
        "other_grid": campaign.item(**campaign.visit("B1")),
        "skipped_question": campaign.item(
            **campaign.visit(answers={"water": "good", "why": ["smell"]})
        ),
        "unknown_option": campaign.item(**campaign.visit(answers={"water": "green"})),
        "nobody_answered": campaign.item(
            **campaign.visit(outcome="moved", answers={"water": "bad"})
        ),
        "out_of_range": campaign.item(**campaign.visit(materials={"booklet": -1})),
        "stock_exceeded": campaign.item(**campaign.visit(materials={"booklet": 51})),
        "unknown_material": campaign.item(**campaign.visit(materials={"gold": 1})),
        "unknown_topic": campaign.item(**campaign.visit(topics=["weather"])),
        "unknown_campaign": campaign.item(**{**campaign.visit(), "campaign_id": str(uuid4())}),
        "not_one_of": campaign.item(**campaign.visit(outcome="asleep")),
        "required": no_id,
        "unknown_kind": campaign.item(kind="dance"),
        "wrong_type": 5,
        "future_time": ahead,
        "campaign_not_open": behind,
        "earlier_item_missing": campaign.item(
            kind="visit_edit", visit=str(uuid4()), replaces=1, outcome="met"
        ),
    }  # fmt: skip
    good = [campaign.item(**campaign.visit(f"A{n}", "nobody_home")) for n in range(3)]
    outside = campaign.item(household="X1", outcome="met")
    outside["recorded_at"] = behind["recorded_at"]
    answer = campaign.sync(good[0], *bad.values(), good[1], outside, good[2])
    found = codes(answer)
    assert found[1 : len(bad) + 1] == [
        "not_one_of" if code == "unknown_kind" else code for code in bad
    ]
    assert [found[0], *found[len(bad) + 1 :]] == [None] * 4
    assert statuses(answer).count("created") == 4
    for one in answer.json["results"]:
        if "code" in one:
            assert one["zh"]
            assert one["en"]
    late = UUID(answer.json["results"][-2]["id"])
    earned_on = services.ledger.visit(late).recorded.earned_on
    assert (services.clock().date() - earned_on).days in (29, 30)  # clamped to the late window


def test_a_phone_whose_clock_is_a_little_off_is_corrected(campaign, services):
    """Claimed, sent and received are kept; the reward day is by our clock, whatever the phone's."""
    now, ahead = services.clock(), timedelta(days=3)
    item = campaign.item(1, **campaign.visit())
    item["recorded_at"] = (now + ahead - timedelta(minutes=5)).isoformat()
    answer = campaign.sync(item, sent_at=now + ahead)
    (made,) = answer.json["results"]
    fact = services.ledger.visit(UUID(made["id"])).recorded
    assert fact.earned_on == (now + timedelta(hours=8)).date()
    assert fact.sent_at - fact.claimed_at == timedelta(minutes=5)


@pytest.mark.parametrize("years", [-1, 1])
def test_a_clock_that_is_a_year_off_must_be_set_first(campaign, services, years):
    """Nothing is believed of such a clock: each item says so, and may be sent again corrected."""
    off = services.clock() + timedelta(days=365 * years)
    item = campaign.item(1, **campaign.visit())
    item["recorded_at"] = off.isoformat()
    answer = campaign.sync(item, sent_at=off)
    assert (statuses(answer), codes(answer)) == (["invalid"], ["clock_off"])
    item["recorded_at"] = services.clock().isoformat()
    assert statuses(campaign.sync(item)) == ["created"]


def test_gaps_in_the_numbers_are_reported_until_they_come(campaign):
    """The server names numbers it never saw, from 1 on, and no longer once they came."""
    first = campaign.sync(*(campaign.item(n, **campaign.visit()) for n in (2, 5)))
    assert first.json["missing_seqs"] == [1, 3, 4]
    second = campaign.sync(*(campaign.item(n, **campaign.visit()) for n in (1, 4)))
    assert second.json["missing_seqs"] == [3]
    assert campaign.sync().json["missing_seqs"] == []
    other = campaign.sync(campaign.item(1, **campaign.visit()), device="d2")
    assert other.json["missing_seqs"] == []


def test_a_number_stands_for_one_content(campaign):
    """Another item under a used number is a conflict, in the same parcel as well; a refused item's
    number is free for the corrected one."""
    one, two = campaign.item(1, **campaign.visit()), campaign.item(1, **campaign.visit("A1"))
    answer = campaign.sync(one, two)
    assert (statuses(answer), codes(answer)) == (
        ["created", "conflict"], [None, "device_seq_reused"]
    )  # fmt: skip
    assert codes(campaign.sync(two)) == ["device_seq_reused"]
    wrong = campaign.item(2, **campaign.visit("A99"))
    assert statuses(campaign.sync(wrong)) == ["invalid"]
    wrong["body"]["household"] = "A2"
    assert statuses(campaign.sync(wrong)) == ["created"]
    wrong["body"]["household"] = "A3"
    assert codes(campaign.sync(wrong)) == ["submission_conflict"]


def test_an_item_may_stand_before_what_it_builds_on(campaign):
    """Within a parcel the order does not matter; across parcels the later one waits."""
    visit = campaign.item(1, **campaign.visit())
    own = visit["body"]["submission_id"]
    edit = campaign.item(2, "visit_edit", visit=own, replaces=own, outcome="by_phone")
    again = campaign.item(
        3, "visit_edit", visit=own, replaces=edit["body"]["submission_id"], remark="好"
    )
    photos = campaign.item(4, "photos", of=own, photos=["ab" * 32])
    assert statuses(campaign.sync(again, edit, photos)) == ["waiting"] * 3
    assert statuses(campaign.sync(again, photos, edit, visit)) == ["created"] * 4
    assert statuses(campaign.sync(edit, again)) == ["replayed"] * 2
    withdrawal = campaign.item(5, "visit_withdrawal", visit=own)
    assert statuses(campaign.sync(withdrawal)) == ["created"]
    assert codes(campaign.sync(campaign.item(6, "visit_edit", visit=own, replaces=1,
                                             outcome="met"))) == ["visit_withdrawn"]  # fmt: skip


def test_the_same_parcel_from_two_phones_at_once_is_recorded_once(campaign, services):
    """Five copies at once: every visit exactly once, and every answer the same."""
    items = [campaign.item(n, **campaign.visit(f"A{n % 8}")) for n in range(1, 25)]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: campaign.sync(*items).json["results"], range(5)))
    assert len({tuple(one["id"] for one in each) for each in answers}) == 1
    assert sorted(one["status"] for each in answers for one in each).count("created") == 24
    visits = [row for row in services.ledger.rows() if row.topic == "visit.recorded"]
    assert len(visits) == 24


def test_patrols_come_in_with_the_rest(campaign, services):
    """A patrol wants a commit of its own and gets it; what it earned is told."""
    now = services.clock()
    patrol = campaign.item(2, "patrol", **a_walk(900, 1500, now - timedelta(minutes=30)))
    answer = campaign.sync(
        campaign.item(1, **campaign.visit()), patrol, patrol, campaign.item(3, **campaign.visit())
    )
    assert statuses(answer) == ["created", "created", "replayed", "created"]
    assert answer.json["results"][1]["state"] in ("valid", "review")
    assert answer.json["missing_seqs"] == []


def test_one_overdrawn_stock_refuses_its_own_item(campaign, services, monkeypatch):
    """Three take of 50 booklets, only the one that finds too few is refused, in one commit."""
    store, calls = services.ledger.store, []
    insert = store.insert_events
    monkeypatch.setattr(store, "insert_events", lambda *a, **k: calls.append(1) or insert(*a, **k))
    items = [campaign.item(n, **campaign.visit(f"A{n}", materials={"booklet": 20}))
             for n in (1, 2, 3)]  # fmt: skip
    answer = campaign.sync(*items)
    assert (statuses(answer), codes(answer)) == (
        ["created", "created", "invalid"], [None, None, "stock_exceeded"]
    )  # fmt: skip
    assert (store.select_used(f"material/{campaign.id}/booklet"), len(calls)) == (40, 1)


def test_a_parcel_over_the_limit_and_one_without_shape_are_refused_whole(campaign, caller):
    """501 items, no device, or a role that is out in no field: nothing is recorded."""
    items = [campaign.item(**campaign.visit()) for _ in range(501)]
    many = campaign.sync(*items)
    assert (many.status_code, many.json["errors"][0]["code"]) == (422, "too_long")
    body = {"sent_at": campaign.services.clock().isoformat(), "items": []}
    assert campaign.worker.post("/v1/sync", body).status_code == 422
    assert campaign.sync(by=caller("merchant")).status_code == 403
    assert campaign.sync().json == {"results": [], "missing_seqs": []}


def test_a_citizen_may_not_log_a_visit_by_a_parcel(campaign, caller):
    """A role that may not do a thing may not do it offline either."""
    answer = campaign.sync(campaign.item(1, **campaign.visit()), by=caller("citizen"))
    assert (statuses(answer), codes(answer)) == (["invalid"], ["forbidden"])


def test_late_items_of_a_closed_campaign_are_taken_in(campaign, clock):
    """A visit made while it was open comes in after it closed; one made later does not."""
    clock.ahead = timedelta(hours=2)
    made_in_time = campaign.item(1, ago=60, **campaign.visit())
    campaign.step("close")
    clock.ahead = timedelta(hours=5)
    late = campaign.item(2, ago=60, **campaign.visit("A1"))
    answer = campaign.sync(made_in_time, late)
    assert (statuses(answer), codes(answer)) == (
        ["created", "invalid"], [None, "campaign_closed"]
    )  # fmt: skip


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z"])
def test_a_time_at_the_end_of_the_calendar_is_refused_as_any_other(campaign, moment):
    """A moment that has no day in Shanghai stops neither its own item's answer nor the others."""
    item = campaign.item(1, **campaign.visit(follow_up_on="2026-12-01"))
    item["recorded_at"] = moment
    answer = campaign.sync(item, campaign.item(2, **campaign.visit()))
    assert statuses(answer) == ["invalid", "created"]
