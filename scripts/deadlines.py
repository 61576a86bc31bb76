"""What time and budgets bring while the service runs: holds end, coins expire, awards are paid.

Erasures that were stopped half-way, or whose legal hold was lifted, are gone on with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from api.services import Services
    from ledger.application import Ledger

EVERY_SECONDS = 600.0
PAID_AT_ONCE_MAX = 1_000

_log = logging.getLogger(__name__)


def keep_deadlines(
    opened: Services, leads: Callable[[], bool], stop: Event, every: float = EVERY_SECONDS
) -> None:
    """What ``gwc expire`` does, now and then, and awards that waited for a budget with room again.

    One that ``leads`` does it; even two at once would write nothing twice.
    """
    while not stop.is_set():
        if leads():
            keep_once(opened, stop)
            stop.wait(every)
        else:
            stop.wait(min(every, 1.0))


def keep_once(opened: Services, stop: Event) -> None:
    """One round, each duty at its own moment; one that stumbles keeps no other from being done."""
    from ledger.days import day_of

    ledger, clock = opened.ledger, opened.clock
    today = day_of(clock())
    duties: list[Callable[[datetime], object]] = [
        *(partial(ledger.lapse, one) for one in ledger.overdue(today)),
        *(partial(_expire, ledger, one) for one in ledger.due_to_expire(today)),
        lambda now: ledger.pay_waiting(now, limit=PAID_AT_ONCE_MAX),
        *(partial(ledger.run_erasure, one) for one in ledger.erasures_due()),
    ]
    for duty in duties:
        if stop.is_set():
            return
        try:
            duty(clock())
        except Exception:  # noqa: BLE001 - the next round comes, whatever went wrong in this one
            _log.exception("a deadline could not be kept for now")


def _expire(ledger: Ledger, person: UUID, now: datetime) -> None:
    from ledger.days import day_of

    while ledger.expire(person, day_of(now), now):
        pass
