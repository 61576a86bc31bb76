"""The facts of a visit (走访): recorded, edited, withdrawn."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from ledger.contributions.base import Amended, Recorded, Withdrawn
from ledger.contributions.clocks import LONG_AGO
from ledger.days import LATE_DAYS_MAX, corrected
from ledger.facts import Fact, Sealed, stored_as


@stored_as(
    "visit.recorded",
    zh="{participant_id}（{role}）走访住户 {household}，结果：{outcome}（走访 {originator}）",
    en="{participant_id} ({role}) visited the household {household}: {outcome} (visit "
    "{originator})",
)
class VisitRecorded(Recorded, frozen=True):
    """A visit was logged; in a campaign with the opaque number of the household, else without.

    ``claimed_at`` is the phone's time of it, ``reports`` are the problems raised on it.
    """

    outcome: str = "met"
    campaign_id: UUID | None = None
    materials: dict[str, int] = {}
    topics: tuple[str, ...] = ()
    household: str | None = None
    grid: str | None = None
    claimed_at: datetime | None = None
    visitors: tuple[UUID, ...] = ()
    follow_up_on: date | None = None
    reports: tuple[UUID, ...] = ()
    photos: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[UUID, ...]:
        return (self.participant_id, *self.visitors)


def visited_at(recorded: VisitRecorded, received: datetime) -> datetime:
    """When a visit was, by our clock."""
    moment = corrected(recorded.claimed_at or received, recorded.sent_at, received)
    return max(moment, LONG_AGO)


class OfVisit(Fact, frozen=True):
    """What is said of a visit again, so that counting it needs no look at the visit itself."""

    participant_id: UUID
    earned_on: date
    districts: tuple[str, ...]
    campaign_id: UUID | None
    household: str | None


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an edit says of what the log tells of a visit; ``fields`` tells what of it is meant."""

    outcome: str | None = None
    materials: dict[str, int] = {}
    topics: tuple[str, ...] | None = None
    follow_up_on: date | None = None


@stored_as(
    "visit.edited",
    zh="{by} 修改 {participant_id} 的走访 {originator}",
    en="{by} edited the visit {originator} of {participant_id}",
)
class VisitEdited(Amended, OfVisit, frozen=True):
    """An edit by one of its visitors, or a worker or dispatcher of its place, merged by field.

    ``version`` is the client's id of it. Its author knew the versions up to ``base`` (1 is the
    visit as recorded), which the server had told, and the ``chain`` of edits behind it that this
    one was made on top of. What others had changed otherwise meanwhile is in ``clashes``: it is
    kept, here or in the vault, and takes no effect until somebody edits what all of them said. A
    field that is in ``fields`` and nowhere else was emptied.
    """

    by: UUID
    command_id: UUID
    body_digest: str
    version: UUID
    base: int
    chain: tuple[int, ...]
    fields: tuple[str, ...]
    changes: Changes
    clashes: tuple[str, ...] = ()
    sealed: tuple[Sealed, ...] = ()
    claimed_at: datetime | None = None
    sent_at: datetime | None = None

    def effective(self) -> dict[str, Any]:
        """What takes effect of what the log tells, by field, materials by kind; None: emptied."""
        told: dict[str, Any] = {
            name: getattr(self.changes, name) for name in ("outcome", "topics", "follow_up_on")
            if name in self.fields and name not in self.clashes
        }  # fmt: skip
        materials = {
            kind: count for kind, count in self.changes.materials.items()
            if f"materials.{kind}" not in self.clashes
        }  # fmt: skip
        return told | ({"materials": materials} if materials else {})

    @property
    def hand(self) -> UUID:
        return self.by

    def amend(self, recorded: Recorded) -> Recorded:
        assert isinstance(recorded, VisitRecorded)
        told = self.effective()
        if "materials" in told:
            told["materials"] = recorded.materials | told["materials"]
        return msgspec.structs.replace(recorded, **told)


@stored_as(
    "visit.withdrawn",
    zh="{by} 撤回 {participant_id} 的走访 {originator}",
    en="{by} withdrew the visit {originator} of {participant_id}",
)
class VisitWithdrawn(Withdrawn, OfVisit, frozen=True):
    """Whoever logged it took it back; what it had handed out is in the stock again.

    ``claimed_at`` and ``sent_at`` are the phone's times of it.
    """

    by: UUID
    command_id: UUID
    body_digest: str
    sealed: tuple[Sealed, ...] = ()
    claimed_at: datetime | None = None
    sent_at: datetime | None = None


def withdrawn_at(
    claimed: datetime | None, sent: datetime | None, received: datetime, since: datetime
) -> datetime:
    """When a visit that is there ``since`` then was withdrawn, by our clock.

    Never later than it was received; that moment where a phone's clock is not to be believed.
    """
    if claimed is None or (sent and abs(received - sent) > timedelta(days=LATE_DAYS_MAX)):
        return received
    return min(max(corrected(claimed, sent, received), since), received)


@stored_as(
    "visit.annulled",
    zh="{participant_id} 的走访 {originator} 不予认可，不再计入覆盖",
    en="The visit {originator} of {participant_id} is not accepted and counts no more",
)
class VisitAnnulled(OfVisit, frozen=True):
    """A reviewer does not accept it, or its award is taken back since it never happened.

    Right behind it follows the refusal, or the confirmation of the reversal.
    It leaves coverage, its answers leave the survey, and what it had handed out is in the stock.
    """

    sealed: tuple[Sealed, ...] = ()
