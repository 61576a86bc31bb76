"""What fits together in a visit (走访内容核对): outcome, answers, topics and materials, pure.

Nobody who was not met answers, and what a skip rule leaves out is not answered. An edit that makes
it so takes those answers back itself; what its author did not know of can only clash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ledger.campaigns.campaign import Campaign
from ledger.campaigns.merging import ANSWERS, parts
from ledger.contributions.visiting import TALKED, unknown_topics, wrong_talk
from ledger.errors import FieldError, InvalidInput


def whole(
    said: Mapping[str, Any], known: Mapping[str, Any], waiting: Iterable[str],
    campaign: Campaign | None,
) -> dict[str, Any]:  # fmt: skip
    """What an edit says, with the answers that are gone with it.

    ``known`` is the visit as the author saw it, ``waiting`` are fields of which the author saw a
    clash. Raises InvalidInput where the edit does not fit with that.
    """
    problems = _unknown_topics(said, campaign)
    if not talks(said):
        complete = dict(said)
    else:
        after = {**known, **said}
        answered = [ANSWERS + question for question in parts(after, ANSWERS)]
        gone = _not_asked(after, [*answered, *waiting], campaign)
        complete = {**dict.fromkeys(gone), **said}
        problems += _wrong_talk({**known, **complete}, campaign)
    if problems:
        raise InvalidInput(problems)
    return complete


def unfit(after: Mapping[str, Any], campaign: Campaign | None) -> bool:
    """Whether outcome and answers do not fit together."""
    return bool(_wrong_talk(after, campaign))


def talks(fields: Iterable[str]) -> list[str]:
    """Those of the fields that must fit together."""
    return [name for name in fields if name == "outcome" or name.startswith(ANSWERS)]


def _wrong_talk(fields: Mapping[str, Any], campaign: Campaign | None) -> list[FieldError]:
    answers = parts(fields, ANSWERS)
    if campaign is None:  # Without a campaign nothing is asked, whoever was met.
        return wrong_talk("nobody_home", answers, Campaign())
    # From the vault a choice of several comes as a list.
    typed = {
        question: answer if isinstance(answer, str) else tuple(answer)
        for question, answer in answers.items()
    }
    return wrong_talk(fields["outcome"], typed, campaign)


def _not_asked(
    fields: Mapping[str, Any], names: Iterable[str], campaign: Campaign | None
) -> list[str]:
    """Those of the names that are answers to questions which are not asked any more."""
    answers, said = parts(fields, ANSWERS), dict[str, Any]()
    asked = set[str]()
    for question in campaign.questions if campaign else ():
        if fields["outcome"] in TALKED and question.asked(said):
            asked.add(ANSWERS + question.id)
            said |= {question.id: answers[question.id]} if question.id in answers else {}
    return [name for name in names if name.startswith(ANSWERS) and name not in asked]


def _unknown_topics(said: Mapping[str, Any], campaign: Campaign | None) -> list[FieldError]:
    return unknown_topics(said.get("topics") or (), campaign) if campaign else []
