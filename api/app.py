"""The web application: ``create_app`` puts the parts together."""

from __future__ import annotations

import logging
from pathlib import Path
from time import perf_counter
from typing import Any

import flask_swagger_ui
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, g, request, send_from_directory
from flask_smorest import Api

from api import auth, errors, limits, metrics, published, tails
from api.auth import public
from api.config import Settings
from api.openrosa.routes import routes as openrosa
from api.routes import ALL
from api.routing import with_types
from api.schemas import openapi_of
from api.services import Opening, Services

BODY_BYTES_MAX = 2 * 1024 * 1024
DIST = Path(flask_swagger_ui.__file__).parent / "dist"
ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js")
PAGE = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>绿水币 API</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="page"></div><script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script></html>"""
START = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", validatorUrl: null})'
HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
CLOSED = "default-src 'none'; frame-ancestors 'none'"
OPEN = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"
ABOUT = """
Every refusal is an `application/problem+json` with a `code` and sentences in Chinese and English,
but for what is no HTTP at all, or has too long a head: that is answered in HTML (400, 414, 417,
431, 501) before it gets here.

Phones with ODK Collect or KoboCollect log household visits at `/openrosa`, which speaks OpenRosa's
XML and so is not described here. On the phone the server's address is `https://…/openrosa`, the
user name any, the password the token of a grid worker. A form of it becomes the same visit as
`POST /v1/visits`; the addresses in its lists are those of the `Host` that was asked.
"""
CONFIG = {
    "API_TITLE": "绿水币 Green Water Coin",
    "API_VERSION": "1",
    "OPENAPI_VERSION": "3.1.0",
    "MAX_CONTENT_LENGTH": BODY_BYTES_MAX,
    "API_SPEC_OPTIONS": {
        "info": {"description": ABOUT},
        "security": [{"bearer": []}],
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    },
}

access_log = logging.getLogger("gwc.access")


def create_app(given: Settings | Services | None = None) -> Flask:
    """The app on these settings (else those of the environment) or on services already open.

    Nothing is connected yet: a worker opens its services with the first request that needs them,
    and an unreachable database is an answer, not a crash.
    """
    services = given if isinstance(given, Services) else None
    settings = services.settings if services else given or Settings.from_env()
    assert isinstance(settings, Settings)
    app = Flask("gwc", static_folder=None)
    app.config.from_mapping(CONFIG)
    app.extensions["gwc"] = Opening(settings, services)
    metrics.register(app)
    auth.register(app)
    limits.register(app, settings)
    tails.register(app, settings)
    published.register(app, app.extensions["gwc"])
    document = _routes(app)
    errors.register(app)
    _documentation(app, document)
    app.after_request(_finish)
    return app


def _routes(app: Flask) -> dict[str, Any]:
    """Register every route; the OpenAPI document of all of them."""
    plugin = MarshmallowPlugin()
    api = Api(app, spec_kwargs={"marshmallow_plugin": plugin})
    assert plugin.converter is not None
    plugin.converter.add_attribute_function(lambda _, field, **__: openapi_of(field))
    for routes in ALL:
        api.register_blueprint(routes)
    app.register_blueprint(openrosa)  # Its documents are OpenRosa's, not OpenAPI's.
    return with_types(api.spec.to_dict())


def _documentation(app: Flask, document: dict[str, Any]) -> None:
    """The OpenAPI document and a page to read it, all of it served from here."""

    @app.get("/openapi.json")
    @public
    def openapi() -> dict[str, Any]:
        return document

    @app.get("/docs")
    @public
    def docs() -> Response:
        return Response(PAGE, content_type="text/html; charset=utf-8")

    @app.get("/docs/start.js")
    @public
    def start() -> Response:
        return Response(START, content_type="text/javascript; charset=utf-8")

    for name in ASSETS:
        view = public(lambda name=name: send_from_directory(DIST, name, max_age=3600))
        app.add_url_rule(f"/docs/{name}", f"docs_{name.replace('.', '_')}", view)


def _finish(response: Response) -> Response:
    """Security headers, and the line in the log: nothing in it was written by the caller."""
    headers = response.headers
    headers.extend(HEADERS)
    headers["Content-Security-Policy"] = OPEN if request.path.startswith("/docs") else CLOSED
    headers.setdefault("Cache-Control", "no-store")
    if access_log.isEnabledFor(logging.INFO):
        rule = request.url_rule
        access_log.info("request", extra={"fields": {
            "method": request.method[:10],
            "route": rule.rule if rule else None,
            "status": response.status_code,
            "ms": round((perf_counter() - g.began) * 1000, 2),
        }})  # fmt: skip
    return response
