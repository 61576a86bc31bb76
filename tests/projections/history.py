"""Random histories of a city: contributions, awards, consents, and all that is done with coins."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from ledger.application import Ledger
from ledger.coins import AwardRefused, CoinsAwarded
from ledger.contributions.base import AwardReopened, ReviewRefused, Verified
from ledger.contributions.patrol import PatrolAssessed
from ledger.contributions.report import ReportRecorded
from ledger.contributions.visit import VisitRecorded
from ledger.facts import Fact, Sealed
from ledger.identity import wallet_id
from ledger.participants import ConsentGiven, ConsentWithdrawn, ParticipantRegistered
from ledger.tracks.metrics import Metrics
from tests.projections.spending import Spending
from tests.projections.writing import PATHS, Facts

GOOD_FOR_DAYS = (-1, 0, 2, 30, 400)
ROLES = ("citizen", "grid_worker")


class History(Spending):
    """Writes random facts into a ledger, in commits of a few, and remembers them."""

    def __init__(self, ledger: Ledger, seed: int, people: int = 6) -> None:
        super().__init__(ledger, seed, people)
        self.consents: set[UUID] = set()
        self.open: list[tuple[UUID, UUID]] = []
        self.unpaid: list[tuple[UUID, UUID]] = []
        for person in self.people:
            given = ("board",) if self.random.random() < 0.5 else ("track",)
            registered = ParticipantRegistered(
                role="citizen", district=None, consents=given, sealed=(), body_digest=""
            )
            self.append([(person, registered)])
            if given == ("board",):
                self.consents.add(person)

    def grow(self, steps: int) -> None:
        """Append that many random commands."""
        for _ in range(steps):
            self.random.choice((
                self.award, self.award, self.refuse, self.change_mind, self.record, self.record,
                self.decide, self.reopen, self.ask, self.ask, self.ask, self.go_on, self.give,
                self.expire, self.propose, self.settle, self.settle, self.pass_time,
            ))()  # fmt: skip

    def award(self) -> None:
        self.append([self._award(self.random.choice(self.people), self.id())])

    def refuse(self) -> None:
        self.append([self._refusal(self.random.choice(self.people), self.id())])

    def change_mind(self) -> None:
        person = self.random.choice(self.people)
        kind = ConsentWithdrawn if person in self.consents else ConsentGiven
        self.consents ^= {person}
        self.append([(person, kind(participant_id=person, consent="board"))])

    def record(self) -> None:
        person, cause, draw = self.random.choice(self.people), self.id(), self.random.random()
        kind = ReportRecorded if draw < 0.5 else VisitRecorded
        recorded = kind(
            participant_id=person, role="citizen", role_district=None,
            districts=self.random.choice(PATHS), earned_on=self._day(), body_digest="",
        )  # fmt: skip
        facts: Facts = [(cause, recorded)]
        verdict = self.random.choice((None, "review", "valid", "rejected"))
        if verdict:
            assessed = _assessed(verdict, ("too_short",) if verdict == "rejected" else ())
            facts.append((cause, assessed))
        if verdict == "valid":
            facts.append(self._settled(person, cause))
        elif verdict == "rejected":
            facts.append(self._refusal(person, cause))
        else:
            self.open.append((cause, person))
        self.append(facts)

    def decide(self) -> None:
        if not self.open:
            return
        cause, person = self.open.pop(self.random.randrange(len(self.open)))
        if self.random.random() < 0.6:
            self.append([(cause, Verified(**self.signed())), self._settled(person, cause)])
        else:
            sealed = (Sealed(field="review", subject=person, digest="x"),)
            refused = ReviewRefused(**self.signed(), sealed=self.random.choice((sealed, ())))
            self.append([(cause, refused), self._refusal(person, cause)])

    def reopen(self) -> None:
        """Pay what was refused for lack of a budget."""
        if self.unpaid:
            cause, person = self.unpaid.pop(0)
            self.append([(cause, AwardReopened()), self._award(person, cause)])

    def _day(self) -> date:
        return date(2025, 12, 25) + timedelta(days=self.random.randrange(12))

    def _settled(self, person: UUID, cause: UUID) -> tuple[UUID, Fact]:
        if self.random.random() < 0.7:
            return self._award(person, cause)
        self.unpaid.append((cause, person))
        return self._refusal(person, cause, "budget_used_up")

    def _award(self, person: UUID, cause: UUID) -> tuple[UUID, Fact]:
        amount = self.random.randint(1, 6)
        return wallet_id(person), CoinsAwarded(
            participant_id=person, amount=amount, cause=cause, kind="report",
            rule="r.x", policy_version="v1", earned_on=self._day(),
            expires_on=self.today + timedelta(days=self.random.choice(GOOD_FOR_DAYS)),
            role=self.random.choice(ROLES), districts=self.random.choice(PATHS),
            reasons=self.random.choice(((), ("cap_day",))),
            to_debt=min(amount, self.wallets[person].debt),
        )  # fmt: skip

    def _refusal(
        self, person: UUID, cause: UUID, reason: str = "own_duty"
    ) -> tuple[UUID, Fact]:
        return wallet_id(person), AwardRefused(
            participant_id=person, cause=cause, kind="report", rule="r.no", policy_version="v1",
            earned_on=self._day(), reasons=(reason,),
        )  # fmt: skip


def _assessed(verdict: str, reasons: tuple[str, ...]) -> PatrolAssessed:
    return PatrolAssessed(
        policy_version="v1", verdict=verdict, reasons=reasons, metrics=Metrics()
    )
