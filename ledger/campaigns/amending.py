"""Amending visits (更正走访): edits that are merged field by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger import access
from ledger.campaigns.campaign import Campaign
from ledger.campaigns.edits import EDITS_MAX, Visit, VisitEditBody, told_of
from ledger.campaigns.errors import (
    BuildsOnItself,
    EarlierItemMissing,
    TooManyEdits,
    VisitIsWithdrawn,
    at,
)
from ledger.campaigns.fitting import talks, unfit, whole
from ledger.campaigns.histories import Histories
from ledger.campaigns.merging import MATERIALS, History, Version
from ledger.commands import Signature, signature
from ledger.contributions.base import OPEN_STATES, Times
from ledger.contributions.visit import check_promise
from ledger.contributions.visiting import take_materials
from ledger.contributions.visits import (
    Changes,
    VisitEdited,
    VisitRecorded,
    VisitWithdrawn,
    visited_at,
)
from ledger.errors import Forbidden, NotFound
from ledger.log import Append
from ledger.participants import Actor
from ledger.recording import Basis


class AmendReceipt(msgspec.Struct, frozen=True):
    """What became of an amendment; ``clashes`` wait for a person to decide."""

    id: UUID
    position: int
    version: int
    state: str
    clashes: tuple[str, ...] = ()
    replayed: bool = False


class Amending(Histories):
    """Edits of visits."""

    def visit(self, visit_id: UUID) -> Visit:
        """A visit with its edits; raises NotFound."""
        visit = self.fold(visit_id, Visit())
        if visit.first is None:
            raise NotFound
        return visit

    def edit_visit(
        self, actor: Actor, visit_id: UUID, body: VisitEditBody, request: Mapping[str, Any],
        submission_id: UUID, now: datetime, times: Times = Times(),  # noqa: B008 - it is frozen
    ) -> AmendReceipt:  # fmt: skip
        """Edit a visit as one of its visitors, or as a worker or dispatcher of its place.

        What others changed meanwhile is merged; a true clash is kept and flagged. Raises NotFound,
        EarlierItemMissing, VisitIsWithdrawn, TooManyEdits, InvalidInput, StockExceeded,
        SubmissionConflict.
        """
        signed = self._amends(actor, "edit", visit_id, submission_id, request)
        return self.attempt(
            lambda: self.edit_once(signed, actor, visit_id, body, submission_id, now, times)
        )

    def edit_once(
        self, signed: Signature, actor: Actor, visit_id: UUID, body: VisitEditBody,
        submission_id: UUID, now: datetime, times: Times,
    ) -> AmendReceipt:  # fmt: skip
        """Decide and append an edit once; whoever calls it tries again where it is outrun.

        Raises what ``edit_visit`` does, and NotInABatch where it must be decided by itself.
        """
        visit = self._arrived(visit_id)
        if (receipt := _edited_before(visit, visit_id, signed)) is not None:
            return receipt
        if not access.allowed(actor, "visits.edit"):
            raise Forbidden
        if not _may_edit(actor, visit.recorded):
            raise NotFound
        if visit.withdrawn is not None:
            raise VisitIsWithdrawn
        _check_bounds(visit, body, now)
        basis = Basis(self.policies.current())
        history, made = self._merged(basis, visit_id, visit, actor, body, submission_id)
        self._restock(basis, visit.recorded, _counts(history, made))
        fact = VisitEdited(
            by=actor.participant_id, command_id=signed.command_id, body_digest=signed.body_digest,
            version=submission_id, base=made.base, chain=made.chain,
            fields=told_of(made.said), clashes=told_of(made.clashes),
            changes=Changes(outcome=body.outcome, materials=body.materials, topics=body.topics,
                            follow_up_on=body.follow_up_on),
            sealed=self.seal_edit(basis, visit_id, visit, history, made, now),
            **of_visit(visit.recorded), claimed_at=times.recorded_at, sent_at=times.sent_at,
        )  # fmt: skip
        position = self._save(visit_id, visit, fact, basis, now)
        state = visit.state.state
        return AmendReceipt(visit_id, position, visit.number + 1, state, fact.clashes)

    def _arrived(self, visit_id: UUID) -> Visit:
        """The visit; EarlierItemMissing while there is nothing, NotFound for another thing."""
        visit = self.fold(visit_id, Visit())
        if visit.first is None:
            raise NotFound if visit.version else EarlierItemMissing
        return visit

    def _amends(
        self, actor: Actor, action: str, visit_id: UUID, submission_id: UUID,
        request: Mapping[str, Any],
    ) -> Signature:  # fmt: skip
        return signature(
            self.vault, actor.participant_id, f"{action}/{visit_id}", submission_id, request
        )

    def _save(
        self, visit_id: UUID, visit: Visit, fact: VisitEdited | VisitWithdrawn, basis: Basis,
        now: datetime,
    ) -> int:  # fmt: skip
        (entry,) = basis.save(self, [Append(visit_id, visit.version, [fact])], now)
        return entry.position

    def _campaign_of(self, recorded: VisitRecorded) -> Campaign | None:
        """The visit's campaign; None without one, as for visits from before there were any."""
        if recorded.campaign_id is None or recorded.household is None:
            return None
        return self.campaigns.current(recorded.campaign_id)

    def _merged(
        self, basis: Basis, visit_id: UUID, visit: Visit, actor: Actor, body: VisitEditBody,
        submission_id: UUID,
    ) -> tuple[History, Version]:  # fmt: skip
        """The visit so far, and what the edit makes of it, with what clashes."""
        built_on = visit.built_on(body.replaces, actor.participant_id, visit_id)
        if built_on is None:
            if body.replaces == submission_id:
                raise at("replaces", BuildsOnItself())
            raise EarlierItemMissing
        base, chain = built_on
        history = self.history_of(visit_id, visit, basis)
        campaign = self._campaign_of(visit.recorded)
        known, waiting = history.known(base, chain), history.waiting(base, chain)
        said = whole(body.said(), known, waiting, campaign)
        # What was decided stands; an edit that comes later is kept, all of it as clash.
        clashes = tuple(sorted(said))
        if visit.state.state in OPEN_STATES:
            clashes = _clashes(history, base, chain, said, campaign)
        return history, Version(actor.participant_id, base, chain, said, clashes)

    def _restock(self, basis: Basis, recorded: VisitRecorded, more: Mapping[str, int]) -> None:
        """Take so many more of each kind out of the stocks, or give them back."""
        campaign = self._campaign_of(recorded)
        if campaign is None or recorded.campaign_id is None or recorded.grid is None or not more:
            return
        # Which stocks there are must not change meanwhile.
        basis.unchanged[recorded.campaign_id] = campaign.version
        take_materials(basis, campaign, recorded.campaign_id, recorded.grid, more)


