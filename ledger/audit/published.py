"""The published log (公开日志) and the rows it was made of: each is held against the other.

Its files are checked as those of a bundle are, by ``ledger.verifier``; here it is asked as well
whether they are what the database holds, and whether the head in the database is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ledger.audit.checks import Row
from ledger.audit.findings import Finding, Unreadable, found
from ledger.store.log_head import LogHead
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.merkle import Frontier
from ledger.transparency.tiles import (
    CHECKPOINT,
    TRUST_POLICY,
    LogFolder,
    TileDamaged,
    parse_tile_path,
)
from ledger.transparency.trust import POLICY_BYTES_MAX, PolicyInvalid, TrustPolicy
from ledger.verifier.entries import BundleRow, Entries
from ledger.verifier.folder import Folder, Missing, Unfit
from ledger.verifier.signatures import Older, beginning, head_of
from ledger.verifier.tree import Tree

NOBODY = TrustPolicy((), {}, {}, "none")


class LiveFolder(Folder):
    """The folder of a log that goes on: a partial tile may be gone once the whole one is there."""

    def __init__(self, log: LogFolder) -> None:
        super().__init__(log.path)
        self._log = log

    def read(self, name: str, limit: int) -> bytes:
        """As of any folder; of a wider tile, its first part. Raises Unfit."""
        try:
            return super().read(name, limit)
        except Missing as missing:
            tile = parse_tile_path(name)
            if tile is None:
                raise
            try:
                return self._log.read(*tile)
            except TileDamaged:
                raise missing from None


class Signed(NamedTuple):
    """A tree that was signed: the code of the finding where nothing gives it, and by what name."""

    code: str
    name: str
    size: int
    root: bytes


class Published:
    """Checks the published log while the rows go by; ``findings`` are complete when they have.

    ``checkpoint`` is the published one and ``head`` the row of the database that says how far the
    log was signed, read in this order. ``trust`` is the auditor's own policy, else the published
    one is taken; ``older`` are checkpoints that somebody kept. Memory does not grow with the log.

    Where rows and files differ a finding says so; so a root that was signed is one only if neither
    give it. That a row's leaf hash is its own is for the audit to say, which the rows go on to.
    """

    def __init__(
        self, log: LogFolder, checkpoint: bytes | None, head: LogHead,
        trust: TrustPolicy | None = None, older: Sequence[Older] = (),
    ) -> None:  # fmt: skip
        self.findings: list[Finding] = []
        self.unsigned = 0
        """How many rows stand behind the checkpoint, not signed yet."""
        self._head, self._folder = head, LiveFolder(log)
        self._last, self._given = 0, set[Signed]()
        trust = trust or self._policy()
        found_head = self._believed(checkpoint, trust)
        self.size = 0 if found_head is None else found_head.size
        begun = found_head or Checkpoint(head.origin, head.size, head.root)
        self._signed = [Signed("HEAD", "log_head", head.size, head.root)]
        if found_head is not None:
            self._signed.append(Signed("ROOT", CHECKPOINT, found_head.size, found_head.root))
        self._signed += (one for each in older for one in self._kept(each, begun, trust))
        self._frontier, self._tree = Frontier(), Tree(self._folder, {}, self._tell)
        self._entries = Entries(self._folder, self.size, self._tree, self._tell)
        self._published = iter(self._entries)
        self._next: BundleRow | Unreadable | None = None

    def beside(self, rows: Iterable[Row | Unreadable]) -> Iterator[Row | Unreadable]:
        """The same rows, each compared with the entry that was published at its position."""
        self._go_on()
        for row in rows:
            self._see(row)
            yield row
        self._end()

    def _tell(self, finding: Finding) -> None:
        if finding.code == "LEAF_HASH":  # Between two files; that of a row is another matter.
            finding = found("TILE", finding.position, f"tile/entries: {finding.text}")
        self.findings.append(finding)

    def _policy(self) -> TrustPolicy:
        try:
            return TrustPolicy.parse(self._folder.read(TRUST_POLICY, POLICY_BYTES_MAX))
        except Unfit as problem:
            self._tell(found("BUNDLE", 0, str(problem)))
        except PolicyInvalid as problem:
            self._tell(found("BUNDLE", 0, f"{TRUST_POLICY}: {problem}"))
        return NOBODY

    def _believed(self, content: bytes | None, trust: TrustPolicy) -> Checkpoint | None:
        """What the checkpoint says, held against the head; None where nothing can be read."""
        head = self._head
        if content is None:
            if head.size:
                self._tell(found("BUNDLE", 0, f"{CHECKPOINT}: missing (GWC_LOG_DIR?)"))
            return None
        says, problems = head_of(content, trust)
        self.findings += problems
        if says is None:
            return None
        if says.origin != head.origin:
            self._tell(found("HEAD", 0, f"{says.origin} ≠ {head.origin}"))
        elif says.size > head.size:
            self._tell(found("HEAD", head.size + 1, f"{CHECKPOINT}: {says.size} > {head.size}"))
        return says

    def _kept(self, older: Older, head: Checkpoint, trust: TrustPolicy) -> Iterator[Signed]:
        for result in beginning(older, head, trust):
            if isinstance(result, Finding):
                self._tell(result)
            elif result is not None:
                yield Signed("FORK", older.name, result.size, result.root)

    def _go_on(self) -> None:
        """To the next entry that was published."""
        self._next = next(self._published, None)
        self._hold(self._tree)

    def _hold(self, tree: Frontier | Tree) -> None:
        """Mark what was signed of the tree as it now is."""
        for one in self._signed:
            if one.size == tree.size and one.root == tree.root():
                self._given.add(one)

    def _see(self, row: Row | Unreadable) -> None:
        self._last = row.position
        while self._next is not None and self._next.position < row.position:
            self._go_on()
        if isinstance(row, Unreadable):
            return
        there = self._next if self._next and self._next.position == row.position else None
        if isinstance(there, BundleRow) and there.leaf_hash != row.leaf_hash:
            last = self.findings[-1] if self.findings else None
            # Unless two files differ there: then it is not the row.
            if last is None or (last.code, last.position) != ("TILE", row.position):
                self._tell(found("PUBLISHED", row.position, f"{there.topic} → {row.topic}"))
        self._frontier.add(row.leaf_hash)  # Behind a gap it gives no root that was signed.
        self._hold(self._frontier)

    def _end(self) -> None:
        while self._next is not None:
            self._go_on()
        if self._entries.whole:
            self._tree.end()
        signed = max(self.size, self._head.size)
        if self._last < signed:
            self._tell(found("PUBLISHED", self._last + 1, f"{self._last} < {signed}"))
        self.unsigned = max(self._last - self.size, 0)
        differ = any(one.code == "PUBLISHED" for one in self.findings)
        for one in self._signed:
            if one not in self._given and not (one.code == "HEAD" and differ):
                self._tell(found(one.code, one.size, f"{one.name}: {one.root.hex()}"))
