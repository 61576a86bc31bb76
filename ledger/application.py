"""The ledger (账本): everything people can do, each a short method of one of its parts.

Parts, each on the one below: Log (load, append, attempt) → Registers (policies, rivers,
districts) → Tokens → People (registration, roles, consents); Contributing (contribute, review).
"""

from __future__ import annotations

from ledger.contributing import Contributing
from ledger.people import People, Registration
from ledger.receipts import Receipt


class Ledger(Contributing, People):
    """One city's ledger on one database; ``close()`` drains what is being written.

    ``env`` names the store: PERSISTENCE_MODULE and its settings. Safe to share between threads;
    open it after a fork, never before.
    """


__all__ = ["Ledger", "Receipt", "Registration"]
