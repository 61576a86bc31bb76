"""Donating (捐赠) coins to a team or a cause, and the accounts (账户) that receive them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ledger import access, identity
from ledger.coins import total
from ledger.commands import Decision, signature
from ledger.days import day_of
from ledger.errors import (
    Erased,
    FieldError,
    InsufficientCoins,
    InvalidInput,
    NotFound,
    SubmissionConflict,
    TooManyLots,
    UnknownAccount,
)
from ledger.log import Append
from ledger.participants import Actor
from ledger.spending.accounts import (
    Account,
    AccountKind,
    AccountOpened,
    Donation,
    DonationMade,
    MemberAdded,
    MemberRemoved,
    moved,
)
from ledger.spending.deciding import Deciding
from ledger.spending.redeeming import Order
from ledger.spending.redemptions import Redemption
from ledger.vault import content_of
from ledger.wallet import first


class AccountReceipt(msgspec.Struct, frozen=True):
    """An account right after a command."""

    account_id: UUID
    position: int
    replayed: bool = False


class DonationReceipt(msgspec.Struct, frozen=True):
    """A donation, and what the giver has left."""

    id: UUID
    to: UUID
    coins: int
    balance: int
    position: int
    replayed: bool = False


class Donating(Deciding):
    """Giving coins away, and keeping the accounts of teams and enterprises."""

    def open_account(
        self, actor: Actor, kind: AccountKind, name: str, keeper: UUID, request: Any,
        submission_id: UUID, now: datetime, *, district: str | None = None,
    ) -> AccountReceipt:  # fmt: skip
        """Open an account; ``keeper`` is the participant who spends from it."""
        if self.participant(keeper).registered is None:
            problem = FieldError("keeper", "not_found", "没有这位参与者", "no such participant")
            raise InvalidInput([problem])
        self._check_place(actor, district)
        account_id = identity.account_id(actor.participant_id, submission_id)

        def decide(account: Account, signed: dict[str, Any]) -> Decision:
            sealed, row = self.vault.seal(account_id, account_id, "name", name, now)
            opened = AccountOpened(
                kind=kind, district=district, keeper=keeper, sealed=(sealed,), **signed
            )
            return Decision([opened], rows=[row])

        return self._change_account(
            actor, "open", account_id, request, submission_id, now, decide
        )

    def change_member(
        self, actor: Actor, account_id: UUID, person: UUID, action: str, request: Any,
        submission_id: UUID, now: datetime, *, keeper: bool = False,
    ) -> AccountReceipt:  # fmt: skip
        """Add somebody (``action`` add) to an account or remove them, by its keeper or an officer.

        An account always has a keeper: the last one cannot leave or stop keeping it.
        """
        if action == "add" and self.participant(person).registered is None:
            problem = FieldError(
                "participant_id", "not_found", "没有这位参与者", "no such participant"
            )
            raise InvalidInput([problem])

        def decide(account: Account, signed: dict[str, Any]) -> Decision:
            if account.opened is None or not self._manages_account(actor, account):
                raise UnknownAccount
            stays = action == "add" and keeper
            if not stays and [one for one, keeps in account.members.items() if keeps] == [person]:
                problem = FieldError(
                    "participant_id", "last_keeper", "账户至少要有一位管理人",
                    "an account needs a keeper",
                )  # fmt: skip
                raise InvalidInput([problem])
            if action == "add":
                return Decision([MemberAdded(participant_id=person, keeper=keeper, **signed)])
            if person not in account.members:
                raise NotFound
            return Decision([MemberRemoved(participant_id=person, **signed)])

        return self._change_account(
            actor, f"members/{account_id}", account_id, request, submission_id, now, decide
        )

    def account_name(self, account_id: UUID, account: Account) -> str | None:
        """What an account is called, from the vault; None once that was erased."""
        assert account.opened is not None
        try:
            return str(self.vault.open(account_id, account.opened.sealed[0]))
        except Erased:
            return None

    def donate(
        self, actor: Actor, to: UUID, coins: int, request: Any, submission_id: UUID, now: datetime
    ) -> DonationReceipt:
        """Give coins to an account, or to a cause, which is an offer of kind ``donation``.

        Raises UnknownAccount, InsufficientCoins, SubmissionConflict.
        """
        donation_id = identity.donation_id(actor.participant_id, submission_id)
        offer = self.catalogue.current().offers.get(to)
        if offer is None or offer.terms.kind != "donation":
            return self._give(donation_id, actor.participant_id, to, coins, request, now)
        quantity, rest = divmod(coins, offer.terms.price)
        # The price may have changed since it was given: only a new one has to come out even.
        if (rest or not quantity) and not self.fold(donation_id, Redemption()).version:
            price = offer.terms.price
            problem = FieldError("coins", "not_a_multiple", f"应为 {price} 的整数倍",
                                 f"it must be a multiple of {price}")  # fmt: skip
            raise InvalidInput([problem])
        order = Order(to, quantity, price=offer.terms.price)
        paid = self._redeem(donation_id, actor, order, request, now)
        return DonationReceipt(
            paid.id, to, paid.coins, paid.balance, paid.position, paid.replayed
        )

    def _give(
        self, donation_id: UUID, giver: UUID, to: UUID, coins: int, request: Any, now: datetime
    ) -> DonationReceipt:
        digest = self.vault.fingerprint(giver, content_of(request))

        def command() -> DonationReceipt:
            # The wallet first: whoever sees it lowered by this very gift sees the gift as well.
            wallet = self.wallet(giver)
            known = self.fold(donation_id, Donation())
            if known.version:
                return self._given_before(donation_id, known, digest)
            if self.account(to).opened is None or to == giver:
                raise UnknownAccount
            theirs = self.wallet(to)
            if wallet.available(day_of(now)) < coins:
                raise InsufficientCoins
            if total(first(wallet.good(day_of(now)), coins)) < coins:
                raise TooManyLots
            made = DonationMade(participant_id=giver, to=to, coins=coins, body_digest=digest)
            given, received = moved(donation_id, made, wallet, day_of(now))
            before = wallet.version
            entries = self.append([
                Append(donation_id, 0, [made]),
                Append(identity.wallet_id(giver), before, [given]),
                Append(identity.wallet_id(to), theirs.version, [received]),
            ], now)  # fmt: skip
            wallet.apply(entries[1])
            self.snapshot_if_due(wallet, before, giver, now)
            before = theirs.version
            theirs.apply(entries[2])
            self.snapshot_if_due(theirs, before, to, now)
            left = wallet.available(day_of(now))
            return DonationReceipt(donation_id, to, coins, left, entries[-1].position)

        with self.wallet_turns.of(giver):
            return self.attempt(command)

    def _given_before(
        self, donation_id: UUID, known: Donation, digest: str
    ) -> DonationReceipt:
        made = known.made
        # Without a gift to an account it went to a cause under this number.
        if made is None or made.body_digest != digest:
            raise SubmissionConflict
        (row,) = self.rows(known.position - 1, 1)
        last = known.position + 2
        left = self.wallet_at(made.participant_id, last).available(
            day_of(self.entry(row).recorded_at)
        )
        return DonationReceipt(donation_id, made.to, made.coins, left, last, replayed=True)

    def _change_account(
        self,
        actor: Actor,
        action: str,
        account_id: UUID,
        request: Any,
        submission_id: UUID,
        now: datetime,
        decide: Callable[[Account, dict[str, Any]], Decision],
    ) -> AccountReceipt:
        signed = signature(
            self.vault, actor.participant_id, f"account/{action}", submission_id, request
        )

        def command() -> AccountReceipt:
            account = self.account(account_id)
            if earlier := signed.earlier(account.commands):
                return AccountReceipt(account_id, earlier, replayed=True)
            decided = decide(account, signed.fields)
            write = Append(account_id, account.version, decided.facts)
            (entry,) = self.append([write], now, vault_rows=decided.rows)
            return AccountReceipt(account_id, entry.position)

        return self.attempt(command)

    def _manages_account(self, actor: Actor, account: Account) -> bool:
        assert account.opened is not None
        path = self.districts.current().path(account.opened.district)
        officer = access.allowed(actor, "accounts.open") and access.within(actor, path)
        return officer or account.kept_by(actor.participant_id)

    def _check_place(self, actor: Actor, district: str | None) -> None:
        self._check_district(district)
        if not access.within(actor, self.districts.current().path(district)):
            raise NotFound
