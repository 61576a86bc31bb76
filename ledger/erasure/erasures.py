"""Erasures (删除个人信息) and legal holds (依法保全): facts and state, one originator a subject.

个人信息保护法 art. 47: personal data is deleted when its purpose is over or its consent withdrawn;
what the law wants kept is stored and protected, and not used for anything else. Nothing personal
stands here: pseudonyms, codes and numbers alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args
from uuid import UUID

import msgspec

from ledger import identity
from ledger.campaigns.frame import household_subject
from ledger.facts import Entry, Fact, Sealed, stored_as
from ledger.participants import CONTRIBUTORS

Basis = Literal["consent_withdrawn", "purpose_over", "retention_over", "unlawful", "other"]
"""Why something is erased: art. 47, 1 (1) to (5)."""
HoldBasis = Literal["investigation", "litigation", "audit", "retention", "other"]
HOLD_BASIS = "basis"
"""Under which field a hold's basis is in the vault, as the subject of its own that the hold is."""
BASES = frozenset(get_args(Basis))

DUE, GONE = frozenset({"requested", "approved"}), frozenset({"fenced", "limited", "completed"})


class AboutSubject(Fact, frozen=True, kw_only=True):
    """Base of all facts here: whose personal data they are about."""

    subject: UUID


class SignedStep(AboutSubject, frozen=True, kw_only=True):
    """A step somebody takes; at the terminal (``by`` None) nobody is named."""

    by: UUID | None = None
    command_id: UUID | None = None
    body_digest: str = ""


@stored_as(
    "erasure.requested",
    zh="{by} 申请删除 {subject} 的个人信息，依据：{basis}",
    en="{by} asked to erase the personal data of {subject}: {basis}",
)
class ErasureRequested(SignedStep, frozen=True, kw_only=True):
    """``staff``: the subject has held an office, so a second person decides.

    ``household`` is the number of the household whose data it is, None for anybody else's.
    """

    basis: str
    staff: bool
    household: str | None = None


@stored_as(
    "erasure.approved",
    zh="{by} 批准删除 {subject} 的个人信息",
    en="{by} approved the erasure of the personal data of {subject}",
)
class ErasureApproved(SignedStep, frozen=True, kw_only=True):
    pass


@stored_as(
    "erasure.refused",
    zh="{by} 不同意删除 {subject} 的个人信息",
    en="{by} refused the erasure of the personal data of {subject}",
)
class ErasureRefused(SignedStep, frozen=True, kw_only=True):
    pass


@stored_as(
    "erasure.fenced",
    zh="为 {subject} 设置围栏：此后不再有其密钥，也不再记录其个人信息",
    en="A fence was set for {subject}: no key and nothing personal of theirs from here on",
)
class ErasureFenced(AboutSubject, frozen=True, kw_only=True):
    """``prints`` are the SHA-256 of key material that may never return, as stored and unwrapped.

    Rows of the fields ``kept`` stay under a new key, for a legal hold. ``visits`` are visits to a
    household, of which what was kept until here goes too, whoever's key it is under; they were
    looked for up to the position ``searched``. Those that came before this fence but behind that
    are named by another one, before it is completed.
    """

    prints: tuple[str, ...]
    kept: tuple[str, ...] = ()
    visits: tuple[UUID, ...] = ()
    searched: int = 0


@stored_as(
    "erasure.limited",
    zh="{subject} 的个人信息已删除，依法保全的除外",
    en="The personal data of {subject} was erased, but for what is under a legal hold",
)
class ErasureLimited(AboutSubject, frozen=True, kw_only=True):
    """What is kept can be read by nobody, and goes when the hold is lifted."""

    fields: tuple[str, ...]


@stored_as(
    "erasure.completed",
    zh="{subject} 的个人信息已删除：密钥 {keys} 个，内容 {rows} 项，令牌 {tokens} 个",
    en="The personal data of {subject} was erased: {keys} keys, {rows} rows, {tokens} tokens",
)
class ErasureCompleted(AboutSubject, frozen=True, kw_only=True):
    """How much was destroyed of the subject in all; ``photos`` are among the ``rows``."""

    keys: int
    rows: int
    photos: int
    tokens: int


@stored_as(
    "hold.placed",
    zh="{by} 依法保全 {subject} 的个人信息（{hold_id}）",
    en="{by} placed the legal hold {hold_id} on the personal data of {subject}",
)
class HoldPlaced(SignedStep, frozen=True, kw_only=True):
    """Nothing of the subject may be erased, or nothing of these ``fields`` where any are named.

    ``sealed`` is its basis: the log is public, and whom it is about must not learn it from there.
    """

    hold_id: UUID
    sealed: tuple[Sealed, ...]
    fields: tuple[str, ...] = ()


@stored_as(
    "hold.lifted",
    zh="{by} 解除对 {subject} 的依法保全（{hold_id}）",
    en="{by} lifted the legal hold {hold_id} on the personal data of {subject}",
)
class HoldLifted(SignedStep, frozen=True, kw_only=True):
    hold_id: UUID


