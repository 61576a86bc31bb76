"""Coverage (走访覆盖率): how far a campaign has come, by place, worker and day, and door by door.

A household that was met counts once for its places, whoever came and how often. A worker's row
counts the households that worker met, a day's row those met on that day, so that two workers or two
days may both count one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec

from ledger.campaigns.campaign import CampaignPlanned, ShowHeld, StockAllotted
from ledger.campaigns.frame import HouseholdListed
from ledger.contributions.visits import (
    VisitAnnulled,
    VisitEdited,
    VisitRecorded,
    VisitWithdrawn,
)
from ledger.facts import Entry, Fact
from projections import cursor as cursors
from projections.coverage_rows import Counts, Household, Seen, moved
from projections.paging import CITY, paged
from projections.view import Row, Rows, Source, View

ROWS_AT_ONCE = 250


_encode = msgspec.json.Encoder().encode
_household = msgspec.json.Decoder(Household).decode
_counts = msgspec.json.Decoder(Counts).decode

Visited = VisitRecorded | VisitEdited | VisitWithdrawn | VisitAnnulled


class Coverage(View):
    """A row per household in its grid's list, and rows of counts per place, worker and day."""

    name = "coverage"
    version = 1
    facts = (
        CampaignPlanned, StockAllotted, ShowHeld, HouseholdListed, VisitRecorded, VisitEdited,
        VisitWithdrawn, VisitAnnulled,
    )  # fmt: skip

    def touches(self, entry: Entry) -> Iterable[str]:
        fact = entry.fact
        if isinstance(fact, CampaignPlanned):
            return (_place(entry.originator_id, CITY),)
        if isinstance(fact, StockAllotted | ShowHeld):
            return [_place(entry.originator_id, one) for one in (*fact.districts, CITY)]
        if isinstance(fact, HouseholdListed):
            campaign = str(fact.campaign_id)
            household = _door(campaign, fact.household)
            return [household, *(_place(campaign, one) for one in (*fact.districts, CITY))]
        assert isinstance(fact, Visited)
        if fact.campaign_id is None or fact.household is None:
            return ()
        campaign = str(fact.campaign_id)
        return [
            _door(campaign, fact.household),
            *(_place(campaign, one) for one in (*fact.districts, CITY)),
            f"worker/{campaign}/{fact.participant_id}",
            f"day/{campaign}/{fact.earned_on}",
        ]

    def fold(self, rows: Rows, entry: Entry) -> None:
        fact = entry.fact
        if isinstance(fact, HouseholdListed):
            _list(rows, fact)
        elif isinstance(fact, Visited):
            if fact.campaign_id and fact.household:
                _visit(rows, str(fact.campaign_id), fact.household, entry)
        else:
            _plan(rows, str(entry.originator_id), fact)


COVERAGE = Coverage()


def _plan(rows: Rows, campaign: str, fact: Fact) -> None:
    """What a campaign says of itself: its stock, its shows."""
    planned = isinstance(fact, CampaignPlanned)
    places = _places(() if planned else getattr(fact, "districts", ()))
    grid = Counts("")
    for place, above in places:
        counts = _read(rows, campaign, place, above)
        if isinstance(fact, CampaignPlanned):
            counts.stock = dict(fact.plan.materials)
        elif isinstance(fact, StockAllotted):
            if place == fact.grid:
                grid = Counts("", stock=dict(counts.stock))
            if place != CITY:  # The whole campaign's stock is the plan's.
                before = grid.stock.get(fact.material, 0)
                moved(counts.stock, fact.material, fact.count - before)
        elif isinstance(fact, ShowHeld):
            counts.shows += 1
            counts.headcount += fact.headcount
            for kind, count in fact.materials.items():
                moved(counts.given, kind, count)
        _write(rows, campaign, "place", counts)


def _list(rows: Rows, fact: HouseholdListed) -> None:
    campaign = str(fact.campaign_id)
    household = Household(fact.household, fact.grid, fact.districts)
    _write_household(rows, campaign, household)
    for place, above in _places(fact.districts):
        counts = _read(rows, campaign, place, above)
        counts.frame += 1
        _write(rows, campaign, "place", counts)


def _visit(rows: Rows, campaign: str, number: str, entry: Entry) -> None:
    """Move a household's visits in every count they are in."""
    fact = entry.fact
    assert isinstance(fact, Visited)
    row = rows.get(_door(campaign, number))
    if row is None:
        return  # A visit to a household nobody listed counts for nothing.
    household = _household(row.data)
    before, due = household.visits, household.to_visit_again
    after = household.visits = _stands(before, entry)
    more_due = household.to_visit_again - due
    _write_household(rows, campaign, household)
    for place, above in _places(fact.districts):
        counts = _read(rows, campaign, place, above)
        counts.move(before.values(), after.values())
        counts.revisit_due += more_due
        _write(rows, campaign, "place", counts)
    for kind, of in (("worker", str(fact.participant_id)), ("day", fact.earned_on.isoformat())):
        counts = _read(rows, campaign, of, kind=kind)
        counts.move(_of(before, kind, of), _of(after, kind, of))
        _write(rows, campaign, kind, counts)


