"""What a redemption looks like, to whom, and what each may do with it.

Who asked sees all of it; a merchant never learns whose it is, and nobody else the voucher.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from flask import Response

from api.answers import Reason, sealed_words
from api.auth import actor, services
from api.routing import answer
from ledger import access
from ledger.days import day_of
from ledger.errors import NotFound
from ledger.spending.catalogue import hands_out
from ledger.spending.deciding import APPROVERS
from ledger.spending.holding import RedemptionReceipt
from ledger.spending.redeeming import REFUSALS
from ledger.spending.redemptions import HELD_STATES

Row = dict[str, Any]


class RedemptionTold(msgspec.Struct, kw_only=True):
    """What a command came to; ``balance`` and ``voucher`` are told to who asked alone."""

    id: UUID
    offer_id: UUID
    quantity: int
    state: str
    coins: int
    balance: int | None
    position: int
    voucher: str | None
    decide_by: date | None
    collect_by: date | None
    allowed_actions: list[str]


class Redemption(msgspec.Struct, kw_only=True):
    """One redemption as it stands, in a list and by itself alike.

    ``participant_id`` pays; it is null for a merchant. ``voucher`` is for who asked, while it can
    be used. ``reasons`` say why it was refused when it was asked for; ``decline_reason`` are the
    words of who did not approve it, null without them or once erased.
    """

    id: UUID
    offer_id: UUID
    name: str
    participant_id: UUID | None
    merchant_id: UUID | None
    quantity: int
    price: int
    coins: int
    state: str
    reasons: list[Reason]
    decline_reason: str | None
    voucher: str | None
    decide_by: date | None
    collect_by: date | None
    districts: tuple[str, ...]
    recorded_at: datetime
    allowed_actions: list[str]
    position: int


class RedemptionPage(msgspec.Struct):
    """A page of redemptions; ``position`` is how far the list had followed the log."""

    items: list[Redemption]
    next: str | None
    position: int


def told(receipt: RedemptionReceipt) -> Response:
    """The answer to whoever asked for it, or keeps the account it is paid from."""
    return _answered(receipt, _actions(True, receipt.state, None, ()))


def told_to_another(receipt: RedemptionReceipt) -> Response:
    """The answer to an approver or merchant: not what the wallet has, and not the voucher."""
    asked = services().ledger.redemption(receipt.id).requested
    assert asked is not None
    actions = _actions(False, receipt.state, asked.merchant_id, asked.districts)
    hidden = msgspec.structs.replace(receipt, voucher=None)
    return _answered(hidden, actions, balance=None)


def _answered(receipt: RedemptionReceipt, actions: list[str], **hidden: None) -> Response:
    fields = msgspec.structs.asdict(receipt) | hidden
    replayed = fields.pop("replayed")
    content = RedemptionTold(**fields, allowed_actions=actions)
    return answer(content, 200 if replayed else 201, replayed=replayed)


def seen(redemption_id: UUID) -> Row:
    """The row of one redemption; raises NotFound for whom it does not concern."""
    who, row = actor(), services().views.redemption(redemption_id)
    if row is None:
        raise NotFound
    if not (_own(row) or who.role == "auditor" or at_counter(row) or _decides(row)):
        raise NotFound
    return row


def item(row: Row) -> Redemption:
    """A row of the view as it is answered to this asker."""
    own, refusal = _own(row), REFUSALS.get(row["reason"] or "")
    concerned = own or actor().role == "auditor" or _decides(row)
    overdue = _overdue(row)
    usable = own and row["state"] == "issued" and not overdue
    merchant = UUID(row["merchant_id"]) if row["merchant_id"] else None
    offer = services().ledger.catalogue.current().offer(UUID(row["offer_id"]))
    return msgspec.convert(row | {
        "name": offer.terms.name,
        "participant_id": row["participant_id"] if concerned else None,
        # Past its last day nothing can be done with it, whether or not that is written down.
        "state": "lapsed" if overdue else row["state"],
        "reasons": [Reason(refusal.code, refusal.zh, refusal.en)] if refusal else [],
        "decline_reason": sealed_words(UUID(row["id"]), row["decline"]) if concerned else None,
        "voucher": _voucher(UUID(row["id"])) if usable else None,
        "allowed_actions": _actions(own, row["state"], merchant, row["districts"], overdue),
    }, Redemption)  # fmt: skip


def _own(row: Row) -> bool:
    """Whether who is asking pays for it, or keeps the account that does."""
    person, payer = actor().participant_id, row["participant_id"]
    if payer == row["by"]:
        return bool(payer == str(person))
    return services().ledger.account(UUID(payer)).kept_by(person)


def at_counter(row: Row) -> bool:
    """Whether who is asking hands it out."""
    merchant = UUID(row["merchant_id"]) if row["merchant_id"] else None
    return row["state"] != "refused" and hands_out(actor(), merchant, row["districts"])


def _decides(row: Row) -> bool:
    return row["state"] != "refused" and access.reviews(actor(), APPROVERS, row["districts"])


def _actions(
    own: bool, state: str, merchant_id: UUID | None, districts: Sequence[str],
    overdue: bool = False,
) -> list[str]:  # fmt: skip
    """What the asker may do with it now; a receipt is of a moment when it was not overdue."""
    who = actor()
    if own:
        may = access.allowed(who, "redemptions.ask") and state in HELD_STATES
        return ["cancel"] if may else []
    if overdue:
        return []
    if state == "requested" and access.reviews(who, APPROVERS, districts):
        return ["approve", "decline"]
    counter = state == "issued" and hands_out(who, merchant_id, districts)
    return ["collect"] if counter else []


def _overdue(row: Row) -> bool:
    last = {"requested": row["decide_by"], "issued": row["collect_by"]}.get(row["state"])
    # Dates compare as their ISO text does.
    return last is not None and last < day_of(services().clock()).isoformat()


def _voucher(redemption_id: UUID) -> str | None:
    ledger = services().ledger
    return ledger.voucher(redemption_id, ledger.redemption(redemption_id))
