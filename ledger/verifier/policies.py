"""The policies of a bundle (奖励政策): the files are what was published, and all of it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger.audit.findings import Finding, found
from ledger.facts import Entry
from ledger.policy import POLICY_BYTES_MAX, PolicyPublished
from ledger.verifier.folder import POLICIES, Folder, Unfit


class Policies:
    """Compares the files with the facts."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._position = 0
        self._published: set[str] = set()

    def check(self, entry: Entry) -> Iterator[Finding]:
        """A published policy is in its file, byte by byte."""
        self._position = entry.position
        if not isinstance(entry.fact, PolicyPublished):
            return
        name = f"{entry.fact.version}.toml"
        self._published.add(name)
        try:
            content = self._folder.read(f"{POLICIES}/{name}", POLICY_BYTES_MAX)
        except Unfit as problem:
            yield found("BUNDLE", entry.position, str(problem))
            return
        if content != entry.fact.toml.encode():
            yield found("POLICY", entry.position, f"{POLICIES}/{name} is another text")

    def lost(self, originator: UUID | None) -> None:
        """What was published by an unreadable fact nobody can say."""

    def end(self) -> Iterator[Finding]:
        """A file that nobody published."""
        for name in self._folder.names(POLICIES):
            if name not in self._published:
                yield found("POLICY", self._position, f"{POLICIES}/{name} was never published")
