"""Journals of made-up facts and of whole logs, for the tests of what others read in them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from uuid import UUID

from ledger.audit.bookings import Bookings
from ledger.audit.journal_beancount import beancount
from ledger.audit.journal_text import hledger
from ledger.balances import MONEY
from ledger.coins import AwardRefused, CoinsAwarded
from ledger.days import microseconds
from ledger.facts import encode
from ledger.store.mapper import RecordedFact

WRITERS = {"hledger": hledger, "beancount": beancount}
NOW = datetime(2026, 5, 1, tzinfo=UTC)
ANN, BEN = UUID(int=0xA), UUID("bbbbbbbb-0000-4000-8000-000000000000")


def journal_of(rows, form="hledger", head=0) -> str:
    return "".join(WRITERS[form](Bookings().of(rows), head))


def money(ledger) -> list[RecordedFact]:
    return ledger.rows(0, 10_000, MONEY)


def row(position, fact, moment=NOW) -> RecordedFact:
    return RecordedFact(
        id=position, originator_id=UUID(int=1), originator_version=1, topic=fact.topic,
        state=encode(fact), recorded_at=microseconds(moment), leaf_hash=b"",
    )  # fmt: skip


def awarded(person=ANN, amount=5, rule="patrol.length", version="2026-01") -> CoinsAwarded:
    return CoinsAwarded(
        participant_id=person, amount=amount, cause=UUID(int=9), kind="patrol", rule=rule,
        policy_version=version, earned_on=NOW.date(), expires_on=date(2027, 12, 31),
        role="citizen", districts=(),
    )  # fmt: skip


def refused(person) -> AwardRefused:
    return AwardRefused(
        participant_id=person, cause=UUID(int=9), kind="patrol", rule="r", policy_version="1",
        earned_on=NOW.date(), reasons=("too_short",),
    )  # fmt: skip


def lines_with(text: str, pattern: str) -> list[int]:
    return [n for n, line in enumerate(text.splitlines(), 1) if re.search(pattern, line)]
