"""Taking in (收取): a parcel of what was recorded without signal, or a street, into the log."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Hashable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from ledger import identity
from ledger.batch import Batch, NotInABatch
from ledger.campaigns.errors import BuildsOnItself, EarlierItemMissing, at
from ledger.campaigns.streets import Street, StreetLogged, street_id
from ledger.commands import Signature, TooLarge, signature
from ledger.contributions import BY_KIND
from ledger.contributions.base import State, Times
from ledger.devices import DeviceSeqReused
from ledger.errors import Contended, LedgerError, SubmissionConflict
from ledger.facts import Entry
from ledger.log import Append
from ledger.numbering import Numbers
from ledger.parcels import (
    ACTIONS,
    EDIT,
    RECORDED,
    WITHDRAWAL,
    Item,
    MalformedItem,
    Parcel,
    Result,
    Status,
    Synced,
    in_circles,
)
from ledger.store.errors import EntryTooLarge, QuotaExceeded
from ledger.submissions import Submission
from ledger.vault import content_of

if TYPE_CHECKING:
    from ledger.syncing import Syncing

EARLIEST = datetime.min.replace(tzinfo=UTC)


class Intake:
    """One parcel being taken in; whoever makes it holds the turn of the sender's wallet."""

    def __init__(self, ledger: Syncing, parcel: Parcel, now: datetime) -> None:
        self._ledger, self._parcel, self._now = ledger, parcel, now
        self._results: dict[int, Result] = {}
        # Kept over attempts: what was learnt of one (that it is a copy) holds for the next.
        self._submissions: dict[int, Submission] = {}
        self._alone: set[int] = set()  # what a batch does not take
        self._copies: dict[int, int] = {}  # of the same content further up
        self._recorded: dict[Hashable, int] = {}  # by the name of the command
        # As things happened, so that orders and caps are those of the day and not of the parcel.
        # Only what is saved alone (a patrol) comes behind the rest: of a cap it gets what is left.
        self._order = sorted(
            range(len(parcel.items)),
            key=lambda number: parcel.items[number].recorded_at or EARLIEST,
        )

    @cached_property
    def _numbers(self) -> Numbers:
        return Numbers(self._ledger, self._parcel)

    def all(self) -> Synced:
        """Take in everything: together what can be, and then each for itself."""
        try:
            self._ledger.attempt(self._together, stop_at=QuotaExceeded)
        except (LedgerError, QuotaExceeded, EntryTooLarge):
            self._forget()  # Something of it cannot be saved with the rest.
        self._one_by_one()
        told = [self._results[number] for number in range(len(self._parcel.items))]
        return Synced(told, self._numbers.missing())

    def _together(self) -> None:
        """Everything that fits into one commit; what must be saved alone is left out."""
        self._forget()
        self._look()
        with self._ledger.together() as batch:
            self._take(partial(self._within, batch), self._alone)
            self._note()
        made = {number for number, one in self._results.items() if one.status == "created"}
        for number, result in self._results.items():
            if number in made or self._copies.get(number) in made:
                place = batch.position(result.position or 0)  # It was the place in the batch.
                self._results[number] = msgspec.structs.replace(result, position=place)

    def _look(self) -> None:
        """What is read before the items: their numbers."""
        self._numbers.look()

    def _holding(self, item: Item) -> AbstractContextManager[None]:
        """What an item holds while it is recorded: its number."""
        return self._numbers.holding(item, partial(self._is_recorded, item))

    def _note(self) -> None:
        """What is saved with the items: their numbers."""
        self._numbers.save(self._results, self._now)

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
        self._take(self._ledger.attempt, ())

        def note() -> None:
            self._numbers.look()
            self._note()

        self._ledger.attempt(note)

    def _take(
        self, run: Callable[[Callable[[], Result]], Result], but: Collection[int]
    ) -> None:
        """Take the items in order; one that waits is looked at again once what it names came."""
        left = deque(
            one for one in self._order if one not in self._results and one not in but
        )
        waiting: defaultdict[UUID, list[int]] = defaultdict(list)
        while left:
            number = left.popleft()
            if number in self._results and self._results[number].status != "waiting":
                continue  # It waited for two things that came, and was taken with the first.
            try:
                result = self._results[number] = self._result(number, run)
            except NotInABatch:
                self._results.pop(number, None)
                self._alone.add(number)
                continue
            if result.status in RECORDED:
                self._recorded.setdefault(self._name(self._parcel.items[number]), number)
            if result.status == "waiting":
                for named in self._parcel.items[number].builds_on:
                    waiting[named].append(number)
            elif result.status == "created":
                for name in (result.submission_id, result.id):
                    left.extendleft(waiting.pop(name, ()))  # type: ignore[arg-type]
        self._end_circles()

    def _end_circles(self) -> None:
        """Refuse edits for good that wait for one another, though what they are of has come."""
        numbers, after = dict[Hashable, int](), dict[Hashable, Hashable]()
        for number, result in self._results.items():
            item = self._parcel.items[number]
            if item.kind == EDIT and isinstance(result.refusal, EarlierItemMissing):
                about = self._about(item)
                numbers[about, item.submission_id] = number
                after[about, item.submission_id] = about, item.body.replaces
        for name in in_circles(after):
            number = numbers[name]
            if self._ledger.fold(self._about(self._parcel.items[number]), State()).version:
                self._results[number] = msgspec.structs.replace(
                    self._results[number], status="invalid",
                    refusal=at("replaces", BuildsOnItself()),
                )  # fmt: skip

    def _result(self, number: int, run: Callable[[Callable[[], Result]], Result]) -> Result:
        item = self._parcel.items[number]
        try:
            if item.errors or item.submission_id is None:
                raise MalformedItem(item.errors)
            if (earlier := self._same_before(number)) is not None:
                return msgspec.structs.replace(earlier, status="replayed")
            with self._holding(item):
                return run(partial(self._record, number, item))
        except (EarlierItemMissing, Contended) as refusal:
            status: Status = "waiting"
            told: LedgerError = refusal
        except (SubmissionConflict, DeviceSeqReused) as refusal:
            status, told = "conflict", refusal
        except LedgerError as refusal:
            status, told = "invalid", refusal
        except EntryTooLarge:
            status, told = "invalid", TooLarge()
        return Result(submission_id=item.submission_id, status=status, refusal=told)

    def _same_before(self, number: int) -> Result | None:
        """The result of the same content in this parcel; raises SubmissionConflict for other."""
        item = self._parcel.items[number]
        earlier = self._recorded.get(self._name(item))
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
        who, action = actor.participant_id, f"{ACTIONS[item.kind]}/{about}"
        signed = signature(ledger.vault, who, action, item.submission_id, item.request)
        if item.kind == EDIT:
            return _told(item, ledger.edit_once(
                signed, actor, about, item.body, item.submission_id, now, times
            ))  # fmt: skip
        if item.kind == WITHDRAWAL:
            return _told(item, ledger.withdraw_once(signed, actor, about, now, times))
        return _told(item, ledger.add_photos_once(signed, actor, about, item.body, now))

    def _name(self, item: Item) -> Hashable:
        """What makes it the same command as another, by whichever name it calls what it is of."""
        return item.kind, item.submission_id, item.about and self._about(item)

    def _is_recorded(self, item: Item) -> bool:
        """Whether the command was recorded before, whatever it said."""
        person = self._parcel.actor.participant_id
        assert item.submission_id is not None
        if item.kind in BY_KIND:
            own = identity.contribution_id(person, item.kind, item.submission_id)
            return self._ledger.fold(own, State()).recorded is not None
        about = self._about(item)
        command = identity.command_id(person, f"{ACTIONS[item.kind]}/{about}", item.submission_id)
        return command in self._ledger.fold(about, Commands()).known

    def _about(self, item: Item) -> UUID:
        """The contribution an item is of: one's own by its submission, or any by its id."""
        assert item.about is not None
        person = self._parcel.actor.participant_id
        own = identity.contribution_id(person, item.about_kind, item.about)
        return own if self._ledger.fold(own, State()).version else item.about