def _edited_before(visit: Visit, visit_id: UUID, signed: Signature) -> AmendReceipt | None:
    known = {edit.command_id: (edit.body_digest, number)
             for number, edit in enumerate(visit.edits, 2)}  # fmt: skip
    if (number := signed.earlier(known)) is None:
        return None
    clashes, position = visit.edits[number - 2].clashes, visit.positions[number - 2]
    state = visit.states[number - 2]
    return AmendReceipt(visit_id, position, number, state, clashes, replayed=True)


def _check_bounds(visit: Visit, body: VisitEditBody, now: datetime) -> None:
    """A visit takes so many edits, and a promise is as a visit's; TooManyEdits, InvalidInput."""
    if len(visit.edits) >= EDITS_MAX:
        raise TooManyEdits(edits=EDITS_MAX)
    if body.follow_up_on is not None:
        assert visit.state.received_at is not None
        moment = visited_at(visit.recorded, visit.state.received_at)
        check_promise(body.follow_up_on, moment, now)


def _clashes(
    history: History, base: int, chain: tuple[int, ...], said: Mapping[str, Any],
    campaign: Campaign | None,
) -> tuple[str, ...]:  # fmt: skip
    """What cannot take effect: fields that clash, and talk that only the merge makes unfit."""
    clashes = set(history.clashing(base, chain, said))
    left = {name: value for name, value in said.items() if name not in clashes}
    if talks(left) and unfit(history.standing() | left, campaign):
        clashes.update(talks(left))
    return tuple(sorted(clashes))


def _counts(history: History, made: Version) -> dict[str, int]:
    """How many more of each kind an edit hands out; none of a kind whose count clashes."""
    standing = history.standing()
    after = standing | made.effective
    return {
        name.removeprefix(MATERIALS): after.get(name, 0) - standing.get(name, 0)
        for name in made.said if name.startswith(MATERIALS)
    }  # fmt: skip


def of_visit(recorded: VisitRecorded) -> dict[str, Any]:
    """As the fields of OfVisit."""
    return {
        "participant_id": recorded.participant_id, "earned_on": recorded.earned_on,
        "districts": recorded.districts, "campaign_id": recorded.campaign_id,
        "household": recorded.household,
    }  # fmt: skip


def _may_edit(actor: Actor, recorded: VisitRecorded) -> bool:
    """Its visitors may, and so may workers and dispatchers of its place."""
    mine = actor.participant_id in (recorded.participant_id, *recorded.visitors)
    return mine or access.within(actor, recorded.districts)
