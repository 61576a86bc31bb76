"""Who is asking, and whether they may: deny by default.

Every endpoint declares that it is public, the name of a right (``ledger.access`` says who has
it), or the roles that a way to take part declares. One that declares nothing is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from api.errors import Unauthenticated
from api.services import Opening, Services
from ledger import access
from ledger.errors import Forbidden
from ledger.participants import Actor

TOKEN_LENGTH_MAX = 256
PUBLIC = "public"

Right = str | frozenset[str]
View = TypeVar("View", bound=Callable[..., Any])


def needs(right: Right) -> Callable[[View], View]:
    """Declare the right an endpoint needs: its name, or the set of roles that have it."""

    def declare(view: View) -> View:
        view.right = right  # type: ignore[attr-defined]
        return view

    return declare


public = needs(PUBLIC)


def accepts_basic(view: View) -> View:
    """Let a token come as the password of HTTP Basic as well: some phones know nothing else."""
    view.basic = True  # type: ignore[attr-defined]
    return view


def services() -> Services:
    """The services of this worker."""
    opening: Opening = current_app.extensions["gwc"]
    return opening.services()


def actor() -> Actor:
    """Who sent this request."""
    who: Actor = g.actor
    return who


def standing() -> Callable[[], bool]:
    """Asks, after this request was begun, whether its bearer still is who it was; raises what the
    store raises.
    """
    ledger, token, who = services().ledger, _token(basic=False), actor()
    return lambda: ledger.authenticate(token) == who


def register(app: Flask) -> None:
    """Ask every request for its right before anything else is looked at."""
    app.before_request(_guard)


def _guard() -> None:
    if request.endpoint is None:
        return  # There is no such address; routing itself answers 404 or 405.
    view = current_app.view_functions[request.endpoint]
    right: Right | None = getattr(view, "right", None)
    if right == PUBLIC:
        return
    g.actor = who = _authenticated(basic=getattr(view, "basic", False))
    if right is None or not _has(who, right):
        raise Forbidden


def _has(who: Actor, right: Right) -> bool:
    return access.allowed(who, right) if isinstance(right, str) else who.role in right


def _authenticated(*, basic: bool) -> Actor:
    """The bearer of the token; one revoked more than 20 ms ago is nobody's, in any worker."""
    token = _token(basic=basic)
    if not token.isascii() or not 0 < len(token) <= TOKEN_LENGTH_MAX:
        raise Unauthenticated
    who = services().ledger.authenticate(token)
    if who is None:
        raise Unauthenticated
    return who


def _token(*, basic: bool) -> str:
    """The token that was sent, empty for none; the user name beside a password says nothing."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token
    given = request.authorization
    return (given.password or "") if basic and given and given.type == "basic" else ""
