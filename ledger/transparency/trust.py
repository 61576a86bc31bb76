"""Trust policies (信任策略) as c2sp.org/tlog-policy has them: which logs, how many witnesses.

Names are compared byte by byte, so the file is read as Latin-1. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.notes import (
    LOG_KEY,
    WITNESS_KEY,
    Note,
    NoteInvalid,
    VerifierKey,
    Verify,
)

NONE, ANY, ALL = "none", "any", "all"
POLICY_BYTES_MAX = 100_000


class PolicyInvalid(Exception):
    """A trust policy cannot be read; the message names the line."""


class Trusted(NamedTuple):
    """A log or a witness: its key, and its address where one is given."""

    name: str
    key: VerifierKey
    url: str = ""


class Group(NamedTuple):
    """Witnesses or groups of which so many must have cosigned."""

    threshold: int
    members: tuple[str, ...]


class TrustPolicy(NamedTuple):
    """When a checkpoint is believed."""

    logs: tuple[Trusted, ...]
    witnesses: dict[str, Trusted]
    groups: dict[str, Group]
    quorum: str

    @classmethod
    def parse(cls, content: bytes) -> TrustPolicy:
        """Raises PolicyInvalid naming the first line that is wrong."""
        if len(content) > POLICY_BYTES_MAX:
            raise PolicyInvalid(f"longer than {POLICY_BYTES_MAX} bytes")
        reading = _Reading()
        for number, line in enumerate(content.decode("latin-1").split("\n"), 1):
            try:
                reading.line(line)
            except (ValueError, NoteInvalid) as error:
                raise PolicyInvalid(f"line {number}: {error}") from None
        if reading.quorum is None:
            raise PolicyInvalid("there is no quorum line")
        return cls(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum)

    def problems(self, note: Note, verify: Verify) -> Iterator[str]:
        """Why a signed checkpoint is not to be believed; nothing where it is."""
        try:
            origin = Checkpoint.parse(note.text).origin
            signed = note.signed_by(self.keys(), verify)
        except NoteInvalid as error:
            yield str(error)
            return
        logs = {one.key for one in self.logs}
        if logs and not any(one.key in logs and one.key.name == origin for one in signed):
            yield "no log of the trust policy signed it"
        cosigned = {one.key for one in signed}
        have = {name for name, one in self.witnesses.items() if one.key in cosigned}
        if not self.reached(have):
            yield f"the quorum is not reached: cosigned by {', '.join(sorted(have)) or 'nobody'}"

    def reached(self, cosigners: Iterable[str]) -> bool:
        """Whether these witnesses, by their names in the policy, are a quorum."""
        have = set(cosigners)
        for name, group in self.groups.items():  # A group names only what stands before it.
            if sum(member in have for member in group.members) >= group.threshold:
                have.add(name)
        return self.quorum == NONE or self.quorum in have

    def keys(self) -> list[VerifierKey]:
        """Every key of the policy."""
        return [one.key for one in (*self.logs, *self.witnesses.values())]


class _Reading:
    """What the lines so far say."""

    def __init__(self) -> None:
        self.logs: list[Trusted] = []
        self.witnesses: dict[str, Trusted] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._publics: set[tuple[int, bytes]] = set()
        self._members: set[str] = set()

    def line(self, line: str) -> None:
        """Raises ValueError or NoteInvalid for a line that is not of a policy."""
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line):
            raise ValueError("control characters")
        word, *rest = re.split(r"[ \t]+", line.strip(" \t"))
        if not word or word.startswith("#"):
            return
        readers: dict[str, Callable[..., None]] = {
            "log": self._log, "witness": self._witness, "group": self._group,
            "quorum": self._quorum,
        }  # fmt: skip
        if (reader := readers.get(word)) is None:
            raise ValueError(f"{word!r} is not log, witness, group or quorum")
        try:
            reader(*rest)
        except TypeError:
            raise ValueError(f"too few or too many words behind {word}") from None

    def _log(self, key: str, url: str = "") -> None:
        self.logs.append(Trusted("", self._key(key, LOG_KEY), url))

    def _witness(self, name: str, key: str, url: str = "") -> None:
        self._new(name)
        self.witnesses[name] = Trusted(name, self._key(key, WITNESS_KEY), url)

    def _group(self, name: str, threshold: str, *members: str) -> None:
        self._new(name)
        for member in members:
            self._defined(member)
            if member in self._members:
                raise ValueError(f"{member} is a member twice")
            self._members.add(member)
        words = {ANY: 1, ALL: len(members)}
        count = words[threshold] if threshold in words else _decimal(threshold)
        if not 1 <= count <= len(members):
            raise ValueError(f"{count} of {len(members)} members")
        self.groups[name] = Group(count, members)

    def _quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise ValueError("a second quorum line")
        if name != NONE:
            self._defined(name)
        self.quorum = name

    def _new(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise ValueError(f"{name} is taken")

    def _defined(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise ValueError(f"{name} is not defined above")

    def _key(self, text: str, kind: int) -> VerifierKey:
        key = VerifierKey.parse(text.encode("latin-1").decode())
        if key.kind != kind:
            raise ValueError("the key is of another type")
        if (kind, key.public) in self._publics:
            raise ValueError("a key stands there twice")
        self._publics.add((kind, key.public))
        return key


def _decimal(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise ValueError(f"{text!r} is no number, any or all")
    return int(text)
