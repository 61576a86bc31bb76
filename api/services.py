"""The composition root (装配): the ledger, the views and the clock of one process.

The web, the commands and the tests all open their services here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

import msgspec

from api.config import Settings
from ledger.application import Ledger
from projections.reading import Views, open_views

Clock = Callable[[], datetime]


def the_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class Services(msgspec.Struct, frozen=True):
    """What a process works with; safe to share between its threads."""

    settings: Settings
    ledger: Ledger
    views: Views
    clock: Clock = the_clock

    def close(self) -> None:
        """Settle what is being written, then let go of every connection."""
        self.ledger.close()
        self.views.close()

    def pings(self) -> int:
        """The head of the log, asked of the database itself; raises what the store raises."""
        return self.ledger.head()


def open_services(
    settings: Settings, clock: Clock = the_clock, *, publish: bool = True
) -> Services:
    """Open everything, never before a fork; ``publish`` the default policy where none was."""
    ledger = Ledger(settings.ledger_env(), settings.vault_key, settings.secret_key)
    try:
        if publish:
            ledger.vault.check_key()
            ledger.ensure_policy(clock())
    except BaseException:
        ledger.close()
        raise
    return Services(settings, ledger, open_views(settings.database_url, settings.redis_url), clock)


class Opening:
    """The services of a worker, opened on first use, and tried again after a failure."""

    def __init__(self, settings: Settings, services: Services | None = None) -> None:
        self.settings = settings
        self._services = services
        self._lock = Lock()

    def services(self) -> Services:
        """The services; raises what opening them raised, and tries afresh the next time."""
        if self._services is None:
            with self._lock:
                if self._services is None:
                    self._services = open_services(self.settings)
        return self._services

    def close(self) -> None:
        """Close what was opened; the next use would open it again."""
        with self._lock:
            services, self._services = self._services, None
        if services is not None:
            services.close()
