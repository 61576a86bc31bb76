"""A witness (见证人) as a web server: the HTTP of c2sp.org/tlog-witness, and nothing of the city's.

It runs on another organisation's host, with a folder of its own and none of the settings. What it
logs is what a log showed it where that may be proof against the log: the checkpoint, as signed.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from time import time
from typing import Any

from flask import Flask, Response, request
from gunicorn.app.base import BaseApplication
from werkzeug.exceptions import HTTPException

from api.logs import CONFIG
from ledger.transparency.witness import TEXT, Witness

# A proof is under 3 kB; the rest is left to the checkpoint's signature lines.
BODY_BYTES_MAX = 128 * 1024
THREADS = 8
KEEPALIVE_SECONDS = 65

log = logging.getLogger("gwc.witness")


def create_witness(witness: Witness, now: Callable[[], float] = time) -> Flask:
    """The two addresses of a witness; the submission prefix is wherever this is mounted."""
    app = Flask("gwc-witness", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX

    @app.post("/add-checkpoint")
    def add_checkpoint() -> Response:
        body = request.get_data(cache=False)
        answer = witness.add_checkpoint(body, int(now()))
        if answer.contradicts:
            shown = body.partition(b"\n\n")[2].decode(errors="replace")
            log.warning("another history", extra={"fields": {"checkpoint": shown}})
        return Response(answer.body, answer.status, content_type=answer.content_type)

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", content_type=TEXT)

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        return Response(f"{error.name}\n", error.code, content_type=TEXT)

    @app.errorhandler(sqlite3.Error)
    def cannot_remember(error: sqlite3.Error) -> Response:
        """What is not on the disk is not cosigned."""
        log.error("the state cannot be written: %s", error)
        return Response("the state cannot be written\n", 503, content_type=TEXT)

    return app


class WitnessServer(BaseApplication):
    """gunicorn with one worker that opens the witness after the fork; ``run()`` until SIGTERM."""

    def __init__(self, bind: str, opened: Callable[[], Witness]) -> None:
        self._bind, self._opened = bind, opened
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": self._bind, "worker_class": "gthread", "threads": THREADS,
            "keepalive": KEEPALIVE_SECONDS, "control_socket_disable": True,
            "logconfig_dict": CONFIG,
        }  # fmt: skip
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return create_witness(self._opened())
