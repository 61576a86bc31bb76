"""Accounts (账户) of teams and enterprises: opening them, their members, what they have."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec
from flask import Response

from api.auth import actor, services
from api.routing import Routes, answer, reached
from api.schemas import body_sent
from api.shapes import DistrictCode, Fresh, Name
from ledger import access
from ledger.days import day_of
from ledger.errors import UnknownAccount
from ledger.spending.accounts import AccountKind, AccountOpened
from ledger.spending.donating import AccountReceipt

routes = Routes("accounts", __name__, description="Wallets of teams and enterprises")


class NewAccount(msgspec.Struct):
    """A wallet for a team or an enterprise; its keeper spends from it."""

    kind: AccountKind
    name: Name
    keeper: UUID
    district: DistrictCode | None = None


class MemberChange(msgspec.Struct):
    """Somebody joins or leaves; a keeper spends from it too."""

    participant_id: UUID
    action: Literal["add", "remove"]
    keeper: bool = False


class AccountRecorded(msgspec.Struct):
    """An account right after a command."""

    id: UUID
    position: int


class Member(msgspec.Struct):
    """Somebody who sees what the account has, and may spend from it as its keeper."""

    participant_id: UUID
    keeper: bool


class Account(msgspec.Struct, kw_only=True):
    """An account and its coins; who its members are is for keepers and officers to see.

    ``name`` is null once it was erased.
    """

    id: UUID
    kind: AccountKind
    name: str | None
    district: str | None
    members: list[Member] | None
    member_count: int
    available: int
    held: int
    position: int


@routes.on("POST", "/v1/accounts", "accounts.open", body=NewAccount, answers=AccountRecorded,
           status=(201, 200), summary="Open an account")  # fmt: skip
def open_account(body: tuple[UUID, NewAccount]) -> Response:
    """A wallet of its own for a team or an enterprise, with its first keeper."""
    here = services()
    submission_id, wanted = body
    return _recorded(here.ledger.open_account(
        actor(), wanted.kind, wanted.name, wanted.keeper, body_sent(), submission_id, here.clock(),
        district=wanted.district,
    ))  # fmt: skip


@routes.on("GET", "/v1/accounts/<uuid:id>", "accounts.read", query=Fresh, answers=Account,
           summary="An account and its coins")  # fmt: skip
def get_account(id: UUID, query: Fresh) -> Response:
    """For its members, officers of its place and auditors; for anybody else it is not there."""
    here, who = services(), actor()
    account = here.ledger.account(id)
    opened, members = account.opened, account.members
    if opened is None:
        raise UnknownAccount
    officer = _is_officer(opened)
    if not (officer or who.role == "auditor" or who.participant_id in members):
        raise UnknownAccount
    reached("balances", query.min_position)
    wallet = here.views.wallet(id, day_of(here.clock()))
    shown = officer or account.kept_by(who.participant_id)
    return answer(Account(
        id=id, kind=opened.kind,  # type: ignore[arg-type]
        name=here.ledger.account_name(id, account), district=opened.district,
        members=[Member(*one) for one in sorted(members.items())] if shown else None,
        member_count=len(members), available=wallet["available"], held=wallet["held"],
        position=wallet["position"],
    ))  # fmt: skip


@routes.on("POST", "/v1/accounts/<uuid:id>/members", "accounts.keep", body=MemberChange,
           answers=AccountRecorded, status=(201, 200),
           summary="Add or remove a member")  # fmt: skip
def change_member(id: UUID, body: tuple[UUID, MemberChange]) -> Response:
    """By its keeper or an officer of its place; an account always has a keeper."""
    here = services()
    submission_id, change = body
    return _recorded(here.ledger.change_member(
        actor(), id, change.participant_id, change.action, body_sent(), submission_id,
        here.clock(), keeper=change.keeper,
    ))  # fmt: skip


def _is_officer(opened: AccountOpened) -> bool:
    path = services().ledger.districts.current().path(opened.district)
    return access.allowed(actor(), "accounts.open") and access.within(actor(), path)


def _recorded(receipt: AccountReceipt) -> Response:
    content = AccountRecorded(receipt.account_id, receipt.position)
    return answer(content, 200 if receipt.replayed else 201, replayed=receipt.replayed)
