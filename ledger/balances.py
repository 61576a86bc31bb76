"""Every balance (余额) from the money facts alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from ledger.errors import CorruptFact
from ledger.wallet import AwardRefused, CoinsAwarded

MONEY = (CoinsAwarded.topic, AwardRefused.topic)


class _Award(msgspec.Struct, gc=False):
    """All that a balance needs of a money fact; a refusal has no amount."""

    participant_id: str
    amount: int = 0
    expires_on: str = ""


_decode = msgspec.json.Decoder(_Award).decode


def balances_of(states: Iterable[bytes], today: date) -> list[tuple[str, int, int]]:
    """(participant, available, held) of everybody with a money fact, by participant id.

    ``states`` are the stored bytes of the facts of MONEY; a lot is good through its expiry day.
    Nothing holds coins yet, so ``held`` is 0. Raises CorruptFact.
    """
    coins: dict[str, int] = {}
    day = today.isoformat()  # Dates compare as their ISO text does.
    try:
        for award in map(_decode, states):
            amount = award.amount if award.expires_on >= day else 0
            coins[award.participant_id] = coins.get(award.participant_id, 0) + amount
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptFact(topic="wallet", problem=str(error)) from error
    return [(person, coins[person], 0) for person in sorted(coins)]