def _stands(visits: dict[str, Seen], entry: Entry) -> dict[str, Seen]:
    """The visits to a household after a fact about one of them."""
    fact, visit = entry.fact, str(entry.originator_id)
    after = dict(visits)
    if isinstance(fact, VisitRecorded):
        after[visit] = Seen(
            fact.outcome, str(fact.participant_id), fact.earned_on.isoformat(), fact.materials,
            fact.follow_up_on.isoformat() if fact.follow_up_on else None,
        )  # fmt: skip
    elif isinstance(fact, VisitWithdrawn | VisitAnnulled):
        after.pop(visit, None)
    elif isinstance(fact, VisitEdited) and visit in visits:
        after[visit] = _edited(visits[visit], fact)
    return after


def _of(visits: dict[str, Seen], kind: str, of: str) -> list[Seen]:
    """Those of a worker, or of a day."""
    return [one for one in visits.values() if (one.by if kind == "worker" else one.day) == of]


def _edited(seen: Seen, fact: VisitEdited) -> Seen:
    told = fact.effective()
    follow_up_on = seen.follow_up_on
    if "follow_up_on" in told:  # It may have been emptied.
        follow_up_on = told["follow_up_on"] and told["follow_up_on"].isoformat()
    return Seen(
        told.get("outcome", seen.outcome), seen.by, seen.day,
        seen.materials | told.get("materials", {}),
        follow_up_on,
    )  # fmt: skip


def _places(districts: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each place of a path with those above it, the whole campaign last."""
    for number, place in enumerate(districts):
        yield place, districts[number + 1 :]
    yield CITY, ()


def _door(campaign: UUID | str, household: str) -> str:
    return f"household/{campaign}/{household}"


def _place(campaign: UUID | str, place: str) -> str:
    return f"place/{campaign}/{place}"


def _read(
    rows: Rows, campaign: str, of: str, above: tuple[str, ...] = (), kind: str = "place"
) -> Counts:
    row = rows.get(f"{kind}/{campaign}/{of}")
    return _counts(row.data) if row else Counts(of, above)


def _write(rows: Rows, campaign: str, kind: str, counts: Counts) -> None:
    key, bucket = f"{kind}/{campaign}/{counts.of}", f"{kind}/{campaign}"
    empty = kind != "place" and not counts.visits
    rows[key] = None if empty else Row(key, _encode(counts), bucket, counts.of)


def _write_household(rows: Rows, campaign: str, household: Household) -> None:
    key = _door(campaign, household.household)
    bucket = f"household/{campaign}/{household.grid}"
    rows[key] = Row(key, _encode(household), bucket, household.household)


def counts(store: Source, campaign: UUID, place: str | None) -> tuple[int, Counts]:
    """How far the view had followed, and the counts of a place, or of the whole campaign."""
    position, data = store.fetch(COVERAGE, _place(campaign, place or CITY))
    return position, _counts(data) if data else Counts(place or CITY)


def rows_of(
    store: Source, campaign: UUID, kind: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """``{items, next, position}``: the counts of every place, worker or day, by name."""
    return paged(store, COVERAGE, [f"{kind}/{campaign}"], cursor, limit)


def places(
    store: Source, campaign: UUID, wanted: Callable[[Counts], bool], asked: str,
    cursor: str | None, limit: int,
) -> dict[str, Any]:  # fmt: skip
    """``{items, next, position}``: the counts of those places that are wanted, by name.

    ``asked`` says in words which those are: a cursor is good for the same question only.
    """
    bucket, listing = f"place/{campaign}", f"{COVERAGE.name}/{campaign}/{asked}"
    after, found, position = cursors.read(listing, cursor), list[Row](), 0
    while len(found) <= limit:
        position, rows = store.page(COVERAGE, bucket, after, ROWS_AT_ONCE)
        here = (row for row in rows if wanted(_counts(row.data)))
        found += islice(here, limit + 1 - len(found))
        if len(rows) < ROWS_AT_ONCE:
            break
        after = rows[-1].place
    shown, following = cursors.cut(listing, found, limit)
    return {"items": [_counts(row.data) for row in shown], "next": following,
            "position": position}  # fmt: skip


def households(
    store: Source, campaign: UUID, grid: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """``{items, next, position}``: the households of a grid, each with its state."""
    found = paged(store, COVERAGE, [f"household/{campaign}/{grid}"], cursor, limit)
    doors = [msgspec.convert(one, Household) for one in found["items"]]
    return {**found, "items": doors}
