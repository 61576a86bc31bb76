"""Holding (冻结): saving what happens to a redemption together with its coins and its stock."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from ledger import identity
from ledger.codes import digest_of
from ledger.commands import Decision
from ledger.days import day_of
from ledger.errors import NotFound
from ledger.facts import Entry
from ledger.log import Append
from ledger.spending import vouchers
from ledger.spending.accounts import Account
from ledger.spending.redemptions import (
    Redemption,
    RedemptionIssued,
    RedemptionRequested,
    VoucherIssued,
    begins_anew,
    money_of,
)
from ledger.tokens import Tokens
from ledger.wallet import Wallet

# A command saves at most: requested, held, issued, the voucher.
FACTS_PER_COMMAND = 4


class RedemptionReceipt(msgspec.Struct, frozen=True):
    """A redemption right after a command; the same again for the same submission."""

    id: UUID
    offer_id: UUID
    quantity: int
    state: str
    coins: int
    balance: int
    position: int
    voucher: str | None
    decide_by: date | None
    collect_by: date | None
    replayed: bool = False


class Holding(Tokens):
    """What all commands on redemptions share."""

    def redemption(self, redemption_id: UUID) -> Redemption:
        """A redemption as it stands; raises NotFound for one that was never asked for."""
        found = self.fold(redemption_id, Redemption())
        if found.requested is None:
            raise NotFound
        return found

    def voucher(self, redemption_id: UUID, known: Redemption) -> str | None:
        """The code while it can be used; None else, or where the server's key is another now."""
        if known.state != "issued" or known.issued is None:
            return None
        code = vouchers.voucher_of(self._secret_key, redemption_id)
        return code if digest_of(code) == known.issued.voucher_sha256 else None

    def account(self, account_id: UUID) -> Account:
        """A team's or an enterprise's account as it stands."""
        return self.fold(account_id, Account())

    def _save_redemption(
        self,
        redemption_id: UUID,
        known: Redemption,
        decided: Decision,
        wallet: Wallet,
        now: datetime,
    ) -> RedemptionReceipt:
        """Save what was decided, each fact with what it does to the coins right behind it.

        ``wallet`` is the payer's as the decision saw it; its version guards what was decided.
        """
        asked = known.requested or decided.facts[0]
        assert isinstance(asked, RedemptionRequested)
        payer, before = asked.participant_id, wallet.version
        purse, version = identity.wallet_id(payer), known.version
        writes = list[Append]()
        for fact in decided.facts:
            writes.append(Append(redemption_id, version, [fact]))
            version += 1
            money = money_of(redemption_id, fact, asked, wallet, day_of(now))
            if money is not None:
                writes.append(Append(purse, wallet.version, [money]))
                wallet.apply(Entry(purse, wallet.version + 1, now, money))
            if isinstance(fact, RedemptionIssued):
                voucher = VoucherIssued(redemption_id=redemption_id)
                writes.append(Append(identity.voucher_id(fact.voucher_sha256), 0, [voucher]))
        # Where no coins move the balance that is told must be that of the commit all the same.
        still = {purse: before} if wallet.version == before else {}
        entries = self.append(
            writes, now, vault_rows=decided.rows, unchanged={**decided.unchanged, **still},
            quotas=decided.quotas,
        )  # fmt: skip
        self.snapshot_if_due(wallet, before, payer, now)
        for entry in entries:
            if entry.originator_id == redemption_id:
                known.apply(entry)
        return self._redemption_receipt(redemption_id, known, wallet, entries[-1])

    def _redemption_receipt(
        self, redemption_id: UUID, known: Redemption, wallet: Wallet, last: Entry
    ) -> RedemptionReceipt:
        asked = known.requested
        assert asked is not None
        return RedemptionReceipt(
            id=redemption_id,
            offer_id=asked.offer_id,
            quantity=asked.quantity,
            state=known.state,
            coins=asked.coins,
            balance=wallet.available(day_of(last.recorded_at)),
            position=last.position,
            voucher=self.voucher(redemption_id, known),
            decide_by=asked.decide_by,
            collect_by=known.issued.collect_by if known.issued else None,
        )

    def _redemption_at(self, redemption_id: UUID, position: int) -> RedemptionReceipt:
        """The receipt of a command saved earlier, whose first fact stands at ``position``."""
        entries: list[Entry] = []
        for entry in map(self.entry, self.rows(position - 1, FACTS_PER_COMMAND)):
            named = getattr(entry.fact, "redemption_id", entry.originator_id)
            if named != redemption_id or (entries and begins_anew(redemption_id, entry.fact)):
                break
            entries.append(entry)
        last, then = entries[-1], Redemption()
        for entry in self.events.get(redemption_id):  # type: ignore[assignment]
            if entry.position <= last.position:
                then.apply(entry)
        assert then.requested is not None
        wallet = self.wallet_at(then.requested.participant_id, last.position)
        receipt = self._redemption_receipt(redemption_id, then, wallet, last)
        return msgspec.structs.replace(receipt, replayed=True)

