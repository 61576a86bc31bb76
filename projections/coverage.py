"""Coverage (走访覆盖率): how far a campaign has come, by place, worker and day, and door by door.

A household that was met counts once for its places, whoever came and how often. A worker's row
counts the households that worker met, a day's row those met on that day, so that two workers or two
days may both count one; at each place alike. The places of a household are those it was listed in,
so that those met and those to be met are the same households wherever districts move meanwhile.
Stock and shows stand where their grid does: as it was listed, or else as it was first named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

import msgspec

from ledger.campaigns.campaign import CampaignPlanned, ShowHeld, StockAllotted
from ledger.campaigns.frame import HouseholdListed
from ledger.contributions.visits import (
    VisitAnnulled,
    VisitEdited,
    VisitRecorded,
    VisitWithdrawn,
    visited_at,
)
from ledger.facts import Entry
from projections.coverage_counts import key_of, moves, places_of, read, rows_of_visit, write
from projections.coverage_rows import Counts, Household, Seen, moved
from projections.paging import CITY
from projections.view import Row, Rows, View

_encode = msgspec.json.Encoder().encode
_household = msgspec.json.Decoder(Household).decode

Visited = VisitRecorded | VisitEdited | VisitWithdrawn | VisitAnnulled
Planned = CampaignPlanned | StockAllotted | ShowHeld


class Coverage(View):
    """A row per household in its grid's list, and rows of counts for every place."""

    name = "coverage"
    version = 2
    facts = (
        CampaignPlanned, StockAllotted, ShowHeld, HouseholdListed, VisitRecorded, VisitEdited,
        VisitWithdrawn, VisitAnnulled,
    )  # fmt: skip

    def touches(self, entry: Entry) -> Iterable[str]:
        fact = entry.fact
        if isinstance(fact, Planned):
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
            *(key_of(*row) for place, _ in _places(fact.districts)
              for row in rows_of_visit(campaign, place, *_whose(fact))),
        ]  # fmt: skip

    def also_touches(self, rows: Rows, entry: Entry) -> Iterable[str]:
        """Where a grid stands in the campaign, which may be elsewhere than it lies by now."""
        fact = entry.fact
        if isinstance(fact, HouseholdListed):
            campaign = str(fact.campaign_id)
        elif isinstance(fact, StockAllotted | ShowHeld):
            campaign = str(entry.originator_id)
        else:
            return ()
        return [_place(campaign, one) for one in _standing(rows, campaign, fact.districts)]

    def fold(self, rows: Rows, entry: Entry) -> None:
        fact = entry.fact
        if isinstance(fact, HouseholdListed):
            _list(rows, fact)
        elif isinstance(fact, Visited):
            if fact.campaign_id and fact.household:
                _visit(rows, str(fact.campaign_id), fact.household, entry)
        elif isinstance(fact, StockAllotted):
            _allot(rows, str(entry.originator_id), fact)
        elif isinstance(fact, ShowHeld):
            _show(rows, str(entry.originator_id), fact)
        elif isinstance(fact, CampaignPlanned):
            _plan(rows, str(entry.originator_id), fact)


COVERAGE = Coverage()


def _plan(rows: Rows, campaign: str, fact: CampaignPlanned) -> None:
    """A campaign's stock is that of its own place, and of all above it."""
    for counts in _along(rows, campaign, fact.districts):
        counts.stock, counts.whole = dict(fact.plan.materials), True


def _allot(rows: Rows, campaign: str, fact: StockAllotted) -> None:
    """What a grid has adds up above it, as far as the campaign's own place."""
    more = 0
    for counts in _along(rows, campaign, _standing(rows, campaign, fact.districts)):
        if counts.of == fact.grid:
            more = fact.count - counts.stock.get(fact.material, 0)
        if counts.of == fact.grid or not counts.whole:
            moved(counts.stock, fact.material, more)


def _show(rows: Rows, campaign: str, fact: ShowHeld) -> None:
    for counts in _along(rows, campaign, _standing(rows, campaign, fact.districts)):
        counts.shows += 1
        counts.headcount += fact.headcount
        for kind, count in fact.materials.items():
            moved(counts.given, kind, count)


