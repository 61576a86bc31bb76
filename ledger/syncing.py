"""Syncing (离线同步): what a phone recorded without signal, sent in as one parcel.

Items are independent: each is recorded or refused for itself, and what can be is saved in one
commit. A parcel may be sent again, whole or in part, in any order and from two places at once.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import DataError

from ledger import identity
from ledger.batch import Batch, NotInABatch
from ledger.campaigns.amending import Amending
from ledger.campaigns.errors import EarlierItemMissing
from ledger.commands import signature
from ledger.contributing import Contributing
from ledger.contributions import BY_KIND
from ledger.contributions.base import State, Times
from ledger.contributions.visit import VISIT, VisitBody
from ledger.devices import DeviceSeqReused
from ledger.errors import Contended, InvalidInput, LedgerError, SubmissionConflict
from ledger.numbering import Numbers
from ledger.parcels import (
    ACTIONS,
    EDIT,
    RECORDED,
    WITHDRAWAL,
    Item,
    ItemTooLarge,
    Parcel,
    Result,
    Status,
    Synced,
)
from ledger.participants import Actor
from ledger.photos import Photographing
from ledger.store.errors import EntryTooLarge, FingerprintTaken, QuotaExceeded
from ledger.submissions import Submission
from ledger.vault import content_of

EARLIEST = datetime.min.replace(tzinfo=UTC)


class Syncing(Amending, Contributing, Photographing):
    """Taking in what was recorded without signal."""

    def sync(self, parcel: Parcel, now: datetime) -> Synced:
        """Record what can be of a parcel and say of each item what became of it."""
        with self.wallet_turns.of(parcel.actor.participant_id):
            return Intake(self, parcel, now).all()

    def nobody_home(
        self, actor: Actor, campaign_id: UUID, households: Sequence[str], submission_id: UUID,
        now: datetime, times: Times = Times(),  # noqa: B008 - it is frozen
    ) -> list[Result]:  # fmt: skip
        """Log a whole street where nobody opened: a visit for every household.

        The same ``submission_id`` with another street is a conflict at every household of both.
        """
        street = sha256("/".join([str(campaign_id), *households]).encode()).hexdigest()
        items = [
            Item(
                kind=VISIT.kind, recorded_at=times.recorded_at, request={"street": street},
                body=VisitBody(household=one, outcome="nobody_home", campaign_id=campaign_id),
                submission_id=identity.derived("street", submission_id, one),
            )
            for one in households
        ]  # fmt: skip
        return self.sync(Parcel(actor, "", times.sent_at, items), now).results


class Intake:
    """One parcel being taken in; whoever makes it holds the turn of the sender's wallet."""

    def __init__(self, ledger: Syncing, parcel: Parcel, now: datetime) -> None:
        self._ledger, self._parcel, self._now = ledger, parcel, now
        self._numbers = Numbers(ledger, parcel)
        self._results: dict[int, Result] = {}
        # Kept over attempts: what was learnt of one (that it is a copy) holds for the next.
        self._submissions: dict[int, Submission] = {}
        self._copies: dict[int, int] = {}  # of the same content further up
        self._recorded: dict[Hashable, int] = {}  # by the name of the command
        # As things happened, so that caps and orders are those of the day and not of the parcel.
        self._order = sorted(
            range(len(parcel.items)),
            key=lambda number: parcel.items[number].recorded_at or EARLIEST,
        )

    def all(self) -> Synced:
        """Take in everything: together what can be, and then each for itself."""
        try:
            self._ledger.attempt(
                self._together, stop_at=(QuotaExceeded, FingerprintTaken),  # type: ignore[arg-type]
            )
        except (LedgerError, QuotaExceeded, FingerprintTaken, DataError):
            self._forget()  # Something of it cannot be saved with the rest.
        self._one_by_one()
        told = [self._results[number] for number in range(len(self._parcel.items))]
        return Synced(told, self._numbers.missing())

    def _together(self) -> None:
        """Everything that fits into one commit; what must be saved alone is left out."""
        self._forget()
        self._numbers.look()
        with self._ledger.together() as batch:
            self._take(partial(self._within, batch))
            self._numbers.save(self._results, self._now)
        made = {number for number, one in self._results.items() if one.status == "created"}
        for number, result in self._results.items():
            if number in made or self._copies.get(number) in made:
                place = batch.position(result.position or 0)  # It was the place in the batch.
                self._results[number] = msgspec.structs.replace(result, position=place)

    def _forget(self) -> None:
        """Begin again: nothing of the parcel was saved."""
        self._results, self._recorded, self._copies = {}, {}, {}

    def _within(self, batch: Batch, command: Callable[[], Result]) -> Result:
        with batch.all_or_none():
            return command()

    def _one_by_one(self) -> None:
        """What is left, and what waited for it, each in a commit of its own."""
        if len(self._results) == len(self._parcel.items):
            return
        self._results = {
            number: one for number, one in self._results.items() if one.status != "waiting"
        }
        self._numbers.look()
        self._take(self._ledger.attempt)

        def note() -> None:
            self._numbers.look()
            self._numbers.save(self._results, self._now)

        self._ledger.attempt(note)

    def _take(self, run: Callable[[Callable[[], Result]], Result]) -> None:
        """Take the items in order; one that waits is looked at again once what it names came."""
        left = deque(number for number in self._order if number not in self._results)
        waiting: defaultdict[UUID, list[int]] = defaultdict(list)
        while left:
            number = left.popleft()
            try:
                result = self._results[number] = self._result(number, run)
            except NotInABatch:
                self._results.pop(number, None)
                continue
            if result.status in RECORDED:
                self._recorded.setdefault(self._parcel.items[number].name, number)
            if result.status == "waiting":
                for named in self._parcel.items[number].builds_on:
                    waiting[named].append(number)
            elif result.status == "created":
                for name in (result.submission_id, result.id):
                    left.extendleft(waiting.pop(name, ()))  # type: ignore[arg-type]

    def _result(self, number: int, run: Callable[[Callable[[], Result]], Result]) -> Result:
        item = self._parcel.items[number]
        try:
            if item.errors or item.submission_id is None:
                raise InvalidInput(item.errors)
            if (earlier := self._same_before(number)) is not None:
                return msgspec.structs.replace(earlier, status="replayed")
            with self._numbers.holding(item):
                return run(partial(self._record, number, item))
        except (EarlierItemMissing, Contended) as refusal:
            status: Status = "waiting"
            told: LedgerError = refusal
        except (SubmissionConflict, DeviceSeqReused) as refusal:
            status, told = "conflict", refusal
        except LedgerError as refusal:
            status, told = "invalid", refusal
        except EntryTooLarge:
            status, told = "invalid", ItemTooLarge()
        return Result(submission_id=item.submission_id, status=status, refusal=told)

    def _same_before(self, number: int) -> Result | None:
        """The result of the same content in this parcel; raises SubmissionConflict for other."""
        item = self._parcel.items[number]
        earlier = self._recorded.get(item.name)
        if earlier is None:
            return None
        if content_of(self._parcel.items[earlier].request) != content_of(item.request):
            raise SubmissionConflict
        self._copies[number] = earlier
        return self._results[earlier]

    def _record(self, number: int, item: Item) -> Result:
        ledger, actor, now = self._ledger, self._parcel.actor, self._now
        times = Times(item.recorded_at, self._parcel.sent_at)
        assert item.submission_id is not None
        if item.kind in BY_KIND:
            submission = self._submissions.setdefault(number, Submission(
                BY_KIND[item.kind], actor, item.body, item.request, item.submission_id, times
            ))  # fmt: skip
            return _told(item, ledger.submit(submission, now))
        about = self._about(item)
        signed = signature(
            ledger.vault, actor.participant_id, f"{ACTIONS[item.kind]}/{about}",
            item.submission_id, item.request,
        )  # fmt: skip
        if item.kind == EDIT:
            return _told(item, ledger.edit_once(
                signed, actor, about, item.body, item.submission_id, now, times
            ))  # fmt: skip
        if item.kind == WITHDRAWAL:
            return _told(item, ledger.withdraw_once(signed, actor, about, now))
        return _told(item, ledger.add_photos_once(signed, actor, about, item.body, now))

    def _about(self, item: Item) -> UUID:
        """The contribution an item is of: one's own by its submission, or any by its id."""
        assert item.about is not None
        person = self._parcel.actor.participant_id
        own = identity.contribution_id(person, item.about_kind, item.about)
        return own if self._ledger.fold(own, State()).version else item.about


def _told(item: Item, receipt: Any) -> Result:
    return Result(
        submission_id=item.submission_id, status="replayed" if receipt.replayed else "created",
        id=receipt.id, position=receipt.position, state=receipt.state, receipt=receipt,
    )  # fmt: skip
