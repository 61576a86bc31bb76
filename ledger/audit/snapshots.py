"""Snapshots (快照) beside the log: each must be what folding the log to its version gives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from uuid import UUID

import msgspec

from ledger import facts
from ledger.audit.findings import Finding, found
from ledger.errors import LogCorrupt
from ledger.facts import Entry
from ledger.wallet import OldWalletSnapshot, Wallet, WalletSnapshot

Row = tuple[object, int, str, bytes]
UNREADABLE = b""


class Snapshots:
    """Compares the snapshots of a store while the log passes by, from its first entry on.

    ``rows`` are (originator, version, topic, state), read before the log. Memory: a digest per
    snapshot, and the wallets whose snapshot is still to come.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._position = 0
        self._wallets: dict[str, Wallet] = {}
        # Ids as text: a damaged one is no reason to stop, its snapshot is never reached.
        self._kept: dict[str, dict[int, bytes]] = {}
        for originator, version, topic, state in rows:
            if topic == OldWalletSnapshot.topic:
                continue  # Nobody reads it any more.
            self._kept.setdefault(str(originator), {})[version] = _stored(topic, state)

    def check(self, entry: Entry) -> Iterator[Finding]:
        """A snapshot of this version must be the wallet as it stands now."""
        self._position, originator = entry.position, str(entry.originator_id)
        kept = self._kept.get(originator)
        if kept is None:
            return
        wallet = self._wallets.setdefault(originator, Wallet())
        wallet.apply(entry)
        snapshot = kept.pop(entry.originator_version, None)
        if snapshot is not None and snapshot != _digest(wallet):
            yield found("SNAPSHOT", entry.position, f"{originator} {entry.originator_version}")
        if not kept:
            del self._kept[originator], self._wallets[originator]

    def lost(self, originator: UUID | None) -> None:
        """A fact of this originator could not be read: there is nothing to compare with."""
        self._kept.pop(str(originator), None)

    def end(self) -> Iterator[Finding]:
        """Whatever is left is of a version the log does not have."""
        for originator, kept in sorted(self._kept.items()):
            for version in sorted(kept):
                yield found("SNAPSHOT", self._position, f"{originator} {version}: not in the log")


def _stored(topic: str, state: bytes) -> bytes:
    try:
        fact = facts.decode(topic, state)
    except LogCorrupt:
        return UNREADABLE
    return _digest(fact.wallet) if isinstance(fact, WalletSnapshot) else UNREADABLE


def _digest(wallet: Wallet) -> bytes:
    """The same for equal wallets, in whatever order their days were added."""
    plain = msgspec.to_builtins(wallet, str_keys=True)
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).digest()
