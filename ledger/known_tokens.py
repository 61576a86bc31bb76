"""Bearers of tokens who were looked up before, so that not every request asks the log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Lock
from uuid import UUID

from ledger.participants import Actor

LOOKED_AT_SECONDS_MAX = 0.02
KNOWN_TOKENS_MAX = 50_000
NEVER = -1


class KnownTokens:
    """Bearers found before, good as of a log that was looked at in the last 20 ms.

    The lock and ``seen`` keep a look-up that began before a revocation from outliving it.
    """

    def __init__(self, revoked_behind: Callable[[int], tuple[set[UUID] | None, int]]) -> None:
        self._revoked_behind = revoked_behind
        self._actors: dict[str, Actor] = {}
        self._digests: dict[UUID, str] = {}
        self._lock = Lock()
        self._looked_at = -math.inf
        self.seen = NEVER

    def get(self, digest: str) -> Actor | None:
        """Who bears the token with this SHA-256, if that is known."""
        if time.monotonic() - self._looked_at > LOOKED_AT_SECONDS_MAX:
            with self._lock:
                self._look()
        return self._actors.get(digest)

    def put(self, token: UUID, digest: str, actor: Actor, seen: int) -> None:
        """Remember a bearer who was looked up when the log had been ``seen`` so far."""
        with self._lock:
            if seen == self.seen:
                if len(self._actors) >= KNOWN_TOKENS_MAX:
                    self._actors.clear()
                    self._digests.clear()
                self._actors[digest], self._digests[token] = actor, digest

    def look_again(self) -> None:
        """Believe nothing until the log was looked at again: a token was just revoked here."""
        self._looked_at = -math.inf

    def _look(self) -> None:
        began = time.monotonic()
        if began - self._looked_at > LOOKED_AT_SECONDS_MAX:  # nobody else did meanwhile
            revoked, self.seen = self._revoked_behind(self.seen)
            if revoked is None:
                self._actors.clear()
                self._digests.clear()
            elif revoked:
                self._forget(revoked)
            self._looked_at = began

    def _forget(self, revoked: set[UUID]) -> None:
        """Forget these tokens, and every token of these participants."""
        gone = [
            token
            for token, digest in self._digests.items()
            if token in revoked or self._actors[digest].participant_id in revoked
        ]
        for token in gone:
            del self._actors[self._digests.pop(token)]
