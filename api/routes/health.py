"""Health: is the process alive, can it do its work, and its numbers for Prometheus."""

from __future__ import annotations

from typing import Any

from eventsourcing.persistence import PersistenceError
from flask import Response, current_app

from api import metrics
from api.auth import PUBLIC, services
from api.published import published
from api.routing import Routes, answer
from projections import BY_NAME
from projections.store import StoreDown

LAG_MAX = 10_000

routes = Routes("health", __name__, description="For operators")


@routes.on("GET", "/healthz", PUBLIC, answers=dict[str, Any],
           summary="The process answers")  # fmt: skip
def get_health() -> Response:
    """The process is alive; nothing else is asked."""
    return answer({"status": "ok"})


@routes.on("GET", "/readyz", PUBLIC, answers=dict[str, Any], status=(200, 503),
           summary="The service can work")  # fmt: skip
def get_readiness() -> Response:
    """The store answers and the views follow the log; Redis is a help, never a condition, and
    neither is the notary: `notary` tells how far the log is signed.
    """
    reasons: list[str] = []
    checks: dict[str, Any] = {"store": "ok", "views": "ok", "redis": "not used"}
    try:
        here = services()
        head = here.pings()
        lag = max(head - here.views.position(view) for view in BY_NAME)
        checks["lag"] = lag
        signed = published().signed()
        checks["notary"] = {"signed": signed, "lag": max(head - signed, 0)}
        if here.settings.redis_url:
            down = any(one["store"] == "redis" and one["state"] == "down"
                       for one in here.views.status(head))  # fmt: skip
            checks["redis"] = "unreachable" if down else "ok"
        if lag > LAG_MAX:
            checks["views"] = "behind"
            reasons.append("views_behind")
    except (PersistenceError, StoreDown, OSError):
        checks["store"] = "unreachable"
        reasons.append("database_unavailable")
    return answer({"status": "ready" if not reasons else "not ready", "reasons": reasons,
                   "checks": checks}, 503 if reasons else 200)  # fmt: skip


@routes.on("GET", "/metrics", PUBLIC, answers=str, media=("text/plain",),
           summary="Numbers for Prometheus")  # fmt: skip
def get_metrics() -> Response:
    """Counters of all workers together."""
    opening = current_app.extensions["gwc"]
    return Response(metrics.exposition(opening, published()), content_type=metrics.CONTENT_TYPE)
