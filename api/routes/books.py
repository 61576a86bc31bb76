"""The books (账簿): the trial balance of all coins."""

from __future__ import annotations

import msgspec
from flask import Response

from api.auth import services
from api.routing import Routes, answer, reached
from api.shapes import Fresh

routes = Routes("books", __name__, description="Whether the books balance")


class TrialBalance(msgspec.Struct):
    """The total of each kind of account; they add up to zero, and ``imbalance`` is 0.

    ``negative`` counts the wallets that have or hold less than nothing, which is none.
    """

    lines: dict[str, int]
    imbalance: int
    negative: int
    position: int


@routes.on("GET", "/v1/trial-balance", "books.read", query=Fresh, answers=TrialBalance,
           summary="The trial balance")  # fmt: skip
def get_trial_balance(query: Fresh) -> Response:
    """Where every coin that was ever issued is, booked from both sides."""
    reached("trial_balance", query.min_position)
    return answer(services().views.trial_balance())
