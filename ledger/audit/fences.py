"""Fences (围栏): the vault has those the log set, and behind them nothing is left or came back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from ledger.audit.findings import Finding, found
from ledger.erasure.erasing import fences_of, latest_of, places_behind
from ledger.erasure.erasures import AboutSubject, Erasure
from ledger.facts import Entry
from ledger.store.rows import Fence
from ledger.vault import Vault

KEYS_PER_PAGE = 1_000


class Fences:
    """Compares the fences of the vault with those of the log, once the log has ended.

    ``erased`` are the positions where erasures were completed. Without the vault's key (``vault``
    None) a key is known by how it was stored alone.
    """

    def __init__(self, store: Any, vault: Vault | None = None) -> None:
        self._store, self._vault = store, vault
        self._states: dict[UUID, Erasure] = {}
        self._head = 0
        self.erased: list[int] = []

    def check(self, entry: Entry) -> Iterator[Finding]:
        """Take in what the log says of erasures."""
        self._head = entry.position
        if isinstance(entry.fact, AboutSubject):
            self._states.setdefault(entry.fact.subject, Erasure()).apply(entry)
        return iter(())

    def lost(self, originator: UUID | None) -> None:
        """A fence that nobody can read is missing where it is compared."""

    def end(self) -> Iterator[Finding]:
        """What of fences, keys and rows is not as the log says."""
        said = {
            (one.subject, one.position): one
            for state in self._states.values() for one in fences_of(state)
        }  # fmt: skip
        kept = {(one.subject, one.position): one for one in self._store.select_fences()}
        yield from self._compared(said, kept)
        for subject, state in self._states.items():
            if state.fences and state.step != "fenced":
                yield from self._left(subject, state)
            if state.completed:
                self.erased.append(state.ended)
        yield from self._returned([*said.values(), *kept.values()])

    def _compared(
        self, said: dict[tuple[UUID, int], Fence], kept: dict[tuple[UUID, int], Fence]
    ) -> Iterator[Finding]:
        for key, one in said.items():
            if kept.get(key) != one:
                yield found("ERASURE", one.position, f"{one.subject}: not the fence the log set")
        unsaid = {key: one for key, one in kept.items() if key not in said}
        # Set while the audit was reading: the log has grown and says so further on.
        grown = {row.position for row in self._store.select_erasures()} if unsaid else set()
        for one in unsaid.values():
            if one.position > self._head and one.position in grown:
                continue
            if one.position > self._head:
                text = f"{one.subject} was erased at {one.position}, behind the end of this log"
                yield found("ERASURE", self._head, text)
            else:
                text = f"{one.subject}: a fence is there and no fact set it"
                yield found("ERASURE", one.position, text)

    def _left(self, subject: UUID, state: Erasure) -> Iterator[Finding]:
        """What should be gone and is there."""
        fences = fences_of(state)
        fence = latest_of(fences)
        wrapped = self._store.select_stored_key(subject)
        if wrapped and (
            not fence.kept or not set(fence.prints).isdisjoint(self._prints(subject, wrapped))
        ):
            yield found("VAULT", state.ended, f"{subject}: the key is still there")
        if places := places_behind(self._store, fences):
            fields = ", ".join(sorted({field for _, field in places})[:5])
            text = f"{subject}: {len(places)} rows are still there ({fields})"
            yield found("VAULT", state.ended, text)

    def _returned(self, fences: Iterable[Fence]) -> Iterator[Finding]:
        """Destroyed key material under another subject."""
        destroyed = {one: fence for fence in fences for one in fence.prints}
        after: UUID | None = None
        while destroyed and (page := self._store.select_stored_keys(after, KEYS_PER_PAGE)):
            for subject, wrapped in page:
                for fence in filter(None, map(destroyed.get, self._prints(subject, wrapped))):
                    if fence.subject != subject:
                        text = f"{subject} has the destroyed key of {fence.subject}"
                        yield found("VAULT", min(fence.position, self._head), text)
                        break
            after = page[-1][0]

    def _prints(self, subject: UUID, wrapped: Any) -> tuple[str, ...]:
        if self._vault is not None:
            return self._vault.prints(subject, wrapped)
        return (hashlib.sha256(wrapped).hexdigest(),)
