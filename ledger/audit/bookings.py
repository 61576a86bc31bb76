"""Bookings (分录): each money fact of the log as a transaction, with the balances it leaves.

What ``ledger/journal.py`` posts is told here in the order of the log, for programs that are not
ours. Memory grows with the accounts, not with the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime

import msgspec

from ledger import facts
from ledger.coins import AwardRefused
from ledger.days import day_of, from_microseconds
from ledger.errors import CorruptFact, LogCorrupt
from ledger.facts import Fact, Text
from ledger.journal import Posting, postings
from ledger.store.mapper import RecordedFact

COMMODITY = "GWC"
# The fields of money facts that say why coins moved; they are tags under the names they have there.
CAUSES = (
    "cause", "redemption_id", "reversal_id", "donation_id", "to", "giver", "rule",
    "policy_version", "as_of", "reason",
)  # fmt: skip
TAGS = ("position", "recorded_at", *CAUSES)
_WORD = re.compile(r"[\w.-]+(:[\w.-]+)*")


class Leg(msgspec.Struct, frozen=True):
    """So many coins into an account, and what it has then."""

    account: str
    amount: int
    balance: int


class Booking(msgspec.Struct, frozen=True):
    """One money fact; ``opened`` are the accounts that nobody booked before.

    One without ``legs`` moves no coins: an award was refused.
    """

    position: int
    day: date
    sentence: str
    tags: tuple[tuple[str, str], ...]
    opened: tuple[str, ...]
    legs: tuple[Leg, ...]


class Bookings:
    """The bookings of a log, and the balance of every account as far as they were told."""

    def __init__(self) -> None:
        self.balances: dict[str, int] = {}
        self.day = date.min

    def of(self, rows: Iterable[RecordedFact]) -> Iterator[Booking]:
        """One for each row; ``rows`` are those of the money facts, in the order of the log.

        Raises CorruptFact, with the position, for one that cannot be read.
        """
        for row in rows:
            try:
                fact = facts.decode(row.topic, row.state)
                moment = from_microseconds(row.recorded_at)
                booking = self._book(row.position, fact, moment)
            except (LogCorrupt, OverflowError) as error:
                problem = f"position {row.position}: {error}"
                raise CorruptFact(topic=row.topic, problem=problem) from error
            yield booking

    def _book(self, position: int, fact: Fact, moment: datetime) -> Booking:
        # Others check balances by date: a day never comes before that of an earlier entry, even
        # where the clock of a server was behind. ``recorded_at`` is what that clock said.
        self.day = max(self.day, day_of(moment))
        opened = tuple(name for name in _accounts(fact) if name not in self.balances)
        for name in opened:
            self.balances[name] = 0
        return Booking(
            position=position,
            day=self.day,
            sentence=one_line(fact.sentence()),
            tags=_tags(position, fact, moment),
            opened=opened,
            legs=tuple(map(self._leg, postings(fact))),
        )

    def _leg(self, posting: Posting) -> Leg:
        account = _plain(posting.account)
        self.balances[account] += posting.amount
        return Leg(account, posting.amount, self.balances[account])


def one_line(text: Text) -> str:
    """Both languages on one line, whatever somebody may have put into the log."""
    line = f"{text.zh} / {text.en}".replace(";", "；")
    if line.isprintable():
        return line
    return "".join(one if one.isprintable() else " " for one in line)


def _accounts(fact: Fact) -> tuple[str, ...]:
    """The accounts a fact books to; of a refusal the one that it left as it was."""
    if isinstance(fact, AwardRefused):
        return (f"Wallet:{fact.participant_id}:Available",)
    return tuple(_plain(posting.account) for posting in postings(fact))


def _plain(account: str) -> str:
    """The account, with a name in it that no journal could hold as hexadecimal digits."""
    first, colon, rest = account.partition(":")
    return f"{first}:{_word(rest)}" if colon else first


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) else f"0x{text.encode().hex()}"


def _tags(position: int, fact: Fact, moment: datetime) -> tuple[tuple[str, str], ...]:
    recorded_at = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    given = ((name, getattr(fact, name, None)) for name in CAUSES)
    causes = ((name, _word(str(value))) for name, value in given if value is not None)
    return ("position", str(position)), ("recorded_at", recorded_at), *causes
