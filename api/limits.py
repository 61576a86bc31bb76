"""How often one token may ask: counted in Redis where there is one, else in each worker.

A dead Redis fails no request: the worker counts by itself until it is back.
"""

from __future__ import annotations

from hashlib import sha256
from time import time

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter

from api.auth import PUBLIC
from api.config import Settings

TIMEOUT_SECONDS = 0.3


def register(app: Flask, settings: Settings) -> None:
    """Limit the requests of each token over all addresses but the public ones."""
    if settings.rate_limit == "off":
        return
    options: dict[str, object] = {}
    if settings.redis_url:
        # Without a retry of its own: redis-py's default would wait seconds for a dead server.
        options = {
            "socket_connect_timeout": TIMEOUT_SECONDS,
            "socket_timeout": TIMEOUT_SECONDS,
            "retry": None,
        }
    limiter = Limiter(
        _token,
        application_limits=[settings.rate_limit],
        application_limits_exempt_when=_is_public,
        storage_uri=_storage(settings.redis_url),
        storage_options=options,  # type: ignore[arg-type]
        in_memory_fallback_enabled=True,
        swallow_errors=True,
        key_prefix="gwc",
    )
    limiter.init_app(app)

    @app.after_request
    def retry_after(response: Response) -> Response:
        """Say when the window ends; asked of the storage only for a refusal."""
        if response.status_code == 429 and (limit := limiter.current_limit):
            response.headers["Retry-After"] = str(max(int(limit.reset_at - time()), 0) + 1)
        return response


def _storage(redis_url: str | None) -> str:
    if redis_url is None:
        return "memory://"
    return f"redis+{redis_url}" if redis_url.startswith("unix://") else redis_url


def _token() -> str:
    """The caller's token as a hash: neighbours behind one address do not share a limit.

    Beside a password stands a user name that may be anything, so it must not make a limit anew.
    """
    given = request.authorization
    basic = given is not None and given.type == "basic"
    sent = given.password if given and basic else request.headers.get("Authorization")
    return sha256((sent or "").encode()).hexdigest()


def _is_public() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return view is None or getattr(view, "right", None) == PUBLIC
