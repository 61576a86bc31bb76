"""The journal (复式记账): each money fact as postings to accounts, from both sides.

``Issued:<rule>`` gives, ``Wallet:<participant>:Available`` and ``:Held`` have, ``:Debt`` is owed;
``Redeemed:<offer>``, ``Expired`` and ``Reversed`` take. Coins between two wallets pass through
``Transfers``, which is empty again when the donation is through. Over all accounts the sum is zero
after every fact: both sides are taken from different fields, so a fact that does not balance shows.
"""

from __future__ import annotations

import msgspec

from ledger.coins import (
    AwardReversed,
    CoinsAwarded,
    CoinsExpired,
    CoinsGiven,
    CoinsHeld,
    CoinsReceived,
    CoinsReleased,
    CoinsSpent,
    total,
)
from ledger.facts import Fact

TRANSFERS, EXPIRED, REVERSED = "Transfers", "Expired", "Reversed"
# What an account is counted under in the trial balance, by the word its name begins or ends with.
KINDS = {
    "Issued": "issued", "Available": "available", "Held": "held", "Debt": "debt",
    "Redeemed": "redeemed", EXPIRED: "expired", REVERSED: "reversed", TRANSFERS: "transfers",
}  # fmt: skip


class Posting(msgspec.Struct, frozen=True):
    """So many coins into an account, out of it where negative."""

    account: str
    amount: int

    @property
    def kind(self) -> str:
        """Which line of the trial balance it belongs to."""
        first, _, rest = self.account.partition(":")
        return KINDS[rest.rpartition(":")[2] if first == "Wallet" else first]


def postings(fact: Fact) -> tuple[Posting, ...]:
    """How a money fact is booked; nothing for every other fact. No posting is of zero coins."""
    return tuple(Posting(account, amount) for account, amount in _booked(fact) if amount)


def _booked(fact: Fact) -> tuple[tuple[str, int], ...]:
    mine = f"Wallet:{getattr(fact, 'participant_id', '')}"
    available, held, debt = f"{mine}:Available", f"{mine}:Held", f"{mine}:Debt"
    match fact:
        case CoinsAwarded(amount=amount, to_debt=to_debt, rule=rule):
            return (f"Issued:{rule}", -amount), (available, amount - to_debt), (debt, to_debt)
        case CoinsHeld(amount=amount, parts=parts):
            return (available, -total(parts)), (held, amount)
        case CoinsSpent(amount=amount, offer_id=offer_id):
            return (held, -amount), (f"Redeemed:{offer_id}", amount)
        case CoinsReleased(amount=amount, parts=parts, debt_parts=paid):
            return (held, -amount), (available, total(parts) - total(paid)), (debt, total(paid))
        case CoinsExpired(amount=amount, parts=parts):
            return (available, -total(parts)), (EXPIRED, amount)
        case AwardReversed(amount=amount, parts=parts, debt=owed):
            return (available, -total(parts)), (debt, -owed), (REVERSED, amount)
        case CoinsGiven(amount=amount, parts=parts):
            return (available, -total(parts)), (TRANSFERS, amount)
        case CoinsReceived(amount=amount, lots=lots):
            return (TRANSFERS, -amount), (available, sum(lot.amount for lot in lots))
    return ()
