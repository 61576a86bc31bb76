"""The journal (复式记账) as hledger and ledger both read it, an assertion behind every posting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledger.audit.bookings import COMMODITY, TAGS, Booking

# hledger 1.25 and ledger 3.3 know these directives; with -s and --pedantic they then refuse a name
# that was changed. No format of amounts: the one that hledger asks for, ledger refuses.
HEADER = f"""\
; 绿水币复式记账，至日志第 {{head}} 条 / Green Water Coin, the log up to position {{head}}
; 每条资金事实一笔交易，= 后为其后余额 / a transaction per money fact; = is the balance then

commodity {COMMODITY}
"""


def hledger(bookings: Iterable[Booking], head: int) -> Iterator[str]:
    """The journal of a log up to position ``head``, in pieces."""
    yield HEADER.format(head=head)
    for name in TAGS:
        yield f"tag {name}\n"
    yield "\n"
    for booking in bookings:
        for name in booking.opened:
            yield f"account {name}\n"
        if booking.legs:
            yield _transaction(booking)


def _transaction(booking: Booking) -> str:
    lines = [f"{booking.day} * ({booking.position}) {booking.sentence}"]
    lines += [f"    ; {name}: {value}" for name, value in booking.tags]
    lines += [
        f"    {leg.account}  {leg.amount} {COMMODITY} = {leg.balance} {COMMODITY}"
        for leg in booking.legs
    ]
    return "\n".join(lines) + "\n\n"
