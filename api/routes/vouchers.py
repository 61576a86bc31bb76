"""Vouchers (兑换券) at the counter: what one is for, before it is collected."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routing import Routes, answer
from ledger.days import day_of
from ledger.errors import OtherMerchant
from ledger.spending.catalogue import hands_out

Code = Annotated[str, msgspec.Meta(
    min_length=1, max_length=40, description="As it is read out: case, spaces and dashes are free"
)]  # fmt: skip

routes = Routes("vouchers", __name__, description="Vouchers at the counter")


class ShownVoucher(msgspec.Struct):
    """A code that somebody shows."""

    voucher: Code


class VoucherAnswer(msgspec.Struct):
    """What a voucher is for, and whether it is still good; nothing about whose it is."""

    id: UUID
    offer_id: UUID
    name: str
    quantity: int
    state: str
    collect_by: date | None


@routes.on("POST", "/v1/vouchers/lookup", "redemptions.collect", body=ShownVoucher,
           submitted=False, answers=VoucherAnswer, summary="What a voucher is for")  # fmt: skip
def look_up_voucher(body: ShownVoucher) -> Response:
    """Find the redemption to hand out. Nothing is recorded; a POST keeps the code out of logs."""
    ledger = services().ledger
    redemption_id = ledger.redemption_of(body.voucher)
    known = ledger.redemption(redemption_id)
    assert known.requested is not None
    asked = known.requested
    if not hands_out(actor(), asked.merchant_id, asked.districts):
        raise OtherMerchant
    overdue = known.overdue(day_of(services().clock()))
    offer = ledger.catalogue.current().offer(asked.offer_id)
    return answer(VoucherAnswer(
        id=redemption_id, offer_id=asked.offer_id, name=offer.terms.name, quantity=asked.quantity,
        state="lapsed" if overdue else known.state,
        collect_by=known.issued.collect_by if known.issued else None,
    ))  # fmt: skip