def _list(rows: Rows, fact: HouseholdListed) -> None:
    campaign = str(fact.campaign_id)
    _settle(rows, campaign, fact.districts)
    household = Household(fact.household, fact.grid, fact.districts)
    _write_household(rows, campaign, household)
    above = dict(_places(fact.districts))
    for counts in _along(rows, campaign, fact.districts):
        if not counts.frame:
            counts.above = above[counts.of]
        counts.frame += 1


def _settle(rows: Rows, campaign: str, districts: tuple[str, ...]) -> None:
    """Before its first household is listed a grid's stock moves to where that is listed.

    There is nothing else to move: shows are held, and visits made, once all are listed.
    """
    before = _standing(rows, campaign, districts)
    grid = read(rows, places_of(campaign), districts[0]) if districts else Counts("")
    if grid.frame or before == districts:
        return
    for path, sign in ((before, -1), (districts, 1)):
        for counts in _along(rows, campaign, path):
            if counts.of != grid.of and not counts.whole:
                for material, count in grid.stock.items():
                    moved(counts.stock, material, sign * count)


def _standing(rows: Rows, campaign: str, districts: tuple[str, ...]) -> tuple[str, ...]:
    """The path of a place in the campaign; the given one where it is not in it yet."""
    if not districts:
        return ()
    place, above = districts[0], districts[1:]
    return place, *read(rows, places_of(campaign), place, above).above


def _visit(rows: Rows, campaign: str, number: str, entry: Entry) -> None:
    """Move a household's visits in every count they are in."""
    fact = entry.fact
    assert isinstance(fact, Visited)
    row = rows.get(_door(campaign, number))
    household = _household(row.data) if row else None
    if household is None or household.districts != fact.districts:
        return  # A visit to a household that nobody listed there counts for nothing.
    before, due = household.visits, household.is_due()
    household.visits = _stands(before, entry)
    _write_household(rows, campaign, household)
    who, day = _whose(fact)
    moved_by = moves(before, household.visits, who, day, household.is_due() - due)
    for place, _ in _places(household.districts):
        for (bucket, of), move in zip(
            rows_of_visit(campaign, place, who, day), moved_by, strict=True
        ):
            counts = read(rows, bucket, of)
            counts.add(move)
            write(rows, bucket, counts)


def _whose(fact: Visited) -> tuple[str, str]:
    """Whose visit it was, and of which day."""
    return str(fact.participant_id), fact.earned_on.isoformat()


def _stands(visits: dict[str, Seen], entry: Entry) -> dict[str, Seen]:
    """The visits to a household after a fact about one of them."""
    fact, visit = entry.fact, str(entry.originator_id)
    after = dict(visits)
    if isinstance(fact, VisitRecorded):
        after[visit] = Seen(
            fact.outcome, *_whose(fact), visited_at(fact, entry.recorded_at), fact.materials,
            fact.follow_up_on,
        )  # fmt: skip
    elif isinstance(fact, VisitWithdrawn | VisitAnnulled):
        after.pop(visit, None)
    elif isinstance(fact, VisitEdited) and visit in visits:
        after[visit] = _edited(visits[visit], fact)
    return after


def _edited(seen: Seen, fact: VisitEdited) -> Seen:
    told = fact.effective()
    return msgspec.structs.replace(
        seen, outcome=told.get("outcome", seen.outcome),
        materials=seen.materials | told.get("materials", {}),
        follow_up_on=told.get("follow_up_on", seen.follow_up_on),  # It may have been emptied.
    )  # fmt: skip


def _along(rows: Rows, campaign: str, districts: tuple[str, ...]) -> Iterator[Counts]:
    """The counts of each place of a path, the whole campaign last; kept as they are changed."""
    for place, above in _places(districts):
        counts = read(rows, places_of(campaign), place, above)
        yield counts
        write(rows, places_of(campaign), counts)


def _places(districts: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each place of a path with those above it, the whole campaign last."""
    for number, place in enumerate(districts):
        yield place, districts[number + 1 :]
    yield CITY, ()


def _door(campaign: UUID | str, household: str) -> str:
    return f"household/{campaign}/{household}"


def _place(campaign: UUID | str, place: str) -> str:
    return key_of(places_of(campaign), place)


def _write_household(rows: Rows, campaign: str, household: Household) -> None:
    key = _door(campaign, household.household)
    bucket = f"household/{campaign}/{household.grid}"
    rows[key] = Row(key, _encode(household), bucket, household.household)
