"""Random histories, and what the views of one must show, worked out without any fold."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from ledger.application import Ledger
from ledger.contributions.base import ReviewRefused, Verified
from ledger.contributions.patrol import PatrolAssessed
from ledger.contributions.report import ReportRecorded
from ledger.contributions.visit import VisitRecorded
from ledger.facts import Entry, Fact, Sealed
from ledger.identity import wallet_id
from ledger.log import Append
from ledger.participants import ConsentGiven, ConsentWithdrawn, ParticipantRegistered
from ledger.tracks.metrics import Metrics
from ledger.wallet import AwardRefused, CoinsAwarded

NOW = datetime(2026, 3, 30, 4, 0, tzinfo=UTC)
PATHS = ((), ("g1", "t1", "c1"), ("g2", "t1", "c1"), ("t2", "c1"))
EXPIRIES = (date(2026, 3, 29), date(2026, 3, 31), date(2027, 12, 31))
ROLES = ("citizen", "grid_worker")


class History:
    """Writes random facts into a ledger, in commits of a few, and remembers them."""

    def __init__(self, ledger: Ledger, seed: int, people: int = 6) -> None:
        self.ledger = ledger
        self.random = random.Random(seed)
        self.entries: list[Entry] = []
        self.versions: dict[UUID, int] = defaultdict(int)
        self.people = [self._id() for _ in range(people)]
        self.consents: set[UUID] = set()
        self.open: list[tuple[UUID, UUID]] = []
        for person in self.people:
            given = ("board",) if self.random.random() < 0.5 else ("track",)
            registered = ParticipantRegistered(
                role="citizen", district=None, consents=given, sealed=(), body_digest=""
            )
            self.append([(person, registered)])
            if given == ("board",):
                self.consents.add(person)

    def _id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def append(self, facts: list[tuple[UUID, Fact]]) -> None:
        writes = []
        for originator, fact in facts:
            writes.append(Append(originator, self.versions[originator], [fact]))
            self.versions[originator] += 1
        now = NOW + timedelta(minutes=len(self.entries))
        self.entries += self.ledger.append(writes, now)

    def grow(self, steps: int) -> None:
        """Append that many random commands."""
        for _ in range(steps):
            self.random.choice((
                self.award, self.award, self.refuse, self.change_mind, self.record, self.record,
                self.decide,
            ))()  # fmt: skip

    def award(self) -> None:
        self.append([self._award(self.random.choice(self.people), self._id())])

    def refuse(self) -> None:
        self.append([self._refusal(self.random.choice(self.people), self._id())])

    def change_mind(self) -> None:
        person = self.random.choice(self.people)
        kind = ConsentWithdrawn if person in self.consents else ConsentGiven
        self.consents ^= {person}
        self.append([(person, kind(participant_id=person, consent="board"))])

    def record(self) -> None:
        person, cause, draw = self.random.choice(self.people), self._id(), self.random.random()
        kind = ReportRecorded if draw < 0.5 else VisitRecorded
        recorded = kind(
            participant_id=person, role="citizen", role_district=None,
            districts=self.random.choice(PATHS), earned_on=self._day(), body_digest="",
        )  # fmt: skip
        facts: list[tuple[UUID, Fact]] = [(cause, recorded)]
        verdict = self.random.choice((None, "review", "valid", "rejected"))
        if verdict:
            assessed = _assessed(verdict, ("too_short",) if verdict == "rejected" else ())
            facts.append((cause, assessed))
        if verdict == "valid":
            facts.append(self._award(person, cause))
        elif verdict == "rejected":
            facts.append(self._refusal(person, cause))
        else:
            self.open.append((cause, person))
        self.append(facts)

    def decide(self) -> None:
        if not self.open:
            return
        cause, person = self.open.pop(self.random.randrange(len(self.open)))
        common = {"by": self._id(), "command_id": self._id(), "body_digest": ""}
        if self.random.random() < 0.6:
            self.append([(cause, Verified(**common)), self._award(person, cause)])
        else:
            sealed = (Sealed(field="review", subject=person, digest="x"),)
            refused = ReviewRefused(**common, sealed=self.random.choice((sealed, ())))
            self.append([(cause, refused), self._refusal(person, cause)])

    def _day(self) -> date:
        return date(2025, 12, 25) + timedelta(days=self.random.randrange(12))

    def _award(self, person: UUID, cause: UUID) -> tuple[UUID, Fact]:
        return wallet_id(person), CoinsAwarded(
            participant_id=person, amount=self.random.randint(1, 3), cause=cause, kind="report",
            rule="r.x", policy_version="v1", earned_on=self._day(),
            expires_on=self.random.choice(EXPIRIES),
            role=self.random.choice(ROLES), districts=self.random.choice(PATHS),
            reasons=self.random.choice(((), ("cap_day",))),
        )  # fmt: skip

    def _refusal(self, person: UUID, cause: UUID) -> tuple[UUID, Fact]:
        return wallet_id(person), AwardRefused(
            participant_id=person, cause=cause, kind="report", rule="r.no", policy_version="v1",
            earned_on=self._day(), reasons=("own_duty",),
        )  # fmt: skip


def _assessed(verdict: str, reasons: tuple[str, ...]) -> PatrolAssessed:
    return PatrolAssessed(
        policy_version="v1", verdict=verdict, reasons=reasons, metrics=Metrics()
    )
