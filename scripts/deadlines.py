"""What time and budgets bring while the service runs: holds end, coins expire, awards are paid."""

from __future__ import annotations

import logging
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.services import Services

EVERY_SECONDS = 600.0

_log = logging.getLogger(__name__)


def keep_deadlines(opened: Services, stop: Event, every: float = EVERY_SECONDS) -> None:
    """What ``gwc expire`` does, now and then, and awards that waited for a budget with room again.

    Two that run at once write nothing twice.
    """
    from ledger.days import day_of

    while not stop.is_set():
        now = opened.clock()
        try:
            for _ in opened.ledger.lapse_all(now):
                pass
            for _ in opened.ledger.expire_all(day_of(now), now):
                pass
            opened.ledger.pay_waiting(now)
        except Exception:  # noqa: BLE001 - the next round comes, whatever went wrong in this one
            _log.exception("the deadlines could not be kept for now")
        stop.wait(every)
