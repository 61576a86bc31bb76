"""A ledger without one of its guards does not get through the story."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from ledger import contributing, reversing
from ledger.application import Ledger
from ledger.coins import CoinsAwarded, CoinsExpired, CoinsReleased
from ledger.spending import deciding
from ledger.store import append as admission
from ledger.wallet import Wallet
from projections.balances import Balances
from projections.trial_balance import TrialBalance
from tests.money.city import founding
from tests.money.story import tell

good, settle = Wallet.good, contributing.settle


def without_debt(*asked: Any) -> Any:
    """A settlement that forgets what is owed."""
    settled = settle(*asked)
    if settled and isinstance(settled.money, CoinsAwarded):
        money = msgspec.structs.replace(settled.money, to_debt=0)
        return msgspec.structs.replace(settled, money=money)
    return settled


def last_first(wallet: Wallet, today: date) -> Any:
    return reversed(list(good(wallet, today)))


def never_expiring(wallet: Wallet, today: date) -> int:
    return sum(sum(lots.values()) for lots in wallet.lots.values())


def deaf_to(kind: type, fold: Any) -> Callable[..., None]:
    """A view that does not fold one kind of fact."""

    def folded(view: Any, rows: Any, entry: Any) -> None:
        if not isinstance(entry.fact, kind):
            fold(view, rows, entry)

    return folded


MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "stock is not counted": (admission, "_used_after", lambda quotas, used: {}),
    "debt is forgotten": (contributing, "settle", without_debt),
    "the last to expire goes first": (Wallet, "good", last_first),
    "expired coins are available": (Wallet, "available", never_expiring),
    "budgets get nothing back": (reversing, "shares", lambda *asked: []),
    "a hold that lapsed stays": (Ledger, "overdue", lambda ledger, today: []),
    "what was given up may be given up again": (
        deciding, "HELD_STATES", frozenset({"requested", "issued", "cancelled"}),
    ),
    "the books miss an expiry": (TrialBalance, "fold", deaf_to(CoinsExpired, TrialBalance.fold)),
    "the view misses a release": (Balances, "fold", deaf_to(CoinsReleased, Balances.fold)),
}  # fmt: skip


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    """Cities on SQLite, and the ids of who lives there."""
    with founding("sqlite", tmp_path_factory.mktemp("cities"), None) as made:
        yield made


def test_the_story_is_told(founded):
    """The ledger as it is gets through, so a mutant fails for what it lacks."""
    tell(*founded)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_caught(mutant, founded, monkeypatch):
    """Without this guard the story and the model part."""
    where, name, replacement = MUTANTS[mutant]
    monkeypatch.setattr(where, name, replacement)
    with pytest.raises(AssertionError):
        tell(*founded)
