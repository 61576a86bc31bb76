"""Checking a bundle (核对审计包): signatures, tree, and the service's own audit of every entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from ledger.audit.checks import audit
from ledger.audit.findings import Finding, Unreadable, found
from ledger.audit.orphans import Orphans
from ledger.audit.settling import Settling
from ledger.erasure.erasures import ErasureCompleted
from ledger.facts import Entry
from ledger.transparency.checkpoints import Checkpoint
from ledger.transparency.tiles import CHECKPOINT, TRUST_POLICY
from ledger.transparency.trust import POLICY_BYTES_MAX, PolicyInvalid, TrustPolicy
from ledger.verifier.entries import BundleRow, Entries
from ledger.verifier.folder import NOTE_BYTES_MAX, Folder, Unfit
from ledger.verifier.policies import Policies
from ledger.verifier.shown import Shown, Times
from ledger.verifier.signatures import Older, beginning, head_of
from ledger.verifier.tree import Tell, Tree


class Checked(NamedTuple):
    """How many entries the checkpoint says there are, where somebody was erased, what is shown."""

    size: int
    erased: list[int]
    times: Times | None = None


class Erased:
    """Erasures that were completed; what they took away was never in the log."""

    def __init__(self) -> None:
        self.positions: list[int] = []

    def check(self, entry: Entry) -> Iterator[Finding]:
        """Note where one is."""
        if isinstance(entry.fact, ErasureCompleted):
            self.positions.append(entry.position)
        return iter(())

    def lost(self, originator: UUID | None) -> None:
        """What cannot be read is not counted."""

    def end(self) -> Iterator[Finding]:
        """Nothing is held back."""
        return iter(())


def check_bundle(
    folder: Folder, tell: Tell, trust: TrustPolicy | None = None, older: Iterable[Older] = (),
    passed: Callable[[int], None] = lambda _: None,
) -> Checked:
    """Tell every fault of a bundle, as it is found.

    ``trust`` is the auditor's own policy, else it is the bundle's; ``older`` are checkpoints of
    this log that were kept; ``passed`` is told the size after each entry. One pass, in memory that
    does not grow with the log.
    """
    roots: dict[int, list[tuple[str, bytes]]] = {}
    head = _head(folder, tell, trust, older, roots)
    if head is None:
        return Checked(0, [])
    tree = Tree(folder, roots, tell)
    entries = Entries(folder, head.size, tree, tell)
    settling, erased = Settling(), Erased()
    shown = Shown(folder, settling.books, head.size)
    beside = (Policies(folder), shown, Orphans(), erased)

    def rows() -> Iterator[BundleRow | Unreadable]:
        for row in entries:
            yield row
            passed(row.position)

    for finding in audit(rows(), *beside, settling=settling):
        tell(finding)
    if entries.whole:
        tree.end()
    return Checked(head.size, erased.positions, shown.times)


def _head(
    folder: Folder, tell: Tell, trust: TrustPolicy | None, older: Iterable[Older],
    roots: dict[int, list[tuple[str, bytes]]],
) -> Checkpoint | None:
    """What the checkpoint says, None if nothing; ``roots`` gets its root and older ones."""
    try:
        trust = trust or TrustPolicy.parse(folder.read(TRUST_POLICY, POLICY_BYTES_MAX))
        content = folder.read(CHECKPOINT, NOTE_BYTES_MAX)
    except (Unfit, PolicyInvalid) as problem:
        name = "" if isinstance(problem, Unfit) else f"{TRUST_POLICY}: "
        tell(found("BUNDLE", 0, f"{name}{problem}"))
        return None
    head, findings = head_of(content, trust)
    for finding in findings:
        tell(finding)
    if head is None:
        return None
    roots[head.size] = [(CHECKPOINT, head.root)]
    for one in older:
        for result in beginning(one, head, trust):
            if isinstance(result, Finding):
                tell(result)
            else:
                roots.setdefault(result.size, []).append((one.name, result.root))
    return head
