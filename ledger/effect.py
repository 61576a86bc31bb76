"""When a fact takes effect (生效日), which may be a day before the one it was recorded on.

A contribution counts for the day it was made, so its award counts from the day it was earned
(``earned_on``), however late it was decided; expired coins are gone from the day they were written
off for (``as_of``). Every other fact counts from the day it was recorded. None counts later than
that: nothing is known of what is still to come.
"""

from __future__ import annotations

from datetime import date

import msgspec

from ledger.coins import AwardRefused, CoinsAwarded, CoinsExpired
from ledger.facts import Fact


def effective_day(fact: Fact, recorded: date) -> date:
    """The first day a fact counts for that was recorded on a day of Shanghai."""
    match fact:
        case CoinsAwarded(earned_on=day) | AwardRefused(earned_on=day) | CoinsExpired(as_of=day):
            return min(day, recorded)
    return recorded


def effective(fact: Fact, recorded: date, on: date) -> Fact | None:
    """What of a fact counts on a day; None of one that counts later.

    An award counts from the day it was earned, but what it paid of a debt only from the day it
    was recorded: until then nobody had paid.
    """
    if effective_day(fact, recorded) > on:
        return None
    if isinstance(fact, CoinsAwarded) and fact.to_debt and recorded > on:
        return msgspec.structs.replace(fact, to_debt=0)
    return fact