class Erasure(msgspec.Struct):
    """What stands of the erasure of one subject, and the holds that are in its way."""

    version: int = 0
    subject: UUID | None = None
    requested: ErasureRequested | None = None
    step: str = "unknown"
    position: int = 0
    """Of its latest fact."""
    holds: dict[UUID, HoldPlaced] = {}
    lifted: dict[UUID, HoldPlaced] = {}
    fences: list[tuple[int, ErasureFenced]] = []
    began: int = 0
    """The position of the first fence since it was asked for."""
    completed: ErasureCompleted | None = None
    ended: int = 0
    """The position where everything was last destroyed that could be."""
    commands: dict[UUID, tuple[str, int]] = {}

    def apply(self, entry: Entry) -> None:
        fact, self.version = entry.fact, entry.originator_version
        if not isinstance(fact, AboutSubject):  # Another kind of originator was asked for.
            return
        self.subject, self.position = fact.subject, entry.position
        if isinstance(fact, ErasureRequested):
            self.requested = fact
        elif isinstance(fact, ErasureFenced):
            self.fences.append((entry.position, fact))
            if self.step in DUE:
                self.began = entry.position
        elif isinstance(fact, HoldPlaced):
            self.holds[fact.hold_id] = fact
        elif isinstance(fact, HoldLifted):
            if held := self.holds.pop(fact.hold_id, None):
                self.lifted[fact.hold_id] = held
        elif isinstance(fact, ErasureCompleted):
            self.completed = fact
        if isinstance(fact, ErasureCompleted | ErasureLimited):
            self.ended = entry.position
        self.step = STEPS.get(type(fact), self.step)
        if isinstance(fact, SignedStep) and fact.command_id:
            self.commands[fact.command_id] = (fact.body_digest, entry.position)

    @property
    def needs_second(self) -> bool:
        """Whether a second person decides: on staff, and on what somebody else asked for.

        Whoever asks for themself needs nobody, and the operator at the terminal has the database.
        """
        asked = self.requested
        return asked is not None and (asked.staff or asked.by not in (None, asked.subject))

    @property
    def waits_for_second(self) -> bool:
        return self.step == "requested" and self.needs_second

    @property
    def frozen(self) -> bool:
        """Whether a hold covers everything."""
        return any(not hold.fields for hold in self.holds.values())

    @property
    def kept(self) -> tuple[str, ...]:
        """The fields that holds on some of them keep, of those that are still there."""
        held = {field for hold in self.holds.values() for field in hold.fields}
        if self.fences:
            held &= set(self.fences[-1][1].kept)
        return tuple(sorted(held))

    @property
    def may_fence(self) -> bool:
        """Whether everybody has spoken and nothing is in the way; or a hold is not any more."""
        if self.frozen or self.waits_for_second:
            return False
        if self.step == "limited":
            return self.kept != self.fences[-1][1].kept
        return self.step in DUE

    @property
    def due(self) -> bool:
        """Whether there is something to do."""
        return self.may_fence or self.step == "fenced"

    @property
    def state(self) -> str:
        """The step as people are told it."""
        waits = self.step in DUE and not self.waits_for_second
        return "held" if waits and self.frozen else self.step

    @property
    def visits(self) -> dict[UUID, int]:
        """The visits to a household that were named, each with the last fence that did so.

        What was kept of one before that position is gone.
        """
        return {one: position for position, fence in self.fences for one in fence.visits}

    @property
    def searched(self) -> int:
        """How far the log was searched for visits."""
        return max((fence.searched for _, fence in self.fences), default=0)

    def may_name(self, visits: Sequence[UUID]) -> bool:
        """Whether a fence may be set: the first, or another for visits it does not name yet."""
        return self.may_fence or (self.step == "fenced" and bool(visits))

    def may_ask(self, kept: Callable[[], bool]) -> bool:
        """Whether it may be asked for; once completed, where more was ``kept`` of a household."""
        return self.step in ("unknown", "refused") or (self.step == "completed" and kept())


STEPS: dict[type[Fact], str] = {
    ErasureRequested: "requested", ErasureApproved: "approved", ErasureRefused: "refused",
    ErasureFenced: "fenced", ErasureLimited: "limited", ErasureCompleted: "completed",
}  # fmt: skip


def erasure_id(subject: UUID) -> UUID:
    """The originator of a subject's erasure and holds."""
    return identity.derived("erasure", subject)


def last_fence(
    fold: Callable[[UUID, Erasure], Erasure], visit: UUID, household: str | None
) -> tuple[int, dict[UUID, int]]:
    """The last fence of its household that names a visit (0: none), and its erasure's version.

    What a visit kept before goes with its household, whoever's it is.
    """
    if household is None:
        return 0, {}
    originator = erasure_id(household_subject(household))
    erasure = fold(originator, Erasure())
    return erasure.visits.get(visit, 0), {originator: erasure.version}


def is_office(role: str) -> bool:
    """Whether who held this role decided over others, so that their erasure takes two people."""
    return role not in CONTRIBUTORS
