"""Every question about redemptions, reversals and the books, against the model."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from ledger.facts import Entry
from projections import redemptions, reversals, trial_balance
from tests.projections import model_decisions as model

PLACES = (None, ("g1",), ("c1",), ("g1", "t2"), ("nowhere",), ())


def pages(ask, limit: int = 3) -> list[dict]:
    """Every item of a list, page by page."""
    items, cursor = [], None
    while True:
        page = ask(cursor, limit)
        items += page["items"]
        assert len(page["items"]) <= limit
        cursor = page["next"]
        if cursor is None:
            return items


def compare_decisions(source, entries: Sequence[Entry], people: Sequence[UUID]) -> None:
    assert trial_balance.trial_balance(source) == model.trial_balance(entries)
    asked, proposed = model.redemptions(entries), model.reversals(entries)
    for who in (*people, uuid4()):
        own = pages(lambda c, n, who=who: redemptions.redemptions(source, who, c, n))
        assert own == [
            one for one in reversed(asked.values())
            if str(who) in (one["by"], one["participant_id"])
        ]  # fmt: skip
        theirs = pages(lambda c, n, who=who: reversals.reversals(source, who, c, n))
        assert theirs == [
            one for one in reversed(proposed.values()) if one["participant_id"] == str(who)
        ]
    for view, expected in ((redemptions.redemption, asked), (reversals.reversal, proposed)):
        assert {key: view(source, UUID(key)) for key in expected} == expected
        assert view(source, uuid4()) is None
    compare_merchants(source, asked)
    compare_queues(source, asked, proposed)


def compare_merchants(source, asked: dict[str, dict]) -> None:
    for merchant in {one["merchant_id"] for one in asked.values()} | {str(uuid4())}:
        who = UUID(merchant) if merchant else None
        found = pages(lambda c, n, who=who: redemptions.of_merchant(source, who, c, n))
        assert found == [
            one for one in reversed(asked.values())
            if one["merchant_id"] == merchant and one["state"] != "refused"
        ]  # fmt: skip


def compare_queues(source, asked: dict[str, dict], proposed: dict[str, dict]) -> None:
    undecided = [
        one for one in asked.values() if one["state"] == "requested" and one["decide_by"]
    ]
    unsettled = [one for one in proposed.values() if one["state"] == "proposed"]
    for waiting, expected in ((redemptions.waiting, undecided), (reversals.waiting, unsettled)):
        for districts in PLACES:
            found = pages(lambda c, n, d=districts, ask=waiting: ask(source, d, c, n))
            assert found == [
                one for one in expected
                if districts is None or set(districts) & set(one["districts"])
            ]  # fmt: skip
