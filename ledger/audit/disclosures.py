"""Disclosures (保险库内容): what a fact committed to must be in the vault, and must open."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger.audit.findings import Finding, found
from ledger.errors import CommitmentBroken, Erased
from ledger.facts import Entry, Sealed
from ledger.vault import Vault, VaultStore


class Disclosures:
    """Opens everything the log committed to, but for subjects whose key was destroyed."""

    def __init__(self, vault: Vault, store: VaultStore) -> None:
        self._vault, self._store = vault, store

    def check(self, entry: Entry) -> Iterator[Finding]:
        """Every value the fact sealed opens and has the digest the fact carries."""
        sealed: tuple[Sealed, ...] = getattr(entry.fact, "sealed", ())
        for one in sealed:
            if problem := self._problem(entry.originator_id, one):
                yield found("VAULT", entry.position, f"{one.field}: {problem}")

    def lost(self, originator: UUID | None) -> None:
        """What an unreadable fact committed to nobody can say."""

    def end(self) -> Iterator[Finding]:
        """Nothing is held back."""
        return iter(())

    def _problem(self, originator: UUID, sealed: Sealed) -> str:
        try:
            self._vault.open(originator, sealed)
        except Erased:
            # Erasing destroys the key; a row gone without it was taken away.
            return "missing" if self._store.select_key(sealed.subject) is not None else ""
        except (CommitmentBroken, ValueError) as error:  # ValueError: ids or lengths damaged
            return f"does not open ({type(error).__name__})"
        return ""
