"""Looking into the books: what the log, the folds and the views say, held against the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from ledger import identity
from ledger.audit import Finding
from ledger.budgets import key_of
from ledger.coins import MONEY
from ledger.explain import explain
from ledger.journal import postings
from ledger.past import Moment
from ledger.spending.catalogue import stock_key
from ledger.wallet import Wallet
from projections import VIEWS
from projections.check import check_views
from tests.money.city import MERCHANTS, OWNERS, City
from tests.money.market import Model

PAST_EVERY = 5  # of the moments that were noted so many are passed over
KINDS = ("issued", "available", "held", "debt", "redeemed", "expired", "reversed", "transfers")


class Books:
    """The books of one city; ``names`` are the ids of people and things."""

    def __init__(self, city: City, names: Mapping[str, UUID | str]) -> None:
        self.city, self.names = city, names
        self.lines: Counter[str] = Counter()
        self.accounts: Counter[str] = Counter()
        self.position = 0
        self.wallets: dict[str, Wallet] = {}
        self.quotas: dict[str, int] = {}
        self.then: list[tuple[Moment, dict[str, tuple[int, int, int]]]] = []

    # A refusal changes nothing

    def state(self) -> tuple[int, dict[str, int], dict[str, bytes]]:
        """How far the log is, what is used of what, and every wallet byte by byte."""
        ledger = self.city.ledger
        wallets = {owner: ledger.wallet(self._id(owner)) for owner in OWNERS}
        encoded = {owner: msgspec.json.encode(wallet) for owner, wallet in wallets.items()}
        return ledger.head(), ledger.store.select_quotas(), encoded

    def assert_unchanged(self, *, stored: bool) -> None:
        """Since the last check at most the refusal that is kept came into the log."""
        head, quotas, wallets = self.state()
        assert wallets == {owner: msgspec.json.encode(one) for owner, one in self.wallets.items()}
        assert quotas == self.quotas
        topics = [row.topic for row in self.city.ledger.rows(self.position)]
        assert topics == ["redemption.refused"] * stored
        assert head == self.position + stored

    # The log is the model

    def behind(self) -> bool:
        """Whether the log has grown since the last check."""
        return self.city.ledger.head() != self.position

    def check(self, model: Model, today: date) -> None:
        """Every coin is booked from both sides, and lies where the model has it."""
        moved = self._booked()
        self._check_lines(model)
        for owner in OWNERS:
            if owner not in self.wallets or f"Wallet:{self.names[owner]}" in moved:
                self.wallets[owner] = self.city.ledger.wallet(self._id(owner))
                self._check_explained(model, owner, today)
            self._check_wallet(model, owner, today)
        self._check_quotas(model)

    def _booked(self) -> set[str]:
        """Post what is new: each fact balances by itself, and nobody is below zero after it.

        Whose wallets changed, and those of refused awards, which have a version more.
        """
        moved = set()
        for entry in self.city.ledger.entries(self.position):
            booked = postings(entry.fact)
            assert sum(one.amount for one in booked) == 0, entry
            for one in booked:
                self.lines[one.kind] += one.amount
                self.accounts[one.account] += one.amount
                owned = one.kind in ("available", "held")
                assert not owned or self.accounts[one.account] >= 0, entry
                assert one.kind != "debt" or self.accounts[one.account] <= 0, entry
            if isinstance(entry.fact, MONEY):
                moved.add(f"Wallet:{entry.fact.participant_id}")
            self.position = entry.position
        return moved

    def _check_lines(self, model: Model) -> None:
        owned = sum(model.owned(owner) for owner in OWNERS)
        held = sum(model.held(owner) for owner in OWNERS)
        debt = sum(model.debt(owner) for owner in OWNERS)
        books = model.books
        out = books["redeemed"] + books["expired"] + books["reversed"]
        assert books["issued"] == owned + held + out - debt
        assert {kind: self.lines[kind] for kind in KINDS} == {
            **books, "issued": -books["issued"], "available": owned, "held": held,
            "debt": -debt, "transfers": 0,
        }  # fmt: skip

    def _check_wallet(self, model: Model, owner: str, today: date) -> None:
        person, wallet = self._id(owner), self.wallets[owner]
        lots = [(day, coins) for day in sorted(wallet.lots)
                for _, coins in sorted(wallet.lots[day].items())]  # fmt: skip
        expected = sorted(
            (lot for lot in model.lots.get(owner, ()) if lot["left"]),
            key=lambda lot: (lot["expires"], lot["serial"]),
        )
        assert lots == [(lot["expires"], lot["left"]) for lot in expected], owner
        assert all(coins > 0 for _, coins in lots)
        assert sum(coins for _, coins in lots) == self.accounts[f"Wallet:{person}:Available"]
        assert wallet.available(today) == model.available(owner, today)
        assert wallet.held == model.held(owner) == self.accounts[f"Wallet:{person}:Held"]
        assert wallet.debt == model.debt(owner)
        assert not (wallet.debt and wallet.available(today)), "owes while there are coins"

    def _check_explained(self, model: Model, owner: str, today: date) -> None:
        """Each lot's coins went where the explanation says, and together they are the balance."""
        ledger, person = self.city.ledger, self._id(owner)
        entries: Any = ledger.events.get(identity.wallet_id(person))
        told = explain(person, entries, today, self.position)
        for lot in told.lots:
            went = (lot.available, lot.held, lot.spent, lot.given, lot.expired, lot.reversed,
                    lot.paid_debt)  # fmt: skip
            assert sum(went) == lot.amount
            assert min(went) >= 0
        totals = told.totals
        assert totals.available == model.available(owner, today)
        assert (totals.held, totals.debt) == (model.held(owner), model.debt(owner))

    def _check_quotas(self, model: Model) -> None:
        """Stock and budgets as the store counts them."""
        used = {
            **{key_of(*place): model.used(*place) for place in model.budgets},
            **{stock_key(self._id(name)): model.sold(name) for name in model.offers},
        }
        self.quotas = found = self.city.ledger.store.select_quotas()
        counted = {key for key in found if key.startswith(("stock/", "budget/"))}
        wrong = {key: (found.get(key, 0), used.get(key, 0)) for key in counted | used.keys()
                 if found.get(key, 0) != used.get(key, 0)}  # fmt: skip
        assert not wrong, wrong

    # The views are the log

    def check_views(self, model: Model, today: date) -> None:
        """Followed to the end, the views answer what the model has."""
        self.city.follower.catch_up()
        views = self.city.services.views
        for owner in OWNERS:
            shown = views.wallet(self._id(owner), today)
            lots = [(lot["expires_on"], lot["amount"]) for lot in shown["lots"]]
            assert lots == [(lot["expires"].isoformat(), lot["left"])
                            for lot in model.good(owner, today)]  # fmt: skip
            assert (shown["available"], shown["held"], shown["debt"]) == (
                model.available(owner, today), model.held(owner), model.debt(owner),
            )  # fmt: skip
        self.then.append((Moment(self.position, today), {
            owner: (model.available(owner, today), model.held(owner), model.debt(owner))
            for owner in OWNERS
        }))  # fmt: skip
        books = views.trial_balance()
        assert books["lines"] == {kind: self.lines[kind] for kind in KINDS}
        assert (books["imbalance"], books["negative"]) == (0, 0)

    def check_the_past(self) -> None:
        """Asked of the log, the wallets are what they were at moments that were noted then."""
        for moment, purses in self.then[-1 :: -PAST_EVERY]:
            for owner, (available, held, debt) in purses.items():
                told = self.city.ledger.wallet_as_of(self._id(owner), moment).totals
                assert (told.available, told.held, told.debt) == (available, held, debt)
            found = self.city.ledger.balances_as_of(moment)
            assert {person: (available, held) for person, available, held in found} == {
                str(self.names[owner]): purse[:2] for owner, purse in purses.items()
                if any(str(self.names[owner]) == person for person, _, _ in found)
            }  # fmt: skip

    def check_all_rows(self, model: Model) -> None:
        """Every row of every view is what a replay of the log gives, every state the model's."""
        self.city.follower.catch_up()
        self.check_the_past()
        findings: list[Finding] = list(
            check_views(self.city.ledger, self.city.stores[0], VIEWS)
        )
        assert findings == []
        for name in model.offers:
            shown = self.city.get(MERCHANTS[0], f"/v1/catalogue/{self.names[name]}")
            assert shown["stock"] == model.left(name)
        views = self.city.services.views
        for name, one in model.redemptions.items():
            if name in self.names:
                shown = views.redemption(self._id(name))
                assert shown is not None
                assert shown["state"] == one["state"], name
        for name, one in model.reversals.items():
            shown = views.reversal(self._id(name))
            assert shown is not None
            assert shown["state"] == one["state"], name

    def _id(self, name: str) -> UUID:
        return UUID(str(self.names[name]))
