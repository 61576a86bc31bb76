"""The journal (复式记账) as beancount reads it.

Beancount checks balances at the start of a day only, before all that is booked on it. So a posting
says the balance it leaves as metadata, and behind every day stands a balance directive for each
account that moved on it: a changed amount leaves its transaction unbalanced, and two that were
changed to fit each other the balance of the day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from ledger.audit.bookings import COMMODITY, Booking

# Beancount knows five kinds of account, by the first word of the name.
ROOTS = {
    "Wallet": "Assets", "Issued": "Income", "Redeemed": "Expenses", "Expired": "Expenses",
    "Reversed": "Expenses", "Transfers": "Equity",
}  # fmt: skip
HEADER = f"""\
; 绿水币复式记账，至日志第 {{head}} 条 / Green Water Coin, the log up to position {{head}}
; 账户名按 beancount 的要求改写，原名见各 open 指令的 name
; Accounts begin with the kind that beancount asks for: Assets:Wallet, Income:Issued,
; Expenses:Redeemed, Expenses:Expired, Expenses:Reversed, Equity:Transfers. Ids are in capitals;
; the rule check_in.order becomes CheckIn-Order. Each open directive says the name as we write it.
option "title" "绿水币 Green Water Coin"
option "operating_currency" "{COMMODITY}"
1970-01-01 commodity {COMMODITY}

"""
_WORDS = r"[a-z][a-z0-9-]*(_[a-z][a-z0-9-]*)*"
_RULE = re.compile(rf"{_WORDS}([.]{_WORDS})*")
_SEPARATORS = {ord("."): "-", ord("_"): None}


def beancount(bookings: Iterable[Booking], head: int) -> Iterator[str]:
    """The journal of a log up to position ``head``, in pieces."""
    yield HEADER.format(head=head)
    day, moved = date.min, dict[str, int]()  # What the accounts moved on this day have at its end.
    for booking in bookings:
        if booking.day != day:
            yield from _balances(day, moved)
            day, moved = booking.day, {}
        for name in booking.opened:
            yield f'{day} open {account(name)} {COMMODITY}\n  name: "{name}"\n'
        if booking.legs:
            yield _transaction(booking)
            moved.update((leg.account, leg.balance) for leg in booking.legs)
    yield from _balances(day, moved)


def account(name: str) -> str:
    """An account's name in beancount; different names stay different, and none holds another.

    Each part begins with a capital or a digit and has letters, digits and hyphens only.
    """
    first, _, rest = name.partition(":")
    if first == "Issued":
        parts = [_capitalized(rest)]
    else:
        parts = [part if part.isalpha() else part.upper() for part in rest.split(":") if part]
    return ":".join([ROOTS[first], first, *parts])


def _capitalized(rule: str) -> str:
    """A rule's name; as hexadecimal digits where it is not written as ours are."""
    if not _RULE.fullmatch(rule):
        return f"0x{rule.encode().hex()}"
    words = re.split(r"([._])", rule)
    return "".join(word[:1].upper() + word[1:] for word in words).translate(_SEPARATORS)


def _transaction(booking: Booking) -> str:
    sentence = booking.sentence.replace("\\", "\\\\").replace('"', '\\"')
    lines = [f'{booking.day} * "{sentence}"']
    lines += [f'  {name}: "{value}"' for name, value in booking.tags]
    for leg in booking.legs:
        lines.append(f"  {account(leg.account)}  {leg.amount} {COMMODITY}")
        lines.append(f"    balance: {leg.balance} {COMMODITY}")
    return "\n".join(lines) + "\n\n"


def _balances(day: date, moved: dict[str, int]) -> Iterator[str]:
    """What the accounts have at the end of a day, said of the start of the next one."""
    if not moved or day == date.max:  # Only a forged time is there, and no day comes behind it.
        return
    following = day + timedelta(days=1)
    for name, balance in moved.items():
        yield f"{following} balance {account(name)}  {balance} {COMMODITY}\n"
    yield "\n"
