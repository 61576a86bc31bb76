"""Survey results (问卷结果): counts that tell of nobody in particular."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routes.coverage import path_of
from api.routing import Routes, answer
from api.shapes import DistrictCode
from ledger import access
from ledger.campaigns.survey import GROUP_MIN
from ledger.errors import NotFound

routes = Routes("survey", __name__, description="What people answered, without who")


class Where(msgspec.Struct):
    """Of one place, or without one of the whole campaign."""

    district: Annotated[DistrictCode | None, msgspec.Meta(
        description="One's own district if none is named"
    )] = None  # fmt: skip


class QuestionCounts(msgspec.Struct, kw_only=True):
    """How often each option was chosen; null where that would tell of too few people."""

    id: str
    zh: str
    en: str
    kind: str
    answered: int | None
    counts: dict[str, int | None]


class SurveyAnswer(msgspec.Struct, kw_only=True):
    """The results; `people` null: too few answered to tell anything, and `items` is empty.

    A household counts once. `group_min` is the smallest group anything is told of, and every number
    is rounded down to a multiple of it. In each grid up to four households wait for a fifth that
    answers for the first time; later answers of those that are counted change with the next five.
    Where counted answers are taken back, those counted with them wait for the next five too.
    """

    campaign_id: UUID
    district: str | None
    group_min: int
    people: int | None
    items: list[QuestionCounts]


@routes.on("GET", "/v1/campaigns/<uuid:id>/survey", "survey.read", query=Where,
           name="get_survey", answers=SurveyAnswer, summary="What people answered")  # fmt: skip
def survey(id: UUID, query: Where) -> Response:
    """Anonymous: small groups are left out, and nothing leads back to a household."""
    here, who = services(), actor()
    here.ledger.districts.current().check(query.district)
    place = query.district or who.district
    own = who.district in (None, place)
    if not own and (place is None or not access.within(who, path_of(id, place))):
        raise NotFound
    found = here.ledger.survey(id, place)
    words = {one.id: one for one in found.questions}
    items = [
        QuestionCounts(
            id=one.id, zh=words[one.id].zh, en=words[one.id].en, kind=words[one.id].kind,
            answered=one.answered, counts=one.counts,
        )
        for one in found.results or ()
    ]  # fmt: skip
    return answer(SurveyAnswer(
        campaign_id=id, district=place, group_min=GROUP_MIN, people=found.people, items=items
    ))  # fmt: skip
