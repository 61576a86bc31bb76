"""Counting survey answers (问卷统计): every ballot of the vault once, five at a time."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from uuid import UUID

import msgspec

from ledger.campaigns.errors import UnknownCampaign
from ledger.campaigns.planning import Planning
from ledger.campaigns.questionnaire import Question
from ledger.campaigns.survey import (
    GROUP_MIN,
    Ballot,
    QuestionResult,
    Tally,
    rounded,
    shown,
    survey_shelf,
)
from ledger.vault import Vault

BALLOTS_PER_PAGE = 2_000
WHOLE = "*"


class SurveyResult(msgspec.Struct, frozen=True):
    """What is shown of a survey: None where too few people answered to tell anything."""

    questions: tuple[Question, ...]
    people: int | None
    results: list[QuestionResult] | None


class Counted:
    """The tallies of one campaign by place; each question reads only the ballots that are new.

    Ballots are counted five at a time, in the order they came: whoever asks before and after one
    of them sees the same. Up to four wait for the next.
    """

    def __init__(self, campaign_id: UUID) -> None:
        self._shelf, self._position = survey_shelf(campaign_id), 0
        self._tallies: dict[str, Tally] = {}
        self._ballots: dict[str, int] = {}  # by household, those that stand
        self._waiting: list[Ballot] = []
        self._lock = Lock()

    def tally(self, vault: Vault, place: str) -> Tally:
        """The tally of a place with every ballot that could be counted so far."""
        with self._lock:
            last = False
            while not last:
                found, self._position, last = vault.shelf_after(
                    self._shelf, self._position, BALLOTS_PER_PAGE
                )
                for one in found:
                    self._come(msgspec.convert(one, Ballot))
            return self._tallies.get(place, Tally())

    def _come(self, ballot: Ballot) -> None:
        self._waiting.append(ballot)
        if len(self._waiting) == GROUP_MIN:
            for one in self._waiting:
                self._count(one)
            self._waiting = []

    def _count(self, ballot: Ballot) -> None:
        before = self._ballots.get(ballot.household, 0)
        after = before + bool(ballot.plus) - bool(ballot.minus)
        self._ballots[ballot.household] = after
        for place in (*ballot.places, WHOLE):
            tally = self._tallies.setdefault(place, Tally())
            tally.households += bool(after) - bool(before)
            tally.add(ballot.plus, 1)
            tally.add(ballot.minus, -1)


class Counting(Planning):
    """Questions about the survey of a campaign."""

    def survey(self, campaign_id: UUID, place: str | None) -> SurveyResult:
        """The results of a campaign, or of one place in it; raises UnknownCampaign.

        Numbers are rounded down to fives, and nothing is told of fewer.
        """
        campaign = self.campaigns.current(campaign_id)
        if campaign.planned is None:
            raise UnknownCampaign
        counted = self._surveys.setdefault(campaign_id, Counted(campaign_id))
        tally = counted.tally(self.vault, place or WHOLE)
        results = shown(campaign.questions, tally)
        people = None if results is None else rounded(tally.people)
        return SurveyResult(campaign.questions, people, results)

    @cached_property
    def _surveys(self) -> dict[UUID, Counted]:
        return {}
