"""The web application with one more route, which answers a constant: what any answer costs."""

from __future__ import annotations

from typing import Any

from api.app import create_app as create_production_app
from api.auth import public
from api.routing import answer

PATH = "/bench/constant"
CONTENT = {"available": 42, "held": 0}


def create_app() -> Any:
    """The app as it is served, and PATH."""
    app = create_production_app()
    app.add_url_rule(PATH, "bench_constant", public(lambda: answer(CONTENT)))
    return app
