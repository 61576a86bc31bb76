"""Numbering (编号): the numbers of a parcel's items, held against those a device has used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from ledger.devices import (
    BLOCK,
    Device,
    DeviceSeqReused,
    ItemsReceived,
    block_id,
    blocks_of,
    gaps,
)
from ledger.log import Append, Log
from ledger.parcels import RECORDED, Item, Parcel, Result


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
    def holding(self, item: Item, is_recorded: Callable[[], bool]) -> Iterator[None]:
        """The item's number is its own while it is recorded, and free again where that fails.

        Raises DeviceSeqReused where it was another submission's, unless this one was recorded
        before: then it is a replay, whatever number it comes under.
        """
        seq, submission_id = item.device_seq, item.submission_id
        if seq is None or submission_id is None:
            yield
            return
        known = self._taken.get(seq) or self._known[seq // BLOCK].received.get(seq)
        if known not in (None, submission_id):
            if not is_recorded():
                raise DeviceSeqReused(device_seq=seq)
            yield
            return
        first = seq not in self._taken
        self._taken[seq] = submission_id
        try:
            yield
        except BaseException:
            if first:
                del self._taken[seq]
            raise

    def save(self, results: Mapping[int, Result], now: datetime) -> None:
        """Note the numbers of what was recorded, or refused for good, and was not noted yet."""
        new: dict[int, dict[int, UUID]] = {}
        recorded = [number for number, one in results.items() if one.status in RECORDED]
        for number in (*recorded, *(number for number, one in results.items() if one.final)):
            item = self._parcel.items[number]
            seq, submission_id = item.device_seq, item.submission_id
            if seq is None or submission_id is None:
                continue
            if seq not in self._known[seq // BLOCK].received:
                new.setdefault(seq // BLOCK, {}).setdefault(seq, submission_id)
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
