"""Moments (历史时点) in a query: a day, a time, or a position of the log."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Annotated

import msgspec

from api.auth import services
from api.complaints import sentence
from ledger.days import SHANGHAI
from ledger.errors import FieldError, InvalidInput
from ledger.past import Moment

Time = Annotated[datetime, msgspec.Meta(tz=True)]
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# In a query "+" stands for a space, and few remember to write %2B.
LOST_PLUS = re.compile(r" (\d{2}:\d{2})$")


class Past(msgspec.Struct):
    """Which moment is asked for; now without either."""

    as_of: Annotated[Annotated[str, msgspec.Meta(max_length=40)] | None, msgspec.Meta(
        description="A day, meaning its end in Shanghai, or an RFC 3339 time with its offset"
    )] = None  # fmt: skip
    at_position: Annotated[Annotated[int, msgspec.Meta(ge=0, le=2**62)] | None, msgspec.Meta(
        description="A position of the log, instead of a time"
    )] = None  # fmt: skip

    def is_now(self) -> bool:
        """Whether no moment was named."""
        return self.as_of is None and self.at_position is None


def moment_of(query: Past, effective_on: date | None = None) -> Moment:
    """The moment that is meant; raises InvalidInput, BeforeHistory, AfterHistory."""
    here = services()
    if query.as_of is None:
        return here.ledger.moment(None, query.at_position, here.clock(), effective_on)
    if query.at_position is not None:
        raise InvalidInput([
            FieldError("at_position", "not_both", "as_of 与 at_position 只能选一个。",
                       "Choose as_of or at_position, not both.")
        ])  # fmt: skip
    try:
        as_of = time_of(query.as_of, "as_of")
        return here.ledger.moment(as_of, None, here.clock(), effective_on)
    except OverflowError:  # At the ends of the calendar another zone's day does not exist.
        raise _wrong("as_of", "out_of_range") from None


def time_of(text: str, path: str, day: time = time.max) -> datetime:
    """An RFC 3339 time, or a moment of a day in Shanghai; raises InvalidInput at ``path``."""
    try:
        if DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), day, SHANGHAI)
        return msgspec.convert(LOST_PLUS.sub(r"+\1", text), Time)
    except msgspec.ValidationError as error:
        raise _wrong(path, "no_offset" if "timezone" in str(error) else "malformed_time") from None
    except ValueError:
        raise _wrong(path, "malformed_time") from None


def _wrong(path: str, code: str) -> InvalidInput:
    zh, en = sentence(code, "")
    return InvalidInput([FieldError(path, code, zh, en)])
