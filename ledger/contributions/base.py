"""What every way to take part has in common: its facts' base, its state, and what it declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import UUID

import msgspec

from ledger.contributions.credits import Credited
from ledger.districts import Districts
from ledger.facts import Entry, Fact, Sealed, Text, stored_as
from ledger.participants import Actor
from ledger.policy import Granted, KindRules, Refused
from ledger.rivers import RiverMap

if TYPE_CHECKING:
    from ledger.batch import Refusal
    from ledger.log import Folded

F = TypeVar("F", bound="Folded")


class Recorded(Fact, frozen=True):
    """The first fact of every contribution: who, in which role and place, and claimed when.

    ``districts`` is the place's path, lowest first; ``earned_on`` the reward day. The time of
    receipt is the entry's own.
    """

    participant_id: UUID
    role: str
    role_district: str | None
    districts: tuple[str, ...]
    earned_on: date
    body_digest: str
    sealed: tuple[Sealed, ...] = ()
    began_at: datetime | None = None
    ended_at: datetime | None = None
    sent_at: datetime | None = None
    # Every role the person held, with the path of its district, lowest first; empty: the city.
    held: dict[str, tuple[str, ...]] = {}

    @property
    def people(self) -> tuple[UUID, ...]:
        """Whoever took part, and so cannot judge it."""
        return (self.participant_id,)


class Assessed(Fact, frozen=True):
    """A machine's verdict: valid, review or rejected, with the codes of its reasons."""

    policy_version: str
    verdict: str
    reasons: tuple[str, ...]


@stored_as(
    "contribution.verified",
    zh="{by} 审核 {originator}，认定属实（{tier} 级）",
    en="{by} reviewed {originator} and found it to be true (tier {tier})",
)
class Verified(Fact, frozen=True):
    """A reviewer's yes; ``tier`` grades what kind of finding it was (1 ordinary to 3 grave).

    ``seen`` is the version that the reviewer had seen, where that was said; 1 is as recorded.
    """

    by: UUID
    command_id: UUID
    body_digest: str
    tier: int = 1
    seen: int | None = None


@stored_as(
    "contribution.refused",
    zh="{by} 审核 {originator}，未予认可",
    en="{by} reviewed {originator} and did not accept it",
)
class ReviewRefused(Fact, frozen=True):
    """A reviewer's no; the reason in words is sealed under the contributor's key."""

    by: UUID
    command_id: UUID
    body_digest: str
    sealed: tuple[Sealed, ...] = ()
    seen: int | None = None


@stored_as(
    "contribution.award-reopened",
    zh="{by} 追加预算后，{originator} 的奖励重新结算",
    en="{by} raised the budget, so the award for {originator} was settled anew",
)
class AwardReopened(Fact, frozen=True):
    """What was refused for lack of budget is settled again; its money fact follows right behind."""

    by: UUID | None = None


class Amended(Fact, frozen=True):
    """Base of what changes a contribution afterwards; what was recorded first stays in the log."""

    @property
    def hand(self) -> UUID:
        """Whose change it is."""
        raise NotImplementedError

    def effective(self) -> Mapping[str, Any]:
        """What takes effect of what the log tells, by field; None: emptied."""
        raise NotImplementedError

    def amend(self, recorded: Recorded) -> Recorded:
        """The contribution as it stands with this change."""
        raise NotImplementedError


class Withdrawn(Fact, frozen=True):
    """Base of what takes a contribution back before anybody decided it."""


