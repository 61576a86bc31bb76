"""Survey answers (问卷结果): kept apart from identity, shown without small groups.

Answers are sealed under the survey's own key, neither the household's nor the worker's; a fact
carries only their salted commitment. What is shown are counts, and none that tells of few people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from ledger import identity
from ledger.campaigns.questionnaire import Answer, Question, chosen

BALLOT = "answers"
GROUP_MIN = 5
"""Nothing is told of fewer households than this."""

Said = Mapping[str, Answer | list[str]]
"""Answers by question."""


class Ballot(msgspec.Struct, frozen=True, kw_only=True):
    """What stands of a visit's answers (``plus``) and what stood before (``minus``), all of them.

    ``places`` are those of its household, lowest first.
    """

    places: tuple[str, ...]
    household: str
    plus: dict[str, str | list[str]] | None = None
    minus: dict[str, str | list[str]] | None = None


def survey_subject(campaign_id: UUID) -> UUID:
    """Whose key the answers of a campaign are under."""
    return identity.derived("survey", campaign_id)


def survey_shelf(campaign_id: UUID) -> str:
    """The shelf of the vault with every ballot of a campaign."""
    return f"survey/{campaign_id}"


class Tally(msgspec.Struct):
    """Counts of one place: how many answered anything, and each question's codes."""

    people: int = 0
    asked: dict[str, int] = {}
    codes: dict[str, dict[str, int]] = {}

    def add(self, answers: Said | None, sign: int) -> None:
        if not answers:
            return
        self.people += sign
        for question, answer in answers.items():
            self.asked[question] = self.asked.get(question, 0) + sign
            counts = self.codes.setdefault(question, {})
            for code in chosen(answer if isinstance(answer, str) else tuple(answer)):
                counts[code] = counts.get(code, 0) + sign


class QuestionResult(msgspec.Struct, frozen=True):
    """How often each code was chosen, rounded down to fives; None for fewer than five, or none."""

    id: str
    answered: int | None
    counts: dict[str, int | None]


def shown(questions: Sequence[Question], tally: Tally) -> list[QuestionResult] | None:
    """The results of a place; None where fewer than five households answered.

    Every number is rounded down to a multiple of five, so that of five households no answer is
    told that one or two of them gave. That looks at several times and places tell no more is not
    its work, but that of the groups that are counted (``groups.py``).
    """
    if tally.people < GROUP_MIN:
        return None
    return [_shown(one, tally) for one in questions]


def _shown(question: Question, tally: Tally) -> QuestionResult:
    given = tally.codes.get(question.id, {})
    counts = {code: rounded(given.get(code, 0)) for code in question.codes}
    # What was cut off must not be told by the sum: each may be anything from 0 to 4.
    left_open = sum(counts.values()) + (GROUP_MIN - 1) * (len(counts) - 1)
    answered = rounded(min(tally.asked.get(question.id, 0), left_open))
    told = {code: count or None for code, count in counts.items()}
    return QuestionResult(question.id, answered or None, told)


def rounded(count: int) -> int:
    """Down to a multiple of five."""
    return count - count % GROUP_MIN
