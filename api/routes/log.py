"""The published log (公开日志): static files for auditors and witnesses, no token, no database."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flask import Response, request

from api.auth import PUBLIC
from api.published import published_log
from api.routing import Routes
from ledger.errors import NotFound
from ledger.transparency.tiles import (
    HEIGHT,
    TRUST_POLICY,
    WIDTH,
    LogFolder,
    parse_tile_path,
)

TEXT, BYTES = "text/plain; charset=utf-8", "application/octet-stream"
FRESH, FOR_GOOD = "public, max-age=2", "public, max-age=31536000, immutable"

routes = Routes("log", __name__, description="The published log, for everybody")


@routes.on("GET", "/log/checkpoint", PUBLIC, answers=str, media=("text/plain",),
           summary="The signed head of the log")  # fmt: skip
def get_checkpoint() -> Response:
    """A signed note as c2sp.org/tlog-checkpoint: which log, how many entries, their Merkle root.

    `nothing_published` (404) before the first.
    """
    _, content, _ = published_log()
    return _sent(content, TEXT, FRESH)


@routes.on("GET", "/log/tile/<path:name>", PUBLIC, answers=Any, media=(BYTES,),
           summary="Hashes or entries of the log")  # fmt: skip
def get_tile(name: str) -> Response:
    """A tile as c2sp.org/tlog-tiles: `<level>/<n>` holds 256 hashes, `entries/<n>` 256 entries.

    The last of each is `<n>.p/<width>`; it may be gone once the whole one is there. What the
    published checkpoint does not cover is not there. None of it ever changes.
    """
    folder, _, size = published_log()
    if not _covered(f"tile/{name}", size):
        raise NotFound
    return _sent(_content(folder, f"tile/{name}"), BYTES, FOR_GOOD)


@routes.on("GET", "/log/trust-policy", PUBLIC, answers=str, media=("text/plain",),
           summary="Whose signatures the log asks for")  # fmt: skip
def get_trust_policy() -> Response:
    """The key of the log and its witnesses as c2sp.org/tlog-policy, as this service has them.

    Compare it with a copy from elsewhere: who forges a log also forges this.
    """
    folder, _, _ = published_log()
    return _sent(_content(folder, TRUST_POLICY), TEXT, FRESH)


def _covered(path: str, size: int) -> bool:
    """Whether a log of this size has the tile; nothing else is a path of it."""
    found = parse_tile_path(path)
    if found is None:
        return False
    level, n, width = found
    return n * WIDTH + width <= size >> (0 if isinstance(level, str) else HEIGHT * level)


def _content(folder: LogFolder, name: str) -> bytes:
    try:
        return (folder.path / name).read_bytes()
    except FileNotFoundError:
        raise NotFound from None


def _sent(content: bytes, kind: str, caching: str) -> Response:
    """The content, or 304 for whoever has it already."""
    response = Response(content, content_type=kind)
    response.headers["Cache-Control"] = caching
    response.set_etag(sha256(content).hexdigest()[:32])
    response.make_conditional(request)
    return response
