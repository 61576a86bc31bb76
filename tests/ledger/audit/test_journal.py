"""The journal: told to programs that are not ours, which find the balances that we find."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from ledger import coins
from ledger.audit.bookings import Bookings
from ledger.audit.journal_beancount import account
from ledger.balances import balances_of
from ledger.coins import AwardRefused
from ledger.errors import CorruptFact
from ledger.store.mapper import RecordedFact
from tests.bookkeepers import as_csv
from tests.ledger.audit.journals import (
    ANN,
    BEN,
    NOW,
    WRITERS,
    awarded,
    journal_of,
    lines_with,
    money,
    refused,
    row,
)

MOVEMENTS = {fact.topic for fact in coins.MOVEMENTS}


def test_others_find_the_balances_that_we_find(town, bookkeeper, tmp_path):
    """Each program reads the journal, its balances are ours to the byte, all accounts sum to 0."""
    rows, path = money(town), tmp_path / "j"
    text = journal_of(rows, bookkeeper.form)
    path.write_text(text)
    found = bookkeeper.balances(path)
    ours = balances_of([(one.topic, one.state) for one in rows], date.min)
    lines = "".join(f"{person},{available},{held}\n" for person, available, held in ours)
    assert as_csv(found, text) == "participant,available,held\n" + lines
    assert {one.partition(":")[0] for one in found} == {
        "Wallet", "Issued", "Redeemed", "Expired", "Reversed", "Transfers",
    }  # fmt: skip
    assert any(one.endswith(":Debt") for one in found)
    assert sum(found.values()) == found["Transfers"] == 0


@pytest.mark.parametrize("form", WRITERS)
def test_every_money_fact_is_told_once_in_the_order_of_the_log(town, form):
    """Each movement is one transaction with its position; a refusal only opens its wallet."""
    rows = money(town)
    text = journal_of(rows, form)
    told = [int(one) for one in re.findall(r'^ +;? ?position: "?(\d+)', text, re.MULTILINE)]
    assert told == [one.position for one in rows if one.topic in MOVEMENTS]
    assert len(told) == len(re.findall(r"^\d{4}-\d\d-\d\d \*", text, re.MULTILINE)) > 10
    assert {one.topic for one in rows} - {AwardRefused.topic} == MOVEMENTS


def test_a_transaction_says_its_cause_and_what_it_leaves(town):
    """Position, time, cause, rule and policy as tags, and a balance behind every posting."""
    facts = awarded(), awarded(amount=2)
    rows = [row(7, facts[0]), row(9, facts[1], NOW + timedelta(days=1))]
    said = [f"{one.sentence().zh} / {one.sentence().en}" for one in facts]
    assert journal_of(rows, head=9).partition("tag reason\n\n")[2] == f"""\
account Issued:patrol.length
account Wallet:{ANN}:Available
2026-05-01 * (7) {said[0]}
    ; position: 7
    ; recorded_at: 2026-05-01T00:00:00.000000Z
    ; cause: {UUID(int=9)}
    ; rule: patrol.length
    ; policy_version: 2026-01
    Issued:patrol.length  -5 GWC = -5 GWC
    Wallet:{ANN}:Available  5 GWC = 5 GWC

2026-05-02 * (9) {said[1]}
    ; position: 9
    ; recorded_at: 2026-05-02T00:00:00.000000Z
    ; cause: {UUID(int=9)}
    ; rule: patrol.length
    ; policy_version: 2026-01
    Issued:patrol.length  -2 GWC = -7 GWC
    Wallet:{ANN}:Available  2 GWC = 7 GWC

"""
    for found in Bookings().of(money(town)):
        named = {name for name, _ in found.tags} - {"position", "recorded_at"}
        assert named & {"cause", "redemption_id", "reversal_id", "donation_id", "as_of"}


def test_days_are_those_of_the_city_and_never_run_back():
    """A fact of the evening before midnight UTC is of the next day; a late clock changes none."""
    evening = datetime(2026, 5, 1, 16, 30, tzinfo=UTC)
    rows = [row(1, awarded(), evening), row(2, awarded(), evening - timedelta(days=3))]
    first, second = Bookings().of(rows)
    assert first.day == second.day == date(2026, 5, 2)
    assert dict(second.tags)["recorded_at"] == "2026-04-28T16:30:00.000000Z"


def test_an_empty_log_is_an_empty_journal(bookkeeper, tmp_path):
    """A header and nothing else, which each program reads."""
    path = tmp_path / "j"
    path.write_text(journal_of([], bookkeeper.form))
    assert bookkeeper.balances(path) == {}


EVIL = ("x\n2020-01-01 * evil\n  A  5 GWC\n  B\n", "two  spaces", 'a"b', "a;b", "\\", "规则", "")


def test_nothing_in_the_log_can_write_into_the_journal(bookkeeper, tmp_path):
    """Whatever a forged fact has for a name, each program reads one transaction a fact."""
    path = tmp_path / "j"
    rows = [row(n, awarded(rule=name, version=name)) for n, name in enumerate(EVIL, 1)]
    path.write_text(journal_of(rows, bookkeeper.form))
    found = bookkeeper.balances(path)
    assert found.pop(f"Wallet:{ANN}:Available") == 5 * len(EVIL)
    assert list(found.values()) == [-5] * len(EVIL)
    assert not lines_with(path.read_text(), r"^\d{4}-.*[*].*;")


def test_accounts_of_beancount_stay_apart():
    """Names are capitalized as beancount asks; two of ours never become one, nor one another's."""
    assert account(f"Wallet:{BEN}:Debt") == f"Assets:Wallet:{str(BEN).upper()}:Debt"
    assert account(f"Redeemed:{BEN}") == f"Expenses:Redeemed:{str(BEN).upper()}"
    assert account("Transfers") == "Equity:Transfers"
    assert account("Issued:check_in.order") == "Income:Issued:CheckIn-Order"
    rules = ("a.b", "a_b", "ab", "a-b", "a", "a.b.c", "aB", "Ab", "a..b", "a__b", "A-B", "", "0x61")
    names = [account(f"Issued:{rule}") for rule in rules]
    assert len(set(names)) == len(rules)
    assert all(re.fullmatch(r"Income:Issued:[A-Z0-9][A-Za-z0-9-]*", name) for name in names)


def test_one_who_was_only_refused_has_a_wallet_without_a_booking(bookkeeper, tmp_path):
    """The wallet is declared, so whoever asks who has one finds it with nothing in it."""
    path = tmp_path / "j"
    text = journal_of([row(1, refused(BEN)), row(2, refused(BEN))], bookkeeper.form)
    path.write_text(text)
    assert as_csv(bookkeeper.balances(path), text) == f"participant,available,held\n{BEN},0,0\n"
    assert text.count(f"Wallet:{BEN}:Available") == 1


def test_an_entry_that_cannot_be_read_is_named():
    """A damaged state or an impossible time ends the telling, with the position."""
    damaged = row(5, awarded())
    for broken in ({"state": b"{}"}, {"recorded_at": 2**62}):
        bad = RecordedFact(**{**vars(damaged), **broken})
        with pytest.raises(CorruptFact, match="position 5"):
            journal_of([row(1, awarded()), bad])
    last = RecordedFact(**{**vars(damaged), "recorded_at": 253402271999000000})
    assert "9999-12-31 *" in journal_of([last], "beancount")
