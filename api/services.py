"""The composition root (装配): the ledger, the views and the clock of one process.

The web, the commands and the tests all open their services here and nowhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from threading import Lock

import msgspec
from eventsourcing.persistence import PersistenceError

from api.config import ConfigError, Settings
from ledger.application import Ledger
from ledger.erasure.published import PublishedUnreadable, unheld
from ledger.transparency.notes import VerifierKey
from ledger.transparency.signing import KeyUnreadable, Signer
from ledger.transparency.tiles import LogFolder
from ledger.transparency.trust import PolicyInvalid, TrustPolicy
from projections.reading import Views, open_views

Clock = Callable[[], datetime]

_log = logging.getLogger("gwc.erasure")


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

    def published_log(self) -> LogFolder | None:
        """The folder of the published log; None before a notary began it."""
        head = self.ledger.store.select_log_head()
        return LogFolder(self.settings.log_dir / head.log_id) if head else None

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
            _forget_again(ledger, settings, clock())
            ledger.ensure_policy(clock())
    except BaseException:
        ledger.close()
        raise
    return Services(settings, ledger, open_views(settings.database_url, settings.redis_url), clock)


def _forget_again(ledger: Ledger, settings: Settings, now: datetime) -> None:
    """Before anything is served: what was erased and a restored backup brought back goes again.

    An erasure that was begun is gone on with; where that fails, housekeeping tries it again.
    """
    logs = [LogFolder(one) for one in sorted(settings.log_dir.glob("*")) if one.is_dir()]
    if again := ledger.forget_again(unheld(ledger, logs, partial(_log_keys, settings))):
        _log.warning("restored data of %d erased subjects was erased again", len(again))
    try:
        for _ in ledger.resume_erasures(now):
            pass
    except PersistenceError as problem:
        _log.warning("an erasure waits to be gone on with: %s", type(problem).__name__)


def _log_keys(settings: Settings, origin: str) -> list[VerifierKey]:
    """Whose checkpoints of the published log are believed; raises PublishedUnreadable."""
    try:
        policy, pem = settings.trust_policy, settings.log_key
        keys = [one.key for one in TrustPolicy.parse(policy.read_bytes()).logs] if policy else []
        return [*keys, Signer(origin, pem).verifier] if pem else keys
    except (ConfigError, KeyUnreadable, OSError, PolicyInvalid) as error:
        raise PublishedUnreadable(problem=str(error)) from None


class Opening:
    """The services of a worker, opened on first use, and tried again after a failure."""

    def __init__(self, settings: Settings, services: Services | None = None) -> None:
        self.settings = settings
        self.ending: Callable[[], bool] = lambda: False
        """Whether this worker is about to end, so that long answers should."""
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
