"""Budgets (预算): the most coins a district may award for days of a year."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routing import Routes, answer
from api.schemas import body_sent
from api.shapes import DistrictCode

COINS_MAX = 10**12
PAID_AT_ONCE_MAX = 200

routes = Routes("budgets", __name__, description="The most coins that may be awarded")


class NewBudget(msgspec.Struct, kw_only=True):
    """The coins of a year, for a district or, without one, for the whole city."""

    district: DistrictCode | None = None
    year: Annotated[int, msgspec.Meta(ge=2020, le=2100)]
    coins: Annotated[int, msgspec.Meta(ge=0, le=COINS_MAX)]


class Budget(msgspec.Struct, kw_only=True):
    """A budget, and how much of it is used; a null district is the whole city."""

    district: str | None
    year: int
    coins: int
    used: int


class BudgetRecorded(msgspec.Struct, kw_only=True):
    """A budget that was set; what is used of it is in the list."""

    district: str | None
    year: int
    coins: int
    position: int


class BudgetList(msgspec.Struct):
    """Every budget, the latest year first."""

    items: list[Budget]
    next: None = None


@routes.on("POST", "/v1/budgets", "budgets.set", body=NewBudget, answers=BudgetRecorded,
           status=(201, 200), summary="Set a budget")  # fmt: skip
def set_budget(body: tuple[UUID, NewBudget]) -> Response:
    """What was awarded before counts; then what was refused for lack of budget is paid.

    Of very many that wait the first are paid at once, the others within ten minutes.
    """
    here, who = services(), actor()
    submission_id, wanted = body
    made = here.ledger.set_budget(
        who, wanted.district, wanted.year, wanted.coins, here.clock(), request=body_sent(),
        submission_id=submission_id,
    )  # fmt: skip
    here.ledger.pay_waiting(here.clock(), who.participant_id, PAID_AT_ONCE_MAX)
    content = BudgetRecorded(
        district=wanted.district, year=wanted.year, coins=wanted.coins, position=made.position
    )
    return answer(content, 200 if made.replayed else 201, replayed=made.replayed)


@routes.on("GET", "/v1/budgets", "budgets.read", answers=BudgetList,
           summary="Every budget and what is used of it")  # fmt: skip
def list_budgets() -> Response:
    """They are few, so there is one page."""
    found = services().ledger.budgets()
    return answer(BudgetList([Budget(**msgspec.structs.asdict(one)) for one in found]))
