"""A journal somebody changed: each program refuses it and names the line."""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import UUID

import pytest

from ledger import coins
from ledger.journal import postings
from tests.bookkeepers import Refused
from tests.ledger.audit.journals import ANN, BEN, NOW, awarded, journal_of, lines_with, money, row


def changed(text: str, line: int, old: str, new: str) -> str:
    lines = text.splitlines(keepends=True)
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    return "".join(lines)


AWARDS = [
    row(number, awarded(person, amount), NOW + timedelta(hours=7 * number))
    for number, person, amount in ((1, ANN, 5), (2, BEN, 7), (3, ANN, 11), (4, BEN, 13))
]


@pytest.fixture
def refusal(bookkeeper, tmp_path):
    """The lines a program names when it refuses a journal; fails where it does not."""

    def lines_of(text: str) -> set[int]:
        path = tmp_path / "j"
        path.write_text(text)
        with pytest.raises(Refused) as refused:
            bookkeeper.balances(path)
        return refused.value.lines

    return lines_of


def test_one_altered_amount_is_refused_with_its_line(town, bookkeeper, refusal):
    """Whichever posting is changed by a coin, each program names it or its transaction."""
    for rows in (AWARDS, money(town)):
        text = journal_of(rows, bookkeeper.form)
        postings = lines_with(text, r"^ +\S+  -?\d+ GWC")
        for line in (postings[0], postings[len(postings) // 2], postings[-1]):
            amount = re.search(r"  (-?\d+) GWC", text.splitlines()[line - 1])[1]
            forged = changed(text, line, f"  {amount} GWC", f"  {int(amount) + 1} GWC")
            head = max(one for one in lines_with(text, r"^\d{4}-\d\d-\d\d \*") if one < line)
            assert refusal(forged) & set(range(head, line + 1))


@pytest.mark.parametrize(("amount", "day", "then"), [(5, "2026-05-02", 5), (11, "2026-05-03", 16)])
def test_amounts_altered_to_fit_each_other_break_the_balance(
    bookkeeper, refusal, amount, day, then
):
    """An award made larger on both sides is found where its wallet's next balance is said."""
    text = journal_of(AWARDS, bookkeeper.form)
    taken, given = (lines_with(text, f"  {sign}{amount} GWC")[0] for sign in ("-", ""))
    forged = changed(text, taken, f"  -{amount} ", f"  -{amount + 1} ")
    forged = changed(forged, given, f"  {amount} ", f"  {amount + 1} ")
    if bookkeeper.form == "beancount":  # it looks at balances where a day ends
        said = lines_with(text, rf"^{day} balance .*A:Available  {then} GWC")
        assert said[0] in refusal(forged)
    else:
        assert {taken, given} & refusal(forged)


def test_a_coin_moved_to_another_account_is_refused(bookkeeper, refusal):
    """The amounts still fit, but neither wallet has what is said."""
    text = journal_of(AWARDS, bookkeeper.form)
    line = lines_with(text, r"  13 GWC")[0]
    ben, ann = (name.upper() if bookkeeper.form == "beancount" else name
                for name in (str(BEN), str(ANN)))  # fmt: skip
    assert refusal(changed(text, line, ben, ann))


def test_a_booking_left_out_or_told_twice_is_refused(bookkeeper, refusal):
    """One transaction cut out, or standing twice, and the balances behind it do not hold."""
    text = journal_of(AWARDS, bookkeeper.form)
    heads = lines_with(text, r"^\d{4}-\d\d-\d\d \*")
    lines = text.splitlines(keepends=True)
    one = lines[heads[2] - 1: heads[3] - 1]  # fmt: skip
    assert refusal("".join(lines[: heads[2] - 1] + lines[heads[3] - 1:]))  # fmt: skip
    assert refusal("".join(lines[: heads[2] - 1] + one + lines[heads[2] - 1:]))  # fmt: skip


def test_an_account_nobody_opened_is_refused(bookkeeper, refusal):
    """A name with a letter changed, the same in each of its postings, is none of the declared."""
    text = journal_of(AWARDS, bookkeeper.form)
    rule = "Patrol-Length" if bookkeeper.form == "beancount" else "patrol.length"
    for line in lines_with(text, rf"^( +\S+:{rule}  |.* balance \S+:{rule}  )"):
        text = changed(text, line, rule, rule.replace("ength", "engte"))
    assert refusal(text)


def test_a_fact_that_does_not_balance_is_refused_by_others(bookkeeper, refusal):
    """Both sides come from fields of their own, so a forged fact of ours is their finding."""
    forged = coins.CoinsHeld(
        participant_id=ANN, redemption_id=UUID(int=3), offer_id=UUID(int=4), quantity=1, amount=4,
        parts=(coins.Part(lot=1, amount=3, expires_on=date(2027, 12, 31)),),
    )  # fmt: skip
    assert sum(one.amount for one in postings(forged)) == 1
    assert refusal(journal_of([row(1, awarded()), row(2, forged)], bookkeeper.form))
