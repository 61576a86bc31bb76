"""A small market for the tests: people with coins, and things to give them for."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from tests.api.conftest import Caller
from tests.ledger.examples import a_report

# What a report verified as of a tier earns; the cap of a day is 45.
EARNED = {1: 10, 2: 30}
# Amounts that are none, and the code each is refused with.
NO_AMOUNTS = {
    "negative": (-1, "out_of_range"),
    "zero": (0, "out_of_range"),
    "huge": (10**30, "out_of_range"),
    "fractional": (2.5, "wrong_type"),
    "whole, but written as a fraction": (2.0, "wrong_type"),
    "text": ("2", "wrong_type"),
    "null": (None, "wrong_type"),
    "true": (True, "wrong_type"),
}


def an_offer(**changed: object) -> dict:
    """An offer as a body: tea for 10 coins."""
    return {"name": "绿茶", "price": 10, "stock": 5, **changed}


def earn(citizen: Caller, caller: Callable[..., Caller], tier: int = 2) -> str:
    """Let a report of the citizen be found true; the id of the contribution."""
    made = citizen.submit("/v1/reports", a_report(f"第 {uuid4()} 处")).json
    verified = caller("dispatcher").submit(f"/v1/reports/{made['id']}/verify", {"tier": tier})
    assert verified.json["coins"] == EARNED[tier], verified.json
    return made["id"]


def publish(seller: Caller, **changed: object) -> dict:
    """Put an offer into the catalogue."""
    made = seller.submit("/v1/catalogue", an_offer(**changed))
    assert made.status_code == 201, made.json
    return made.json


def redeem(citizen: Caller, offer: dict, quantity: int = 1, sent: UUID | None = None, **more: str):
    """Ask for an offer; the answer."""
    body = {"offer_id": offer["id"], "quantity": quantity, **more}
    return citizen.submit("/v1/redemptions", body, sent)


def refused(answer, status: int, code: str) -> bool:
    """Whether an answer is this refusal, in both languages."""
    told = answer.json
    assert (answer.status_code, told["code"]) == (status, code), told
    return bool(answer.content_type == "application/problem+json" and told["zh"] and told["en"])
