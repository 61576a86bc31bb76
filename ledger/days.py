"""Days and months of the city: those of Asia/Shanghai, whatever zone the server is in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from ledger.errors import FieldError

# China has kept UTC+8 without summer time since 1991, so no zone database is needed.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


# How late a contribution may be sent in at most, and how far a clock may run ahead.
LATE_DAYS_MAX = 30
FUTURE_ALLOWED = timedelta(minutes=5)


def day_of(moment: datetime) -> date:
    """The calendar day in Shanghai at an aware ``moment``."""
    return moment.astimezone(SHANGHAI).date()


def month_of(day: date) -> str:
    """The month a day is in, as in 2026-11."""
    return f"{day:%Y-%m}"


def corrected(claimed: datetime, sent: datetime | None, received: datetime) -> datetime:
    """The device's ``claimed`` time with its clock's skew (received - sent) taken out.

    A clock further off than contributions may be late is not believed in either direction.
    """
    if sent is None or abs(received - sent) > timedelta(days=LATE_DAYS_MAX):
        return claimed
    try:
        return claimed + (received - sent)
    except OverflowError:  # at the ends of the calendar
        return claimed


def clamped(moment: datetime, received: datetime, late_days: int) -> datetime:
    """The moment a contribution counts from: within the ``late_days`` before it was received."""
    return min(max(moment, received - timedelta(days=late_days)), received)


def reward_day(moment: datetime, received: datetime, late_days: int) -> date:
    """The day a contribution counts for."""
    return day_of(clamped(moment, received, late_days))


def backwards(first: date | None, last: date | None) -> list[FieldError]:
    """What is wrong with days from ``first`` to ``last``, sent in as starts_on and ends_on."""
    if first is None or last is None or first <= last:
        return []
    return [FieldError("ends_on", "out_of_range", "结束日期早于开始日期。",
                       "It ends before it starts.")]  # fmt: skip


def end_of_following_year(day: date) -> date:
    """Coins last until the end of the next calendar year (常州水滴卡 rule)."""
    return date(day.year + 1, 12, 31)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 UTC, exactly (a float timestamp would round)."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def from_microseconds(value: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)
