"""The ledger (账本): everything people can do, each a short method of one of its parts.

Parts, each on the one below: Log (load, append, attempt) → Registers (policies, rivers,
districts, catalogue) → Tokens → People; Contributing → Budgeting, Reversing; and for spending
Holding → Redeeming → Deciding → Donating → Expiring; Offering; Waymarking; for campaigns
Planning → Amending, and with Contributing → Syncing; Counting. Asking → Holding → Erasing.
"""

from __future__ import annotations

from ledger.budgeting import Budgeting
from ledger.campaigns.counting import Counting
from ledger.erasure.erasing import Erasing
from ledger.expiring import Expiring
from ledger.people import People, Registration
from ledger.receipts import Receipt
from ledger.reversing import Reversing
from ledger.spending.offering import Offering
from ledger.syncing import Syncing
from ledger.trails.waymarking import Waymarking


class Ledger(
    Syncing, Counting, Budgeting, Reversing, Offering, Waymarking, Expiring, People, Erasing
):
    """One city's ledger on one database; ``close()`` drains what is being written.

    ``env`` names the store: PERSISTENCE_MODULE and its settings. Safe to share between threads;
    open it after a fork, never before.
    """


__all__ = ["Ledger", "Receipt", "Registration"]