class StreetIntake(Intake):
    """A street being taken in: all of it in one commit, with the fact that it was one command."""

    def __init__(
        self, ledger: Syncing, parcel: Parcel, now: datetime, signed: Signature, campaign_id: UUID
    ) -> None:
        super().__init__(ledger, parcel, now)
        self._signed, self._campaign_id = signed, campaign_id

    def street(self) -> list[Result]:
        """Take in every household; raises SubmissionConflict for another street than before."""
        self._ledger.attempt(self._together)
        return [self._results[number] for number in range(len(self._parcel.items))]

    def _look(self) -> None:
        """Its households have no numbers."""

    def _holding(self, item: Item) -> AbstractContextManager[None]:
        return nullcontext()

    def _note(self) -> None:
        originator = street_id(self._signed.command_id)
        street = self._ledger.fold(originator, Street())
        statuses = {one.status for one in self._results.values()}
        if self._signed.earlier(street.commands) is None and "created" in statuses:
            fact = StreetLogged(
                campaign_id=self._campaign_id, households=len(self._parcel.items),
                **self._signed.fields,
            )  # fmt: skip
            self._ledger.append([Append(originator, street.version, [fact])], self._now)
        if "conflict" in statuses:  # Of streets logged before there was such a fact.
            raise SubmissionConflict


class Commands(msgspec.Struct):
    """Which commands were given on an originator."""

    version: int = 0
    known: set[UUID] = set()

    def apply(self, entry: Entry) -> None:
        self.version = entry.originator_version
        self.known.add(getattr(entry.fact, "command_id", None))  # type: ignore[arg-type]


def _told(item: Item, receipt: Any) -> Result:
    return Result(
        submission_id=item.submission_id, status="replayed" if receipt.replayed else "created",
        id=receipt.id, position=receipt.position, state=receipt.state, receipt=receipt,
    )  # fmt: skip
