"""Counting survey answers (问卷统计): every ballot of the vault once, in the order of the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from threading import Lock
from uuid import UUID

import msgspec

from ledger.campaigns.edits import Visit
from ledger.campaigns.errors import UnknownCampaign
from ledger.campaigns.groups import WHOLE, Groups
from ledger.campaigns.planning import Planning
from ledger.campaigns.questionnaire import Question
from ledger.campaigns.survey import (
    BALLOT,
    Ballot,
    QuestionResult,
    Said,
    Tally,
    rounded,
    shown,
    survey_shelf,
)
from ledger.contributions.visiting import TALKED
from ledger.contributions.visits import VisitAnnulled, VisitWithdrawn
from ledger.facts import Entry

BALLOTS_PER_PAGE = 2_000
SURVEYS_KEPT = 4
"""Campaigns a process keeps counted, those asked for last: 200 MB for 500,000 households."""
UNREADABLE: Said = {}


class SurveyResult(msgspec.Struct, frozen=True):
    """What is shown of a survey: None where too few people answered to tell anything."""

    questions: tuple[Question, ...]
    people: int | None
    results: list[QuestionResult] | None


class Cast(msgspec.Struct, frozen=True):
    """What stands of a visit's answers from a position on."""

    position: int
    visit: UUID
    household: str
    places: tuple[str, ...]
    said: Said | None


class Counted:
    """The groups of one campaign; each question reads only the ballots that are new.

    What is told depends on the log alone, and so is the same in every process. Once visits of the
    campaign are behind the fence of an erased household, all is counted anew. Their ballots are
    gone then, but the log says where they were: nobody knows what they said, everybody is in the
    group they were in, and theirs leaves at the fence.
    """

    def __init__(self, campaign_id: UUID) -> None:
        self._campaign, self._lock = campaign_id, Lock()
        self._fence = 0  # as far as fences are known
        self._fences: dict[UUID, list[int]] = {}  # by visit of this campaign
        self._erased: dict[UUID, list[Cast]] = {}
        self._begin()

    def _begin(self) -> None:
        self._position, self._groups = 0, Groups()
        known = [one for several in self._erased.values() for one in several]
        self._ahead = deque(sorted(known, key=lambda one: one.position))

    def tally(self, ledger: Planning, place: str) -> Tally:
        """What is told of a place, with every ballot that could be counted so far."""
        with self._lock:
            self._learn(ledger)
            self._read(ledger)
            while self._learn(ledger):  # A ballot may have gone since, unread.
                self._read(ledger)
            return self._groups.tally(place)

    def _learn(self, ledger: Planning) -> bool:
        """Look for new fences that name visits of the campaign; whether there are any."""
        fences = ledger.store.select_fences_of_visits(self._fence)
        found = dict[UUID, list[int]]()
        for position, visits in fences:
            for visit in visits:
                found.setdefault(visit, []).append(position)
        erased = dict[UUID, list[Cast]]()
        for visit, positions in found.items():
            behind = [*self._fences.get(visit, ()), *positions]
            if casts := _casts(visit, ledger._of(visit), self._campaign, behind):
                erased[visit] = casts
                self._fences[visit] = behind
        if fences:
            self._fence = fences[-1][0]
        if erased:
            self._erased |= erased
            self._begin()
        return bool(erased)

    def _read(self, ledger: Planning) -> None:
        shelf, last = survey_shelf(self._campaign), False
        while not last:
            found, self._position, last = ledger.vault.shelf_after(
                shelf, self._position, BALLOTS_PER_PAGE
            )
            for row, value in found:
                self._cast_erased(row.position)
                fences = self._fences.get(row.originator_id)
                if fences is None or row.position > fences[-1]:
                    one = msgspec.convert(value, Ballot)
                    self._groups.cast(one.household, one.places, row.originator_id, one.plus)
        self._cast_erased(None)

    def _cast_erased(self, through: int | None) -> None:
        while self._ahead and (through is None or self._ahead[0].position <= through):
            one = self._ahead.popleft()
            self._groups.cast(one.household, one.places, one.visit, one.said)


def _casts(
    visit_id: UUID, entries: Iterable[Entry], campaign_id: UUID, fences: Sequence[int]
) -> list[Cast]:
    """Where in the log a visit of the campaign had ballots that are gone, and where they went.

    None of one that never had any. Who empties every answer of somebody who was met still counts
    as having answers here: the log does not tell.
    """
    visit, found = Visit(), list[tuple[int, Said | None]]()
    for entry in entries:
        visit.apply(entry)
        if entry.position < fences[-1] and _has_ballot(entry):
            talked = visit.recorded.outcome in TALKED
            left = isinstance(entry.fact, VisitWithdrawn | VisitAnnulled)
            found.append((entry.position, UNREADABLE if talked and not left else None))
    first = visit.first
    if not found or first is None or first.campaign_id != campaign_id:
        return []
    found += [(fence, None) for fence in fences]
    return [
        Cast(position, visit_id, first.household or "", first.districts, said)
        for position, said in found
    ]


def _has_ballot(entry: Entry) -> bool:
    return any(one.field.partition("@")[0] == BALLOT for one in getattr(entry.fact, "sealed", ()))


class Counting(Planning):
    """Questions about the survey of a campaign."""

    def survey(self, campaign_id: UUID, place: str | None) -> SurveyResult:
        """The results of a campaign, or of one place in it; raises UnknownCampaign.

        A household counts once. Numbers are rounded down to fives, and nothing is told of fewer.
        """
        campaign = self.campaigns.current(campaign_id)
        if campaign.planned is None:
            raise UnknownCampaign
        tally = self._surveys(campaign_id).tally(self, place or WHOLE)
        results = shown(campaign.questions, tally)
        people = None if results is None else rounded(tally.people)
        return SurveyResult(campaign.questions, people, results)

    @cached_property
    def _surveys(self) -> Callable[[UUID], Counted]:
        return lru_cache(SURVEYS_KEPT)(Counted)
