"""Histories (修改历史): every version of a visit with its values, private ones from the vault."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger.batch import NotInABatch
from ledger.campaigns.edits import PRIVATE, Visit, public_fields, said_in
from ledger.campaigns.merging import ANSWERS, History, Version, parts
from ledger.campaigns.planning import Planning
from ledger.campaigns.survey import BALLOT, Ballot, survey_shelf, survey_subject
from ledger.erasure.erasures import last_fence
from ledger.facts import Sealed
from ledger.recording import Basis

OWN, SAID = "edit", "said"
"""What an edit said of private fields: under its author's key; under the survey's, its answers and
which of them clash."""


class Histories(Planning):
    """Reading the versions of a visit, and sealing what a new one says."""

    def history_of(self, visit_id: UUID, visit: Visit, basis: Basis | None = None) -> History:
        """Every version of a visit with its values; what was erased is None, from the fence on.

        What is decided on it must be saved on ``basis``: while no erasure of its household has
        moved, for else answers that are gone would be written anew. Raises NotInABatch while what
        it sealed waits to be saved: the vault cannot open that yet.
        """
        batch, first = self.batch, visit.first
        if batch is not None and any(row.originator_id == visit_id for row in batch.rows):
            raise NotInABatch
        assert first is not None
        fence, unchanged = last_fence(self.fold, visit_id, first.household)
        if basis is not None:
            basis.unchanged |= unchanged
        at = visit.state.position
        opener = self.vault.opener(visit_id)
        opened = _opened(opener, () if at < fence else first.sealed, (*PRIVATE, BALLOT))
        told: dict[str, Any] = {name: opened.get(name) for name in PRIVATE}
        ballot = opened.get(BALLOT) or {}
        told |= {ANSWERS + one: answer for one, answer in (ballot.get("plus") or {}).items()}
        history = History(public_fields(first) | told)
        for number, (edit, at) in enumerate(zip(visit.edits, visit.positions, strict=True), 2):
            fields = f"{OWN}@{number}", f"{SAID}@{number}"
            own, answers = _opened(opener, () if at < fence else edit.sealed, fields).values()
            empty: tuple[dict[str, Any], list[str]] = ({}, [])
            answered, waiting = answers or empty
            history.add(Version(
                edit.by, edit.base, edit.chain, {**said_in(edit, own or {}), **answered},
                (*edit.clashes, *waiting),
            ))  # fmt: skip
        return history

    def seal_edit(
        self, basis: Basis, visit_id: UUID, visit: Visit, history: History, made: Version,
        now: datetime,
    ) -> tuple[Sealed, ...]:  # fmt: skip
        """Keep what was said of private fields, and move the counts of the survey."""
        number, campaign_id, sealed = visit.number + 1, visit.recorded.campaign_id, []
        own = {name: value for name, value in made.said.items() if name in PRIVATE}
        answers = {one: value for one, value in made.said.items() if one.startswith(ANSWERS)}
        survey = survey_subject(campaign_id) if campaign_id else made.by
        waiting = [one for one in made.clashes if one in answers]
        said = [answers, waiting] if answers else None
        for field, subject, values in ((OWN, made.by, own), (SAID, survey, said)):
            if values:
                one, row = self.vault.seal(visit_id, subject, f"{field}@{number}", values, now)
                sealed.append(one)
                basis.rows.append(row)
        before = history.standing()
        after = before | made.effective
        return (*sealed, *self.recount(basis, visit_id, visit, before, after, now))

    def recount(
        self, basis: Basis, visit_id: UUID, visit: Visit, before: Mapping[str, Any],
        after: Mapping[str, Any], now: datetime,
    ) -> tuple[Sealed, ...]:  # fmt: skip
        """A ballot that takes the answers before out of the counts and puts the new ones in."""
        campaign_id = visit.recorded.campaign_id
        minus, plus = parts(before, ANSWERS), parts(after, ANSWERS)
        if campaign_id is None or minus == plus:
            return ()
        ballot = Ballot(
            places=visit.recorded.districts, household=visit.recorded.household or "",
            plus=plus or None, minus=minus or None,
        )  # fmt: skip
        sealed, row = self.vault.seal(
            visit_id, survey_subject(campaign_id), f"{BALLOT}@{visit.number + 1}",
            msgspec.to_builtins(ballot), now, shelf=survey_shelf(campaign_id),
        )  # fmt: skip
        basis.rows.append(row)
        return (sealed,)


def _opened(
    opener: Callable[[Sealed], Any], sealed: Sequence[Sealed], fields: Sequence[str]
) -> dict[str, Any]:
    """The value of each of the fields; None of one that was not sealed, or was erased."""
    found = {one.field: one for one in sealed}
    return {field: opener(found[field]) if field in found else None for field in fields}
