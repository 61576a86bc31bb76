"""Races (竞争) made certain: something happens right at the wrong moment."""

from __future__ import annotations

from collections.abc import Callable


def once(ledger, name: str, meanwhile: Callable[[], object], monkeypatch) -> None:
    """Let something happen right before a method of the ledger's is called the first time."""
    real, done = getattr(ledger, name), []

    def late(*given, **named):
        if not done:
            done.append(True)
            meanwhile()
        return real(*given, **named)

    monkeypatch.setattr(ledger, name, late)
