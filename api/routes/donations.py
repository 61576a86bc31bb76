"""Donations (捐赠): coins for a team, an enterprise or a cause."""

from __future__ import annotations

from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routing import Routes, answer
from api.schemas import body_sent
from api.shapes import Coins

routes = Routes("donations", __name__, description="Giving coins away")


class Gift(msgspec.Struct):
    """So many coins, to an account or to an offer of kind ``donation``."""

    to: UUID
    coins: Coins


class Donated(msgspec.Struct):
    """A donation, and what the giver has left."""

    id: UUID
    to: UUID
    coins: int
    balance: int
    position: int


@routes.on("POST", "/v1/donations", "donations.make", body=Gift, answers=Donated,
           status=(201, 200), summary="Donate coins")  # fmt: skip
def donate_coins(body: tuple[UUID, Gift]) -> Response:
    """Those that expire first are given, and keep the expiry they had."""
    here = services()
    submission_id, gift = body
    made = here.ledger.donate(
        actor(), gift.to, gift.coins, body_sent(), submission_id, here.clock()
    )
    content = Donated(made.id, made.to, made.coins, made.balance, made.position)
    return answer(content, 200 if made.replayed else 201, replayed=made.replayed)
