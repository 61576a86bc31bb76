"""Devices (设备): which numbered items a phone has sent, so that gaps are noticed.

A phone numbers what it records from 1 on. The numbers are kept in blocks, each an originator of
its own, named by a keyed digest: the log tells no device's id.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec

from ledger import identity
from ledger.errors import LedgerError
from ledger.facts import Entry, Fact, stored_as

BLOCK = 1_000
GAPS_TOLD_MAX = 1_000


class DeviceSeqReused(LedgerError):
    code = "device_seq_reused"
    zh = "设备流水号 {device_seq} 已用于另一份内容；请为本条重新编号。"
    en = "The device number {device_seq} was used for other content; give this item a new one."


@stored_as(
    "device.items-received",
    zh="收到 {participant_id} 的设备离线上传的 {items} 条记录",
    en="{items} items recorded without signal came from a device of {participant_id}",
)
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
