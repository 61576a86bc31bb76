"""A phone's clock (手机时钟): when something happened, by ours.

Claimed, sent and received are three times. The skew, received − sent, is taken out of what was
claimed; a clock too far off to be believed must be set first.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ledger.contributions.base import Context, Times
from ledger.days import FUTURE_ALLOWED, LATE_DAYS_MAX, corrected
from ledger.errors import FieldError, FutureTime, InvalidInput

# At the very beginning of the calendar a moment has no day in Shanghai.
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class ClockOff(InvalidInput):
    code = "clock_off"
    zh = "手机时钟与标准时间相差超过 30 天；请校准时钟，更正时间后重新提交。"
    en = "The phone's clock is more than 30 days off; set it, correct the time, and send it again."


class RecordedAhead(FutureTime):
    zh = "记录时间晚于现在：当时手机时钟走快。请更正这一时间，或等到该时间之后再提交。"
    en = (
        "It was recorded by a clock that ran ahead, at a time still to come; correct that time, or "
        "send it again once it has come."
    )


def happened(own: Times, context: Context) -> tuple[Times, datetime]:
    """The phone's times, and the moment by our clock.

    When it was recorded the body knows best, when it was sent the parcel: a body that was first
    tried days ago still tells of that try. Raises ClockOff, and FutureTime for what would lie more
    than 5 minutes ahead.
    """
    times = Times(
        own.recorded_at or context.times.recorded_at, context.times.sent_at or own.sent_at
    )
    now, sent = context.now, times.sent_at
    if sent is not None and abs(now - sent) > timedelta(days=LATE_DAYS_MAX):
        raise ClockOff([FieldError("sent_at", ClockOff.code, ClockOff.zh, ClockOff.en)])
    moment = corrected(times.recorded_at, sent, now) if times.recorded_at else now
    if moment > now + FUTURE_ALLOWED:
        # A clock that is right by now need not be set again.
        right = sent is not None and abs(now - sent) <= FUTURE_ALLOWED
        words = RecordedAhead if right else FutureTime
        raise words([FieldError("recorded_at", words.code, words.zh, words.en)])
    return times, max(moment, LONG_AGO)
