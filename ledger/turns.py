"""Turns: commands of one process about the same thing go one after the other.

The store decides who was first; taking turns only saves the losers from deciding in vain.
"""

from __future__ import annotations

from collections.abc import Hashable
from threading import Lock

STRIPES = 256


class Turns:
    """A lock for every key, shared by keys that happen to fall together."""

    def __init__(self) -> None:
        self._locks = tuple(Lock() for _ in range(STRIPES))

    def of(self, key: Hashable) -> Lock:
        return self._locks[hash(key) % STRIPES]
