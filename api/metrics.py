"""Numbers for Prometheus, of all workers together.

Each worker writes its counters into a file of the folder PROMETHEUS_MULTIPROC_DIR, which
``server.py`` makes; /metrics adds the files up, those of workers long gone included.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING

from eventsourcing.persistence import PersistenceError
from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.values import MutexValue, ValueClass

from ledger.days import from_microseconds
from projections import BY_NAME
from projections.store import StoreDown, ViewNotReady

if TYPE_CHECKING:
    from api.published import Published
    from api.services import Opening, Services

CONTENT_TYPE = CONTENT_TYPE_LATEST
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

REQUESTS = Counter("gwc_requests", "Requests answered", ("method", "route", "status"))
SECONDS = Histogram("gwc_request_seconds", "Time to answer", ("route",), buckets=BUCKETS)
AWARDED = Counter("gwc_coins_awarded", "Coins awarded by this service", ("kind",))
AWARDS = Counter("gwc_awards", "Contributions that earned coins", ("kind",))
REFUSALS = Counter("gwc_refusals", "Reasons given for less coins or none", ("kind", "reason"))
IN_FLIGHT = Gauge("gwc_requests_in_flight", "Requests being answered", multiprocess_mode="livesum")


def register(app: Flask) -> None:
    """Count and time every request of the app."""
    app.before_request(_begin)
    app.after_request(_count)
    app.teardown_request(_end)


def decided(kind: str, coins: int, reasons: Iterable[str]) -> None:
    """Count what a decision came to."""
    if coins:
        AWARDS.labels(kind).inc()
        AWARDED.labels(kind).inc(coins)
    for reason in reasons:
        REFUSALS.labels(kind, reason).inc()


def _begin() -> None:
    g.began = perf_counter()
    IN_FLIGHT.inc()


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "(none)"
    REQUESTS.labels(request.method, route, response.status_code).inc()
    SECONDS.labels(route).observe(perf_counter() - g.began)
    return response


def _end(_: BaseException | None) -> None:
    if "began" in g:
        IN_FLIGHT.dec()


class StateOfTheLog(Collector):
    """Where the log and the views stand, asked when it is asked for."""

    def __init__(self, opening: Opening, published: Published) -> None:
        self._opening, self._published = opening, published

    def collect(self) -> Iterable[Metric]:
        """How far the log is signed, its head, and how far each view is behind it; of the latter
        nothing where the database does not answer.
        """
        signed = self._published.signed()
        yield GaugeMetricFamily(
            "gwc_log_signed_position", "Last position of the log that is signed and published",
            value=signed,
        )  # fmt: skip
        try:
            here = self._opening.services()
            head = here.pings()
            lags = {view: max(head - here.views.position(view), 0) for view in BY_NAME}
            waiting = unsigned_seconds(here, signed)
        except (PersistenceError, StoreDown, OSError):
            yield GaugeMetricFamily("gwc_database_up", "Whether the database answers", value=0)
            return
        yield GaugeMetricFamily("gwc_database_up", "Whether the database answers", value=1)
        yield GaugeMetricFamily("gwc_log_position", "Last position of the log", value=head)
        family = GaugeMetricFamily("gwc_view_lag", "Positions a view is behind", labels=["view"])
        for view, lag in lags.items():
            family.add_metric([view], lag)
        yield family
        yield GaugeMetricFamily(
            "gwc_log_unsigned_seconds", "For how long the oldest entry that is not signed waits",
            value=waiting,
        )  # fmt: skip
        yield from _books(here)


def unsigned_seconds(here: Services, signed: int) -> float:
    """For how long the oldest entry behind ``signed`` has waited; 0 where there is none."""
    rows = here.ledger.rows(signed, 1)
    moment = from_microseconds(rows[0].recorded_at) if rows else None
    return 0.0 if moment is None else max((here.clock() - moment).total_seconds(), 0.0)


def _books(here: Services) -> Iterable[Metric]:
    """The trial balance; nothing while its view is built for the first time."""
    try:
        books = here.views.trial_balance()
    except (ViewNotReady, StoreDown):
        return
    yield GaugeMetricFamily(
        "gwc_trial_balance_imbalance", "Coins by which the books do not balance",
        value=books["imbalance"],
    )  # fmt: skip
    family = GaugeMetricFamily("gwc_coins", "Coins in a line of the books", labels=["line"])
    for line, coins in books["lines"].items():
        family.add_metric([line], coins)
    yield family


def exposition(opening: Opening, published: Published) -> bytes:
    """All numbers in the text format of Prometheus."""
    registry = CollectorRegistry()
    if ValueClass is MutexValue:  # One process, so its own registry has everything.
        own = REGISTRY
    else:
        own = CollectorRegistry()
        MultiProcessCollector(own)
    registry.register(StateOfTheLog(opening, published))
    return generate_latest(own) + generate_latest(registry)
