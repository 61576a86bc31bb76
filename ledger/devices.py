"""Devices (设备): which numbered items a phone has sent, so that gaps are noticed.

A phone numbers what it records from 1 on. The numbers are kept in blocks, each an originator of
its own, named by a keyed digest: the log tells no device's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import msgspec

from ledger import identity
from ledger.errors import LedgerError
from ledger.facts import Entry, Fact, stored_as
from ledger.log import Append, Log
from ledger.parcels import RECORDED, Item, Parcel, Result

BLOCK = 1_000
GAPS_TOLD_MAX = 1_000


class DeviceSeqReused(LedgerError):
    code = "device_seq_reused"
    zh = "设备流水号 {device_seq} 已用于另一份内容；请为本条重新编号。"
    en = "The device number {device_seq} was used for other content; give this item a new one."


@stored_as("device.items-received", zh="收到设备离线上传的记录",
           en="Items that a device had numbered were received")  # fmt: skip
class ItemsReceived(Fact, frozen=True):
    """Numbers of a device, and the submission each one was."""

    participant_id: UUID
    items: tuple[tuple[int, UUID], ...]


class Device(msgspec.Struct):
    """One block of a device's numbers: number to submission."""

    version: int = 0
    received: dict[int, UUID] = {}

    def apply(self, entry: Entry) -> None:
        self.version = entry.originator_version
        if isinstance(entry.fact, ItemsReceived):
            self.received.update(entry.fact.items)


def block_id(device: str, number: int) -> UUID:
    """The originator of a block; ``device`` is the keyed digest of a person's device."""
    return identity.derived("device", device, number)


def blocks_of(seqs: Iterable[int]) -> list[int]:
    """The blocks that must be looked at for these numbers: theirs and the one before."""
    touched = {seq // BLOCK for seq in seqs}
    return sorted(touched | {one - 1 for one in touched if one > 0})


def gaps(blocks: list[int], received: Iterable[int]) -> list[int]:
    """Numbers below the highest that never came, within the blocks looked at."""
    known = set(received)
    highest = max(known, default=0)
    missing = (
        seq for block in blocks for seq in range(max(1, block * BLOCK), (block + 1) * BLOCK)
        if seq < highest and seq not in known
    )
    return [seq for _, seq in zip(range(GAPS_TOLD_MAX), missing, strict=False)]


class Numbers:
    """The device's numbers around those of a parcel."""

    def __init__(self, ledger: Log, parcel: Parcel) -> None:
        person = parcel.actor.participant_id
        self._ledger, self._parcel = ledger, parcel
        self._device = ledger.vault.fingerprint(person, b"device/" + parcel.device_id.encode())
        self._sent = {item.device_seq for item in parcel.items if item.device_seq is not None}
        self._blocks = blocks_of(self._sent)
        self._known: dict[int, Device] = {}
        self._taken: dict[int, UUID] = {}

    def look(self) -> None:
        """Read which numbers were received; what was noted since is forgotten."""
        self._taken = {}
        self._known = {
            block: self._ledger.fold(block_id(self._device, block), Device())
            for block in self._blocks
        }

    @contextmanager
    def holding(self, item: Item) -> Iterator[None]:
        """The item's number is its own while it is recorded, and free again where that fails.

        Raises DeviceSeqReused where it was another submission's.
        """
        seq, submission_id = item.device_seq, item.submission_id
        if seq is None or submission_id is None:
            yield
            return
        known = self._taken.get(seq) or self._known[seq // BLOCK].received.get(seq)
        if known not in (None, submission_id):
            raise DeviceSeqReused(device_seq=seq)
        first = seq not in self._taken
        self._taken[seq] = submission_id
        try:
            yield
        except BaseException:
            if first:
                del self._taken[seq]
            raise

    def save(self, results: Mapping[int, Result], now: datetime) -> None:
        """Note the numbers of what was recorded and was not noted yet."""
        new: dict[int, dict[int, UUID]] = {}
        for number, result in results.items():
            seq, submission_id = self._parcel.items[number].device_seq, result.submission_id
            if seq is None or submission_id is None or result.status not in RECORDED:
                continue
            if seq not in self._known[seq // BLOCK].received:
                new.setdefault(seq // BLOCK, {})[seq] = submission_id
        writes = [
            Append(block_id(self._device, block), self._known[block].version, [ItemsReceived(
                participant_id=self._parcel.actor.participant_id, items=tuple(items.items()),
            )])
            for block, items in new.items()
        ]  # fmt: skip
        if writes:
            self._ledger.append(writes, now)

    def missing(self) -> list[int]:
        """Numbers that never came, those of this parcel left out."""
        known = {seq for one in self._known.values() for seq in one.received}
        return gaps(self._blocks, known | self._sent)
