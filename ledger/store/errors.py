"""What the store refuses, and why; everything else it raises comes from the library.

``IntegrityError`` means "not recorded, somebody was faster"; ``OperationalError`` means "not
acknowledged": the transaction failed as a whole and its outcome must be looked up.
"""

from __future__ import annotations

from eventsourcing import persistence
from eventsourcing.persistence import DataError, IntegrityError, PersistenceError

# The exception names of PEP 249, which sqlite3, psycopg and the library share.
PEP_249 = frozenset({
    "InterfaceError", "DataError", "OperationalError", "IntegrityError", "InternalError",
    "ProgrammingError", "NotSupportedError", "DatabaseError",
})


class EntryTooLarge(DataError):
    """The entry bytes of a fact exceed 65,535, the limit of a C2SP tlog-tiles bundle."""


class FingerprintTaken(IntegrityError):
    """Another vault row already has this fingerprint (the same photo, say, a second time)."""


class SubjectFenced(IntegrityError):
    """A vault row or a key is of a subject who was, or is being, erased."""


class QuotaExceeded(IntegrityError):
    """``key`` has no room for what this call wanted of it: of all there is, ``left`` are left."""

    def __init__(self, key: str, left: int = 0) -> None:
        super().__init__(f"{key} has no room for this")
        self.key, self.left = key, left


class Overloaded(PersistenceError):
    """Too many calls wait for the log already; this one was not queued and may be sent again."""


class StoreClosed(PersistenceError):
    """The store was closed; nothing of this call was recorded."""


class NotDurable(PersistenceError):
    """The database would answer before the data is on the disk; the message names the setting."""


class NotPrepared(PersistenceError):
    """Tables are missing, and the role we connect as may not make them."""


class NotTheOwner(PersistenceError):
    """Only the owner of the tables can say what another role may do with them."""


class RoleTooStrong(PersistenceError):
    """A role meant for the application could change what is recorded; it was given nothing."""


class RowRefused(Exception):
    """The database refused a row and the transaction was rolled back (never leaves the store)."""

    def __init__(self, error: PersistenceError) -> None:
        super().__init__(str(error))
        self.error = error


def as_persistence_error(error: BaseException) -> PersistenceError:
    """The library's exception for one of sqlite3 or psycopg, found by its PEP 249 name."""
    if isinstance(error, PersistenceError):
        return error
    for ancestor in type(error).__mro__:
        if ancestor.__name__ in PEP_249:
            known: type[PersistenceError] = getattr(persistence, ancestor.__name__)
            return known(str(error))
    return DataError(str(error))
