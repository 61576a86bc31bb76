"""gunicorn's configuration: ``gunicorn -c python:api.server``.

Each worker opens its own services after the fork. There is no deadline for headers and bodies in
gunicorn, so a buffering proxy belongs in front of it where strangers can reach it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from typing import Any

from api.config import ConfigError, Settings
from api.logs import CONFIG

try:
    settings = Settings.from_env()
except ConfigError as error:
    sys.stderr.write(f"gwc: {error}\n")
    sys.exit(2)

wsgi_app = "api.app:create_app()"
bind = settings.bind
worker_class = "gthread"
workers = settings.workers
threads = settings.threads
preload_app = False
control_socket_disable = True
timeout = 60
graceful_timeout = 30
keepalive = 5
backlog = 512
limit_request_line = 8190  # Open311 asks with many ids in one query.
limit_request_fields = 50
limit_request_field_size = 4096
logconfig_dict = CONFIG
# Where the workers count. gunicorn puts it into their environment before they import anything.
# Not a TemporaryDirectory: each worker would delete it when it ends.
_numbers = tempfile.mkdtemp(prefix="gwc-metrics-")
raw_env = [f"PROMETHEUS_MULTIPROC_DIR={_numbers}"]


def post_worker_init(worker: Any) -> None:
    """Let answers that last end with the worker, not with the patience of its master."""
    worker.wsgi.extensions["gwc"].ending = lambda: not worker.alive


def child_exit(_: Any, worker: Any) -> None:
    """What a dead worker was doing at the moment counts no longer; what it did still does."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid, _numbers)


def worker_exit(_: Any, worker: Any) -> None:
    """Settle what is being written before the process ends."""
    app = getattr(worker, "wsgi", None)
    if app is not None:
        app.extensions["gwc"].close()


def on_exit(_: Any) -> None:
    """Leave nothing behind."""
    shutil.rmtree(_numbers, ignore_errors=True)
