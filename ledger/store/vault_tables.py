"""The tables of the vault (保险库): wrapped keys, and encrypted rows by originator and by shelf."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ledger.store import schema
from ledger.store.errors import SubjectFenced
from ledger.store.mapper import as_uuid
from ledger.store.rows import VaultRow


class VaultTables(ABC):
    """What the vault asks of a recorder."""

    @abstractmethod
    def rows(self, question: schema.Question) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def write(self, statements: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None: ...

    @abstractmethod
    def key(self, value: UUID | str) -> Any: ...

    before_keys: Sequence[tuple[str, Sequence[Sequence[Any]]]] = ()
    """What a transaction that stores keys begins with, so that no fence is set meanwhile."""

    def insert_key(self, subject: UUID, wrapped_key: bytes) -> bytes:
        """Stores a subject's wrapped key unless there is one; returns the one that is stored.

        Raises SubjectFenced.
        """
        self.insert_keys([(subject, wrapped_key)])
        stored = self.select_key(subject)
        if stored is None:
            raise SubjectFenced("a subject who was erased gets no key")
        return stored

    def insert_keys(self, keys: Sequence[tuple[UUID, bytes]]) -> None:
        """Stores wrapped keys, but for those of subjects that have one, or were erased."""
        rows = [[self.key(one), wrapped, self.key(one)] for one, wrapped in keys]
        self.write([*self.before_keys, (schema.INSERT_KEY, rows)])

    def select_key(self, subject: UUID) -> bytes | None:
        """The wrapped key of a subject, if there is one and they were not erased."""
        rows = self.rows((schema.SELECT_KEY, [self.key(subject)]))
        return rows[0][0] if rows else None

    def select_some_key(self) -> tuple[UUID, bytes] | None:
        """Any subject and its wrapped key, to try a master key on; None when there is none."""
        rows = self.rows((schema.SELECT_SOME_KEY, []))
        return (as_uuid(rows[0][0]), rows[0][1]) if rows else None

    def select_vault(self, originator_id: UUID, field: str | None = None) -> list[VaultRow]:
        """The vault rows of one originator, by field, or that of one field alone."""
        key = self.key(originator_id)
        if field is not None:
            return self._vault((schema.SELECT_VAULT_FIELD, [key, field]))
        return self._vault((schema.SELECT_VAULT, [key]))

    def select_fields(self, originator_id: UUID) -> list[tuple[str, UUID]]:
        """Which fields of an originator are in the vault, and whose each is; none is opened."""
        found = self.rows((schema.SELECT_FIELDS, [self.key(originator_id)]))
        return [(field, as_uuid(subject)) for field, subject in found]

    def select_shelf(self, shelf: str, newest: int) -> list[VaultRow]:
        """The ``newest`` rows of a shelf, newest first."""
        return self._vault((schema.SELECT_SHELF, [shelf, newest]))

    def select_shelf_after(self, shelf: str, position: int, limit: int) -> list[VaultRow]:
        """The rows of a shelf behind a position, oldest first."""
        return self._vault((schema.SELECT_SHELF_AFTER, [shelf, position, limit]))

    def _vault(self, question: schema.Question) -> list[VaultRow]:
        return [
            VaultRow(as_uuid(originator_id), field, as_uuid(subject), *rest)
            for originator_id, field, subject, *rest in self.rows(question)
        ]