class State(msgspec.Struct):
    """A contribution as it stands: pending, review, valid, rejected, verified, refused, withdrawn.

    ``credits`` are those that were credited before it for what it shares with them, ``behind``
    those that came later, where it waited for its award meanwhile.
    """

    version: int = 0
    state: str = "unknown"
    recorded: Recorded | None = None
    assessed: Assessed | None = None
    decided: Verified | ReviewRefused | None = None
    position: int = 0  # of the first fact
    received_at: datetime | None = None
    decided_position: int = 0
    credits: tuple[Credited, ...] = ()
    hands: frozenset[UUID] = frozenset()  # whoever had a part in what it says
    edition: int = 1  # the newest version; each amendment makes the next
    behind: tuple[Credited, ...] = ()

    def apply(self, entry: Entry) -> None:
        self.version = entry.originator_version
        fact = entry.fact
        if isinstance(fact, Recorded):
            self.recorded, self.state = fact, "pending"
            self.hands = frozenset(fact.people)
            self.position, self.received_at = entry.position, entry.recorded_at
        elif isinstance(fact, Assessed):
            self.assessed, self.state = fact, fact.verdict
        elif isinstance(fact, Verified):
            self.decided, self.state = fact, "verified"
            self.decided_position = entry.position
        elif isinstance(fact, ReviewRefused):
            self.decided, self.state = fact, "refused"
            self.decided_position = entry.position
        elif isinstance(fact, Amended) and self.recorded is not None:
            self.recorded = fact.amend(self.recorded)
            self.hands |= {fact.hand}
            self.edition += 1
        elif isinstance(fact, Withdrawn):
            self.state = "withdrawn"


# States that wait for a reviewer; every other is final.
OPEN_STATES = frozenset({"pending", "review"})


class Times(msgspec.Struct, frozen=True):
    """What a phone says of when something happened and when it was sent; None where it does not."""

    recorded_at: datetime | None = None
    sent_at: datetime | None = None


class Context(Protocol):
    """What recording a contribution may look at, and how it seals what is personal."""

    actor: Actor
    now: datetime
    rivers: RiverMap
    districts: Districts
    times: Times
    raised: tuple[UUID, ...]
    """What else was sent in with it, and is recorded in the same commit."""
    copied: bool
    """Whether the store refused this content because somebody sent the same before."""

    def rules(self, day: date) -> KindRules | None:
        """This kind's table of the policy in force on ``day``; None where it has none."""

    def policy_version(self, day: date) -> str:
        """The version of the policy in force on ``day``; empty where there is none."""

    def seal(
        self, field: str, value: Any, *, subject: UUID | None = None, shelf: str | None = None,
        unique: bytes | None = None,
    ) -> Sealed:  # fmt: skip
        """Put a personal value into the vault, under the contributor's key if no other's."""

    def shelf(self, name: str, newest: int) -> Sequence[Any]:
        """The newest values of a shelf of the vault, whoever's they are."""

    def register(self, name: str, of: UUID | None = None) -> Any:
        """A register of the ledger as it stands, or what it keeps ``of`` this id; it must not
        change meanwhile."""

    def originator(self, originator_id: UUID, state: F) -> F:
        """``state`` with the facts of something this is about; it must not change meanwhile."""

    def take(self, key: str, amount: int, limit: int | None, refusal: Refusal) -> None:
        """Take so many of what many share; ``refusal`` makes what is raised of what is left."""


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """One way to take part, declared once; routes, schema, policy and views follow from it.

    ``record(body, context, body_digest)`` decides the facts of a submission, the first being
    ``recorded``. ``reward(state, rules)`` and, where a machine judges, ``verdict(recorded,
    assessed, rules, received)`` are pure on stored facts, so an auditor can repeat them.
    ``shared(recorded)`` names what several contributions share and which pays once; ``raises``
    gives what else a body sends in, in the same commit. ``headline`` names the fields of
    ``recorded`` by which somebody who looks through a list tells one from another.
    """

    kind: str
    path: str  # the HTTP collection, /v1/<path>
    name: Text
    body: type[msgspec.Struct]
    recorded: type[Recorded]
    rules: type[KindRules]
    policy: str  # the kind's section of the default policy
    contributors: frozenset[str]
    reviewers: frozenset[str]
    record: Callable[[Any, Context, str], Sequence[Fact]]
    reward: Callable[[State, Any], Granted | Refused]
    verdict: Callable[[Any, Any, Any, datetime], tuple[str, tuple[str, ...]]] | None = None
    reasons: Mapping[str, Text] = {}
    own_actions: tuple[str, ...] = ()  # what its owner may do while it waits
    shared: Callable[[Any], UUID | None] | None = None
    raises: Callable[[Any], Sequence[tuple[Contribution, Any]]] | None = None
    headline: tuple[str, ...] = ()
