"""Any moment of the history: wallets explained, balances, and where there is no history."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from ledger.balances import MONEY, balances_of
from ledger.errors import AfterHistory, BeforeHistory
from ledger.explain import Totals
from ledger.store.states import states
from tests.ledger.audit.spenders import LATER, spend_in_every_way
from tests.ledger.examples import NOW, someone

FIELDS = [name for name in Totals.__struct_fields__ if name not in ("amount", "debt")]


@pytest.fixture
def spent(ledger):
    """A ledger whose people spent, gave, owed and lost coins in every way."""
    spend_in_every_way(ledger, someone(ledger, "dispatcher"))
    return ledger


def people(ledger) -> set:
    facts = [entry.fact for entry in ledger.entries(topics=MONEY)]
    return {fact.participant_id for fact in facts}


def test_the_sums_of_an_explanation_are_the_balance_at_every_position(spent):
    """Every lot's coins are all accounted for, and their sums are wallet, holds and debt."""
    for position in range(20, spent.head() + 1, 7):
        moment = spent.moment(None, position, NOW)
        for person in people(spent):
            told, wallet = spent.wallet_as_of(person, moment), spent.wallet_at(person, position)
            for lot in told.lots:
                assert lot.amount == sum(getattr(lot, name) for name in FIELDS)
                assert min(getattr(lot, name) for name in FIELDS) >= 0
            totals = told.totals
            assert (totals.available, totals.held, totals.debt) == (
                wallet.available(moment.today), wallet.held, wallet.debt
            )  # fmt: skip


def test_every_use_of_a_coin_names_the_entry_it_was(spent):
    """Each use stands at the position of a money fact of that wallet."""
    moment = spent.moment(None, None, NOW)
    for person in people(spent):
        told = spent.wallet_as_of(person, moment)
        assert told.lots or told.refusals
        positions = {use.position for lot in told.lots for use in lot.uses}
        topics = {row.topic for at in positions for row in spent.rows(at - 1, 1)}
        assert topics <= set(MONEY)


def test_all_balances_of_a_moment_are_those_from_the_bytes(spent, env):
    """Forwards, backwards and again: always what folding the bytes up to there gives."""
    head = spent.head()
    for position in (head // 2, head // 3, head, 12, head):
        moment = spent.moment(None, position, NOW)
        expected = balances_of(states(env, MONEY, through=position), moment.today)
        assert spent.balances_as_of(moment) == expected


def test_a_time_is_the_position_the_log_had_reached(spent):
    """Right before the later entries only the earlier ones count."""
    late = [entry.position for entry in spent.entries() if entry.recorded_at == LATER]
    assert late
    assert spent.moment(LATER + timedelta(days=1), None, NOW).position == spent.head()


def test_a_moment_without_history_says_so(ledger, open_ledger):
    """Before the first entry and behind the last one there is a refusal, never an empty answer."""
    head = ledger.head()
    assert head
    for as_of, position in ((NOW - timedelta(days=1), None), (None, 0), (None, -1)):
        with pytest.raises(BeforeHistory):
            ledger.moment(as_of, position, NOW)
    with pytest.raises(AfterHistory):
        ledger.moment(None, head + 1, NOW)
    assert ledger.wallet_as_of(uuid4(), ledger.moment(None, head, NOW)).totals.available == 0
