"""Budgets (预算): the most coins that may be awarded in a district and a year.

What is used of a budget is kept by the store under the lock that gives positions (``Quota``): one
small sum per merged commit, no row or originator that awards would have to race for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from ledger.coins import AwardReversed, CoinsAwarded
from ledger.facts import Fact, stored_as
from ledger.store.rows import Quota

CITY = "*"  # stands for the whole city, which is above every district

Budgets = Mapping[tuple[str, int], int]
"""(district, year) to coins."""


@stored_as(
    "budget.set",
    zh="{by} 将 {district} {year} 年的绿水币预算定为 {coins} 枚",
    en="{by} set the budget of {district} for {year} to {coins} coins",
)
class BudgetSet(Fact, frozen=True):
    """From now on a district (``*``: the city) may award so many coins for days of a year."""

    district: str
    year: int
    coins: int
    by: UUID | None = None
    command_id: UUID | None = None
    body_digest: str = ""


def key_of(district: str, year: int) -> str:
    """The store's name for what is used of a budget."""
    return f"budget/{year}/{district}"


def places(districts: Sequence[str]) -> tuple[str, ...]:
    """Every place whose budget an award counts against."""
    return (*districts, CITY)


def shares(
    budgets: Budgets, districts: Sequence[str], earned_on: date, amount: int
) -> list[Quota]:
    """What an award takes of each budget there is for its places; a negative one gives back."""
    year = earned_on.year
    return [
        Quota(key_of(place, year), amount, budgets[place, year])
        for place in places(districts)
        if (place, year) in budgets
    ]


def awarded_in(district: str, year: int, fact: Fact) -> int:
    """The coins by which a fact changes what a district has awarded for a year."""
    if not isinstance(fact, CoinsAwarded | AwardReversed):
        return 0
    if fact.earned_on.year != year or district not in places(fact.districts):
        return 0
    return fact.amount if isinstance(fact, CoinsAwarded) else -fact.amount


# For whoever counts from the log alone, without the store.


def exceeds(used: Mapping[str, int], budgets: Budgets, award: CoinsAwarded) -> bool:
    """Whether a budget has no room for an award where so much is ``used``."""
    asked = shares(budgets, award.districts, award.earned_on, award.amount)
    return any(used.get(one.key, 0) + one.amount > (one.limit or 0) for one in asked)


def count(used: dict[str, int], fact: CoinsAwarded | AwardReversed, amount: int) -> None:
    """Add ``amount`` to what every place above an award has used of its year."""
    for place in places(fact.districts):
        key = key_of(place, fact.earned_on.year)
        used[key] = used.get(key, 0) + amount
