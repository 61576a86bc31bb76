"""What time and budgets bring while the service runs: holds end, coins expire, awards are paid."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.services import Services

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
    """One round; a duty that stumbles does not keep the others from being done."""
    from ledger.days import day_of

    ledger, now = opened.ledger, opened.clock()
    duties: tuple[Callable[[], Iterable[object]], ...] = (
        lambda: ledger.lapse_all(now),
        lambda: ledger.expire_all(day_of(now), now),
        lambda: [ledger.pay_waiting(now, limit=PAID_AT_ONCE_MAX)],
    )
    for duty in duties:
        try:
            for _ in duty():
                if stop.is_set():
                    return
        except Exception:  # noqa: BLE001 - the next round comes, whatever went wrong in this one
            _log.exception("a deadline could not be kept for now")
